// View 8: two divergences, and where each rolls to.

const KL_SETTINGS = { size: 2, hidden: [2], initial_bias: -3, nonnegative: true, schedule: [[1000, [0.1, 0.1]]] };
// One pixel that either of two rare causes turns on; the others are always off.
const KL_IMAGE = [1, 0, 0, 0];
const KL_POINTS = 61;
const KL_STARTS = [0.12, 0.9, 0.35, 0.7];

class DivergencesView {
  constructor(figure) {
    this.figure = figure;
    this.own = new World(figure.host, "kl", KL_SETTINGS);
    this.points = [];
    this.stage = new Stage(figure, (w, em) => (w > 700 ? 19 * em : 41 * em), (pen) => this.draw(pen), "Two divergences over q, and a ball that rolls down each");
    this.slide = slider("let go at q =", { min: 0.02, max: 0.98, step: 0.01, value: KL_STARTS[0], slide: (q) => this.drop(q) });
    this.element = h("div", {}, this.stage.element, h("div", { class: "sliders" }, this.slide));
    this.turn = 0;
  }

  async start() {
    this.points = [];
    await this.own.reset();
    const off = [1, 2, 3].map((i) => ({ name: "gen_biases", level: 0, index: [i], value: -60 }));
    const causes = [0, 1].map((k) => ({ name: "gen_weights", level: 0, index: [k, 0], value: 18 }));
    await this.own.edit([...off, ...causes, { name: "gen_biases", level: 0, index: [0], value: -9 }]);
    await this.find(KL_STARTS[0]);
    this.balls = null;
  }

  /** Ask what Q and P are when a is chosen with probability q, and b, independently, with 1 - q. */
  async find(q) {
    const logit = Math.log(q / (1 - q));
    await this.own.edit([0, 1].map((k) => ({ name: "rec_biases", level: 0, index: [k], value: k ? -logit : logit })));
    const { arrays, kl_penalty_bits } = await this.own.ask("recognise", { image: KL_IMAGE, n: 1, seed: 0 });
    const { P, Q } = causesOf(arrays);
    const found = { q, P, backward: kl_penalty_bits, forward: P.reduce((sum, p, place) => sum + p * Math.log2(p / Q[place]), 0) };
    this.now = found;
    this.figure.live("forward", `at q = ${fixed(q)}:  KL(P ‖ Q) = `, ["sleep", `${fixed(found.forward)} bits`]);
    this.figure.live("backward", `at q = ${fixed(q)}:  KL(Q ‖ P) = `, ["wake", `${fixed(found.backward)} bits`]);
    this.stage.redraw();
    return found;
  }

  drop(q) {
    this.balls = { forward: q, backward: q, time: 0 };
    this.slide.set(q);
    this.stage.redraw();
    if (this.points.length === KL_POINTS) this.figure.play();
  }

  async tick(seconds) {
    if (this.points.length < KL_POINTS) {
      const i = this.points.length;
      this.points.push(await this.find(0.01 + (0.98 * i) / (KL_POINTS - 1)));
      if (this.points.length === KL_POINTS) this.drop(KL_STARTS[0]);
      return;
    }
    this.roll(Math.min(seconds, 0.05));
    this.balls.time += seconds;
    this.stage.redraw();
    if (this.balls.time > 5.5) {
      await this.find(this.balls.forward);
      const rest = this.height("backward", this.balls.backward);
      this.figure.live("backward", `its ball rests at q = ${fixed(this.balls.backward)}:  KL(Q ‖ P) = `, ["wake", `${fixed(rest)} bits`]);
      this.turn += 1;
      if (this.turn === 2) this.figure.answered();
      if (this.turn < KL_STARTS.length) this.drop(KL_STARTS[this.turn]);
      else this.figure.pause();
    }
  }

  again() {
    if (this.turn >= KL_STARTS.length) this.turn = 0;
    if (this.points.length === KL_POINTS && this.balls?.time > 5.5) this.drop(KL_STARTS[this.turn]);
  }

  height(name, q) {
    const place = Math.min(KL_POINTS - 1.001, Math.max(0, ((q - 0.01) / 0.98) * (KL_POINTS - 1)));
    const i = Math.floor(place);
    return this.points[i][name] + (place - i) * (this.points[i + 1][name] - this.points[i][name]);
  }

  /** Downhill, slower where it is flatter. */
  roll(seconds) {
    for (const name of ["forward", "backward"]) {
      const q = this.balls[name];
      const slope = (this.height(name, q + 0.01) - this.height(name, q - 0.01)) / 0.02;
      this.balls[name] = Math.min(0.985, Math.max(0.015, q - Math.max(-0.5, Math.min(0.5, 0.35 * slope)) * seconds));
    }
  }

  async step() {
    if (this.points.length < KL_POINTS) {
      this.points.push(await this.find(0.01 + (0.98 * this.points.length) / (KL_POINTS - 1)));
      return;
    }
    if (!this.balls) this.drop(KL_STARTS[0]);
    for (let i = 0; i < 10; i++) this.roll(0.05);
    this.stage.redraw();
  }

  async reset() {
    this.turn = 0;
    await this.start();
  }

  link() {
    return { q: this.slide.input.value };
  }

  async restore({ q }) {
    await this.start();
    while (this.points.length < KL_POINTS) await this.step();
    this.balls = { forward: Number(q ?? 0.12), backward: Number(q ?? 0.12), time: 0 };
    this.slide.set(this.balls.forward);
    this.stage.redraw();
  }

  redraw() {
    this.stage.redraw();
  }

  draw(pen) {
    if (!this.now) return;
    const { em, ink, w } = pen;
    const wide = w > 700;
    const panel = wide ? (w - 13 * em) / 2 - 2.5 * em : w;
    const table = [wide ? w - 9 * em : 0, wide ? 0 : 31 * em];
    this.curve(pen, "forward", 1.8 * em, 2.6 * em, panel - 1.8 * em, wide ? pen.h - 5.6 * em : 9 * em, ink.sleep, "asleep: KL(P ‖ Q)");
    const second = wide ? [panel + 4.3 * em, 2.6 * em] : [1.8 * em, 18 * em];
    this.curve(pen, "backward", ...second, panel - 1.8 * em, wide ? pen.h - 5.6 * em : 9 * em, ink.wake, "in the free energy: KL(Q ‖ P)");
    this.tables(pen, ...table, wide);
  }

  curve(pen, name, x, y, w, high, colour, title) {
    const { em, ink } = pen;
    const most = 6;
    const across = (q) => x + w * q;
    const up = (bits) => y + high * (1 - Math.min(most, bits) / most);
    pen.text(title, x, y - 1.6 * em, { align: "left", weight: 650, colour });
    for (const bits of [0, 2, 4, 6]) {
      pen.line([[x, up(bits)], [x + w, up(bits)]], ink.rule, 1);
      pen.text(String(bits), x - 0.6 * em, up(bits), { align: "right", size: 0.85, colour: ink.muted });
    }
    for (const [q, words] of [[0, "b alone"], [0.5, "either"], [1, "a alone"]]) pen.text(words, across(q), y + high + 1.1 * em, { size: 0.85, colour: ink.muted, align: q === 0 ? "left" : q === 1 ? "right" : "center" });
    pen.text("q: how often recognition says a", x + w / 2, y + high + 2.4 * em, { size: 0.85, colour: ink.muted });
    if (this.points.length > 1) pen.line(this.points.map((point) => [across(point.q), up(point[name])]), colour, 3);
    if (this.balls && this.points.length === KL_POINTS) pen.disc(across(this.balls[name]), up(this.height(name, this.balls[name])) - 0.55 * em, 0.55 * em, ink.on, ink.panel, 2);
  }

  /** P beside Q where the ball of the sleep phase is. */
  tables(pen, x, y, wide) {
    const { em, ink, w } = pen;
    const cell = wide ? 3.6 * em : Math.min(4.4 * em, (w / 2 - 2.4 * em) / 2);
    const q = this.balls ? this.balls.forward : this.now.q;
    const Q = [(1 - q) * q, (1 - q) * (1 - q), q * q, q * (1 - q)];
    const high = drawCauses(pen, { title: "P", values: this.now.P, x, y, cell, colour: ink.ink });
    drawCauses(pen, { title: "Q, asleep", values: Q, x: wide ? x : w / 2, y: wide ? y + high + 1.2 * em : y, cell, colour: ink.sleep });
  }
}

VIEWS.push({
  id: "divergences",
  number: 8,
  title: "Two divergences, two valleys",
  words: [
    "A pixel is on. Either of two causes, a or b, explains it; both together hardly ever happen. Recognition can only say how likely a is and how likely b is, each by itself. So it cannot say “one *or* the other”. What is its best mistake? That depends on which way round one measures.",
  ],
  guess: {
    question: "Sleep teaches recognition from dreams: half of them were caused by a, half by b. What will recognition say?",
    options: ["always a, or always b", "a and b, half of the time each"],
    right: 1,
    answer: "Each half of the time. It covers all that could have been, and so says “both” or “neither” too often. The free energy would rather have it choose a side. That is the price of the short cut that sleep takes, note 6 of the paper.",
  },
  after: "Neither ball can reach zero, since no Q of this kind equals P. The way out is for the model to change: that is figure 7.",
  equations: [
    { number: 9, text: "KL(P ‖ Q): what the sleep phase goes down", live: "forward", docs: "what-the-sleep-phase-minimizes-equation-9" },
    { number: 8, text: "KL(Q ‖ P): what the free energy contains", live: "backward", docs: "what-a-factorial-distribution-costs-equation-8" },
  ],
  build: (figure) => new DivergencesView(figure),
});
