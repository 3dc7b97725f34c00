// Views 2 and 3: one wake step, one sleep step, in slow motion.

const PRACTISED = 2000;

/** How far along the network is that a step of is shown. */
class StepView {
  constructor(figure, phase, names, captions) {
    this.figure = figure;
    this.own = new World(figure.host, phase);
    this.steps = new Substeps(figure, { phase, world: this.own, names, captions });
    this.speed = choice("Speed", [[2, "slow"], [1, "normal"], [0.35, "fast"]], 1, (slow) => { this.steps.slow = slow; });
    this.ahead = h("button", { type: "button", title: "Learn from a thousand more examples, then show the next", onclick: () => figure.alone(() => this.skip(1000)) }, "+1000");
    this.extra = [this.speed, this.ahead];
    this.element = this.steps.element;
  }

  world() {
    return this.own;
  }

  async start() {
    await this.own.reset();
    await this.skip(PRACTISED);
  }

  async skip(n) {
    await this.own.advance(n);
    await this.steps.next();
  }

  tick(seconds) {
    return this.steps.tick(seconds);
  }

  step() {
    return this.steps.forward();
  }

  async reset() {
    await this.own.reset();
    await this.steps.next();
  }

  async link() {
    const link = await this.own.link();
    // The example on show has been learned from; the link leads to before it, and the sub-step.
    return { ...link, n: this.steps.seen ? this.own.example - 1 : 0, substep: this.steps.at + 1 };
  }

  async restore(link) {
    await this.own.restore(link);
    await this.steps.next();
    if (link.substep) this.steps.show(Math.min(5, Math.max(1, Number(link.substep))) - 1);
  }

  redraw() {
    this.steps.stage.redraw();
  }
}

const wentBy = (s, what) => (s.skipped ? `(${s.skipped === 1 ? `A blank ${what}` : `${s.skipped} blank ${what}s`} went by before it.)` : "");
const units = (n) => (n === 1 ? "1 unit" : `${n} units`);

VIEWS.push({
  id: "wake",
  number: 2,
  title: "Awake: it looks, and generation learns",
  words: [
    "An image comes in. Recognition, reading upwards, bets on which hidden units caused it. Now generation is asked: *had those units been on, what would you have drawn?* The difference between that and the image is all that it learns from.",
  ],
  guess: {
    question: "A hidden unit was off. A pixel that it could have turned on was on, and nobody expected it. Does the weight between them change?",
    options: ["it grows", "it shrinks", "it stays"],
    right: 2,
    answer: "It stays: the change is multiplied by the state of the unit, 0. Only units that took part in the explanation learn from it.",
  },
  after: "Nothing here needs to see more than two units and the weight between them. Click any square of a block to see its own sum.",
  equations: [{ number: 4, text: "Δw_{kj} = ε s_k (s_j − p_j)", live: "wake", docs: "the-wake-phase-equation-4" }],
  build: (figure) =>
    new StepView(figure, "wake", ["an image", "recog\u00adnition bets", "gener\u00adation expects", "the error", "weights learn"], [
      (s) => `Example ${whole(s.world.example)}: an image of ${on(s.a.wake_states_0)} pixels that are on. Nothing else is known. ${wentBy(s, "image")}`,
      (s) => `Recognition drives the units. Each ring is a probability q; a random number decides. On in layer 1: ${units(on(s.a.wake_states_1))}. Then layer 2, driven by them.`,
      () => "Generation, driven by what was bet on, gives each unit and each pixel the probability p with which *it* would have turned them on.",
      () => "What was there, minus what was expected. Full discs: there, but not expected. Hollow ones: expected, but not there.",
      (s) => `+Only generative weights+ of units that were on move, by ε times the error. The outlined one: unit ${s.chosen.k + 1}, pixel ${s.chosen.i + 1}.`,
    ]),
});
