// Drawing on canvas. Figures give numbers; here is only where they go.

/** Colours of the theme in force, read from the style sheet. */
class Ink {
  constructor(root) {
    this.root = root;
    this.read();
  }

  read() {
    const style = getComputedStyle(this.root);
    for (const name of ["paper", "ink", "muted", "rule", "on", "off", "wake", "sleep", "block", "panel"]) {
      this[name] = style.getPropertyValue(`--${name}`).trim();
    }
    this.face = style.fontFamily;
  }
}

/** A canvas as wide as its box. `tall(width, em)` gives its height, `draw(pen)` fills it, when asked by `redraw()`. */
class Stage {
  constructor(figure, tall, draw, label) {
    this.figure = figure;
    this.tall = tall;
    this.paint = draw;
    this.canvas = h("canvas", { role: "img", "aria-label": label });
    this.element = h("div", { class: "stage" }, this.canvas);
    this.spots = [];
    this.waiting = false;
    this.observer = new ResizeObserver(() => this.fit());
    this.observer.observe(this.element);
    this.canvas.addEventListener("click", (event) => this.spot(event)?.click?.());
    this.canvas.addEventListener("pointermove", (event) => {
      const spot = this.spot(event);
      this.canvas.style.cursor = spot?.click ? "pointer" : "";
      if (spot !== this.over) {
        this.over = spot;
        this.canvas.title = spot?.title ?? "";
        spot?.hover?.();
      }
    });
  }

  spot(event) {
    const box = this.canvas.getBoundingClientRect();
    const [x, y] = [event.clientX - box.left, event.clientY - box.top];
    return this.spots.find((s) => x >= s.x && x <= s.x + s.w && y >= s.y && y <= s.y + s.h);
  }

  fit() {
    const width = Math.floor(this.canvas.clientWidth);
    if (!width) return;
    this.em = Math.max(12, 0.78 * parseFloat(getComputedStyle(this.element).fontSize));
    const height = Math.round(this.tall(width, this.em));
    const scale = Math.min(3, window.devicePixelRatio || 1);
    if (this.width === width && this.height === height && this.scale === scale) return;
    Object.assign(this, { width, height, scale });
    this.canvas.width = Math.round(width * scale);
    this.canvas.height = Math.round(height * scale);
    this.canvas.style.height = `${height}px`;
    this.draw();
  }

  /** Draw before the next picture, however often asked. */
  redraw() {
    if (this.waiting) return;
    this.waiting = true;
    requestAnimationFrame(() => {
      this.waiting = false;
      this.draw();
    });
  }

  draw() {
    if (!this.width) return;
    const context = this.canvas.getContext("2d");
    context.setTransform(this.scale, 0, 0, this.scale, 0, 0);
    context.clearRect(0, 0, this.width, this.height);
    this.spots.length = 0;
    this.paint(new Pen(context, this, this.figure.page.ink));
  }
}

class Pen {
  constructor(context, stage, ink) {
    Object.assign(this, { c: context, w: stage.width, h: stage.height, em: stage.em, ink, stage });
    context.lineJoin = "round";
  }

  text(words, x, y, { size = 1, colour = this.ink.ink, align = "center", base = "middle", weight = 400, italic = false } = {}) {
    this.c.font = `${italic ? "italic " : ""}${weight} ${(size * this.em).toFixed(1)}px ${this.ink.face}`;
    this.c.textAlign = align;
    this.c.textBaseline = base;
    this.c.fillStyle = colour;
    this.c.fillText(words, x, y);
  }

  /** How wide words are. */
  measure(words, size = 1, weight = 400) {
    this.c.font = `${weight} ${(size * this.em).toFixed(1)}px ${this.ink.face}`;
    return this.c.measureText(words).width;
  }

  line(points, colour, width = 2, dash = []) {
    this.c.beginPath();
    points.forEach(([x, y], i) => (i ? this.c.lineTo(x, y) : this.c.moveTo(x, y)));
    this.c.strokeStyle = colour;
    this.c.lineWidth = width;
    this.c.setLineDash(dash);
    this.c.stroke();
    this.c.setLineDash([]);
  }

  box(x, y, w, h, fill, stroke = null, width = 1, radius = 0) {
    this.c.beginPath();
    if (radius) this.c.roundRect(x, y, w, h, radius);
    else this.c.rect(x, y, w, h);
    if (fill) {
      this.c.fillStyle = fill;
      this.c.fill();
    }
    if (stroke) {
      this.c.strokeStyle = stroke;
      this.c.lineWidth = width;
      this.c.stroke();
    }
  }

  disc(x, y, r, fill, stroke = this.ink.ink, width = 2) {
    this.c.beginPath();
    this.c.arc(x, y, r, 0, 2 * Math.PI);
    if (fill) {
      this.c.fillStyle = fill;
      this.c.fill();
    }
    if (stroke) {
      this.c.strokeStyle = stroke;
      this.c.lineWidth = width;
      this.c.stroke();
    }
  }

  /** An arrow from one point to another. */
  arrow(x0, y0, x1, y1, colour, width = 3) {
    const angle = Math.atan2(y1 - y0, x1 - x0);
    const head = 3.2 * width;
    this.line([[x0, y0], [x1 - head * 0.7 * Math.cos(angle), y1 - head * 0.7 * Math.sin(angle)]], colour, width);
    this.c.beginPath();
    this.c.moveTo(x1, y1);
    for (const turn of [2.65, -2.65]) this.c.lineTo(x1 + head * Math.cos(angle + turn), y1 + head * Math.sin(angle + turn));
    this.c.closePath();
    this.c.fillStyle = colour;
    this.c.fill();
  }

  spot(x, y, w, h, what) {
    this.stage.spots.push({ x, y, w, h, ...what });
  }

  /** A binary image, or probabilities as shades between off and on. */
  image(pixels, columns, x, y, side, { start = 0, gap = side > 40 ? 1 : 0, outline = this.ink.rule } = {}) {
    const rows = columns;
    const cell = side / columns;
    for (let i = 0; i < rows * columns; i++) {
      const value = pixels ? pixels[start + i] : 0;
      const [px, py] = [x + (i % columns) * cell, y + Math.floor(i / columns) * cell];
      this.c.fillStyle = this.ink.off;
      this.c.fillRect(px, py, cell - gap, cell - gap);
      if (value > 0) {
        this.c.globalAlpha = Math.min(1, value);
        this.c.fillStyle = this.ink.on;
        this.c.fillRect(px, py, cell - gap, cell - gap);
        this.c.globalAlpha = 1;
      }
    }
    if (outline) this.box(x - 0.5, y - 0.5, side + 1 - gap, side + 1 - gap, null, outline);
  }

  /** Hinton's diagram of one unit: area is magnitude, white is positive, black is negative. */
  hinton(weights, start, columns, x, y, side, largest) {
    const cell = side / columns;
    this.c.fillStyle = this.ink.block;
    this.c.fillRect(x, y, side, side);
    for (let i = 0; i < columns * columns; i++) this.square(weights[start + i], x + (i % columns) * cell, y + Math.floor(i / columns) * cell, cell, largest);
  }

  square(weight, x, y, cell, largest) {
    const size = 0.94 * cell * Math.sqrt(Math.min(1, Math.abs(weight) / largest));
    if (size < 0.4) return;
    this.c.fillStyle = weight > 0 ? "#fff" : "#000";
    this.c.fillRect(x + (cell - size) / 2, y + (cell - size) / 2, size, size);
  }
}

/** The largest magnitude of some numbers. */
function largestOf(numbers, least = 1) {
  let most = least;
  for (let i = 0; i < numbers.length; i++) most = Math.max(most, Math.abs(numbers[i]));
  return most;
}

/**
 * Curves of bits against examples, the latter on a log axis.
 * curves: [{points: [[n, bits]…], colour, dash, name}], from: least n, to: largest n, most: largest bits.
 */
function drawCurves(pen, { x, y, w, h, curves, from = 100, to = 2e6, most, least = 0.02, marks = [], label = "examples" }) {
  const log = Math.log10;
  const across = (n) => x + (w * (log(Math.max(n, from)) - log(from))) / (log(to) - log(from));
  const up = (bits) => y + h - (h * (log(Math.max(bits, least)) - log(least))) / (log(most) - log(least));
  for (let power = Math.ceil(log(from)); power <= log(to); power++) {
    const px = across(10 ** power);
    pen.line([[px, y], [px, y + h]], pen.ink.rule, 1);
    const words = power >= 6 ? `${10 ** (power - 6)} M` : whole(10 ** power);
    const place = Math.min(px, pen.w - pen.measure(words, 0.85) / 2);
    if (w > 300 || power % 2 === 0) pen.text(words, place, y + h + 0.9 * pen.em, { size: 0.85, colour: pen.ink.muted });
  }
  for (const bits of [0.01, 0.1, 1, 10]) {
    if (bits < least || bits > most) continue;
    pen.line([[x, up(bits)], [x + w, up(bits)]], pen.ink.rule, 1);
    pen.text(String(bits), x - 0.5 * pen.em, up(bits), { size: 0.85, colour: pen.ink.muted, align: "right" });
  }
  pen.text(label, x + w, y + h + 2.1 * pen.em, { size: 0.85, colour: pen.ink.muted, align: "right" });
  pen.text("bits", x - 0.5 * pen.em, Math.max(0.5 * pen.em, y - 1.1 * pen.em), { size: 0.85, colour: pen.ink.muted, align: "right" });
  for (const { n, words, colour } of marks) {
    pen.line([[across(n), y], [across(n), y + h]], colour, 2, [2, 3]);
    if (words) pen.text(words, across(n), y - 0.6 * pen.em, { size: 0.85, colour });
  }
  const names = [];
  for (const { points, colour, dash = [], name, width = 2.5 } of curves) {
    const shown = points.filter(([, bits]) => bits !== null);
    if (!shown.length) continue;
    pen.line(shown.map(([n, bits]) => [across(n), up(bits)]), colour, width, dash);
    const [n, bits] = shown[shown.length - 1];
    pen.disc(across(n), up(bits), 1.6 * width, colour, null);
    if (name) names.push({ name, colour, x: across(n), y: up(bits) });
  }
  nameCurves(pen, names, x, x + w, y, y + h);
  return { across, up };
}

/** Write the names beside the ends of curves, above each other where they would meet. */
function nameCurves(pen, names, left, right, top, bottom) {
  names.sort((a, b) => a.y - b.y);
  const space = 1.15 * pen.em;
  names.forEach((own, i) => {
    own.at = Math.max(own.y, top + space / 2, i ? names[i - 1].at + space : -Infinity);
  });
  let floor = bottom - space / 4;
  for (const own of [...names].reverse()) {
    own.at = Math.min(own.at, floor);
    floor = own.at - space;
    const wide = pen.measure(own.name, 0.9, 600);
    const after = own.x + 0.8 * pen.em + wide <= right + 0.2 * pen.em;
    const px = after ? own.x + 0.7 * pen.em : own.x - 0.7 * pen.em;
    pen.c.globalAlpha = 0.85;
    pen.box(after ? px - 2 : px - wide - 2, own.at - 0.6 * pen.em, wide + 4, 1.15 * pen.em, pen.ink.panel);
    pen.c.globalAlpha = 1;
    pen.text(own.name, px, own.at, { size: 0.9, weight: 600, colour: own.colour, align: after ? "left" : "right" });
  }
}

/** Points of a curve, of bounded number: a new one only where the last lies well behind on a log axis. */
class Curve {
  constructor() {
    this.points = [];
  }

  add(n, bits) {
    const last = this.points.length - 1;
    if (last >= 0 && n < this.points[last][0]) this.points.length = 0;
    if (last >= 1 && n < 1.03 * this.points[last - 1][0] + 1) this.points[last] = [n, bits];
    else this.points.push([n, bits]);
  }
}
