// One example in five sub-steps, awake (Eq 4) or asleep (Eq 7): the same drawing, read upwards or downwards.

/** How many units are on. */
const on = (states) => states.reduce((sum, state) => sum + state, 0);

const SUBSTEP_SECONDS = [1.4, 2.2, 2.2, 2.0, 2.6];

class Substeps {
  constructor(figure, { phase, world, names, captions }) {
    Object.assign(this, { figure, phase, world, names, captions });
    this.awake = phase === "wake";
    this.at = 0;
    this.time = 0;
    this.slow = 1;
    this.stage = new Stage(figure, (w, em) => this.tall(w, em), (pen) => this.draw(pen), this.awake ? "One wake step" : "One sleep step");
    this.marks = names.map((name, i) => h("button", { type: "button", onclick: () => this.show(i) }, `${i + 1} ${name}`));
    this.caption = h("p", { class: "caption", "aria-live": "off" });
    this.element = h("div", { style: `--accent: var(--${phase})` }, h("ol", { class: "substeps" }, this.marks.map((mark) => h("li", {}, mark))), this.stage.element, this.caption);
    this.mark();
  }

  /** Learn from the next example and begin to show how. */
  async next() {
    let reply;
    this.skipped = -1;
    do {
      reply = await this.world.whole();
      this.skipped += 1;
      // Two images of five are blank, and little is to be seen of them.
    } while (this.skipped < 20 && !on(this.awake ? reply.arrays.wake_states_0 : reply.arrays.sleep_states_0));
    this.seen = reply;
    this.a = reply.arrays;
    this.rates = reply.rates;
    this.at = 0;
    this.time = 0;
    this.choose();
    this.mark();
  }

  /** The weight whose change is shown in the equation: the one that changed most. */
  choose() {
    const changes = this.awake ? this.a.d_gen_weights_0 : this.a.d_rec_weights_0;
    let best = 0;
    for (let i = 0; i < changes.length; i++) if (Math.abs(changes[i]) > Math.abs(changes[best])) best = i;
    const columns = changes.shape[1];
    const [row, column] = [Math.floor(best / columns), best % columns];
    this.chosen = this.awake ? { k: row, i: column } : { i: row, k: column };
  }

  mark() {
    this.marks.forEach((mark, i) => mark.setAttribute("aria-current", i === this.at ? "step" : "false"));
    if (!this.a) return;
    this.caption.replaceChildren(...prose(this.captions[this.at](this)));
    this.equation();
    this.stage.redraw();
  }

  show(i) {
    this.figure.pause();
    this.at = i;
    this.time = 9;
    this.mark();
  }

  async tick(seconds) {
    this.time += seconds / this.slow;
    if (this.time > SUBSTEP_SECONDS[this.at]) {
      this.time = 0;
      if (this.at < 4) this.at += 1;
      else await this.next();
      this.mark();
    }
    this.stage.redraw();
  }

  /** The next sub-step, at rest. */
  async forward() {
    if (this.at < 4) this.at += 1;
    else await this.next();
    this.time = 9;
    this.mark();
  }

  equation() {
    const { a, chosen: { i, k }, awake } = this;
    const rate = this.rates[0];
    const [driving, state, p, change, units] = awake
      ? [a.wake_states_1[k], a.wake_states_0[i], a.p_0[i], a.d_gen_weights_0[k * a.d_gen_weights_0.shape[1] + i], `w_{${k + 1},${i + 1}}`]
      : [a.sleep_states_0[i], a.sleep_states_1[k], a.q_0[k], a.d_rec_weights_0[i * a.d_rec_weights_0.shape[1] + k], `w_{${i + 1},${k + 1}}`];
    const hidden = this.at < 4 && this.time < 9;
    this.figure.live(
      this.phase,
      `Δ${units} = `, ["", fixed(rate, rate < 0.01 ? 3 : 1)], " × ", ["", String(driving)], " × (", ["", String(state)], " − ", ["", fixed(p, 3)], ") = ", [this.phase, hidden ? "…" : fixed(change, 4, true)],
      awake ? `   (unit ${k + 1} to pixel ${i + 1})` : `   (pixel ${i + 1} to unit ${k + 1})`,
    );
  }

  layout(w, em) {
    const side = Math.min(9.5 * em, (w - 2.4 * em) / 3);
    const units = 8;
    const gap = Math.max(4, 0.012 * w);
    const block = Math.min(6 * em, (w - gap * (units - 1)) / units);
    return { side, gap, block, disc: Math.min(1.35 * em, 0.4 * block), units };
  }

  tall(w, em) {
    const { side, block, disc } = this.layout(w, em);
    return this.heights(w, em).bottom;
  }

  /** Where things lie, from the top: the top unit, an arrow, the units, their blocks, an arrow, the images. */
  heights(w, em) {
    const { side, block, disc } = this.layout(w, em);
    const top = disc + 6;
    const units = top + 2 * disc + 5.6 * em;
    const blocks = units + disc + 1.9 * em;
    const images = blocks + block + 4.2 * em;
    return { top, units, blocks, images, bottom: images + side + 1.8 * em };
  }

  draw(pen) {
    if (!this.a) return;
    const { em, ink, w } = pen;
    const { a, at, awake, time } = this;
    const accent = ink[this.phase];
    const { side, gap, block, disc } = this.layout(w, em);
    const units = a.wake_states_1.length;
    const across = units * block + (units - 1) * gap;
    const left = (w - across) / 2;
    const { top: yTop, units: yUnits, blocks: yBlocks, images: yImages } = this.heights(w, em);

    // Which way things flow: recognition upwards, generation downwards.
    const rises = awake ? at === 1 : at === 2;
    const falls = awake ? at === 2 : at === 0 || at === 1;
    const flows = [[yImages - 0.6 * em, yBlocks + block + 0.6 * em], [yUnits - disc - 0.7 * em, yTop + disc + 2 * em]];
    for (const [low, high] of flows) {
      const aside = Math.min(7.5 * em, 0.14 * w);
      const [x1, x2] = [w / 2 - aside, w / 2 + aside];
      pen.arrow(x1, low, x1, high, rises ? accent : ink.rule, rises ? 5 : 3);
      pen.arrow(x2, high, x2, low, falls ? accent : ink.rule, falls ? 5 : 3);
      pen.text("recognition", x1 - 0.9 * em, (low + high) / 2, { align: "right", size: 0.85, colour: rises ? accent : ink.muted, weight: rises ? 650 : 400 });
      pen.text("generation", x2 + 0.9 * em, (low + high) / 2, { align: "left", size: 0.85, colour: falls ? accent : ink.muted, weight: falls ? 650 : 400 });
    }

    const states = awake ? a.wake_states_1 : a.sleep_states_1;
    const topStates = awake ? a.wake_states_2 : a.sleep_states_2;
    const beside = awake ? (at === 1 ? a.awake_q_0 : a.p_1) : at === 1 ? a.asleep_p_1 : a.q_0;
    const topBeside = awake ? (at === 1 ? a.awake_q_1 : a.p_2) : at <= 1 ? a.asleep_p_2 : a.q_1;
    const drawn = (order) => (awake ? at > 1 || (at === 1 && time > order) : at > (order === 0 ? 0 : 1) || (at === (order === 0 ? 0 : 1) && time > 0.6));
    const letter = (awake ? at === 1 : at > 1) ? "q" : "p";
    const showTop = awake ? at >= 1 && (at > 1 || time > 0.9) : true;
    const showUnits = at >= 1;
    if (topStates) {
      topStates.forEach((state, k) => {
        const x = w / 2 + (k - (topStates.length - 1) / 2) * (block + gap);
        this.unit(pen, x, yTop, disc, state, topBeside[k], { shown: showTop, drawn: drawn(awake ? 1.5 : 0), letter });
      });
      pen.text("layer 2", 0, yTop, { align: "left", size: 0.85, colour: ink.muted });
    }
    states.forEach((state, k) => {
      const x = left + k * (block + gap) + block / 2;
      this.unit(pen, x, yUnits, disc, state, beside[k], { shown: showUnits, drawn: drawn(awake ? 0.5 + 0.05 * k : 1), letter });
      this.block(pen, left + k * (block + gap), yBlocks, block, k, accent);
    });
    const roomy = left > 4.5 * em;
    if (roomy) pen.text("layer 1", 0, yUnits, { align: "left", size: 0.85, colour: ink.muted });
    if (roomy) pen.text(awake ? "generative" : "recognition", 0, yBlocks + block / 2 - 0.6 * em, { align: "left", size: 0.85, colour: ink.muted });
    if (roomy) pen.text("weights", 0, yBlocks + block / 2 + 0.6 * em, { align: "left", size: 0.85, colour: ink.muted });
    this.images(pen, yImages, side, accent);
  }

  unit(pen, x, y, r, state, p, { shown, drawn, letter }) {
    const { em, ink } = pen;
    const accent = ink[this.phase];
    pen.disc(x, y, r, shown && drawn ? (state ? ink.on : ink.panel) : ink.off, ink.ink, shown && drawn ? 2 : 1);
    if (!shown) return;
    // The ring is the probability: a full turn is 1.
    pen.c.beginPath();
    pen.c.arc(x, y, r + 4, -Math.PI / 2, -Math.PI / 2 + 2 * Math.PI * p);
    pen.c.strokeStyle = accent;
    pen.c.lineWidth = 4;
    pen.c.stroke();
    const error = this.at >= 3 && drawn;
    const words = error ? fixed(state - p, 2, true) : `${r > 0.9 * em ? `${letter} ` : ""}${fixed(p, 2)}`;
    pen.text(words, x, y + r + 1.05 * em, { size: 0.85, colour: error ? accent : ink.ink, weight: error ? 650 : 400 });
  }

  /** A unit's weights to the pixels (awake) or from them (asleep); those that just changed are outlined. */
  block(pen, x, y, side, k, accent) {
    const { a, awake } = this;
    const pixels = a.wake_states_0.length;
    const size = Math.round(Math.sqrt(pixels));
    const [source, changes] = awake ? [a.gen_weights_0, a.d_gen_weights_0] : [a.rec_weights_0, a.d_rec_weights_0];
    const place = (i) => (awake ? k * pixels + i : i * source.shape[1] + k);
    const largest = largestOf(source, 2);
    const moved = this.at === 4 ? Math.min(1, this.time / 0.8) : 0;
    const cell = side / size;
    pen.box(x, y, side, side, pen.ink.block);
    for (let i = 0; i < pixels; i++) {
      const [px, py] = [x + (i % size) * cell, y + Math.floor(i / size) * cell];
      const change = changes[place(i)];
      pen.square(source[place(i)] + moved * change, px, py, cell, largest);
      if (this.at === 4 && Math.abs(change) > 0.002) {
        pen.c.globalAlpha = Math.min(1, 0.25 + 5 * Math.abs(change));
        pen.box(px + 1, py + 1, cell - 2, cell - 2, null, accent, cell > 14 ? 3 : 2);
        pen.c.globalAlpha = 1;
      }
      pen.spot(px, py, cell, cell, { title: `unit ${k + 1}, pixel ${i + 1}: ${fixed(source[place(i)], 2)}, change ${fixed(change, 4, true)}`, click: () => { this.chosen = { i, k }; this.figure.pause(); this.time = 9; this.equation(); this.stage.redraw(); } });
    }
    if (this.chosen.k === k && this.at === 4) {
      const { i } = this.chosen;
      pen.box(x + (i % size) * cell - 1.5, y + Math.floor(i / size) * cell - 1.5, cell + 3, cell + 3, null, "#fff", 3);
      pen.box(x + (i % size) * cell - 3.5, y + Math.floor(i / size) * cell - 3.5, cell + 7, cell + 7, null, "#000", 1.5);
    }
  }

  images(pen, y, side, accent) {
    const { a, at, awake, time } = this;
    const { em, ink, w } = pen;
    const size = Math.round(Math.sqrt(a.wake_states_0.length));
    const gap = 1.2 * em;
    const count = awake ? 3 : 2;
    const x = (i) => (w - count * side - (count - 1) * gap) / 2 + i * (side + gap);
    const name = (words, i, lit) => pen.text(words, x(i) + side / 2, y + side + 1.1 * em, { size: 0.85, colour: lit ? accent : ink.muted, weight: lit ? 650 : 400 });
    if (awake) {
      pen.image(a.wake_states_0, size, x(0), y, side);
      name("the image, s", 0, at === 0);
      pen.image(at >= 2 ? a.p_0 : null, size, x(1), y, side);
      name("expected, p", 1, at === 2);
      this.errors(pen, x(2), y, side, size, at >= 3);
      name("error, s − p", 2, at === 3);
    } else {
      const falling = at > 1 || (at === 1 && time > 1.2);
      pen.image(at >= 1 ? a.asleep_p_0 : null, size, x(0), y, side);
      name("probabilities, p", 0, at === 1 && !falling);
      pen.image(falling ? a.sleep_states_0 : null, size, x(1), y, side);
      name("the fantasy, s", 1, at === 1 && falling);
    }
  }

  /** Differences as discs: full where the pixel was more than expected, hollow where less. */
  errors(pen, x, y, side, size, shown) {
    const { a } = this;
    const cell = side / size;
    pen.image(null, size, x, y, side);
    if (!shown) return;
    for (let i = 0; i < size * size; i++) {
      const error = a.wake_states_0[i] - a.p_0[i];
      const r = 0.44 * cell * Math.sqrt(Math.abs(error));
      const [px, py] = [x + (i % size) * cell + (cell - 1) / 2, y + Math.floor(i / size) * cell + (cell - 1) / 2];
      if (r > 0.7) pen.disc(px, py, Math.max(1, r - 1), error > 0 ? pen.ink.wake : pen.ink.off, pen.ink.wake, 2);
    }
  }
}
