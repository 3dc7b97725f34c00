// View 5: two alternatives.

// Four pixels, of which the last is certain and costs nothing: three bits for the others, one for the hidden unit.
const TWO = { size: 2, hidden: [1], initial_bias: 0, schedule: [[1000, [0.1, 0.1]]] };
const TWO_IMAGE = [1, 0, 1, 1];
const CERTAIN = 60;
const POINTS = 81;

class TwoView {
  constructor(figure) {
    this.figure = figure;
    this.own = new World(figure.host, "two", TWO);
    this.kind = "even";
    this.curves = {};
    this.q = 0.5;
    this.place = 0;
    this.kinds = choice("Which alternatives", [["even", "4 bits and 4 bits"], ["uneven", "5 bits and 3.4 bits"]], "even", (kind) => figure.alone(() => this.turn(kind)));
    this.extra = [this.kinds];
    this.slide = slider("q, how often “on”", { min: 0.01, max: 0.99, step: 0.01, value: 0.5, slide: (q) => { if (!figure.busy) figure.alone(() => this.set(q)); } });
    this.stage = new Stage(figure, (w, em) => (w > 640 ? 15.4 * em : 30 * em), (pen) => this.draw(pen), "What two alternatives cost, against how often each is chosen");
    this.element = h("div", {}, this.stage.element, h("div", { class: "sliders" }, this.slide));
  }

  async start() {
    await this.own.reset();
    await this.turn("even");
  }

  async turn(kind) {
    this.kind = kind;
    this.kinds.set(kind);
    this.place = 0;
    this.curves = { length: [], energy: [] };
    await this.own.edit([
      { name: "gen_biases", level: 0, index: [3], value: CERTAIN },
      { name: "gen_biases", level: 1, index: [0], value: kind === "even" ? 0 : Math.log(3) },
    ]);
    await this.set(0.5);
  }

  async set(q) {
    this.q = q;
    this.slide.set(q);
    await this.own.edit([{ name: "rec_biases", level: 0, index: [0], value: Math.log(q / (1 - q)) }]);
    const reply = await this.own.ask("recognise", { image: TWO_IMAGE, n: 1, seed: 0 });
    const { arrays } = reply;
    this.found = reply;
    this.length = reply.description_length_bits ?? reply.free_energy_bits + reply.entropy_bits;
    this.entropy = this.length - reply.free_energy_bits;
    this.costs = [0, 1].map((state) => arrays.cost_bits[arrays.top.indexOf(state)]);
    this.posterior = arrays.posterior[arrays.top.indexOf(1)];
    this.figure.live("energy", `${fixed(1 - q)} × ${fixed(this.costs[0], 1)} + ${fixed(q)} × ${fixed(this.costs[1], 1)} − ${fixed(this.entropy)} = `, ["wake", `${fixed(reply.free_energy_bits)} bits`]);
    this.figure.live("boltzmann", `2^{−${fixed(this.costs[1], 1)}} / (2^{−${fixed(this.costs[0], 1)}} + 2^{−${fixed(this.costs[1], 1)}}) = `, ["", fixed(this.posterior)]);
    this.stage.redraw();
  }

  /** Sweep q from side to side; the curves are what has been met. */
  async tick(seconds) {
    this.since = (this.since ?? 0) + seconds;
    if (this.place >= POINTS) {
      if (this.since > 2) this.since = 0;
      else return;
      if (this.kind === "even") return this.turn("uneven");
      await this.set(this.posterior);
      this.figure.answered();
      this.figure.pause();
      return;
    }
    if (this.since < 0.05) return;
    this.since = 0;
    const q = 0.005 + (0.99 * this.place) / (POINTS - 1);
    this.place += 1;
    await this.set(q);
    this.curves.length.push([q, this.length]);
    this.curves.energy.push([q, this.found.free_energy_bits]);
  }

  again() {
    if (this.place >= POINTS) {
      this.place = 0;
      this.curves = { length: [], energy: [] };
    }
  }

  async step() {
    this.since = 9;
    await this.tick(0);
  }

  reset() {
    return this.turn(this.kind);
  }

  link() {
    return { kind: this.kind, q: fixed(this.q, 3) };
  }

  async restore({ kind, q }) {
    await this.start();
    if (kind === "uneven") await this.turn(kind);
    while (this.place < POINTS) await this.step();
    if (Number(q) > 0 && Number(q) < 1) await this.set(Number(q));
  }

  redraw() {
    this.stage.redraw();
  }

  draw(pen) {
    if (!this.costs) return;
    const { em, w } = pen;
    if (w > 640) {
      this.sum(pen, 0, 0.5 * em, 0.4 * w);
      this.curve(pen, 0.5 * w, 1.6 * em, 0.48 * w, pen.h - 5.2 * em);
    } else {
      this.sum(pen, 0, 0.5 * em, w);
      this.curve(pen, 2.4 * em, 16.4 * em, w - 3 * em, 10.4 * em);
    }
  }

  /** The sum of Eq 5 as bars: what the alternatives cost on average, less what choosing gives back. */
  sum(pen, x, y, w) {
    const { em, ink } = pen;
    const bit = (w - 1 * em) / 6;
    const rows = [
      ["“off” costs", this.costs[0], ink.off, `chosen ${percent(1 - this.q)}`],
      ["“on” costs", this.costs[1], ink.off, `chosen ${percent(this.q)}`],
      ["on average", this.length, ink.wake, ""],
      ["got back by choosing", this.entropy, ink.sleep, ""],
      ["cost in all", this.found.free_energy_bits, ink.ink, ""],
    ];
    rows.forEach(([words, bits, colour, note], i) => {
      const row = y + i * 2.95 * em;
      pen.text(words, x, row + 0.5 * em, { align: "left", size: 0.9, colour: ink.muted });
      if (note) pen.text(note, x + w, row + 0.5 * em, { align: "right", size: 0.9, colour: ink.muted });
      const start = i === 3 ? this.length - bits : 0;
      pen.box(x + start * bit, row + 1.2 * em, Math.max(1.5, bits * bit), 1.2 * em, colour, i < 2 ? ink.muted : null, 1);
      pen.text(`${i === 3 ? "−" : ""}${fixed(bits)}`, x + (start + bits) * bit + 0.5 * em, row + 1.8 * em, { align: "left", weight: 650 });
    });
  }

  curve(pen, x, y, w, high) {
    const { em, ink } = pen;
    const [least, most] = [2.5, 5.2];
    const across = (q) => x + w * q;
    const up = (bits) => y + high * (1 - (bits - least) / (most - least));
    for (const bits of [3, 4, 5]) {
      pen.line([[x, up(bits)], [x + w, up(bits)]], ink.rule, 1);
      pen.text(String(bits), x - 0.6 * em, up(bits), { align: "right", size: 0.85, colour: ink.muted });
    }
    pen.text("bits", x - 0.6 * em, y - 0.8 * em, { align: "right", size: 0.85, colour: ink.muted });
    for (const q of [0, 0.5, 1]) pen.text(String(q), across(q), y + high + 1 * em, { size: 0.85, colour: ink.muted });
    pen.text("q, how often “on” is chosen", x + w, y + high + 2.2 * em, { align: "right", size: 0.85, colour: ink.muted });
    for (const [points, colour, dash] of [[this.curves.length, ink.wake, [9, 4]], [this.curves.energy, ink.ink, []]]) {
      if (points.length > 1) pen.line(points.map(([q, bits]) => [across(q), up(bits)]), colour, 3, dash);
    }
    pen.line([[across(this.q), y], [across(this.q), y + high]], ink.muted, 1, [3, 3]);
    pen.disc(across(this.q), up(this.length), 6, ink.wake, null);
    pen.disc(across(this.q), up(this.found.free_energy_bits), 6, ink.ink, null);
    if (this.place >= POINTS || this.place > 0.9 * POINTS) {
      pen.text("on average", across(0.03), up(this.curves.length[2][1]) - 0.9 * em, { align: "left", colour: ink.wake, size: 0.9, weight: 600 });
      pen.line([[across(this.posterior), up(3) - 0.8 * em], [across(this.posterior), up(3) + 0.8 * em]], ink.sleep, 4);
      pen.text(`least at q = ${fixed(this.posterior)}`, across(this.posterior), up(3) + 1.6 * em, { colour: ink.sleep, size: 0.9, weight: 650 });
    }
  }
}

VIEWS.push({
  id: "two",
  number: 5,
  title: "Two alternatives of 4 bits cost 3",
  words: [
    "One hidden unit, and an image that it explains equally well on or off. Either way the message takes 4 bits. But *which* of the two you choose is up to you, and a free choice can carry something else: another bit that you wanted to send anyway. Your friend reads it off your choice. You get it back.",
  ],
  guess: {
    question: "If one alternative costs 5 bits and the other 3.4, should you always take the cheaper one?",
    options: ["yes", "no, only mostly"],
    right: 1,
    answer: "Only mostly: three times out of four. A little choice gives back more than it costs. Always taking the cheapest is *not* the cheapest.",
  },
  after: "So recognition should not pick the best explanation; it should pick each in proportion to 2 to the minus its cost. That is the posterior, and the sum is the free energy.",
  equations: [
    { number: 5, text: "C(d) = Σ_α Q(α|d) C(α, d) − (−Σ_α Q(α|d) log_2 Q(α|d))", live: "energy", docs: "free-energy-equation-5" },
    { number: 6, text: "P(α|d) = 2^{−C(α, d)} / Σ_β 2^{−C(β, d)}", live: "boltzmann", docs: "the-posterior-equation-6" },
  ],
  build: (figure) => new TwoView(figure),
});
