// What the page asks, answered as fastws.live.session does; `handle` is all that the outside needs.

const TOP = 32;
const LARGE = 0.4;
const worlds = new Map();
const bits = (nats) => nats / Math.LN2;

function worldOf(name) {
  if (!worlds.has(name)) keep(name, new World(newSettings({}), 0));
  return worlds.get(name);
}
function keep(name, world) {
  need(worlds.has(name) || worlds.size < FACTS.limits.worlds, `there are ${FACTS.limits.worlds} worlds; drop one first.`);
  worlds.set(name, world);
}
function checkName(value, what) {
  need(typeof value === "string" && value.length >= 1 && value.length <= 40, `${what} is ${shown(value)}; give a name of 1 to 40 letters.`);
  return value;
}
const array = (values, ...shape) => ({ values, shape: shape.length ? shape : [values.length] });

function stateOf(world) {
  const net = netOf(sizesOf(world.settings));
  const { example, furthest, seed, phases, settings } = world;
  const values = { example, furthest, seed, phases, rates: world.run.rates, layer_sizes: net.sizes, settings };
  return [values, namedArrays(net, world.run.parameters)];
}
function loaded(world) {
  const net = netOf(sizesOf(world.settings));
  net.load(world.run.parameters);
  return net;
}
const nAndSeed = (fields) => [fields.whole("n", 1, 1, FACTS.limits.samples), fields.whole("seed", 0)];
const checkEnd = (example) => need(example <= FACTS.limits.at, `a world ends after ${FACTS.limits.at} examples; begin another one.`);

// All states of so many units: row r holds the binary digits of r, the most significant first.
function allStates(n) {
  const states = new Uint8Array(n * 2 ** n);
  for (let row = 0; row < 2 ** n; row++) for (let u = 0; u < n; u++) states[row * n + u] = (row >> (n - 1 - u)) & 1;
  return states;
}

// For each image: [costs, surprises] of all representations, and the sums over them, in nats.
function* enumerated(net, images) {
  const hidden = net.sizes.slice(1).reduce((a, b) => a + b);
  need(hidden <= FACTS.limits.enumerated, `the machine has ${hidden} hidden units; exact measures go through all states of up to ${FACTS.limits.enumerated}.`);
  const states = put(Uint8Array, allStates(hidden), 2 ** hidden, hidden);
  const costs = new Room(Float64Array, 2 ** hidden);
  const surprises = new Room(Float64Array, 2 ** hidden);
  const space = new Room(Float64Array, 2, 16);
  const sums = new Room(Float64Array, 4);
  const image = new Room(Uint8Array, 1, net.sizes[0]);
  for (const pixels of images) {
    call("all_costs", net.net, net.room, states, image.put(pixels), costs, surprises);
    call("summed_costs", costs, surprises, space, sums);
    const [length, entropy, surprise, penalty] = sums.copy();
    yield { costs, surprises, states, length, entropy, surprise, penalty };
  }
}

// The images of bars and their probabilities.
function distributionOf({ size, p_vertical, p_bar }) {
  const found = new Map();
  for (let which = 0; which < 2 ** size; which++) {
    const bars = Array.from({ length: size }, (_, k) => (which >> k) & 1);
    const p = bars.reduce((product, bar) => product * (bar ? p_bar : 1 - p_bar), 1);
    for (const [vertical, p_way] of [[true, p_vertical], [false, 1 - p_vertical]]) {
      const image = Array.from({ length: size * size }, (_, i) => bars[vertical ? i % size : Math.floor(i / size)]);
      const name = image.join("");
      const old = found.get(name) ?? { image, p: 0 };
      found.set(name, { image, p: old.p + p * p_way });
    }
  }
  return [...found.values()].filter(({ p }) => p > 0);
}

// Which bars each unit of the first hidden layer codes, as fastws.experiments.anatomy says.
function anatomyOf(size, weights, n) {
  const largest = weights.reduce((a, b) => Math.max(a, b), -Infinity);
  const units = Array.from({ length: n }, (_, unit) => {
    const large = (i, j) => weights[unit * size * size + i * size + j] > LARGE * largest;
    const side = Array.from({ length: size }, (_, k) => k);
    const rows = side.filter((i) => side.every((j) => large(i, j)));
    const columns = side.filter((j) => side.every((i) => large(i, j))).map((j) => j + size);
    return { bars: [...rows, ...columns], dead: !side.some((i) => side.some((j) => large(i, j))) };
  });
  const nameOf = (bar) => (bar < size ? `row ${bar + 1}` : `column ${bar - size + 1}`);
  const crosses = units.flatMap(({ bars }, u) => (bars.length && bars[0] < size && bars.at(-1) >= size ? [u] : []));
  const coded = units.flatMap(({ bars }) => bars);
  const faults = [
    ["cross", crosses.length],
    ["dead unit", units.some(({ dead }) => dead)],
    ["fragment", units.some(({ bars, dead }) => !bars.length && !dead)],
    ["duplicate", new Set(coded).size < coded.length],
    ["missing bar", new Set(coded).size < 2 * size],
  ];
  const labels = units.map(({ bars, dead }) => (bars.length ? bars.map(nameOf).join(" + ") : dead ? "dead" : "fragment"));
  return { labels, crosses, faults: faults.filter(([, there]) => there).map(([fault]) => fault) };
}

const operations = {
  hello(_, fields) {
    fields.end();
    const { version, docs, recipes, limits } = FACTS;
    return [{ version, docs, exact: true, codec: false, rule: null, settings: recipes.paper, recipes, limits }, {}];
  },
  reset(name, fields) {
    const [settings, seed] = [fields.take("settings"), fields.whole("seed", 0)];
    fields.end();
    keep(name, new World(newSettings(settings), seed));
    return stateOf(worldOf(name));
  },
  restore(name, fields) {
    const plan = fields.take("plan");
    fields.end();
    keep(name, restored(plan));
    return stateOf(worldOf(name));
  },
  plan(name, fields) {
    fields.end();
    return [{ plan: worldOf(name).plan() }, {}];
  },
  drop(name, fields) {
    fields.end();
    worlds.delete(name);
    return [{}, {}];
  },
  advance(name, fields) {
    const world = worldOf(name);
    const n = fields.whole("n", undefined, 0, FACTS.limits.advance);
    const phases = fields.word("phases", PHASES, world.phases);
    fields.end();
    checkEnd(world.example + n);
    world.setPhases(phases);
    world.go(world.example + n);
    return stateOf(world);
  },
  at(name, fields) {
    const n = fields.whole("n", undefined, 0, FACTS.limits.at);
    fields.end();
    worldOf(name).go(n);
    return stateOf(worldOf(name));
  },
  branch(name, fields) {
    const world = worldOf(name);
    const n = fields.whole("n", world.example, 0, world.furthest);
    const [to, phases] = [fields.take("to"), fields.take("phases")];
    const settings = new Fields(fields.take("settings", {}), "settings");
    const rates = settings.take("rates");
    settings.end();
    fields.end();
    need(checkName(to, "to") !== name, `to is ${shown(to)}; give the name of another world.`);
    const other = world.branched(n);
    if (phases != null) other.setPhases(new Fields({ phases }, "branch").word("phases", PHASES));
    if (rates != null) other.setRates(rates);
    keep(to, other);
    return stateOf(other);
  },
  rates(name, fields) {
    const rates = fields.take("rates");
    fields.end();
    worldOf(name).setRates(rates);
    return stateOf(worldOf(name));
  },
  edit(name, fields) {
    const words = ["name", "level", "index", "value"];
    const edits = fields.take("edits") ?? [Object.fromEntries(words.map((word) => [word, fields.take(word)]))];
    fields.end();
    const checked = checkList(edits, "edits", FACTS.limits.events).map((edit) => {
      const one = new Fields(edit, "an edit");
      const taken = words.map((word) => one.take(word));
      one.end();
      return checkedEdit(...taken);
    });
    worldOf(name).edit(checked);
    return stateOf(worldOf(name));
  },
  step(name, fields) {
    fields.end();
    const world = worldOf(name);
    checkEnd(world.example + 1);
    const { settings, seed, example, phases } = world;
    const rates = world.run.rates;
    const before = stateOf(world)[1];
    const arrays = {};
    scratch(() => {
      const net = loaded(world);
      if (settings.nonnegative) world.run.clip(net);
      net.seen.put([BigInt(example)]);
      const shown = phases === "both" ? rates : rates.map(() => 0);
      call("step_of_bars", argumentsOf(net, sourceOf(settings), shown, settings, newKey(seed, "LEARNING")), net.record, net.seen);
      const [wake, p, sleep, q] = net.record.map((rows) => (l, Type) => {
        const start = l * rows.shape[1];
        return array(Type.from(rows.values.subarray(start, start + net.sizes[l])));
      });
      const layers = [...net.sizes.keys()];
      if (phases !== "sleep") {
        arrays.image = wake(0, Uint8Array);
        for (const l of layers) arrays[`wake_states_${l}`] = wake(l, Uint8Array);
        for (const l of layers) arrays[`p_${l}`] = p(l, Float32Array);
      }
      if (phases !== "wake") {
        for (const l of layers) arrays[`sleep_states_${l}`] = sleep(l, Uint8Array);
        for (const l of layers.slice(1)) arrays[`q_${l - 1}`] = q(l, Float32Array);
      }
    });
    world.go(example + 1);
    const [values, after] = stateOf(world);
    Object.assign(arrays, before);
    for (const [place, { values: now, shape }] of Object.entries(after)) {
      arrays[`d_${place}`] = { values: now.map((value, i) => value - before[place].values[i]), shape };
    }
    return [{ ...values, example, seen: world.example, rates }, arrays];
  },
  state(name, fields) {
    fields.end();
    return stateOf(worldOf(name));
  },
  measures(name, fields) {
    fields.end();
    const world = worldOf(name);
    return scratch(() => {
      const net = loaded(world);
      const distribution = distributionOf(world.settings);
      let [surprise, energy, penalty, entropy] = [0, 0, 0, 0];
      let i = 0;
      for (const sums of enumerated(net, distribution.map(({ image }) => image))) {
        const { p } = distribution[i++];
        surprise += p * sums.surprise;
        energy += p * (sums.length - sums.entropy);
        penalty += p * Math.max(0, sums.penalty);
        entropy -= p * Math.log(p);
      }
      const weights = namedArrays(net, world.run.parameters).gen_weights_0.values;
      const values = {
        example: world.example,
        exact: true,
        divergence_bits: Math.max(0, bits(surprise - entropy)),
        kl_penalty_bits: bits(penalty),
        free_energy_bits: bits(energy),
        entropy_bits: bits(entropy),
        ...anatomyOf(world.settings.size, weights, net.sizes[1]),
        largest_weight: weights.reduce((most, weight) => Math.max(most, Math.abs(weight)), 0),
      };
      return [values, {}];
    });
  },
  fantasies(name, fields) {
    const [n, seed] = nAndSeed(fields);
    fields.end();
    return drawFantasies(worldOf(name), n, seed, []);
  },
  clamp(name, fields) {
    const [n, seed] = nAndSeed(fields);
    const held = checkList(fields.take("clamp"), "clamp", FACTS.limits.samples);
    fields.end();
    const { sizes } = netOf(sizesOf(worldOf(name).settings));
    for (const pair of held) {
      const [layer, unit, state] = Array.isArray(pair) && pair.length === 3 ? pair : [];
      const there = Number.isInteger(unit) && unit >= 0 && unit < sizes[layer] && (state === 0 || state === 1);
      need(there, `clamp has ${shown(pair)}; give [layer, unit, 0 or 1], for a unit of layers of ${sizes} units.`);
    }
    return drawFantasies(worldOf(name), n, seed, held);
  },
  data(name, fields) {
    const [n, seed] = nAndSeed(fields);
    fields.end();
    const { settings } = worldOf(name);
    return scratch(() => {
      const net = netOf(sizesOf(settings));
      const images = new Room(Uint8Array, n, net.sizes[0]);
      call("sample_bars", newKey(seed, "STREAM"), sourceOf(settings), net.room, images);
      return [{}, { images: array(images.copy(), ...images.shape) }];
    });
  },
  recognise(name, fields) {
    const world = worldOf(name);
    const { sizes } = netOf(sizesOf(world.settings));
    const hidden = sizes.slice(1).reduce((a, b) => a + b);
    const pixels = fields.states("image", sizes[0]);
    const [n, seed] = nAndSeed(fields);
    fields.end();
    return scratch(() => {
      const net = loaded(world);
      const image = put(Uint8Array, pixels, 1, sizes[0]);
      const [q, reconstruction] = [new Room(Float32Array, hidden), new Room(Float32Array, sizes[0])];
      call("mean_field", net.net, net.room, image, q, reconstruction);
      const samples = new Room(Uint8Array, n, hidden);
      const images = put(Uint8Array, Array(n).fill(pixels).flat(), n, sizes[0]);
      call("sample_representations", newKey(seed, "REPRESENTATIONS"), net.net, net.room, images, samples);
      const arrays = { q: array(q.copy()), samples: array(samples.copy(), n, hidden), reconstruction: array(reconstruction.copy()) };
      if (hidden > FACTS.limits.enumerated) return [{}, arrays];
      const [sums] = enumerated(net, [pixels]);
      const [costs, surprises, states] = [sums.costs.copy(), sums.surprises.copy(), sums.states.copy()];
      const order = Array.from(costs.keys()).sort((a, b) => costs[a] - costs[b] || a - b).slice(0, TOP);
      const of = (number) => array(Float64Array.from(order, number));
      Object.assign(arrays, {
        top: array(Uint8Array.from(order.flatMap((row) => [...states.subarray(row * hidden, (row + 1) * hidden)])), order.length, hidden),
        posterior: of((row) => Math.exp(sums.surprise - costs[row])),
        recognition: of((row) => Math.exp(-surprises[row])),
        cost_bits: of((row) => bits(costs[row])),
      });
      const values = {
        neg_log_prob_bits: bits(sums.surprise),
        free_energy_bits: bits(sums.length - sums.entropy),
        kl_penalty_bits: bits(Math.max(0, sums.penalty)),
        entropy_bits: bits(sums.entropy),
      };
      return [values, arrays];
    });
  },
  ledger(name, fields) {
    const world = worldOf(name);
    const sizes = sizesOf(world.settings);
    const hidden = sizes.slice(1).reduce((a, b) => a + b);
    const row = [...fields.states("image", sizes[0]), ...fields.states("states", hidden)];
    fields.end();
    return scratch(() => {
      const net = loaded(world);
      const [costs, surprises] = [new Room(Float64Array, 1, row.length), new Room(Float64Array, 1, hidden)];
      call("unit_costs", net.net, net.room, put(Uint8Array, row, 1, row.length), costs, surprises);
      const [unit, returned] = [costs.copy().map(bits), surprises.copy().map(bits)];
      const sum = (values) => values.reduce((a, b) => a + b, 0);
      // A unit that is on costs -log2 p bits, one that is off -log2(1 - p).
      const p = unit.map((cost, u) => (row[u] ? 2 ** -cost : -Math.expm1(-cost * Math.LN2)));
      const arrays = { unit_bits: array(unit), recognition_bits: array(returned), p_unit: array(p) };
      return [{ total_bits: sum(unit), returned_bits: sum(returned) }, arrays];
    });
  },
  unit(_, fields) {
    const bias = checkNumber(fields.take("bias"), "bias", -LARGEST_BY_HAND, LARGEST_BY_HAND);
    const weights = checkList(fields.take("weights", []), "weights", FACTS.limits.hidden);
    weights.forEach((weight, i) => checkNumber(weight, `weights[${i}]`, -LARGEST_BY_HAND, LARGEST_BY_HAND));
    const states = fields.states("states", weights.length);
    const [n, seed] = [fields.whole("draws", 1, 1, FACTS.limits.samples), fields.whole("seed", 0)];
    fields.end();
    const net = netOf([1, Math.max(1, weights.length)]);
    return scratch(() => {
      const [parameters] = net.stacks.map((stack) => new Float32Array(stack.length));
      parameters[0] = bias;
      weights.forEach((weight, u) => (parameters[(1 + u) * FACTS.lanes] = weight));
      net.arrays[0].put(parameters);
      net.states.values.fill(0).set(states, net.states.shape[1]);
      const [answer, thresholds, drawn] = [new Room(Float32Array, 2), new Room(Float32Array, n), new Room(Uint8Array, n)];
      call("sample_unit", newKey(seed, "STREAM"), net.net, net.room, answer, thresholds, drawn);
      const [logit, p] = answer.copy();
      return [{ logit, p }, { thresholds: array(thresholds.copy()), states: array(drawn.copy()) }];
    });
  },
  python(name, fields) {
    fields.end();
    return [{ text: script(worldOf(name).plan()) }, {}];
  },
};

function drawFantasies(world, n, seed, held) {
  return scratch(() => {
    const net = loaded(world);
    const { values } = net.arrays[0];
    for (const [layer, unit, state] of held) values[net.stacks[0].places[layer][0] + unit] = state ? Infinity : -Infinity;
    const fantasies = new Room(Uint8Array, n, net.sizes[0]);
    call("sample_fantasies", newKey(seed, "FANTASIES"), net.net, net.room, fantasies);
    return [{}, { fantasies: array(fantasies.copy(), n, net.sizes[0]) }];
  });
}

// “Copy as Python”, as fastws.live.script writes it.
function script(plan) {
  const { settings, path, seed, example } = plan;
  const kinds = new Set(path.map(([kind]) => kind));
  const list = (values) => `[${values.join(", ")}]`;
  const real = (x) => (Number.isInteger(x) ? `${x}.0` : String(x));
  const reals = (values) => list(values.map(real));
  const [n, rates] = settings.schedule.at(-1);
  const first = settings.schedule.slice(0, -1);
  const length = Math.max(n, example - first.reduce((sum, [n]) => sum + n, 0) + 1);
  const schedule = [...first, [length, rates]].map(([n, rates]) => `(${n}, ${reals(rates)})`).join(", ");
  const lines = ["from fastws import Bars, Machine, Simulation"];
  if (kinds.has("phases") || kinds.has("rates")) lines.push("from fastws.history import branch");
  if (kinds.has("phases")) lines.push("from fastws.streams import OnePhase");
  lines.push(
    "",
    `bars = Bars(${settings.size}, p_vertical=${real(settings.p_vertical)}, p_bar=${real(settings.p_bar)})`,
    `machine = Machine(${list(sizesOf(settings))})`,
    `machine.gen_biases[1][:] = ${real(settings.initial_bias)}`,
    `run = Simulation(machine, bars, [${schedule}], ${settings.nonnegative ? "True" : "False"}, seed=${seed})`,
  );
  let here = 0;
  const advance = (to) => {
    if (to > here) lines.push(`run.advance(${to - here})`);
    here = to;
  };
  for (const [kind, at, ...rest] of path) {
    advance(at);
    if (kind === "phases") lines.push(`run = branch(run, stream=${rest[0] === "both" ? "bars" : `OnePhase(bars, "${rest[0]}")`})`);
    else if (kind === "rates") lines.push(`run = branch(run, [(${Math.max(1, example - here)}, ${reals(rest[0])})])`);
    else lines.push(`run.machine.${rest[0]}[${rest[1]}]${list(rest[2])} = ${real(rest[3])}`);
  }
  advance(example);
  return [...lines, "print(run)", "print(run.machine.gen_weights[0])", ""].join("\n");
}

const DTYPES = new Map([[Float32Array, "float32"], [Float64Array, "float64"], [Uint8Array, "uint8"]]);

function packed(arrays) {
  const places = [];
  let length = 0;
  for (const [name, { values, shape }] of Object.entries(arrays)) {
    length = Math.ceil(length / 8) * 8;
    places.push({ name, shape, dtype: DTYPES.get(values.constructor), offset: length });
    length += values.byteLength;
  }
  const content = new Uint8Array(length);
  Object.values(arrays).forEach(({ values }, i) => {
    content.set(new Uint8Array(values.buffer, values.byteOffset, values.byteLength), places[i].offset);
  });
  return [places, content];
}

// Answer a request: [reply, bytes].
function handle(request) {
  const id = Number.isInteger(request?.id) ? request.id : null;
  try {
    prepare();
    const fields = new Fields(request, "the request");
    fields.take("id");
    const op = fields.word("op", Object.keys(operations));
    const world = checkName(fields.take("world", "main"), "world");
    const [values, arrays] = operations[op](world, fields);
    const [places, content] = packed(arrays);
    return [{ id, op, world, ...values, arrays: places }, content];
  } catch (error) {
    return [{ id, error: error.message }, new Uint8Array(0)];
  }
}
