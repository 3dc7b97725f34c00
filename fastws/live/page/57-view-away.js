// View 7: explaining away.

const AWAY_ON = 0.0926;
// Two columns of two pixels, each there once in eleven images. Units a and b both turn on the left one, c the right one.
const AWAY_SETTINGS = {
  size: 2, hidden: [3], p_vertical: 1, p_bar: AWAY_ON, initial_bias: -3,
  schedule: [[10_000, [0.1, 0.1]], [10_000, [0.01, 0.01]], [100_000, [0.1, 0.1]], [100_000, [0.005, 0.005]]],
};
const AWAY_IMAGE = [1, 0, 1, 0];
const AWAY_SLEPT = 20_000;
const AWAY_END = 200_000;

/** Draw a table of two causes, a down and b across, shaded by probability. */
function drawCauses(pen, { title, values, x, y, cell, colour }) {
  const { em, ink } = pen;
  const high = 0.8 * cell;
  const left = x + 1.6 * em;
  pen.text(title, left + cell, y + 0.5 * em, { weight: 650, colour });
  ["no b", "b"].forEach((words, j) => pen.text(words, left + (j + 0.5) * cell, y + 1.9 * em, { size: 0.85, colour: ink.muted }));
  ["no", "a"].forEach((words, i) => pen.text(words, left - 0.5 * em, y + 2.7 * em + (i + 0.5) * high, { size: 0.85, colour: ink.muted, align: "right" }));
  values.forEach((value, place) => {
    const [px, py] = [left + (place & 1) * cell, y + 2.7 * em + (place >> 1) * high];
    pen.box(px, py, cell - 3, high - 3, ink.off);
    // Area is probability, as in Hinton's diagrams, so that it can be read without colour.
    const share = Math.sqrt(value);
    pen.c.globalAlpha = 0.3;
    pen.box(px + ((cell - 3) * (1 - share)) / 2, py + ((high - 3) * (1 - share)) / 2, (cell - 3) * share, (high - 3) * share, colour);
    pen.c.globalAlpha = 1;
    pen.text(fixed(value), px + cell / 2 - 1.5, py + high / 2 - 1, { weight: 600 });
  });
  return 2.7 * em + 2 * high;
}

/** P and Q of two causes, whatever other units there are: tables in the order neither, b, a, both. */
function causesOf({ top, posterior, recognition }) {
  const units = top.shape[1];
  const [P, Q] = [[0, 0, 0, 0], [0, 0, 0, 0]];
  for (let row = 0; row < top.shape[0]; row++) {
    const place = 2 * top[row * units] + top[row * units + 1];
    P[place] += posterior[row];
    Q[place] += recognition[row];
  }
  return { P, Q };
}

class AwayView {
  constructor(figure) {
    this.figure = figure;
    this.own = new World(figure.host, "away", AWAY_SETTINGS);
    this.pace = new Pace("even");
    this.penalty = new Curve();
    this.least = new Curve();
    this.waker = h("button", { type: "button", onclick: () => figure.alone(() => this.awake()).then(() => figure.play()) }, "Wake it");
    this.extra = [this.waker];
    this.caption = h("p", { class: "caption" });
    this.stage = new Stage(figure, (w, em) => (w > 700 ? 15 * em : 29 * em), (pen) => this.draw(pen), "What the causes are, P, beside what recognition says, Q");
    this.element = h("div", {}, this.stage.element, this.caption);
    this.mode = "asleep";
  }

  world() {
    return this.own;
  }

  async start() {
    Object.assign(this, { mode: "asleep", rest: 0 });
    this.penalty.points.length = 0;
    this.least.points.length = 0;
    await this.own.reset();
    const edits = [0, 1, 2, 3].map((i) => ({ name: "gen_biases", level: 0, index: [i], value: -9 }));
    [[0, 0], [0, 2], [1, 0], [1, 2], [2, 1], [2, 3]].forEach((index) => edits.push({ name: "gen_weights", level: 0, index, value: 18 }));
    edits.push({ name: "gen_biases", level: 1, index: [2], value: -2.28 });
    await this.own.edit(edits);
    await this.look();
  }

  async look() {
    const reply = await this.own.ask("recognise", { image: AWAY_IMAGE, n: 1, seed: 0 });
    Object.assign(this, causesOf(reply.arrays));
    this.found = reply;
    if (this.mode === "awake") {
      const n = Math.max(1, this.own.example - AWAY_SLEPT);
      this.penalty.add(n, reply.kl_penalty_bits);
      this.least.add(n, reply.neg_log_prob_bits);
    }
    this.caption.replaceChildren(...prose({
      asleep: `~Asleep~: ${whole(this.own.example)} dreams. Recognition learns all that it can say: a half of the time, b half of the time. The model is right, yet half of the bets are bad: “neither” and “both”.`,
      ready: `~Asleep~: ${whole(this.own.example)} dreams, and nothing more to be got from them. The penalty is ${fixed(reply.kl_penalty_bits)} bits.`,
      awake: `+Awake+: ${whole(this.own.example - AWAY_SLEPT)} images. The wake phase changes the *model*, towards one in which recognition's bets are good ones: a single cause takes over.`,
    }[this.mode]));
    this.figure.live("away", `${fixed(reply.neg_log_prob_bits)} + `, ["sleep", fixed(reply.kl_penalty_bits)], " = ", ["wake", `${fixed(reply.free_energy_bits)} bits`]);
    this.stage.redraw();
  }

  async awake() {
    if (this.mode === "asleep") await this.own.advance(AWAY_SLEPT - this.own.example, { phases: "sleep" });
    this.mode = "awake";
    await this.look();
  }

  async tick(seconds) {
    if (this.mode === "ready") {
      this.rest += seconds;
      if (this.rest > 4) await this.awake();
      return;
    }
    const asleep = this.mode === "asleep";
    const [end, since] = asleep ? [AWAY_SLEPT, this.own.example] : [AWAY_END, this.own.example - AWAY_SLEPT];
    const n = Math.min(this.pace.next(seconds, since), end - this.own.example);
    if (n >= 1) {
      await this.own.advance(n, { phases: asleep ? "sleep" : "both", film: true });
      this.pace.took(this.own.milliseconds, n);
    }
    if (this.own.example >= end) {
      if (asleep) {
        Object.assign(this, { mode: "ready", rest: 0 });
      } else {
        this.figure.pause();
        this.figure.answered();
      }
    }
    await this.look();
  }

  async step() {
    if (this.mode === "ready") return this.awake();
    await this.own.advance(500, { phases: this.mode === "asleep" ? "sleep" : "both" });
    if (this.mode === "asleep" && this.own.example >= AWAY_SLEPT) this.mode = "ready";
    return this.look();
  }

  again() {
    return this.own.example >= AWAY_END ? this.start() : undefined;
  }

  reset() {
    return this.start();
  }

  async restore(link) {
    await this.own.restore(link);
    this.mode = this.own.example > AWAY_SLEPT ? "awake" : this.own.example === AWAY_SLEPT ? "ready" : "asleep";
    this.rest = 0;
    await this.look();
  }

  redraw() {
    this.stage.redraw();
  }

  draw(pen) {
    if (!this.P) return;
    const { em, ink, w } = pen;
    const wide = w > 700;
    const cell = wide ? Math.min(5.4 * em, 0.1 * w) : Math.min(5 * em, (w / 2 - 2.4 * em) / 2);
    const second = wide ? 2 * cell + 4 * em : w / 2;
    const high = drawCauses(pen, { title: "P: so it is", values: this.P, x: 0, y: 0, cell, colour: ink.ink });
    drawCauses(pen, { title: "Q: so it bets", values: this.Q, x: second, y: 0, cell, colour: ink.sleep });
    pen.text("given that the column is there", wide ? second / 2 + cell : w / 2, high + 1.3 * em, { size: 0.85, colour: ink.muted });
    const [x, y] = wide ? [second + 2 * cell + 6.5 * em, 1.6 * em] : [2.6 * em, high + 4.8 * em];
    drawCurves(pen, {
      x, y, w: w - x - 0.6 * em, h: pen.h - y - 3.2 * em, to: AWAY_END - AWAY_SLEPT, most: 10, least: 0.08, label: "images seen awake",
      curves: [
        { points: this.least.points, colour: ink.ink, name: "−log₂ P(d)" },
        { points: this.penalty.points, colour: ink.sleep, dash: [2, 4], width: 3, name: "penalty" },
      ],
    });
  }
}

VIEWS.push({
  id: "away",
  number: 7,
  title: "Explaining away",
  words: [
    "A wet lawn: it has rained, or the sprinkler was on. Hardly ever both, and if you know of the rain, the sprinkler is *explained away*. Recognition cannot think so. It bets on each cause by itself, knowing only the lawn. Here a column of pixels has two causes, a and b.",
  ],
  guess: {
    question: "Recognition is as good as it can get, and still wrong half of the time. What can the wake phase do about it?",
    options: ["nothing", "make recognition cleverer", "change the model so that the bets come true"],
    right: 2,
    answer: "It changes the model: one cause comes to do all of the work and the other retires. Images are described as well as before, and recognition is right at last.",
  },
  after: "That is why it does little harm that Q is so simple: of two models that are equally good, learning goes to the one that recognition can keep up with.",
  equations: [{ number: 8, text: "C(d) = −log_2 P(d) + KL(Q ‖ P)", live: "away", docs: "what-a-factorial-distribution-costs-equation-8" }],
  build: (figure) => new AwayView(figure),
});
