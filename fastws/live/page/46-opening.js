// The picture beside the title: a network that learns the bars while the words are read.

const OPENING_END = 300_000;

class Opening {
  constructor(page) {
    this.page = page;
    this.own = new World(page.host, "opening");
    this.pace = new Pace("even");
    this.since = 9;
    this.stage = new Stage(this, (w, em) => this.tall(w, em), (pen) => this.draw(pen), "A network that learns what images are made of");
    this.element = h("div", { class: "hero" }, this.stage.element);
    this.observer = new IntersectionObserver(([{ isIntersecting }]) => {
      this.visible = isIntersecting;
      if (isIntersecting) page.wake();
    });
    this.observer.observe(this.element);
  }

  get playing() {
    return Boolean(this.visible) && !this.done;
  }

  frame(seconds) {
    if (!this.playing || this.busy) return;
    this.busy = true;
    this.tick(seconds).catch((error) => {
      this.done = true;
      this.page.lost(error.message);
    }).finally(() => { this.busy = false; });
  }

  async tick(seconds) {
    if (!this.own.made) {
      await this.own.ask("reset", { settings: {}, seed: 1 });
      this.own.made = true;
      // A host that compiles first takes a while to answer what comes next.
      this.stage.draw();
      if (this.page.still) await this.own.ask("advance", { n: OPENING_END });
    }
    const n = Math.min(this.pace.next(seconds, this.own.example), OPENING_END - this.own.example);
    if (n >= 1) {
      const begun = performance.now();
      await this.own.ask("advance", { n });
      this.pace.took(performance.now() - begun, n);
    }
    this.since += seconds;
    this.done = this.own.example >= OPENING_END;
    // A look and a dream, about as fast as they can be taken in.
    if (this.since > 0.8 || this.done) {
      this.since = 0;
      this.seed = (this.seed ?? 0) + 1;
      this.seen = (await this.own.ask("data", { n: 3, seed: this.seed })).arrays.images;
      this.dreamt = (await this.own.ask("fantasies", { n: 3, seed: this.seed })).arrays.fantasies;
    }
    this.stage.redraw();
  }

  tall(w, em) {
    return (w * 0.47) / 3 + 4.4 * em + blocksTall(w, em, { units: 8, size: 4, columns: 4, labels: false, gap: 0.6 * em, band: false });
  }

  draw(pen) {
    const { em, ink, w } = pen;
    if (!this.own.arrays.gen_weights_0) return;
    const gap = 0.06 * w;
    const half = (w - gap) / 2;
    pen.text("it sees", 0, 0.5 * em, { align: "left", size: 0.95, weight: 650, colour: ink.wake });
    pen.text("it dreams", half + gap, 0.5 * em, { align: "left", size: 0.95, weight: 650, colour: ink.sleep });
    drawSheet(pen, { images: this.seen, x: 0, y: 1.6 * em, w: half, columns: 3, rows: 1, size: 4 });
    const high = drawSheet(pen, { images: this.dreamt, x: half + gap, y: 1.6 * em, w: half, columns: 3, rows: 1, size: 4 });
    const y = 1.6 * em + high + 2.2 * em;
    const words = this.seen ? `its eight hidden units after ${whole(this.own.example)} images` : "its eight hidden units; getting ready to learn …";
    pen.text(words, 0, y - 0.9 * em, { align: "left", size: 0.85, colour: ink.muted });
    drawBlocks(pen, { x: 0, y, w, world: this.own, columns: 4, gap: 0.6 * em, band: false });
  }
}
