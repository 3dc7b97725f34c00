// Figure 1c of the paper and the curves under it, which several views share.

/** Draw hidden units as the paper does: weight from above and bias on top, weights to the pixels below. */
function drawBlocks(pen, { x, y, w, world, columns, labels, alarm, gap, band = true }) {
  const weights = world.arrays.gen_weights_0;
  const [units, pixels] = weights.shape;
  const size = Math.round(Math.sqrt(pixels));
  const space = gap ?? 0.8 * pen.em;
  const side = (w - space * (columns - 1)) / columns;
  const cell = side / size;
  const over = world.arrays.gen_weights_1;
  const biases = world.arrays.gen_biases_1;
  const strip = band && over ? cell : 0;
  const foot = labels ? 1.5 * pen.em : 0;
  const largest = largestOf(weights, 2);
  const most = strip ? largestOf(biases, largestOf(over, 2)) : 1;
  const row = strip + side + foot + space;
  for (let k = 0; k < units; k++) {
    const [bx, by] = [x + (k % columns) * (side + space), y + Math.floor(k / columns) * row];
    if (strip) {
      pen.box(bx, by, side, cell, pen.ink.block);
      pen.square(over[k], bx, by, cell, most);
      pen.square(biases[k], bx + side - cell, by, cell, most);
      pen.line([[bx, by + cell], [bx + side, by + cell]], pen.ink.panel, 1);
    }
    pen.hinton(weights, k * pixels, size, bx, by + strip, side, largest);
    if (alarm?.includes(k)) pen.box(bx - 3, by - 3, side + 6, strip + side + 6, null, pen.ink.wake, 3);
    if (labels?.[k]) pen.text(fitting(pen, labels[k], side + 0.6 * space), bx + side / 2, by + strip + side + 0.8 * pen.em, { size: 0.85, colour: pen.ink.muted });
    pen.spot(bx, by, side, strip + side, { title: `Unit ${k + 1}${labels?.[k] ? `: ${labels[k]}` : ""}. Largest weight ${fixed(largestOf(weights.subarray(k * pixels, (k + 1) * pixels), 0), 1)}, bias ${fixed(biases?.[k], 2)}` });
  }
  return Math.ceil(units / columns) * row - space;
}

/** Words that fit below a block: "row 2 + column 3" is "r2 + c3" where there is little room. */
function fitting(pen, words, room) {
  return pen.measure(words, 0.85) <= room ? words : words.replaceAll("row ", "r").replaceAll("column ", "c");
}

/** How tall `drawBlocks` will be. */
function blocksTall(w, em, { units, size, columns, labels = true, gap, band = true }) {
  const space = gap ?? 0.8 * em;
  const side = (w - space * (columns - 1)) / columns;
  return Math.ceil(units / columns) * (side + (band ? side / size : 0) + (labels ? 1.5 * em : 0) + space) - space;
}

/** Draw a sheet of binary images. */
function drawSheet(pen, { images, x, y, w, columns, rows, size, gap = 6 }) {
  const side = (w - gap * (columns - 1)) / columns;
  for (let i = 0; i < columns * rows; i++) {
    const has = images && (i + 1) * size * size <= images.length;
    pen.image(has ? images : null, size, x + (i % columns) * (side + gap), y + Math.floor(i / columns) * (side + gap), side, { start: i * size * size });
  }
  return rows * (side + gap) - gap;
}

/** Three measures of a world as it learns, and their curves. */
class Measured {
  constructor(figure, equation = 0) {
    this.divergence = new Curve();
    this.penalty = new Curve();
    this.energy = new Curve();
    this.boxes = {
      example: figure.readout("examples seen", { equation }),
      divergence: figure.readout("divergence, bits", { equation, title: "KL(data ‖ model), note 15: how far dreams are from the data" }),
      energy: figure.readout("free energy, bits", { kind: "wake", equation: 1, title: "C(d) of Eq 5: what an image costs" }),
      penalty: figure.readout("KL penalty, bits", { kind: "sleep", equation: 2, title: "KL(Q ‖ P), last term of Eq 8: what recognition's mistakes cost" }),
    };
    this.element = h("div", { class: "readouts" }, Object.values(this.boxes));
  }

  clear() {
    for (const curve of [this.divergence, this.penalty, this.energy]) curve.points.length = 0;
  }

  take(world) {
    const measures = world.measures ?? {};
    const { divergence_bits, free_energy_bits, kl_penalty_bits } = measures;
    this.boxes.example.set(whole(world.example));
    this.boxes.divergence.set(fixed(divergence_bits));
    this.boxes.energy.set(fixed(free_energy_bits));
    this.boxes.penalty.set(fixed(kl_penalty_bits));
    if (divergence_bits === undefined || divergence_bits === null) return;
    const n = Math.max(world.example, 1);
    this.divergence.add(n, divergence_bits);
    this.energy.add(n, free_energy_bits);
    this.penalty.add(n, kl_penalty_bits);
  }

  curves(ink) {
    return [
      { points: this.energy.points, colour: ink.wake, dash: [9, 4], name: "free energy" },
      { points: this.divergence.points, colour: ink.ink, name: "divergence" },
      { points: this.penalty.points, colour: ink.sleep, dash: [2, 4], name: "penalty", width: 3 },
    ];
  }
}
