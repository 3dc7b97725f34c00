// View 4: the ledger of one image.

const TRAINED = { name: "trained", examples: 2_000_000, at_once: 250_000 };

/** A network that knows the bars, which several figures look at. It is made when the first of them is seen. */
function trainedWorld(page) {
  page.trained ??= (async () => {
    const world = new World(page.host, TRAINED.name);
    await world.reset();
    // In parts, so that other figures are answered meanwhile.
    while (world.example < TRAINED.examples) await world.ask("advance", { n: TRAINED.at_once });
    await world.measure();
    return world;
  })().catch((error) => {
    page.trained = null;
    throw error;
  });
  return page.trained;
}

class LedgerView {
  constructor(figure) {
    this.figure = figure;
    this.index = 0;
    this.ownSeed = true;
    this.another = h("button", { type: "button", onclick: () => figure.alone(() => this.next()) }, "Another image");
    this.reveal = h("button", { type: "button", onclick: () => figure.alone(() => this.show()) }, "What does it draw?");
    this.extra = [this.another, this.reveal];
    this.boxes = {
      total: figure.readout("bits, with these units", { kind: "wake" }),
      best: figure.readout("cheapest so far"),
      least: figure.readout("cheapest of all 512"),
    };
    this.stage = new Stage(figure, (w, em) => this.heights(w, em).bottom, (pen) => this.draw(pen), "An image, hidden units to switch on and off, and the bits that each unit and pixel costs");
    this.element = h("div", {}, this.stage.element, h("div", { class: "readouts" }, Object.values(this.boxes)));
  }

  world() {
    return this.own ?? new World(this.figure.host, TRAINED.name);
  }

  async start() {
    this.own = await trainedWorld(this.figure.page);
    const { images } = (await this.own.ask("data", { n: 200, seed: 7 })).arrays;
    const pixels = this.own.sizes[0];
    // Those with two bars or three are the ones to puzzle over; each of them once.
    const found = new Map();
    for (let i = 0; i < 200; i++) {
      const image = [...images.subarray(i * pixels, (i + 1) * pixels)];
      if (on(image) >= 8 && on(image) < 16) found.set(image.join(""), image);
    }
    this.images = [...found.values()];
    await this.open(this.images[0]);
  }

  async open(image) {
    this.image = image;
    const hidden = this.own.sizes.slice(1).reduce((sum, n) => sum + n, 0);
    this.best = Infinity;
    this.hand = { unit: 0, since: 0, before: null };
    this.shown = false;
    this.rest = 0;
    this.recognised = await this.own.ask("recognise", { image, n: 1, seed: 0 });
    const { cost_bits } = this.recognised.arrays;
    this.least = Math.min(...cost_bits);
    await this.weigh(Array(hidden).fill(0));
  }

  async next() {
    this.index = (this.index + 1) % this.images.length;
    await this.open(this.images[this.index]);
  }

  async weigh(states) {
    this.states = states;
    const reply = await this.own.ask("ledger", { image: this.image, states });
    const pixels = this.own.sizes[0];
    this.total = reply.total_bits;
    this.best = Math.min(this.best, reply.total_bits);
    this.bits = reply.arrays.unit_bits;
    this.p = reply.arrays.p_unit;
    this.boxes.total.set(fixed(this.total));
    this.boxes.best.set(fixed(this.best));
    this.boxes.least.set(this.shown ? fixed(this.least) : "?");
    const sum = (from, to) => this.bits.subarray(from, to).reduce((all, bit) => all + bit, 0);
    const [layer1, top] = [pixels + this.own.sizes[1], this.bits.length];
    this.figure.live("total", `${fixed(sum(layer1, top))} (layer 2) + ${fixed(sum(pixels, layer1))} (layer 1) + ${fixed(sum(0, pixels))} (pixels) = `, ["wake", `${fixed(this.total)} bits`]);
    const most = this.dearest();
    // A dear one has a small probability, of which 0.000 would be all that is left.
    const digits = most.bits > 6 ? 6 : 3;
    this.figure.live("unit", `the dearest ${most.what}, ${most.on ? "on" : "off"}, where p = ${fixed(most.p, digits)}:  −log_2 ${fixed(most.on ? most.p : 1 - most.p, digits)} = `, ["wake", `${fixed(most.bits)} bits`]);
    this.stage.redraw();
  }

  dearest() {
    const pixels = this.own.sizes[0];
    let i = 0;
    this.bits.forEach((bits, j) => { if (bits > this.bits[i]) i = j; });
    const state = i < pixels ? this.image[i] : this.states[i - pixels];
    return { what: i < pixels ? `pixel, ${i + 1}` : `hidden unit, ${i - pixels + 1}`, on: state, p: this.p[i], bits: this.bits[i] };
  }

  /** By key. */
  pick(unit) {
    return unit < this.states.length ? this.flip(unit) : undefined;
  }

  flip(unit) {
    return this.weigh(this.states.map((state, k) => (k === unit ? 1 - state : state)));
  }

  /** By itself a hand tries unit after unit, and keeps what is cheaper. */
  async tick(seconds) {
    const { hand } = this;
    hand.since += seconds;
    if (this.shown) {
      this.rest += seconds;
      if (this.rest > 6) await this.next();
      return;
    }
    if (hand.since < 0.45) return;
    hand.since = 0;
    if (hand.before !== null) {
      const worse = this.total >= hand.before - 1e-9;
      hand.before = null;
      if (worse) await this.flip(hand.unit);
      hand.idle = worse ? (hand.idle ?? 0) + 1 : 0;
      hand.unit = (hand.unit + 1) % this.states.length;
      if (hand.idle >= this.states.length) await this.show();
    } else {
      hand.before = this.total;
      await this.flip(hand.unit);
    }
  }

  async step() {
    this.hand.since = 9;
    await this.tick(0);
  }

  async show() {
    this.shown = true;
    this.rest = 0;
    this.boxes.least.set(fixed(this.least));
    this.figure.answered();
    this.stage.redraw();
  }

  reset() {
    return this.open(this.image);
  }

  link() {
    return { image: this.image.join(""), states: this.states.join(""), shown: this.shown ? 1 : undefined };
  }

  async restore({ image, states, shown }) {
    await this.start();
    if (image && image.length === this.own.sizes[0]) await this.open([...image].map(Number));
    if (states && states.length === this.states.length) await this.weigh([...states].map(Number));
    if (shown) await this.show();
  }

  redraw() {
    this.stage.redraw();
  }

  heights(w, em) {
    const wide = w > 640;
    const gap = Math.max(4, 0.012 * w);
    const picture = wide ? Math.min(9 * em, 0.18 * w) : 7 * em;
    const span = wide ? w - picture - 2.5 * em : w;
    const block = Math.min(5.4 * em, (span - 7 * gap) / 8);
    const disc = Math.min(1.3 * em, 0.42 * block);
    const units = 1.4 * em + 2 * disc + 2.6 * em;
    const top = wide ? 0 : picture + 2 * em;
    const bars = top + units + 2 * disc + 0.7 * em + block + 2.4 * em;
    const barsHigh = 8.5 * em;
    const table = bars + barsHigh + 3.2 * em;
    return { wide, gap, picture, span, block, disc, units: top + units, top, bars, barsHigh, table, bottom: table + 8.6 * em };
  }

  draw(pen) {
    if (!this.bits) return;
    const { em, ink, w } = pen;
    const at = this.heights(w, em);
    const pixels = this.own.sizes[0];
    const size = Math.round(Math.sqrt(pixels));
    pen.image(this.image, size, at.wide ? 0 : (w - at.picture) / 2, 1.4 * em, at.picture);
    pen.text("to describe this", at.wide ? at.picture / 2 : w / 2, 0.4 * em, { size: 0.9, colour: ink.muted });
    const left = w - at.span + Math.max(0, (at.span - 8 * at.block - 7 * at.gap) / 2);
    const centre = (k) => left + k * (at.block + at.gap) + at.block / 2;
    const units = this.own.sizes[1];
    const topX = (centre(0) + centre(units - 1)) / 2;
    this.unit(pen, topX, at.top + 1.4 * em + at.disc, at.disc, units, "layer 2");
    const weights = this.own.arrays.gen_weights_0;
    const largest = largestOf(weights, 2);
    for (let k = 0; k < units; k++) {
      this.unit(pen, centre(k), at.units + at.disc, at.disc, k);
      const [bx, by] = [centre(k) - at.block / 2, at.units + 2 * at.disc + 0.7 * em];
      pen.hinton(weights, k * pixels, size, bx, by, at.block, largest);
      if (this.states[k]) pen.box(bx - 2, by - 2, at.block + 4, at.block + 4, null, ink.wake, 3);
      pen.spot(bx, by, at.block, at.block, { title: "Switch this unit", click: () => this.figure.alone(() => this.flip(k)) });
    }
    this.bars(pen, at);
    this.table(pen, at);
  }

  unit(pen, x, y, r, k, name) {
    const { ink } = pen;
    const state = this.states[k];
    pen.disc(x, y, r, state ? ink.on : ink.panel);
    if (this.hand.before !== null && this.hand.unit === k && this.figure.playing) pen.disc(x, y, r + 5, null, ink.wake, 3);
    if (name) pen.text(name, x - r - 0.7 * pen.em, y, { align: "right", size: 0.9, colour: ink.muted });
    pen.spot(x - r, y - r, 2 * r, 2 * r, { title: "Switch this unit", click: () => this.figure.alone(() => this.flip(k)) });
  }

  /** A bar for each unit, in the order in which they would be sent: from the top down. */
  bars(pen, { bars: y, barsHigh: high }) {
    const { em, ink, w } = pen;
    const pixels = this.own.sizes[0];
    const hidden = this.states.length;
    const order = [hidden - 1, ...Array(hidden - 1).keys()].map((k) => pixels + k).concat([...Array(pixels).keys()]);
    const gap = w > 640 ? 4 : 2;
    const groups = 2 * gap * 2;
    const wide = (w - groups - gap * (order.length - 1)) / order.length;
    const most = Math.max(8, ...this.bits);
    pen.text("bits for each unit, as they would be sent", 0, y - 0.3 * em, { align: "left", size: 0.9, colour: ink.muted });
    let x = 0;
    const ends = [];
    order.forEach((i, place) => {
      if (place === 1 || place === hidden) x += 2 * gap;
      const tall = Math.max(1.5, ((high - 1.5 * em) * this.bits[i]) / most);
      const state = i < pixels ? this.image[i] : this.states[i - pixels];
      pen.box(x, y + high - tall, wide, tall, state ? ink.wake : ink.panel, ink.wake, state ? 0 : 1.5);
      if (this.bits[i] > 0.4 && wide > 1.35 * em) pen.text(fixed(this.bits[i], 1), x + wide / 2, y + high - tall - 0.7 * em, { size: 0.8 });
      ends[place] = [x, x + wide];
      x += wide + gap;
    });
    const name = (words, from, to) => pen.text(words, (ends[from][0] + ends[to][1]) / 2, y + high + 0.9 * em, { size: 0.85, colour: ink.muted });
    pen.text(w > 640 ? "layer 2" : "2", 0, y + high + 0.9 * em, { align: "left", size: 0.85, colour: ink.muted });
    name("layer 1", 1, hidden - 1);
    name("pixels", hidden, order.length - 1);
  }

  /** What recognition draws, beside what it should: the likeliest representations. */
  table(pen, { table: y }) {
    const { em, ink, w } = pen;
    pen.text("what recognition really draws, Q, and what it should, P", 0, y, { align: "left", size: 0.9, colour: ink.muted });
    if (!this.shown) {
      pen.text("find the cheapest first, or let it search", 0, y + 1.9 * em, { align: "left", italic: true, colour: ink.muted });
      return;
    }
    const { top, posterior, recognition, cost_bits } = this.recognised.arrays;
    const hidden = this.states.length;
    const cell = Math.min(1.15 * em, (0.42 * w) / hidden);
    const columns = [hidden * cell + 4.5 * em, hidden * cell + 8.6 * em, hidden * cell + 12.7 * em];
    ["bits", "Q", "P"].forEach((words, i) => pen.text(words, columns[i], y + 1.5 * em, { align: "right", size: 0.85, colour: ink.muted }));
    for (let row = 0; row < Math.min(4, posterior.length); row++) {
      const line = y + (2.9 + 1.45 * row) * em;
      for (let k = 0; k < hidden; k++) {
        const state = top[row * hidden + k];
        pen.box(k * cell + (k === hidden - 1 ? 5 : 0), line - cell / 2, cell - 3, cell - 3, state ? ink.on : ink.off, ink.rule);
      }
      [fixed(cost_bits[row]), percent(recognition[row]), percent(posterior[row])].forEach((words, i) => pen.text(words, columns[i], line, { align: "right", colour: i === 1 ? ink.sleep : ink.ink, weight: i === 1 ? 650 : 400 }));
    }
  }
}

/** Write a share in per cent. */
function percent(share) {
  return share >= 0.0995 ? `${fixed(100 * share, 0)} %` : `${fixed(100 * share, 1)} %`;
}

VIEWS.push({
  id: "ledger",
  number: 4,
  title: "The ledger: what one image costs",
  words: [
    "Suppose a friend has the same generative weights, and you want to tell them about an image in as few bits as you can. First you send which hidden units are on, then what is left to say about the pixels. What is expected is cheap; a surprise is dear. A good explanation is a *short message*.",
  ],
  guess: {
    question: "Leaving all units off saves bits on the units. Is the whole message then shorter?",
    options: ["yes: fewer units, fewer bits", "no: the pixels become dear"],
    right: 1,
    answer: "No. Naming a bar costs a few bits once; not naming it makes four pixels a surprise, several bits each.",
  },
  after: "Click hidden units to switch them. Filled bars are units that are on. By itself, the figure tries one unit after another and keeps what is cheaper.",
  equations: [
    { number: 3, text: "C(α, d) = Σ_ℓ Σ_{j ∈ ℓ} C(s_j) + Σ_i C(s_i|α)", live: "total", docs: "description-length-equations-2-and-3" },
    { number: 2, text: "C(s_j) = −s_j log_2 p_j − (1 − s_j) log_2 (1 − p_j)", live: "unit", docs: "description-length-equations-2-and-3" },
  ],
  build: (figure) => new LedgerView(figure),
});
