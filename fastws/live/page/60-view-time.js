// View 10: the time machine.

const TIME_END = 300_000;
const TIME_BACK = 20_000;
const OTHER_RATES = {
  upper: { rates: [0.2, 0.02, 0.02], words: "upper levels × 20" },
  slow: { rates: [0.02, 0.001, 0.001], words: "lowest level ÷ 10" },
  wild: { rates: [1, 0.001, 0.001], words: "lowest level × 5" },
};

/** Where an example lies on a slider from 0 to 1000, which is even on a log axis. */
const toSlider = (n) => (n < 100 ? 0 : Math.round((1000 * Math.log(n / 100)) / Math.log(TIME_END / 100)));
const fromSlider = (x) => (x <= 0 ? 0 : x >= 1000 ? TIME_END : Math.round(100 * (TIME_END / 100) ** (x / 1000)));

class TimeView {
  constructor(figure) {
    this.figure = figure;
    this.main = new World(figure.host, "time");
    this.other = null;
    this.pace = new Pace("even");
    this.curve = new Curve();
    this.otherCurve = new Curve();
    this.kind = "upper";
    this.kinds = choice("Learning rates after the branch", Object.entries(OTHER_RATES).map(([key, { words }]) => [key, words]), "upper", (kind) => { this.kind = kind; });
    this.button = h("button", { type: "button", onclick: () => figure.alone(() => this.branch()).then(() => figure.play()) }, "Branch here");
    this.extra = [this.button, this.kinds];
    this.scrubber = slider("example", { min: 0, max: 1000, step: 1, value: 0, write: (x) => whole(fromSlider(x)), slide: (x) => this.scrub(fromSlider(x)) });
    this.stage = new Stage(figure, (w, em) => this.tall(w, em), (pen) => this.draw(pen), "A run, one of its examples, and a branch from it");
    this.element = h("div", {}, this.stage.element, h("div", { class: "sliders scrub" }, this.scrubber));
    this.mode = "learn";
  }

  world() {
    return this.main;
  }

  async start() {
    Object.assign(this, { mode: "learn", other: null, from: null });
    this.curve.points.length = 0;
    this.otherCurve.points.length = 0;
    await this.main.reset();
    this.moved();
  }

  moved() {
    this.scrubber.set(toSlider(this.main.example));
    const { divergence_bits } = this.main.measures ?? {};
    const parts = [`run: example ${whole(this.main.example)}, `, ["", `${fixed(divergence_bits)} bits`]];
    if (this.other) parts.push(`;   branch: example ${whole(this.other.example)}, `, ["wake", `${fixed(this.other.measures?.divergence_bits)} bits`]);
    this.figure.live("rates", ...parts);
    this.stage.redraw();
  }

  async learn(world, curve, n) {
    await world.advance(n, { film: world.example + n < TIME_END });
    this.pace.took(world.milliseconds, n);
    if (world.measures?.example === world.example) curve.add(world.example, world.measures.divergence_bits);
    this.moved();
  }

  async tick(seconds) {
    const active = this.mode === "branch" ? this.other : this.main;
    if (this.mode === "learn" || this.mode === "branch") {
      const n = Math.min(this.pace.next(seconds, active.example), TIME_END - active.example);
      if (n >= 1) await this.learn(active, this.mode === "branch" ? this.otherCurve : this.curve, n);
      if (active.example < TIME_END) return;
      if (this.mode === "learn") Object.assign(this, { mode: "back", rest: 0, at: 1000 });
      else this.finish();
    } else if (this.mode === "back") {
      // Back through the run, as fast as a hand would.
      this.rest += seconds;
      if (this.rest < 0.8) return;
      this.at = Math.max(toSlider(TIME_BACK), this.at - 420 * seconds);
      await this.main.at(fromSlider(this.at));
      this.moved();
      if (this.at <= toSlider(TIME_BACK)) Object.assign(this, { mode: "rest", rest: 0 });
    } else if (this.mode === "rest") {
      this.rest += seconds;
      if (this.rest > 1) await this.branch();
    } else {
      this.finish();
    }
  }

  finish() {
    this.mode = "done";
    this.figure.pause();
    this.figure.answered();
  }

  again() {
    if (this.mode === "done") this.mode = this.main.example < TIME_END && !this.other ? "learn" : "branch";
    if (this.mode === "branch" && !this.other) this.mode = "learn";
  }

  async branch() {
    const n = this.main.example;
    this.from = n;
    this.other = new World(this.figure.host, "branch");
    await this.main.ask("branch", { n, to: "branch", settings: { rates: OTHER_RATES[this.kind].rates } });
    await this.other.ask("state");
    this.other.made = true;
    await this.other.measure();
    this.other.kind = this.kind;
    this.otherCurve.points.length = 0;
    this.otherCurve.add(Math.max(1, n), this.other.measures.divergence_bits);
    this.mode = "branch";
    this.moved();
  }

  /** Go to an example; while the host is on its way only the last one wished for counts. */
  async scrub(n) {
    this.wished = n;
    if (this.scrubbing) return;
    this.scrubbing = true;
    await this.figure.alone(async () => {
      while (this.wished !== null) {
        const goal = this.wished;
        this.wished = null;
        await this.main.at(goal);
        this.curvePoint();
        this.moved();
      }
    });
    this.scrubbing = false;
    if (this.mode !== "branch") this.mode = "done";
  }

  /** A place that was jumped to is a point of the curve, too. */
  curvePoint() {
    const { example, measures } = this.main;
    const last = this.curve.points[this.curve.points.length - 1];
    if (!last || example > last[0]) this.curve.add(Math.max(1, example), measures.divergence_bits);
  }

  async step() {
    await this.main.at(this.main.example + 1);
    this.moved();
  }

  reset() {
    return this.start();
  }

  async link() {
    const link = await this.main.link();
    return this.other ? { ...link, from: this.from, rates: this.other.kind, upto: this.other.example } : link;
  }

  async restore(link) {
    await this.main.restore(link);
    this.curvePoint();
    if (link.from) {
      const here = this.main.example;
      this.kind = OTHER_RATES[link.rates] ? link.rates : "upper";
      this.kinds.set(this.kind);
      await this.main.at(Number(link.from));
      await this.branch();
      if (Number(link.upto) > this.other.example) await this.learn(this.other, this.otherCurve, Number(link.upto) - this.other.example);
      await this.main.at(here);
    }
    this.mode = "done";
    await this.settle();
  }

  async settle() {
    await this.main.settle();
    if (this.other) await this.other.settle();
    this.moved();
  }

  redraw() {
    this.stage.redraw();
  }

  shape(w, em) {
    const wide = w > 640;
    const gap = 2.5 * em;
    const panel = wide ? (w - gap) / 2 : w;
    return { wide, gap, panel, columns: wide ? 4 : 8, blocks: blocksTall(panel, em, { units: 8, size: 4, columns: wide ? 4 : 8, labels: false, gap: 0.45 * em }) };
  }

  tall(w, em) {
    const { wide, blocks } = this.shape(w, em);
    return 15 * em + (wide ? 2 * em + blocks : 2 * (2 * em + blocks) + em);
  }

  draw(pen) {
    const { em, ink, w } = pen;
    const { wide, gap, panel, columns, blocks } = this.shape(w, em);
    const marks = [{ n: this.main.example, colour: ink.ink, words: "" }];
    if (this.from !== null && this.from !== undefined && this.other) marks.push({ n: this.from, colour: ink.wake, words: "branch" });
    const left = 2.6 * em;
    drawCurves(pen, {
      x: left, y: 1.4 * em, w: w - left - 0.6 * em, h: 10 * em, to: TIME_END, most: 20, label: "examples seen", marks,
      curves: [
        { points: this.curve.points, colour: ink.ink, name: "as in the paper" },
        { points: this.otherCurve.points, colour: ink.wake, dash: [9, 4], name: this.other ? "the branch" : "" },
      ],
    });
    const y = 14.6 * em;
    const put = (world, words, x, top, colour) => {
      pen.text(words, x, top + 0.6 * em, { align: "left", size: 0.9, colour, weight: 600 });
      if (world?.arrays.gen_weights_0) drawBlocks(pen, { x, y: top + 1.7 * em, w: panel, world, columns, gap: 0.45 * em });
    };
    put(this.main, `the run at example ${whole(this.main.example)}`, 0, y, ink.ink);
    const second = wide ? [panel + gap, y] : [0, y + 2.4 * em + blocks];
    put(this.other, this.other ? `the branch at example ${whole(this.other.example)}` : "", ...second, ink.wake);
  }
}

VIEWS.push({
  id: "time",
  number: 10,
  title: "Time machine",
  words: ["A run is not gone when it is over. Every random number is known from the seed and its place, so that any example can be reached again, to the last bit. Go back, change the learning rates, and see what would have happened."],
  guess: {
    question: "At example 20 000 the bars are there, but the divergence hardly falls any more. Which rate is in the way?",
    options: ["that of the pixels' weights", "that of the levels above"],
    right: 1,
    answer: "That of the levels above: 0.001, so that “vertical or horizontal” is learned two hundred times more slowly than the bars. With 0.02 the branch is soon far below.",
  },
  after: "Drag the slider to any example, choose rates, and branch. Both curves stay.",
  equations: [{ number: 4, text: "Δw_{kj} = ε s_k (s_j − p_j), with another ε", live: "rates", docs: "the-wake-phase-equation-4" }],
  build: (figure) => new TimeView(figure),
});
