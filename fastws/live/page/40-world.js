/** What a link says in JSON. */
function parsed(key, text) {
  try {
    return JSON.parse(text);
  } catch {
    throw new Error(`${key} is ${text.slice(0, 40)}, which is not JSON.`);
  }
}

/** A world of the host as the page knows it: its parameters, its measures and how to come back to it. */
class World {
  constructor(host, name, settings = {}, seed = 0) {
    Object.assign(this, { host, name, settings, seed, example: 0, arrays: {}, measures: null, made: false, plain: true });
  }

  async ask(op, fields = {}) {
    const reply = await this.host.ask(op, { world: this.name, ...fields });
    if (reply.seen !== undefined) this.example = reply.seen;
    else if (reply.example !== undefined) this.example = reply.example;
    if (reply.furthest !== undefined) this.furthest = reply.furthest;
    if (reply.layer_sizes) this.sizes = reply.layer_sizes;
    if (reply.rates) this.rates = reply.rates;
    if (reply.arrays.gen_weights_0) this.arrays = reply.arrays;
    return reply;
  }

  async reset(fields = {}) {
    const { settings, seed } = { settings: this.settings, seed: this.seed, ...fields };
    await this.ask("reset", { settings, seed });
    // What the host refused is not kept.
    Object.assign(this, { settings, seed, plain: true });
    this.made = true;
    await this.measure();
  }

  async measure() {
    this.measures = await this.ask("measures");
    this.measured = performance.now();
  }

  /** Measure what a film left unmeasured. */
  async settle() {
    if (this.made && this.measures?.example !== this.example) await this.measure();
  }

  /** Learn from n examples. Measures follow at once, or, in a film, some fifteen times a second. */
  async advance(n, { phases, film = false } = {}) {
    if (phases && phases !== "both") this.plain = false;
    const begun = performance.now();
    await this.ask("advance", { n, ...(phases ? { phases } : {}) });
    this.milliseconds = performance.now() - begun;
    if (!film || performance.now() - this.measured > 66) await this.measure();
  }

  /**
   * Learn from the next example and come back with all of it: the step, and the probabilities with which recognition
   * drew the wake states and generation the sleep states, from the ledgers of both before and after it.
   */
  async whole() {
    const step = await this.ask("step");
    const { arrays, example, seen } = step;
    const layers = this.sizes.length;
    const hidden = (kind) => Array.from({ length: layers - 1 }, (_, l) => [...arrays[`${kind}_states_${l + 1}`]]).flat();
    const split = (flat, first) => {
      let at = 0;
      return this.sizes.slice(first).map((n) => flat.slice(at, (at += n)));
    };
    await this.ask("at", { n: example });
    const states = hidden("wake");
    const { arrays: before } = await this.ask("ledger", { image: [...arrays.image], states });
    const q = [...before.recognition_bits].map((bits, k) => (states[k] ? 2 ** -bits : 1 - 2 ** -bits));
    await this.ask("at", { n: seen });
    const { arrays: after } = await this.ask("ledger", { image: [...arrays.sleep_states_0], states: hidden("sleep") });
    split(q, 1).forEach((of, l) => { arrays[`awake_q_${l}`] = of; });
    split([...after.p_unit], 0).forEach((of, l) => { arrays[`asleep_p_${l}`] = of; });
    return step;
  }

  async at(n) {
    await this.ask("at", { n });
    await this.measure();
  }

  edit(edits) {
    this.plain = false;
    return this.ask("edit", { edits });
  }

  /** What a link needs: settings that are not the usual ones, seed and example, or the plan of what was done by hand. */
  async link() {
    if (!this.made) return {};
    if (!this.plain) return { plan: JSON.stringify((await this.ask("plan")).plan) };
    const own = Object.entries(this.settings).filter(([key]) => key !== "images").map(([key, value]) => [key, JSON.stringify(value)]);
    return { seed: this.seed, n: this.example, ...Object.fromEntries(own) };
  }

  /** Come back to what `link` said. Settings that a figure does not know are left alone. */
  async restore(link, known = {}) {
    if (link.plan) {
      const plan = parsed("plan", link.plan);
      await this.ask("restore", { plan });
      Object.assign(this, { seed: plan.seed, settings: plan.settings, plain: false });
      this.made = true;
      await this.measure();
      return;
    }
    for (const key of ["size", "hidden", "p_vertical", "p_bar", "initial_bias", "nonnegative", "recipe"]) {
      if (link[key] !== undefined) known[key] = parsed(key, link[key]);
    }
    for (const key of ["seed", "n"]) {
      if (link[key] !== undefined && !/^\d+$/.test(link[key])) throw new Error(`${key} is ${link[key].slice(0, 40)}; it has to be a whole number.`);
    }
    await this.reset({ settings: { ...this.settings, ...known }, seed: Number(link.seed ?? this.seed) });
    if (Number(link.n) > 0) await this.at(Number(link.n));
  }
}

/**
 * How many examples to ask for in a frame: as many as a speed says, and no more than the host can do in time.
 * A speed is a number a second, "even" (as many as the log axis needs to move evenly) or "flat out".
 */
class Pace {
  constructor(speed) {
    this.speed = speed;
    this.most = 200;
    this.left = 0;
  }

  next(seconds, seen) {
    const rate = this.speed === "even" ? Math.max(150, 0.9 * seen) : this.speed === "flat out" ? Infinity : this.speed;
    this.left = Math.min(this.left + rate * Math.min(seconds, 0.25), Math.round(this.most));
    const n = Math.floor(this.left);
    this.left -= n;
    return n;
  }

  /** Learn from how long the host took, so that a frame stays within its thirtieth of a second. */
  took(milliseconds, n) {
    if (n < 0.5 * this.most && milliseconds < 30) return;
    const factor = milliseconds < 20 ? 1.5 : milliseconds > 30 ? 0.7 : 1;
    this.most = Math.min(200_000, Math.max(100, this.most * factor));
  }
}
