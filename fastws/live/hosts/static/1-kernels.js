// The kernels of fastws, compiled to WebAssembly, and what they take; the layouts are those of fastws.kernels.

const CACHE_LINE = 64;
const WASM_PAGE = 65536; // The first is the module's own.
const BYTES = Uint8Array.from(atob(KERNELS), (letter) => letter.charCodeAt(0));

const memory = new WebAssembly.Memory({ initial: 1 });
let kernels = null;
let end = WASM_PAGE;

function prepare() {
  if (kernels) return;
  if (!WebAssembly.validate(BYTES)) {
    throw new Error("this browser's WebAssembly has no SIMD, which the kernels need; browsers have it since 2021 to 2023");
  }
  const stack = new WebAssembly.Global({ value: "i32", mutable: true }, WASM_PAGE);
  const imports = { env: { __linear_memory: memory, __stack_pointer: stack } };
  kernels = new WebAssembly.Instance(new WebAssembly.Module(BYTES), imports).exports;
}

// Memory that `work` takes is free again afterwards.
function scratch(work) {
  const before = end;
  try {
    return work();
  } finally {
    end = before;
  }
}

class Room {
  // An array of a kernel: zeros, of a type and a shape.
  constructor(Type, ...shape) {
    this.Type = Type;
    this.shape = shape;
    this.length = shape.reduce((a, b) => a * b, 1);
    this.address = end;
    end += Math.ceil((this.length * Type.BYTES_PER_ELEMENT + CACHE_LINE) / CACHE_LINE) * CACHE_LINE;
    const missing = Math.ceil(end / WASM_PAGE) - memory.buffer.byteLength / WASM_PAGE;
    if (missing > 0) memory.grow(missing);
    this.values.fill(Type === BigInt64Array || Type === BigUint64Array ? 0n : 0);
  }
  // Growing the memory takes a view's buffer away: it is made anew each time.
  get values() {
    return new this.Type(memory.buffer, this.address, this.length);
  }
  put(values) {
    this.values.set(values);
    return this;
  }
  copy() {
    return this.values.slice();
  }
}

// As fastws.kernels.layout.aligned: rows are whole vectors.
const aligned = (...shape) => new Room(Float32Array, ...shape.slice(0, -1), wholeVectors(shape.at(-1)));
const put = (Type, values, ...shape) => new Room(Type, ...(shape.length ? shape : [values.length])).put(values);

// Arguments: arrays, whole numbers as BigInt, and other numbers; lists of these in place of tuples.
function call(name, ...args) {
  const flat = args.flat(Infinity).flatMap((arg) => (arg instanceof Room ? [arg.address, ...arg.shape] : [arg]));
  const error = kernels[name](...flat);
  if (error) throw new Error(`${name} ended with ${error}`);
}

// --- keys: numpy.random.SeedSequence(seed, spawn_key=(use,)).generate_state(4)
function keyOf(seed, use) {
  const words = [];
  let left = BigInt(seed);
  do {
    words.push(Number(left & 0xffffffffn));
    left >>= 32n;
  } while (left > 0n);
  while (words.length < 4) words.push(0);
  words.push(use);
  let constant = 0x43b0d7e5;
  const hashed = (value) => {
    value = (value ^ constant) >>> 0;
    constant = Math.imul(constant, 0x931e8875) >>> 0;
    value = Math.imul(value, constant) >>> 0;
    return (value ^ (value >>> 16)) >>> 0;
  };
  const mixed = (x, y) => {
    const value = (Math.imul(0xca01f9dd, x) - Math.imul(0x4973f715, y)) >>> 0;
    return (value ^ (value >>> 16)) >>> 0;
  };
  const pool = words.slice(0, 4).map(hashed);
  for (let from = 0; from < 4; from++)
    for (let to = 0; to < 4; to++) if (from !== to) pool[to] = mixed(pool[to], hashed(pool[from]));
  for (const word of words.slice(4)) for (let to = 0; to < 4; to++) pool[to] = mixed(pool[to], hashed(word));
  constant = 0x8b51f9dd;
  return pool.map((word) => {
    let value = (word ^ constant) >>> 0;
    constant = Math.imul(constant, 0x58f38ded) >>> 0;
    value = Math.imul(value, constant) >>> 0;
    return (value ^ (value >>> 16)) >>> 0;
  });
}
const newKey = (seed, use) => put(Uint32Array, keyOf(seed, FACTS.uses[use]));

// --- a machine's memory
const wholeVectors = (n) => Math.ceil(n / FACTS.lanes) * FACTS.lanes;

function newStack(shapes) {
  const places = [];
  let begin = 0;
  for (const [driving, driven] of shapes) {
    places.push([begin, driving + 1, wholeVectors(driven)]);
    begin += (driving + 1) * wholeVectors(driven);
  }
  return { places, length: begin, shapes };
}

class Net {
  // What kernels take of machines of some layers' sizes, and of learning from bars images; parameters come and go.
  constructor(sizes) {
    prepare();
    this.sizes = sizes;
    const upward = sizes.slice(1).map((above, level) => [sizes[level], above]);
    this.stacks = [
      newStack([...upward.map(([below, above]) => [above, below]), [0, sizes.at(-1)]]),
      newStack(upward),
    ];
    this.arrays = this.stacks.map((stack) => new Room(Float32Array, stack.length));
    const places = this.stacks.map((stack) => put(BigInt64Array, stack.places.flat().map(BigInt), stack.places.length, 3));
    this.net = [put(BigInt64Array, [...sizes, 0].map(BigInt)), this.arrays[0], places[0], this.arrays[1], places[1]];
    const units = sizes.reduce((a, b) => a + b);
    this.draws = { image: 1 + Math.sqrt(sizes[0]), example: 1 + Math.sqrt(sizes[0]) + 2 * units - sizes[0] };
    const { example } = this.draws;
    const ahead = Math.max(1, Math.min(FACTS.block, Math.floor(FACTS.draws_ahead / example)));
    const widest = Math.max(...sizes) + FACTS.lanes;
    this.states = aligned(sizes.length + 1, widest);
    this.room = [
      this.states,
      aligned(ahead, sizes[0] + FACTS.lanes),
      aligned(1, ahead * example + 2 * FACTS.group),
      new Room(Float64Array, 2, 16),
    ];
    this.rates = new Room(Float32Array, sizes.length);
    this.seen = new Room(BigUint64Array, 1);
    this.record = Array.from({ length: 4 }, () => aligned(sizes.length, Math.max(...sizes)));
  }
  // Parameters are two arrays, as they lie in memory: generative and recognition connections.
  load(parameters) {
    this.arrays.forEach((array, i) => array.put(parameters[i]));
  }
  saved() {
    return this.arrays.map((array) => array.copy());
  }
}

const nets = new Map();
function netOf(sizes) {
  const name = sizes.join();
  if (!nets.has(name)) nets.set(name, new Net(sizes));
  return nets.get(name);
}

// The arrays of parameters by name, as fastws.Machine.arrays has them: [which stack, place, first row, rows, columns].
function* placesOf(net) {
  const n = net.sizes.length;
  const [generative, recognition] = net.stacks;
  for (let l = 0; l < n - 1; l++) yield [`gen_weights_${l}`, 0, generative.places[l], 1, ...generative.shapes[l]];
  for (let l = 0; l < n; l++) yield [`gen_biases_${l}`, 0, generative.places[l], 0, 1, generative.shapes[l][1]];
  for (let l = 0; l < n - 1; l++) yield [`rec_weights_${l}`, 1, recognition.places[l], 1, ...recognition.shapes[l]];
  for (let l = 0; l < n - 1; l++) yield [`rec_biases_${l}`, 1, recognition.places[l], 0, 1, recognition.shapes[l][1]];
}

function namedArrays(net, parameters) {
  const arrays = {};
  for (const [name, stack, [begin, , stride], first, rows, columns] of placesOf(net)) {
    const values = new Float32Array(rows * columns);
    for (let row = 0; row < rows; row++) {
      const start = begin + (first + row) * stride;
      values.set(parameters[stack].subarray(start, start + columns), row * columns);
    }
    arrays[name] = { values, shape: first ? [rows, columns] : [columns] };
  }
  return arrays;
}

// Where a parameter is: [which stack, number in its array].
function placeOf(net, name, level, index) {
  for (const [found, stack, [begin, , stride], first, rows, columns] of placesOf(net)) {
    if (found !== `${name}_${level}`) continue;
    const [row, column] = first ? index : [0, ...index];
    const fits = index.length === (first ? 2 : 1) && row >= 0 && row < rows && column >= 0 && column < columns;
    if (!fits) throw new Error(`${name}[${level}] has shape [${first ? [rows, columns] : columns}]; [${index}] is outside of it.`);
    return [stack, begin + (first + row) * stride + column];
  }
  throw new Error(`there is no ${name}[${level}].`);
}
