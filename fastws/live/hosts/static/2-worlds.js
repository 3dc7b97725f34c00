// Worlds, as fastws.live.worlds has them: a run, what was done to it by hand, and any of its examples again.

const PHASES = ["both", "wake", "sleep"];
const FOR_EVER = 1e15;
const N_SNAPSHOTS = 32;
const FIRST_DISTANCE = 1024;
const LARGEST_BY_HAND = 1000;
const LARGEST_RATE = 100;

const f32 = Math.fround;
const need = (holds, sentence) => {
  if (!holds) throw new Error(sentence);
};
const shown = (value) => {
  const text = JSON.stringify(value) ?? String(value);
  return text.length <= 60 ? text : `${text.slice(0, 57)}...`;
};
// The number of fewest digits that is this one in float32.
function shortest(x) {
  for (let digits = 1; digits < 10; digits++) if (f32(Number(x.toPrecision(digits))) === f32(x)) return Number(x.toPrecision(digits));
  return x;
}

function checkWhole(value, name, least = 0, most = Number.MAX_SAFE_INTEGER) {
  need(Number.isInteger(value) && value >= least, `${name} is ${shown(value)}; give a whole number of at least ${least}.`);
  need(value <= most, `${name} is ${value}; it must be at most ${most}.`);
  return value;
}
function checkNumber(value, name, least = -Infinity, most = Infinity) {
  need(Number.isFinite(value), `${name} is ${shown(value)}; give a finite number.`);
  need(value >= least && value <= most, `${name} is ${value}; give a number between ${least} and ${most}.`);
  return value;
}
function checkList(value, name, most) {
  need(Array.isArray(value) && value.length <= most, `${name} is ${shown(value)}; give a list of at most ${most}.`);
  return value;
}
function checkRates(rates, levels) {
  const values = typeof rates === "number" ? Array(levels).fill(rates) : checkList(rates, "rates", levels);
  need(values.length === levels, `rates has ${values.length} learning rates; this machine has ${levels} levels.`);
  values.forEach((rate, l) => checkNumber(rate, `rates[${l}]`, 0, LARGEST_RATE));
  values.forEach((rate, l) => need(rate === 0 || rate >= 1.2e-38, `rates[${l}] is ${rate}; give 0, or at least 1.2e-38.`));
  return values.map(shortest);
}

// Fields of an object: each may be taken once, and those that nobody takes are refused.
class Fields {
  constructor(values, what) {
    need(values !== null && typeof values === "object" && !Array.isArray(values), `${what} is ${shown(values)}; it has to be an object with named fields.`);
    this.left = new Map(Object.entries(values));
    this.what = what;
  }
  take(name, otherwise) {
    const value = this.left.get(name);
    this.left.delete(name);
    return value === undefined ? otherwise : value;
  }
  whole(name, otherwise, least, most) {
    return checkWhole(this.take(name, otherwise), name, least, most);
  }
  word(name, words, otherwise) {
    const value = this.take(name, otherwise);
    need(words.includes(value), `${name} is ${shown(value)}; give one of ${words.join(", ")}.`);
    return value;
  }
  states(name, length) {
    const value = this.take(name);
    const fits = Array.isArray(value) && value.length === length && value.every((state) => state === 0 || state === 1);
    need(fits, `${name} is ${shown(value)}; give ${length} numbers, each 0 or 1.`);
    return value;
  }
  end() {
    for (const name of this.left.keys()) throw new Error(`${this.what} has ${shown(name)}, which nobody knows here.`);
  }
}

function newSettings(values) {
  const fields = new Fields(values ?? {}, "settings");
  const size = fields.whole("size", 4, ...FACTS.limits.size);
  const hidden = checkList(fields.take("hidden", [2 * size, 1]), "hidden", FACTS.limits.hidden_layers);
  need(hidden.length > 0, "hidden is []; give a layer or more.");
  hidden.forEach((n, i) => checkWhole(n, `hidden[${i}]`, 1, FACTS.limits.hidden));
  const p_vertical = checkNumber(fields.take("p_vertical", 2 / 3), "p_vertical", 0, 1);
  const p_bar = checkNumber(fields.take("p_bar", 0.2), "p_bar", 0, 1);
  const recipe = FACTS.recipes[fields.word("recipe", Object.keys(FACTS.recipes), "paper")];
  const initial_bias = checkNumber(fields.take("initial_bias", recipe.initial_bias), "initial_bias", -100, 100);
  const nonnegative = fields.take("nonnegative", true);
  need(typeof nonnegative === "boolean", `nonnegative is ${shown(nonnegative)}; give true or false.`);
  const spread = ([first, upper, top]) => [first, ...Array(hidden.length - 1).fill(upper), top];
  const schedule = checkList(fields.take("schedule", recipe.schedule.map(([n, rates]) => [n, spread(rates)])), "schedule", 100);
  fields.end();
  need(schedule.length > 0, "the schedule is empty; give at least one [n_examples, rates].");
  const checked = schedule.map((pair, i) => {
    need(Array.isArray(pair) && pair.length === 2, `schedule[${i}] is ${shown(pair)}; give [n_examples, rates].`);
    return [checkWhole(pair[0], `schedule[${i}][0]`, 1), checkRates(pair[1], hidden.length + 1)];
  });
  return { size, hidden, p_vertical, p_bar, initial_bias, nonnegative, schedule: checked };
}

const sizesOf = (settings) => [settings.size ** 2, ...settings.hidden];

// What kernels draw images from.
function sourceOf({ size, p_vertical, p_bar }) {
  const logit = (p) => Math.log(p) - Math.log1p(-p);
  return [f32(logit(p_vertical)), put(Float32Array, Array(3 * size).fill(logit(p_bar)), size, 3)];
}

// One run: parameters, an example, and in force from one example to the next: segments [end, rates].
class Run {
  constructor(world, parameters, example, segments, phases) {
    Object.assign(this, { world, parameters, example, segments, phases });
  }
  copy() {
    return new Run(this.world, this.parameters.map((array) => array.slice()), this.example, this.segments, this.phases);
  }
  get rates() {
    return this.segments.find(([end]) => this.example < end)[1];
  }
  // Learn up to an example; the rates may be 0, to see what would be drawn.
  learn(goal) {
    const { settings, seed } = this.world;
    const net = netOf(sizesOf(settings));
    scratch(() => {
      net.load(this.parameters);
      const key = newKey(seed, "LEARNING");
      const source = sourceOf(settings);
      if (settings.nonnegative) this.clip(net);
      while (this.example < goal) {
        const [stop, rates] = this.segments.find(([stop]) => this.example < stop);
        const n = Math.min(stop, goal) - this.example;
        const common = argumentsOf(net, source, rates, settings, key);
        net.seen.put([BigInt(this.example)]);
        if (this.phases === "both") call("run_bars", common, BigInt(n), net.seen);
        else if (this.phases === "wake") call("run_awake_on_bars", common, BigInt(n), net.seen);
        else call("run_asleep", common.slice(1), BigInt(n), net.seen);
        this.example += n;
      }
      this.parameters = net.saved();
    });
    return this;
  }
  clip(net) {
    const { values } = net.arrays[0];
    const [, rows, stride] = net.stacks[0].places[0];
    for (let row = 1; row < rows; row++)
      for (let v = 0; v < net.sizes[0]; v++) values[row * stride + v] = Math.max(values[row * stride + v], 0);
  }
}

// What run, run_half and step take before what differs: source, net, rule, draws, room.
function argumentsOf(net, source, rates, settings, key) {
  const rule = [net.rates.put(rates), settings.nonnegative ? 0 : -Infinity];
  return [source, net.net, rule, key, BigInt(net.draws.image), BigInt(net.draws.example), net.room];
}

// From one change by hand to the next, with snapshots.
class Chapter {
  constructor(run) {
    this.run = run;
    this.start = run.example;
    this.distance = FIRST_DISTANCE;
    this.snapshots = [run.copy()];
  }
  advance(goal) {
    while (this.run.example < goal) {
      const due = this.snapshots.at(-1).example + this.distance;
      this.run.learn(Math.min(due, goal));
      if (this.run.example < due) continue;
      this.snapshots.push(this.run.copy());
      if (this.snapshots.length <= N_SNAPSHOTS) continue;
      this.distance *= 2;
      this.snapshots = this.snapshots.filter((_, i) => i % 2 === 0);
    }
  }
  at(example) {
    return this.snapshots.findLast((snapshot) => snapshot.example <= example).copy().learn(example);
  }
}

class World {
  constructor(settings, seed) {
    this.settings = settings;
    this.seed = seed;
    this.chapters = [];
    this.path = [];
    const net = netOf(sizesOf(settings));
    const parameters = net.stacks.map((stack) => new Float32Array(stack.length));
    const [begin] = net.stacks[0].places[1];
    parameters[0].fill(settings.initial_bias, begin, begin + settings.hidden[0]);
    let stop = 0;
    const segments = settings.schedule.map(([n, rates]) => [(stop += n), rates]);
    segments.at(-1)[0] = FOR_EVER;
    this.begin(new Run(this, parameters, 0, segments, "both"));
  }
  begin(run) {
    this.chapters = [...this.chapters.filter((chapter) => chapter.start < run.example), new Chapter(run)];
    this.run = run;
  }
  get example() {
    return this.run.example;
  }
  get furthest() {
    return this.chapters.at(-1).run.example;
  }
  get phases() {
    return this.run.phases;
  }
  chapterOf(example) {
    return this.chapters.findLast((chapter) => chapter.start <= example);
  }
  go(example) {
    if (example > this.furthest) this.chapters.at(-1).advance(example);
    const chapter = this.chapterOf(example);
    if (chapter.run.example === example) this.run = chapter.run;
    else if (this.run !== chapter.run && this.here === chapter && this.example <= example) this.run.learn(example);
    else this.run = chapter.at(example);
    this.here = chapter;
  }
  setPhases(phases) {
    if (phases === this.phases) return;
    this.note(["phases", this.example, phases]);
    const after = this.run.copy();
    after.phases = phases;
    this.begin(after);
  }
  setRates(rates) {
    const checked = checkRates(rates, this.settings.hidden.length + 1);
    this.note(["rates", this.example, checked]);
    const after = this.run.copy();
    after.segments = [[FOR_EVER, checked]];
    this.begin(after);
  }
  edit(edits) {
    const after = this.run.copy();
    const net = netOf(sizesOf(this.settings));
    const events = edits.map(([name, level, index, value]) => {
      const [stack, place] = placeOf(net, name, level, index);
      after.parameters[stack][place] = value;
      return ["edit", this.example, name, level, index, shortest(f32(value))];
    });
    events.forEach((event) => this.note(event));
    this.begin(after);
  }
  note(event) {
    const same = (old) => JSON.stringify(old.slice(0, -1)) === JSON.stringify(event.slice(0, -1));
    const kept = this.path.filter((old) => old[1] < event[1] || (old[1] === event[1] && !same(old)));
    need(kept.length < FACTS.limits.events, `${FACTS.limits.events} changes by hand were made to this world; begin another one.`);
    this.path = [...kept, event];
  }
  branched(example) {
    const other = Object.create(World.prototype);
    const here = this.example;
    this.go(example);
    Object.assign(other, { settings: this.settings, seed: this.seed, path: this.path.filter((event) => event[1] <= example) });
    other.chapters = this.chapters.filter((chapter) => chapter.start < example);
    other.begin(this.run.copy());
    this.go(here);
    return other;
  }
  plan() {
    const path = this.path.filter((event) => event[1] <= this.example);
    return { settings: this.settings, seed: this.seed, path, example: this.example };
  }
}

function restored(plan) {
  const fields = new Fields(plan, "plan");
  const world = new World(newSettings(fields.take("settings")), fields.whole("seed", 0));
  const path = checkList(fields.take("path", []), "path", FACTS.limits.events);
  const example = fields.whole("example", 0, 0, FACTS.limits.at);
  fields.end();
  for (const event of path) {
    need(Array.isArray(event), `the path has ${shown(event)}, which is no change that a world knows.`);
    const [kind, at, ...rest] = event;
    world.go(checkWhole(at, "the path's example", world.example, FACTS.limits.at));
    if (kind === "phases" && rest.length === 1 && PHASES.includes(rest[0])) world.setPhases(rest[0]);
    else if (kind === "rates" && rest.length === 1) world.setRates(rest[0]);
    else if (kind === "edit" && rest.length === 4) world.edit([checkedEdit(...rest)]);
    else throw new Error(`the path has ${shown(event)}, which is no change that a world knows.`);
  }
  world.go(checkWhole(example, "the plan's example", world.example));
  return world;
}

function checkedEdit(name, level, index, value) {
  checkNumber(value, "value", -LARGEST_BY_HAND, LARGEST_BY_HAND);
  checkList(index, "index", 2).forEach((i, axis) => checkWhole(i, `index[${axis}]`));
  return [new Fields({ name }, "edit").word("name", ["gen_weights", "gen_biases", "rec_weights", "rec_biases"]), checkWhole(level, "level"), index, value];
}
