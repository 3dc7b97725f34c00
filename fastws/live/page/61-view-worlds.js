// View 11: sixteen worlds.

const LANES = 16;
const LANES_END = 100_000;
const SETTLED = 50_000;
const STUCK_BITS = 0.5;

class WorldsView {
  constructor(figure) {
    this.figure = figure;
    this.first = 0;
    this.worlds = Array.from({ length: LANES }, (_, i) => new World(figure.host, `w${i}`, {}, i));
    this.pace = new Pace("even");
    this.seen = 0;
    this.more = h("button", { type: "button", onclick: () => figure.alone(() => this.others()).then(() => figure.play()) }, "Sixteen others");
    this.extra = [this.more];
    this.boxes = { example: figure.readout("examples seen, by each"), failed: figure.readout("stuck so far", { kind: "wake" }), best: figure.readout("lowest divergence, bits") };
    this.stage = new Stage(figure, (w, em) => this.tall(w, em), (pen) => this.draw(pen), "Sixteen runs of the same network with different seeds");
    this.element = h("div", {}, this.stage.element, h("div", { class: "readouts" }, Object.values(this.boxes)));
  }

  async start() {
    this.seen = 0;
    for (const [i, world] of this.worlds.entries()) {
      await world.reset({ seed: this.first + i });
      if (i === 0) this.stage.redraw();
    }
    this.numbers();
  }

  async others() {
    this.first += LANES;
    await this.start();
  }

  get stuck() {
    return this.worlds.filter((world) => this.isStuck(world)).length;
  }

  /** By then those that come through are at 0.3 bits or so, and the others stay above twice as much. */
  isStuck(world) {
    return world.example >= SETTLED && (world.measures?.divergence_bits ?? 0) > STUCK_BITS;
  }

  numbers() {
    const bits = this.worlds.map((world) => world.measures?.divergence_bits).filter((found) => found !== undefined);
    this.boxes.example.set(whole(this.seen));
    this.boxes.failed.set(this.seen >= SETTLED ? `${this.stuck} of ${LANES}` : "–");
    this.boxes.best.set(fixed(bits.length ? Math.min(...bits) : null));
    this.stage.redraw();
  }

  async tick(seconds) {
    const n = Math.min(this.pace.next(Math.min(0.25, seconds), this.seen), LANES_END - this.seen);
    if (this.seen >= LANES_END) {
      this.figure.pause();
      this.figure.answered();
    } else if (n >= 1) {
      await this.advance(n);
    }
  }

  async advance(n) {
    for (const world of this.worlds) {
      await world.advance(n);
      this.stage.redraw();
    }
    this.pace.took(Math.max(...this.worlds.map((world) => world.milliseconds)), n);
    this.seen += n;
    this.numbers();
  }

  async step() {
    await this.advance(Math.max(1, Math.min(5000, LANES_END - this.seen)));
  }

  reset() {
    return this.start();
  }

  again() {
    return this.seen >= LANES_END ? this.start() : undefined;
  }

  link() {
    return { first: this.first, n: this.seen };
  }

  async restore({ first, n }) {
    this.first = Number(first ?? 0);
    await this.start();
    if (Number(n) > 0) await this.advance(Math.min(LANES_END, Number(n)));
  }

  redraw() {
    this.stage.redraw();
  }

  grid(w, em) {
    const columns = w > 1000 ? 8 : 4;
    const gap = (w > 640 ? 1.3 : 0.7) * em;
    const panel = (w - gap * (columns - 1)) / columns;
    const blocks = blocksTall(panel, em, { units: 8, size: 4, columns: 4, labels: false, gap: 3, band: false });
    return { columns, gap, panel, row: blocks + 2.9 * em, blocks };
  }

  tall(w, em) {
    const { columns, row } = this.grid(w, em);
    return (LANES / columns) * row + 0.4 * em;
  }

  draw(pen) {
    const { em, ink } = pen;
    const { columns, gap, panel, row, blocks } = this.grid(pen.w, em);
    this.worlds.forEach((world, i) => {
      if (!world.arrays.gen_weights_0) return;
      const [x, y] = [(i % columns) * (panel + gap), Math.floor(i / columns) * row + 4];
      const stuck = this.isStuck(world);
      drawBlocks(pen, { x, y, w: panel, world, columns: 4, gap: 3, band: false, alarm: stuck ? world.measures.crosses : null });
      const bits = fixed(world.measures?.divergence_bits);
      pen.text(stuck ? `✕ ${bits}` : bits, x + panel / 2, y + blocks + 1.1 * em, { size: 1.1, weight: stuck ? 700 : 400, colour: stuck ? ink.wake : ink.ink });
    });
  }
}

VIEWS.push({
  id: "worlds",
  number: 11,
  title: "Sixteen worlds",
  words: ["The same network, the same kind of images, the same rates. Only the random numbers differ: seeds 0 to 15. The paper shows one run. Here are sixteen at once."],
  guess: {
    question: "How many of the sixteen will get stuck and never describe the bars as they should?",
    options: ["none", "one or two", "about a third", "nearly all"],
    right: 2,
    first: true,
    answer: "About a third; of 200 seeds that were measured, 72. A stuck one is marked ✕. Nearly always one unit, outlined, codes a row and a column together.",
  },
  after: "A good method is not one that works once. How often it works can only be seen by running it often.",
  equations: [{ number: "Note 15", text: "KL(data ‖ model), the number below each world", docs: "figures-and-notes" }],
  build: (figure) => new WorldsView(figure),
});
