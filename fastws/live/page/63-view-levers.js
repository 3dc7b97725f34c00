// View 13: levers, with how often each setting succeeded behind it.

const LEVERS_END = 300_000;
const LEVERS = [
  ["p_vertical", "p(vertical)", (x) => (Math.abs(x - 2 / 3) < 1e-9 ? "⅔" : String(x)), "p_vertical"],
  ["p_bar", "p(bar)", String, "p_bar"],
  ["first_hidden_bias", "hidden biases start at", (x) => fixed(x, 0), "initial_bias"],
  ["hidden", "hidden units", String, "hidden"],
  ["nonnegative", "negative weights", (x) => (x ? "forbidden" : "allowed"), "nonnegative"],
];
const USUAL = { p_vertical: 2 / 3, p_bar: 0.2, first_hidden_bias: -3, hidden: 8, nonnegative: true };

/** The 95 % interval of a share of successes, by Wilson. */
function interval(successes, runs) {
  const z = 1.96;
  const share = successes / runs;
  const middle = (share + (z * z) / (2 * runs)) / (1 + (z * z) / runs);
  const half = (z * Math.sqrt((share * (1 - share)) / runs + (z * z) / (4 * runs * runs))) / (1 + (z * z) / runs);
  return [Math.max(0, middle - half), Math.min(1, middle + half)];
}

class LeversView {
  constructor(figure) {
    this.figure = figure;
    this.own = new World(figure.host, "lever");
    this.pace = new Pace("even");
    this.lever = "p_vertical";
    this.value = USUAL.p_vertical;
    this.measured = new Measured(figure);
    this.stage = new Stage(figure, (w, em) => this.tall(w, em), (pen) => this.draw(pen), "The network with the setting chosen");
    this.rows = LEVERS.map((lever) => this.row(...lever));
    this.element = h("div", {}, h("div", { class: "levers" }, this.rows), this.stage.element, this.measured.element);
  }

  world() {
    return this.own;
  }

  /** A lever: a column for each setting, as high as the share of 64 runs that succeeded. */
  row(name, words, write) {
    const columns = SUCCESS[name].map(([value, successes, runs]) => {
      const [low, high] = interval(successes, runs);
      const bar = h("span", { class: "bar", style: `--share: ${successes / runs}; --low: ${low}; --high: ${high}` }, h("span", { class: "fill" }), h("span", { class: "whisker" }));
      const column = h("button", { type: "button", title: `${successes} of ${runs} runs succeeded`, onclick: () => this.figure.alone(() => this.choose(name, value)).then(() => this.figure.play()) }, bar, h("span", { class: "value" }, write(value)), h("span", { class: "share" }, `${Math.round((100 * successes) / runs)} %`));
      column.own = [name, value];
      return column;
    });
    const box = h("div", { class: "lever", role: "group", "aria-label": words }, h("div", { class: "columns" }, columns), h("div", { class: "name" }, words));
    box.columns = columns;
    return box;
  }

  mark() {
    for (const row of this.rows) {
      for (const column of row.columns) {
        const [name, value] = column.own;
        const chosen = name === this.lever ? this.value : USUAL[name];
        column.setAttribute("aria-pressed", String(value === chosen || Math.abs(value - chosen) < 1e-9));
      }
    }
  }

  async choose(lever, value) {
    Object.assign(this, { lever, value });
    const setting = LEVERS.find(([name]) => name === lever)[3];
    const usual = value === USUAL[lever] || Math.abs(value - USUAL[lever]) < 1e-9;
    this.own.settings = usual ? {} : { [setting]: lever === "hidden" ? [value, 1] : value };
    await this.begin();
  }

  async begin() {
    this.mark();
    this.measured.clear();
    await this.own.reset();
    this.take();
  }

  start() {
    return this.choose("p_vertical", 0.5);
  }

  take() {
    this.measured.take(this.own);
    const { divergence_bits, entropy_bits } = this.own.measures ?? {};
    this.figure.live("goal", `${fixed(divergence_bits)} bits now; data of ${fixed(entropy_bits)} bits an image`);
    this.stage.redraw();
  }

  async tick(seconds) {
    const n = Math.min(this.pace.next(seconds, this.own.example), LEVERS_END - this.own.example);
    if (this.own.example >= LEVERS_END) {
      this.figure.pause();
      this.figure.answered();
      return;
    }
    if (n < 1) return;
    await this.own.advance(n, { film: this.own.example + n < LEVERS_END });
    this.pace.took(this.own.milliseconds, n);
    this.take();
  }

  again() {
    return this.own.example >= LEVERS_END ? this.begin() : undefined;
  }

  async step() {
    await this.own.advance(1000);
    this.take();
  }

  reset() {
    return this.begin();
  }

  async restore(link) {
    const known = LEVERS.find(([, , , setting]) => link[setting] !== undefined);
    if (known) {
      const value = parsed(known[3], link[known[3]]);
      Object.assign(this, { lever: known[0], value: Array.isArray(value) ? value[0] : value });
    } else {
      this.value = USUAL.p_vertical;
    }
    this.mark();
    await this.own.restore(link);
    this.take();
  }

  async settle() {
    await this.own.settle();
    this.take();
  }

  redraw() {
    this.stage.redraw();
  }

  shape(w, em) {
    const wide = w > 700;
    const blocks = wide ? 0.5 * w : w;
    return { wide, blocks, high: blocksTall(blocks, em, { units: 12, size: 4, columns: 6 }) };
  }

  tall(w, em) {
    const { wide, high } = this.shape(w, em);
    return wide ? Math.max(high, 14 * em) : high + 14 * em;
  }

  draw(pen) {
    const { em, ink, w } = pen;
    const { own } = this;
    if (!own.arrays.gen_weights_0) return;
    const { wide, blocks, high } = this.shape(w, em);
    const known = own.example >= 20_000;
    const nonnegative = own.settings.nonnegative !== false;
    drawBlocks(pen, { x: 0, y: 0, w: blocks, world: own, columns: 6, labels: known && nonnegative ? own.measures?.labels ?? [] : [], alarm: known && nonnegative ? own.measures?.crosses : null });
    const [x, y, across] = wide ? [blocks + 4.5 * em, 1.2 * em, w - blocks - 5 * em] : [2.6 * em, high + 2.4 * em, w - 3.2 * em];
    drawCurves(pen, { x, y, w: across, h: wide ? pen.h - 4.6 * em : 8.5 * em, to: LEVERS_END, most: 20, curves: this.measured.curves(ink), label: "examples seen" });
  }
}

VIEWS.push({
  id: "levers",
  number: 13,
  title: "Levers",
  words: ["What does it depend on whether a run succeeds? Below, each column is one setting, and as high as the share of 64 runs, of two million examples each, that came within the paper's 0.10 bits. Choose a column and see such a run."],
  guess: {
    question: "Vertical and horizontal bars equally often: is that easier or harder to learn than two thirds vertical?",
    options: ["easier", "harder", "the same"],
    right: 1,
    answer: "Much harder: 11 % instead of 59 %. If both kinds are equally frequent, nothing in the images helps the top unit to begin to take a side.",
  },
  after: "One thing is changed at a time; the others stay as in the paper. Lines are 95 % intervals. Ordinary learning curves would not have shown any of this: single runs of good and bad settings look alike at first.",
  equations: [{ number: "Note 15", text: "success: KL(data ‖ model) ≤ 0.10 bits", live: "goal", docs: "figures-and-notes" }],
  build: (figure) => new LeversView(figure),
});
