// View 12: anatomy of a cross.

const CROSS_SEED = 6;
const CROSS_FOUND = 100_000;
const CROSS_END = 1_000_000;
const CROSS_WORDS = {
  learn: "It learns as always. Around example 20 000, look for a unit that takes a row and a column together.",
  found: "Stuck. The outlined unit draws a cross, another one does nothing, and nothing can pull them apart: half of a cross alone would be worse than all of it.",
  split: "Split by hand: the column went to the idle unit. Generation is better at once. But recognition does not know of it yet: see the penalty.",
  heal: "Sleep teaches recognition within some thousand dreams. The penalty falls, and both go on together.",
  done: "It recovered. So there was nothing wrong with the network or the data: it was a place that learning could not leave by itself.",
  robust: "The robust recipe: first the bars alone, at high rates, with the levels above held still; then all together.",
};

class CrossView {
  constructor(figure) {
    this.figure = figure;
    this.own = new World(figure.host, "cross", {}, CROSS_SEED);
    this.robust = null;
    this.pace = new Pace("even");
    this.curves = { stuck: new Curve(), penalty: new Curve(), robust: new Curve() };
    this.caption = h("p", { class: "caption" });
    this.splitter = h("button", { type: "button", onclick: () => figure.alone(() => this.split()).then(() => figure.play()) }, "Split the cross");
    this.recipe = h("button", { type: "button", onclick: () => figure.alone(() => this.other()).then(() => figure.play()) }, "Robust recipe");
    this.extra = [this.splitter, this.recipe];
    this.boxes = { example: figure.readout("examples seen"), divergence: figure.readout("divergence, bits"), penalty: figure.readout("KL penalty, bits", { kind: "sleep" }) };
    this.stage = new Stage(figure, (w, em) => this.tall(w, em), (pen) => this.draw(pen), "A network that got stuck, what each unit codes, and its curves");
    this.element = h("div", {}, this.stage.element, this.caption, h("div", { class: "readouts" }, Object.values(this.boxes)));
    this.mode = "learn";
  }

  world() {
    return this.shown;
  }

  get shown() {
    return this.mode === "robust" ? this.robust : this.own;
  }

  async start() {
    Object.assign(this, { mode: "learn", robust: null, splitAt: null });
    for (const curve of Object.values(this.curves)) curve.points.length = 0;
    await this.own.reset();
    this.take();
  }

  take() {
    const { shown } = this;
    const { measures } = shown;
    this.caption.textContent = CROSS_WORDS[this.mode];
    this.boxes.example.set(whole(shown.example));
    this.boxes.divergence.set(fixed(measures?.divergence_bits));
    this.boxes.penalty.set(fixed(measures?.kl_penalty_bits));
    if (measures?.example === shown.example) {
      const n = Math.max(1, shown.example);
      if (this.mode === "robust") {
        this.curves.robust.add(n, measures.divergence_bits);
      } else {
        this.curves.stuck.add(n, measures.divergence_bits);
        this.curves.penalty.add(n, measures.kl_penalty_bits);
      }
    }
    this.stage.redraw();
  }

  async tick(seconds) {
    if (this.mode === "found" || this.mode === "split") {
      this.rest = (this.rest ?? 0) + seconds;
      if (this.mode === "found" && this.rest > 6) await this.split();
      else if (this.mode === "split" && this.rest > 5) this.mode = "heal";
      return;
    }
    if (this.mode === "done") return this.figure.pause();
    const { shown } = this;
    const end = this.mode === "learn" ? CROSS_FOUND : CROSS_END;
    // After the split it goes slowly at first: what follows happens within a few thousand examples.
    const since = this.mode === "heal" ? Math.max(0, shown.example - this.splitAt) : shown.example;
    const n = Math.min(this.pace.next(seconds, since), end - shown.example);
    if (n >= 1) {
      await shown.advance(n, { film: shown.example + n < end });
      this.pace.took(shown.milliseconds, n);
    }
    if (shown.example >= end) this.arrive();
    this.take();
  }

  arrive() {
    this.rest = 0;
    if (this.mode === "learn") {
      this.mode = this.crosses.length ? "found" : "done";
      if (this.mode === "found") this.figure.answered();
    } else if (this.mode === "robust") {
      this.figure.pause();
    } else {
      this.mode = "done";
      this.figure.pause();
    }
  }

  get crosses() {
    return this.shown?.measures?.crosses ?? [];
  }

  /** Give the column of a cross to a unit that does nothing. Recognition is left as it is: that is for sleep. */
  async split() {
    if (this.mode === "robust") this.mode = "found";
    const { labels } = this.own.measures;
    const [cross] = this.crosses;
    const idle = labels.indexOf("dead");
    if (cross === undefined || idle < 0) {
      this.figure.say(cross === undefined ? "There is no cross in this world: nothing to split." : "There is no unit to spare: every one codes something.", true);
      return;
    }
    const { gen_weights_0: weights, gen_biases_1: biases } = this.own.arrays;
    const pixels = weights.shape[1];
    const size = Math.round(Math.sqrt(pixels));
    const own = weights.subarray(cross * pixels, (cross + 1) * pixels);
    const strong = largestOf(own, 0);
    const row = Number(labels[cross].match(/row (\d+)/)[1]) - 1;
    const column = Number(labels[cross].match(/column (\d+)/)[1]) - 1;
    const edits = [{ name: "gen_biases", level: 1, index: [idle], value: biases[cross] }];
    for (let i = 0; i < pixels; i++) {
      edits.push({ name: "gen_weights", level: 0, index: [cross, i], value: Math.floor(i / size) === row ? strong : 0 });
      edits.push({ name: "gen_weights", level: 0, index: [idle, i], value: i % size === column ? strong : 0 });
    }
    await this.own.edit(edits);
    await this.own.measure();
    this.splitAt = this.own.example;
    Object.assign(this, { mode: "split", rest: 0 });
    this.pace.most = 200;
    // Both sides of the jump belong to the curve.
    const { divergence_bits, kl_penalty_bits } = this.own.measures;
    this.curves.stuck.points.push([this.splitAt, divergence_bits]);
    this.curves.penalty.points.push([this.splitAt, kl_penalty_bits]);
    this.take();
  }

  /** The same seed, with the recipe that fails less. */
  async other() {
    this.robust = new World(this.figure.host, "robust", { recipe: "robust" }, this.own.seed);
    await this.robust.reset();
    this.curves.robust.points.length = 0;
    this.mode = "robust";
    this.take();
  }

  again() {
    if (this.mode === "robust") return this.robust.example >= CROSS_END ? this.other() : undefined;
    return this.mode === "done" ? this.start() : undefined;
  }

  async step() {
    await this.shown.advance(1000);
    if (this.mode === "learn" && this.shown.example >= CROSS_FOUND) this.arrive();
    this.take();
  }

  reset() {
    return this.start();
  }

  async link() {
    return { ...(await this.shown.link()), mode: this.mode, split: this.splitAt ?? undefined };
  }

  async restore(link) {
    if (link.mode === "robust") {
      this.robust = new World(this.figure.host, "robust", { recipe: "robust" }, CROSS_SEED);
      await this.own.reset();
      this.mode = "robust";
      await this.robust.restore(link);
    } else {
      await this.own.restore(link);
      this.splitAt = link.split ? Number(link.split) : null;
      this.mode = this.splitAt === null ? (this.crosses.length ? "found" : "learn") : CROSS_WORDS[link.mode] ? link.mode : "heal";
    }
    this.take();
  }

  async settle() {
    await this.shown?.settle();
    this.take();
  }

  redraw() {
    this.stage.redraw();
  }

  shape(w, em) {
    const wide = w > 700;
    const blocks = wide ? 0.5 * w : w;
    return { wide, blocks, high: blocksTall(blocks, em, { units: 8, size: 4, columns: 4 }) };
  }

  tall(w, em) {
    const { wide, high } = this.shape(w, em);
    return wide ? Math.max(high, 15 * em) : high + 15 * em;
  }

  draw(pen) {
    const { em, ink, w } = pen;
    const { shown } = this;
    if (!shown?.arrays.gen_weights_0) return;
    const { wide, blocks, high } = this.shape(w, em);
    const known = shown.example >= 20_000;
    drawBlocks(pen, { x: 0, y: 0, w: blocks, world: shown, columns: 4, labels: known ? shown.measures?.labels ?? [] : [], alarm: known ? this.crosses : null });
    const [x, y, across] = wide ? [blocks + 4.5 * em, 1.2 * em, w - blocks - 5 * em] : [2.6 * em, high + 2.4 * em, w - 3.2 * em];
    drawCurves(pen, {
      x, y, w: across, h: wide ? pen.h - 4.6 * em : 9.5 * em, to: CROSS_END, from: 1000, most: 20, label: "examples seen",
      marks: this.splitAt ? [{ n: this.splitAt, colour: ink.wake, words: "split" }] : [],
      curves: [
        { points: this.curves.penalty.points.filter(([n]) => n >= 1000), colour: ink.sleep, dash: [2, 4], width: 3, name: "penalty" },
        { points: this.curves.stuck.points.filter(([n]) => n >= 1000), colour: ink.ink, name: "divergence" },
        { points: this.curves.robust.points.filter(([n]) => n >= 1000), colour: ink.wake, dash: [9, 4], name: "robust recipe" },
      ],
    });
  }
}

VIEWS.push({
  id: "cross",
  number: 12,
  title: "Anatomy of a cross",
  words: ["This is seed 6, one of those that get stuck. Let it run, open it, and repair it by hand."],
  guess: {
    question: "Once the cross is split by hand, with nothing told to recognition, does the network recover?",
    options: ["yes, by itself", "it falls back into the cross", "it stays broken"],
    right: 0,
    answer: "By itself. Recognition is wrong for a moment, the penalty jumps to several bits; a few thousand dreams later it has learned the new causes.",
  },
  equations: [{ number: 8, text: "C(d) = −log_2 P(d) + KL(Q ‖ P)", docs: "what-a-factorial-distribution-costs-equation-8" }],
  build: (figure) => new CrossView(figure),
});
