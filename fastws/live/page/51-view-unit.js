// View 1: one unit.

const POOL = 1000;

class UnitView {
  constructor(figure) {
    this.figure = figure;
    this.seed = 0;
    this.bias = -1;
    this.weights = [2.5, -2, 1];
    this.states = [1, 0, 1];
    this.restart();
    this.pace = 3;
    this.stage = new Stage(figure, (w, em) => (w > 640 ? 15 * em : 30 * em), (pen) => this.draw(pen), "A unit with three inputs, its probability, and how often it was on");
    this.sliders = [
      slider("bias b", { min: -6, max: 6, step: 0.1, value: this.bias, write: (x) => fixed(x, 1), slide: (x) => this.change(() => { this.bias = x; }) }),
      ...this.weights.map((weight, i) => slider(`weight ${i + 1}`, { min: -6, max: 6, step: 0.1, value: weight, write: (x) => fixed(x, 1), slide: (x) => this.change(() => { this.weights[i] = x; }) })),
    ];
    this.speed = choice("draws a second", [[3, "3 draws a second"], [60, "60"], [6000, "6000"]], 3, (x) => { this.pace = x; });
    this.element = h("div", {}, this.stage.element, h("div", { class: "sliders" }, this.sliders));
    this.extra = [this.speed];
  }

  restart() {
    Object.assign(this, { drawn: 0, on: 0, left: 0, recent: [], curve: [], pool: null, used: 0 });
  }

  change(make) {
    make();
    this.restart();
    this.start();
  }

  /** By key. */
  async pick(i) {
    if (i < this.states.length) this.change(() => { this.states[i] = 1 - this.states[i]; });
  }

  async start() {
    await this.figure.run(async () => {
      if (await this.fetch()) {
        this.numbers();
        this.stage.redraw();
      }
    });
  }

  /** Get the next draws, a pool of them at once; false if the unit was changed meanwhile. */
  async fetch() {
    const { bias, weights, states, drawn } = this;
    const [w, s] = [[...weights], [...states]];
    const seed = this.seed + Math.floor(drawn / POOL);
    const { p, logit, arrays } = await this.figure.host.ask("unit", { bias, weights: w, states: s, seed, draws: POOL });
    if (drawn !== this.drawn || bias !== this.bias || w.some((x, i) => x !== this.weights[i]) || s.some((x, i) => x !== this.states[i])) return false;
    Object.assign(this, { p, logit, pool: arrays, used: 0 });
    return true;
  }

  async take(draws) {
    for (let i = 0; i < draws; i++) {
      if (!this.pool || this.used === POOL) if (!(await this.fetch())) return;
      const state = this.pool.states[this.used];
      // A unit is on where its sum is above a threshold; on the scale of probabilities that is a number below p.
      this.last = { u: 1 / (1 + Math.exp(-this.pool.thresholds[this.used])), on: state };
      this.used += 1;
      this.on += state;
      this.drawn += 1;
      this.recent.push(this.last);
      if (this.recent.length > 24) this.recent.shift();
      // Evenly on a log axis, so that a tally of any length is a hundred points or so.
      if (!this.curve.length || this.drawn >= 1.06 * this.curve[this.curve.length - 1][0]) this.curve.push([this.drawn, this.on / this.drawn]);
    }
    this.numbers();
    this.stage.redraw();
  }

  async tick(seconds) {
    if (this.drawn >= 1e6) return this.figure.pause();
    this.left = Math.min(this.left + seconds * this.pace, 1000);
    const n = Math.floor(this.left);
    if (!n) return undefined;
    this.left -= n;
    return this.take(n);
  }

  step() {
    return this.take(1);
  }

  reset() {
    this.restart();
    return this.start();
  }

  redraw() {
    this.stage.redraw();
  }

  link() {
    return { b: this.bias, w: this.weights.join(" "), s: this.states.join(""), draws: this.drawn };
  }

  async restore({ b, w, s, draws }) {
    this.bias = Number(b ?? this.bias);
    if (w) this.weights = w.split(" ").map(Number);
    if (s) this.states = [...s].map(Number);
    this.sliders[0].set(this.bias);
    this.weights.forEach((weight, i) => this.sliders[i + 1].set(weight));
    this.restart();
    await this.start();
    for (let left = Math.min(1e6, Number(draws ?? 0)); left > 0; left -= 1000) await this.take(Math.min(left, 1000));
  }

  numbers() {
    const terms = this.weights.map((w, i) => `${this.states[i]} × ${fixed(w, 1)}`).join(" + ");
    this.figure.live("unit", `p = 1 / (1 + exp(−(${fixed(this.bias, 1)} + ${terms}))) = `, ["", fixed(this.p, 3)], this.drawn ? `, and ${whole(this.on)} of ${whole(this.drawn)} draws were on: ` : "", ["", this.drawn ? fixed(this.on / this.drawn, 3) : ""]);
  }

  draw(pen) {
    const wide = pen.w > 640;
    const { em } = pen;
    if (wide) {
      this.drawUnit(pen, 0, 0, 0.34 * pen.w, pen.h);
      this.drawThreshold(pen, 0.4 * pen.w, 2.2 * em, 0.13 * pen.w, pen.h - 4.4 * em);
      this.drawTally(pen, 0.64 * pen.w, 2.2 * em, 0.33 * pen.w, pen.h - 5 * em);
    } else {
      this.drawUnit(pen, 0, 0, 0.62 * pen.w, 14 * em);
      this.drawThreshold(pen, 0.7 * pen.w, 1.6 * em, 0.2 * pen.w, 11 * em);
      this.drawTally(pen, 2.6 * em, 17.5 * em, pen.w - 4 * em, 9 * em);
    }
  }

  drawUnit(pen, x, y, w, h) {
    const { em, ink } = pen;
    const r = 1.5 * em;
    const [cx, cy] = [x + w - 2.2 * em, y + h / 2];
    this.weights.forEach((weight, i) => {
      const [ix, iy] = [x + r + 4, y + h * (0.2 + 0.3 * i)];
      const colour = weight >= 0 ? ink.ink : ink.muted;
      pen.line([[ix + r, iy], [cx - 1.4 * r, cy]], this.states[i] ? colour : ink.rule, 1 + Math.abs(weight) * 1.4, weight < 0 ? [6, 5] : []);
      pen.disc(ix, iy, r, this.states[i] ? ink.on : ink.panel, ink.ink);
      pen.text(String(this.states[i]), ix, iy, { size: 1.1, weight: 600, colour: this.states[i] ? ink.panel : ink.ink });
      const [mx, my] = [ix + 0.42 * (cx - ix), iy + 0.42 * (cy - iy)];
      pen.box(mx - 1.6 * em, my - 0.75 * em, 3.2 * em, 1.5 * em, ink.panel, null, 1, 4);
      pen.text(fixed(weight, 1, true), mx, my, { colour: this.states[i] ? ink.ink : ink.muted });
      pen.spot(ix - r, iy - r, 2 * r, 2 * r, { title: "Turn it on or off", click: () => this.change(() => { this.states[i] = 1 - this.states[i]; }) });
    });
    const on = this.last && this.drawn ? this.last.on : null;
    pen.disc(cx, cy, 1.4 * r, on ? ink.on : ink.panel, ink.ink, 3);
    pen.text(on === null ? "?" : String(on), cx, cy, { size: 1.5, weight: 650, colour: on ? ink.panel : ink.ink });
    pen.text(`bias ${fixed(this.bias, 1, true)}`, cx, cy + 3.3 * em, { colour: ink.muted });
    pen.text(`sum ${fixed(this.logit, 1, true)}`, cx, cy - 3.2 * em, { colour: ink.muted });
  }

  drawThreshold(pen, x, y, w, h) {
    const { em, ink } = pen;
    const p = this.p ?? 0.5;
    pen.box(x, y, w, h, ink.off);
    pen.box(x, y + h * (1 - p), w, h * p, ink.on);
    pen.text("1", x - 0.6 * em, y, { colour: ink.muted, size: 0.85 });
    pen.text("0", x - 0.6 * em, y + h, { colour: ink.muted, size: 0.85 });
    pen.text("p", x - 0.8 * em, y + h * (1 - p), { italic: true, weight: 600, size: 1.1 });
    const wide = pen.w > 640;
    if (wide || !this.drawn) pen.text("a random number", x + w / 2, y + h + 1.1 * em, { colour: ink.muted, size: 0.85 });
    if (!this.drawn) return;
    this.recent.forEach((draw, i) => {
      const newest = i === this.recent.length - 1;
      pen.c.globalAlpha = newest ? 1 : 0.12 + (0.4 * i) / this.recent.length;
      const py = y + h * (1 - draw.u);
      pen.line([[x - (newest ? 4 : 0), py], [x + w + (newest ? 4 : 0), py]], newest ? ink.wake : ink.muted, newest ? 4 : 2);
    });
    pen.c.globalAlpha = 1;
    const { u, on } = this.last;
    const place = wide ? [x + w + 0.7 * em, y + h * (1 - u)] : [x + w / 2, y + h + 1.1 * em];
    pen.text(on ? "below p: on" : "above: off", ...place, { align: wide ? "left" : "center", colour: ink.wake, size: 0.9, weight: 600 });
  }

  drawTally(pen, x, y, w, h) {
    const { em, ink } = pen;
    const p = this.p ?? 0.5;
    const up = (share) => y + h * (1 - share);
    const most = Math.max(100, 10 ** Math.ceil(Math.log10(this.drawn + 1)));
    const across = (n) => x + (w * Math.log10(Math.max(1, n))) / Math.log10(most);
    for (const share of [0, 0.5, 1]) {
      pen.line([[x, up(share)], [x + w, up(share)]], ink.rule, 1);
      pen.text(String(share), x - 0.5 * em, up(share), { align: "right", size: 0.85, colour: ink.muted });
    }
    for (let n = 1; n <= most; n *= 10) pen.text(n >= 1e6 ? `${n / 1e6} M` : whole(n), across(n), y + h + 1 * em, { size: 0.85, colour: ink.muted });
    pen.text("draws", x + w, y + h + 2.2 * em, { align: "right", size: 0.85, colour: ink.muted });
    pen.text("share that was on", x, y - 1 * em, { align: "left", size: 0.85, colour: ink.muted });
    pen.line([[x, up(p)], [x + w, up(p)]], ink.ink, 1.5, [5, 4]);
    pen.text("p", x + w + 0.6 * em, up(p), { italic: true, weight: 600, size: 1.1 });
    if (!this.curve.length) return;
    const points = [...this.curve, [this.drawn, this.on / this.drawn]].map(([n, share]) => [across(n), up(share)]);
    pen.line(points, ink.wake, 3);
    pen.disc(...points[points.length - 1], 5, ink.wake, null);
  }
}

VIEWS.push({
  id: "unit",
  number: 1,
  title: "One unit tosses a coin",
  words: [
    "Everything here is made of one part: a unit that is on or off. It adds up its bias and the weights of the inputs that are on. The sum sets how *likely* it is to be on. Then a random number decides.",
  ],
  guess: {
    question: "The sum is +2.5, so the unit leans to on. Out of many draws, how often will it be on?",
    options: ["always", "about 9 times in 10", "half of the time"],
    right: 1,
    answer: "About 92 in 100. A sum of 0 is a fair coin; +2.5 is a loaded one; nothing is ever certain.",
  },
  after: "Click an input to switch it; drag a weight or the bias. A unit never says *what it thinks* but always *what it bets on*: that is what lets it learn from surprise.",
  equations: [{ number: 1, text: "p(s_v = 1) = 1 / (1 + exp(−b_v − Σ_u s_u w_{uv}))", live: "unit", docs: "units-equation-1" }],
  build: (figure) => new UnitView(figure),
});
