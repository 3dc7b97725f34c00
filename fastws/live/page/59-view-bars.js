// View 9: the bars, live.

const END = 2_000_000;
const SPEEDS = [
  [1, "1 a second"],
  [100, "100 a second"],
  ["even", "speeding up"],
  ["flat out", "flat out"],
];

class BarsView {
  constructor(figure) {
    this.figure = figure;
    this.main = new World(figure.host, "main");
    this.pace = new Pace("even");
    this.measured = new Measured(figure);
    this.speed = choice("Examples a second", SPEEDS, "even", (speed) => { this.pace.speed = speed; this.pace.left = 0; });
    this.extra = [this.speed];
    this.stage = new Stage(figure, (w, em) => this.tall(w, em), (pen) => this.draw(pen), "Weights of the hidden units, data, dreams, and curves of the measures");
    this.element = h("div", {}, this.stage.element, this.measured.element);
    this.sinceDreams = 9;
  }

  world() {
    return this.main;
  }

  async start() {
    await this.main.reset();
    this.take();
    await this.pictures();
    this.take();
  }

  async pictures() {
    this.data = (await this.main.ask("data", { n: 12, seed: this.main.seed })).arrays.images;
    await this.dream();
  }

  async dream() {
    this.dreams = (await this.main.ask("fantasies", { n: 12, seed: this.main.seed })).arrays.fantasies;
    this.sinceDreams = 0;
  }

  take() {
    this.measured.take(this.main);
    const { divergence_bits, free_energy_bits, kl_penalty_bits, entropy_bits, neg_log_prob_bits } = this.main.measures ?? {};
    const nlp = neg_log_prob_bits ?? free_energy_bits - kl_penalty_bits;
    this.figure.live("divergence", `${fixed(nlp)} − ${fixed(entropy_bits)} = `, ["", `${fixed(divergence_bits)} bits`]);
    this.figure.live("energy", "C(d) = ", ["wake", `${fixed(free_energy_bits)} bits`], " an image, on average");
    this.figure.live("penalty", `${fixed(nlp)} + `, ["sleep", fixed(kl_penalty_bits)], ` = `, ["wake", `${fixed(free_energy_bits)} bits`]);
    this.stage.redraw();
  }

  async tick(seconds) {
    this.sinceDreams += seconds;
    const n = Math.min(this.pace.next(seconds, this.main.example), END - this.main.example);
    if (this.main.example >= END) {
      await this.dream();
      this.stage.redraw();
      this.figure.pause();
      this.figure.answered();
      return;
    }
    if (n >= 1) {
      await this.main.advance(n, { film: n < END - this.main.example });
      this.pace.took(this.main.milliseconds, n);
      this.take();
    }
    if (this.sinceDreams > 0.7) await this.dream();
  }

  again() {
    return this.main.example >= END ? this.reset() : undefined;
  }

  async step() {
    await this.main.advance(1);
    await this.dream();
    this.take();
  }

  async reset() {
    this.measured.clear();
    await this.start();
  }

  async restore(link) {
    await this.main.restore(link);
    await this.pictures();
    this.take();
  }

  async settle() {
    await this.main.settle();
    this.take();
  }

  redraw() {
    this.stage.redraw();
  }

  shape(w, em) {
    const wide = w > 640;
    const sizes = this.main.sizes ?? [16, 8, 1];
    const size = Math.round(Math.sqrt(sizes[0]));
    const blocks = wide ? 0.6 * w : w;
    return { wide, size, units: sizes[1], blocks, sheet: wide ? 0.34 * w : w };
  }

  tall(w, em) {
    const { wide, size, units, blocks, sheet } = this.shape(w, em);
    const top = 1.8 * em + blocksTall(blocks, em, { units, size, columns: 4 });
    const pictures = wide ? 0 : 2 * (1.8 * em + 0.36 * sheet + 0.8 * em);
    return top + pictures + 3.4 * em + (wide ? 13 * em : 12 * em) + 3 * em;
  }

  draw(pen) {
    const { em, ink, w } = pen;
    if (!this.main.arrays.gen_weights_0) return;
    const { wide, size, blocks, sheet } = this.shape(w, em);
    const heading = (words, x, y) => pen.text(words, x, y + 0.7 * em, { align: "left", size: 0.9, colour: ink.muted });
    heading("eight hidden units and what each turns on", 0, 0);
    const labels = this.main.measures?.labels?.map((label) => (this.main.example < 20_000 ? "" : label));
    let y = 1.8 * em + drawBlocks(pen, { x: 0, y: 1.8 * em, w: blocks, world: this.main, columns: 4, labels: labels ?? [], alarm: this.main.example >= 50_000 ? this.main.measures?.crosses : null });
    if (wide) {
      const columns = 4;
      const x = w - sheet;
      const gap = 6;
      const side = (sheet - gap * 3) / columns;
      const all = (y - 3.6 * em - 1.2 * em) / 2;
      const rows = Math.max(1, Math.min(3, Math.floor((all + gap) / (side + gap))));
      heading("data: awake, it sees these", x, 0);
      const high = drawSheet(pen, { images: this.data, x, y: 1.8 * em, w: sheet, columns, rows, size, gap });
      heading("dreams: asleep, it makes these", x, high + 3 * em);
      drawSheet(pen, { images: this.dreams, x, y: high + 4.8 * em, w: sheet, columns, rows, size, gap });
    } else {
      for (const [words, images] of [["data: awake, it sees these", this.data], ["dreams: asleep, it makes these", this.dreams]]) {
        heading(words, 0, y + 0.6 * em);
        y += 2.4 * em + drawSheet(pen, { images, x: 0, y: y + 2.4 * em, w, columns: 6, rows: 2, size, gap: 5 });
      }
    }
    const left = 2.6 * em;
    drawCurves(pen, { x: left, y: y + 3 * em, w: w - left - 0.6 * em, h: pen.h - y - 6 * em, curves: this.measured.curves(ink), most: 20, label: "examples seen" });
  }
}

VIEWS.push({
  id: "bars",
  number: 9,
  title: "The bars: it finds out what the world is made of",
  words: [
    "The images are 4 × 4. The world that makes them first decides on vertical or horizontal, then for each bar of that kind whether it is there. The network is told none of this. It sees two million images, one at a time, each once.",
  ],
  guess: {
    question: "Eight hidden units start out blank and alike. What will each of them stand for in the end?",
    options: ["one pixel or two", "one whole image", "one bar"],
    right: 2,
    answer: "One bar each: four rows and four columns. That is the cheapest way to describe such images.",
  },
  after: "White squares turn a pixel on; area is magnitude. Above each block: the weight from the top unit, left, which says vertical or horizontal, and the unit's own bias, right. If a block is outlined, this seed got stuck; figure 12 opens such a case.",
  equations: [
    { number: "Note 15", text: "KL(data ‖ model) = mean of −log_2 P(d) − entropy of the data", live: "divergence", docs: "figures-and-notes" },
    { number: 5, text: "C(d) = Σ_α Q(α|d) C(α, d) − H(Q)", live: "energy", docs: "free-energy-equation-5" },
    { number: 8, text: "C(d) = −log_2 P(d) + KL(Q ‖ P)", live: "penalty", docs: "what-a-factorial-distribution-costs-equation-8" },
  ],
  build: (figure) => new BarsView(figure),
});
