// What is lost without one of the phases: four worlds side by side.

const HALVES_END = 100_000;
const HALVES = [
  { name: "half0", title: "wake and sleep", phases: "both", verdict: "finds the bars" },
  { name: "half1", title: "only wake", phases: "wake", verdict: "bets blindly, so that its units mix many bars" },
  { name: "half2", title: "only sleep", phases: "sleep", verdict: "learns to read its own noise, never sees the world" },
  { name: "half3", title: "only sleep, a good generator frozen", phases: "sleep", frozen: true, verdict: "recognition learns to invert it" },
];

class HalvesView {
  constructor(figure) {
    this.figure = figure;
    this.worlds = HALVES.map(({ name }) => new World(figure.host, name));
    this.pace = new Pace("even");
    this.seen = 0;
    this.stage = new Stage(figure, (w, em) => this.tall(w, em), (pen) => this.draw(pen), "Four worlds: both phases, only wake, only sleep, only sleep with a trained generator");
    this.element = h("div", {}, this.stage.element);
  }

  world() {
    return this.worlds[0];
  }

  async start(seed = this.worlds[0].seed) {
    this.seen = 0;
    for (const [i, world] of this.worlds.entries()) {
      await world.reset({ seed });
      if (HALVES[i].frozen) await this.freeze(world);
    }
    this.stage.redraw();
  }

  /** Learn the bars, then forget all recognition. */
  async freeze(world) {
    await world.advance(HALVES_END);
    const edits = [];
    for (const name of ["rec_weights", "rec_biases"]) {
      for (let level = 0; level < world.sizes.length - 1; level++) {
        const { shape } = world.arrays[`${name}_${level}`];
        const places = shape.reduce((found, n) => found.flatMap((index) => Array.from({ length: n }, (_, i) => [...index, i])), [[]]);
        edits.push(...places.map((index) => ({ name, level, index, value: 0 })));
      }
    }
    await world.edit(edits);
    await world.measure();
  }

  async tick(seconds) {
    const n = Math.min(this.pace.next(seconds, this.seen), HALVES_END - this.seen);
    if (this.seen >= HALVES_END) {
      this.figure.pause();
      this.figure.answered();
    } else if (n >= 1) {
      await this.advance(n);
    }
  }

  async advance(n) {
    for (const [i, world] of this.worlds.entries()) await world.advance(n, { phases: HALVES[i].phases });
    this.pace.took(Math.max(...this.worlds.map((world) => world.milliseconds)), n);
    this.seen += n;
    this.numbers();
    this.stage.redraw();
  }

  numbers() {
    const { kl_penalty_bits } = this.worlds[3].measures;
    this.figure.live("frozen", `after ${whole(this.seen)} fantasies of one generator that stands still:  KL(Q ‖ P) = `, ["sleep", `${fixed(kl_penalty_bits)} bits`]);
  }

  step() {
    return this.advance(Math.max(1, Math.min(1000, HALVES_END - this.seen)));
  }

  reset() {
    return this.start();
  }

  again() {
    return this.seen >= HALVES_END ? this.start() : undefined;
  }

  link() {
    return { seed: this.worlds[0].seed, n: this.seen };
  }

  async restore({ seed, n }) {
    await this.start(Number(seed ?? 0));
    if (Number(n) > 0) await this.advance(Math.min(HALVES_END, Number(n)));
  }

  redraw() {
    this.stage.redraw();
  }

  grid(w, em) {
    const columns = w > 640 ? 4 : 2;
    const gap = (w > 640 ? 2 : 1.4) * em;
    const panel = (w - gap * (columns - 1)) / columns;
    const blocks = blocksTall(panel, em, { units: 8, size: 4, columns: 4, labels: false, gap: 5, band: false });
    return { columns, gap, panel, blocks, row: 3.4 * em + blocks + 8.4 * em };
  }

  tall(w, em) {
    const { columns, row } = this.grid(w, em);
    return (4 / columns) * row + ((4 / columns) - 1) * 1.5 * em;
  }

  draw(pen) {
    const { em, ink } = pen;
    const { columns, gap, panel, blocks, row } = this.grid(pen.w, em);
    this.worlds.forEach((world, i) => {
      if (!world.arrays.gen_weights_0) return;
      const [x, y] = [(i % columns) * (panel + gap), Math.floor(i / columns) * (row + 1.5 * em)];
      const colour = i === 1 ? ink.wake : i >= 2 ? ink.sleep : ink.ink;
      wrapped(pen, HALVES[i].title, x, y + 0.8 * em, panel, { weight: 650, colour, size: 1 });
      drawBlocks(pen, { x, y: y + 3.4 * em, w: panel, world, columns: 4, gap: 5, band: false });
      const { divergence_bits, kl_penalty_bits } = world.measures ?? {};
      let below = y + 3.4 * em + blocks + 1.5 * em;
      for (const [name, bits] of [["divergence", divergence_bits], ["penalty", kl_penalty_bits]]) {
        pen.text(name, x, below, { align: "left", size: 0.9, colour: ink.muted });
        pen.text(fixed(bits), x + panel, below, { align: "right", size: 1.2, weight: 650 });
        below += 1.5 * em;
      }
      if (this.seen >= 0.5 * HALVES_END) wrapped(pen, HALVES[i].verdict, x, below + 0.2 * em, panel, { size: 0.9, colour: ink.muted });
    });
  }
}

/** Write words into a column, in as many lines as it takes. */
function wrapped(pen, words, x, y, width, options) {
  let line = "";
  for (const word of words.split(" ")) {
    const longer = line ? `${line} ${word}` : word;
    if (line && pen.measure(longer, options.size, options.weight) > width) {
      pen.text(line, x, y, { align: "left", ...options });
      y += 1.25 * (options.size ?? 1) * pen.em;
      line = word;
    } else {
      line = longer;
    }
  }
  pen.text(line, x, y, { align: "left", ...options });
  return y;
}

VIEWS.push({
  id: "halves",
  number: "3½",
  title: "Why two phases, and two sets of weights?",
  words: ["Four copies of the network, the same images. One does both phases. One is never allowed to sleep, one never to wake. The last begins with a generator that knows the bars already and is kept frozen, but its recognition has been wiped out."],
  guess: {
    question: "Which of them find out about the bars?",
    options: ["the first only", "the first and +only wake+", "all but the last"],
    right: 0,
    answer: "Only the first. Without sleep, recognition never improves on tossing coins; without wake, generation never meets an image. The last shows that sleep does its own half of the work by itself.",
  },
  equations: [{ number: 8, text: "KL(Q ‖ P) = Σ_α Q(α|d) log_2 (Q(α|d) / P(α|d))", live: "frozen", docs: "what-a-factorial-distribution-costs-equation-8" }],
  build: (figure) => new HalvesView(figure),
});
