// View 14: draw a pattern, and clamp a unit.

const PATTERNS = ["0100010001000100", "0000111100000000", "1010101010101010", "0100111101000100", "0000000001000000", "1111000011110000"];
const DREAMS = 12;

class DrawView {
  constructor(figure) {
    this.figure = figure;
    this.image = [...PATTERNS[0]].map(Number);
    this.place = 0;
    this.held = null;
    this.rest = 0;
    this.another = h("button", { type: "button", onclick: () => figure.alone(() => this.next()) }, "Next pattern");
    this.clear = h("button", { type: "button", onclick: () => figure.alone(() => this.see(Array(16).fill(0))) }, "Clear");
    this.extra = [this.another, this.clear];
    this.boxes = {
      cost: figure.readout("bits it costs, C(d)", { kind: "wake" }),
      least: figure.readout("bits at best, −log₂ P(d)", { equation: 1 }),
      penalty: figure.readout("KL penalty, bits", { kind: "sleep", equation: 1 }),
    };
    this.stage = new Stage(figure, (w, em) => this.heights(w, em).bottom, (pen) => this.draw(pen), "A pattern to draw, what recognition makes of it, and dreams with a unit held on");
    this.element = h("div", {}, this.stage.element, h("div", { class: "readouts" }, Object.values(this.boxes)));
  }

  async start() {
    this.own = await trainedWorld(this.figure.page);
    await this.see(this.image);
    await this.dream(null);
  }

  async see(image) {
    this.image = image;
    const reply = await this.own.ask("recognise", { image, n: 1, seed: 0 });
    this.found = reply;
    const { free_energy_bits, neg_log_prob_bits, kl_penalty_bits } = reply;
    this.boxes.cost.set(fixed(free_energy_bits));
    this.boxes.least.set(fixed(neg_log_prob_bits));
    this.boxes.penalty.set(fixed(kl_penalty_bits));
    this.figure.live("posterior", "of all 512 representations the likeliest has P = ", ["", fixed(reply.arrays.posterior[0], 3)], ", and is drawn with Q = ", ["sleep", fixed(reply.arrays.recognition[0], 3)]);
    this.figure.live("energy", `${fixed(neg_log_prob_bits)} + `, ["sleep", fixed(kl_penalty_bits)], " = ", ["wake", `${fixed(free_energy_bits)} bits`]);
    this.rest = 0;
    this.stage.redraw();
  }

  /** Dream, with a unit of the first hidden layer held on, or free. */
  async dream(unit) {
    this.held = unit;
    this.draws = (this.draws ?? 0) + 1;
    const clamped = unit === null ? [] : [[1, unit, 1]];
    const reply = clamped.length
      ? await this.own.ask("clamp", { clamp: clamped, n: DREAMS, seed: this.draws })
      : await this.own.ask("fantasies", { n: DREAMS, seed: this.draws });
    this.dreams = reply.arrays.fantasies;
    this.stage.redraw();
  }

  /** By key: hold a unit on, or let go of it. */
  pick(unit) {
    return unit < this.own.sizes[1] ? this.dream(this.held === unit ? null : unit) : undefined;
  }

  async next() {
    this.place = (this.place + 1) % PATTERNS.length;
    await this.see([...PATTERNS[this.place]].map(Number));
  }

  async tick(seconds) {
    this.rest += seconds;
    if (this.rest < 4) return;
    await this.next();
    const q = [...this.found.arrays.q.subarray(0, this.own.sizes[1])];
    await this.dream(this.place % 2 ? q.indexOf(Math.max(...q)) : null);
    if (this.place === 3) this.figure.answered();
  }

  async step() {
    this.rest = 9;
    await this.tick(0);
  }

  async reset() {
    this.place = 0;
    this.draws = 0;
    await this.see([...PATTERNS[0]].map(Number));
    await this.dream(null);
  }

  link() {
    return { image: this.image.join(""), held: this.held ?? undefined };
  }

  async restore({ image, held }) {
    await this.start();
    if (image && /^[01]{16}$/.test(image)) await this.see([...image].map(Number));
    if (held !== undefined && Number(held) < this.own.sizes[1]) await this.dream(Number(held));
  }

  redraw() {
    this.stage.redraw();
  }

  heights(w, em) {
    const wide = w > 700;
    const pad = wide ? Math.min(12 * em, 0.24 * w) : Math.min(12 * em, 0.55 * w);
    const gap = Math.max(4, 0.012 * w);
    const span = wide ? w - pad - 3 * em : w;
    const block = Math.min(5.6 * em, (span - 7 * gap) / 8);
    const units = wide ? 1.6 * em : pad + 3.4 * em;
    const blocks = units + 2.6 * em;
    const table = blocks + block + 3.4 * em;
    const left = wide ? pad + 3 * em : 0;
    const dreams = wide ? table : table + 10.5 * em;
    const bottom = wide ? Math.max(table + 10 * em, 2 * pad + 5 * em) : dreams + 2 * em + (w - 5 * 6) / 6 * 2 + 6;
    return { wide, pad, gap, span, block, units, blocks, table, left, dreams, bottom };
  }

  draw(pen) {
    if (!this.found) return;
    const { em, ink, w } = pen;
    const at = this.heights(w, em);
    const { q, reconstruction } = this.found.arrays;
    const count = this.own.sizes[1];
    pen.text("draw here", 0, 0.6 * em, { align: "left", size: 0.9, colour: ink.muted });
    pen.image(this.image, 4, 0, 1.5 * em, at.pad);
    const cell = at.pad / 4;
    for (let i = 0; i < 16; i++) {
      pen.spot((i % 4) * cell, 1.5 * em + Math.floor(i / 4) * cell, cell, cell, { title: "Switch this pixel", click: () => this.figure.alone(() => this.see(this.image.map((pixel, j) => (j === i ? 1 - pixel : pixel)))) });
    }
    const [rx, ry, side] = at.wide ? [0, at.pad + 4.4 * em, at.pad] : [at.pad + 1.5 * em, 1.5 * em, Math.min(at.pad, w - at.pad - 1.5 * em)];
    pen.text("given back, p of each pixel", rx, ry - 0.9 * em, { align: "left", size: 0.9, colour: ink.muted });
    pen.image(reconstruction, 4, rx, ry, side);

    pen.text(at.wide ? "recognition: how likely each unit is on (click one to dream with it)" : "how likely each unit is on; click one to dream", at.left, at.units - 1 * em, { align: "left", size: at.wide ? 0.9 : 0.8, colour: ink.muted });
    const weights = this.own.arrays.gen_weights_0;
    const largest = largestOf(weights, 2);
    for (let k = 0; k < count; k++) {
      const x = at.left + k * (at.block + at.gap);
      const bar = at.block * q[k];
      pen.box(x, at.units, at.block, 0.7 * em, ink.off);
      pen.box(x, at.units, bar, 0.7 * em, ink.sleep);
      pen.text(fixed(q[k]), x + at.block / 2, at.units + 1.5 * em, { size: 0.85 });
      pen.hinton(weights, 16 * k, 4, x, at.blocks, at.block, largest);
      if (this.held === k) pen.box(x - 2, at.blocks - 2, at.block + 4, at.block + 4, null, ink.wake, 3);
      pen.spot(x, at.units, at.block, at.block + 2.6 * em, { title: `Dream with unit ${k + 1} held on`, click: () => this.figure.alone(() => this.dream(this.held === k ? null : k)) });
    }
    this.table(pen, at);
    this.sheet(pen, at);
  }

  table(pen, at) {
    const { em, ink } = pen;
    const { top, posterior, recognition, cost_bits } = this.found.arrays;
    const hidden = top.shape[1];
    const cell = 1.05 * em;
    const x = at.left;
    const columns = [4.2, 8, 12].map((place) => x + hidden * cell + place * em);
    pen.text(at.wide ? "likeliest of all 512" : "likeliest of all 512: drawn Q, should be P", x, at.table, { align: "left", size: 0.9, colour: ink.muted });
    ["bits", "Q", "P"].forEach((words, i) => pen.text(words, columns[i], at.table + (at.wide ? 0 : 1.3) * em, { align: "right", size: 0.85, colour: ink.muted }));
    for (let row = 0; row < 4; row++) {
      const y = at.table + (1.7 + (at.wide ? 0 : 1.1) + 1.45 * row) * em;
      for (let k = 0; k < hidden; k++) pen.box(x + k * cell + (k === hidden - 1 ? 5 : 0), y - cell / 2, cell - 3, cell - 3, top[row * hidden + k] ? ink.on : ink.off, ink.rule);
      [fixed(cost_bits[row]), percent(recognition[row]), percent(posterior[row])].forEach((words, i) => pen.text(words, columns[i], y, { align: "right", size: 0.95, colour: i === 1 ? ink.sleep : ink.ink, weight: i === 1 ? 650 : 400 }));
    }
  }

  sheet(pen, at) {
    const { em, ink, w } = pen;
    const words = this.held === null ? "dreams" : `dreams with unit ${this.held + 1} held on`;
    if (at.wide) {
      const x = at.left + 24 * em;
      const across = w - x;
      if (across < 8 * em) return;
      pen.text(words, x, at.table, { align: "left", size: 0.9, colour: this.held === null ? ink.muted : ink.wake });
      const columns = 6;
      drawSheet(pen, { images: this.dreams, x, y: at.table + 1.2 * em, w: Math.min(across, 3.6 * 6 * em), columns, rows: 2, size: 4 });
    } else {
      pen.text(words, 0, at.dreams, { align: "left", size: 0.9, colour: this.held === null ? ink.muted : ink.wake });
      drawSheet(pen, { images: this.dreams, x: 0, y: at.dreams + 1.2 * em, w, columns: 6, rows: 2, size: 4 });
    }
  }
}

VIEWS.push({
  id: "draw",
  number: 14,
  title: "Draw something",
  words: ["This network has seen two million images of bars and nothing else. Draw what you like into the square. It says what might have caused it, what that costs, and what it would have drawn itself."],
  guess: {
    question: "A row and a column at once is an image that it has never seen. What will it make of a cross?",
    options: ["it recognises both bars", "one bar, and single pixels", "nothing at all"],
    right: 0,
    answer: "Both, one unit each, though the top unit says that they never come together. So it can be described, but it is dear: 10.5 bits, where two columns cost 6.",
  },
  after: "Click pixels to draw. Click a block to hold that unit on and see what the network dreams then.",
  equations: [
    { number: 6, text: "P(α|d) = 2^{−C(α, d)} / Σ_β 2^{−C(β, d)}", live: "posterior", docs: "the-posterior-equation-6" },
    { number: 8, text: "C(d) = −log_2 P(d) + KL(Q ‖ P)", live: "energy", docs: "what-a-factorial-distribution-costs-equation-8" },
  ],
  build: (figure) => new DrawView(figure),
});
