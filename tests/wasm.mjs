// Calls functions of a module that fastws.kernels.wasm wrote, FILE: node wasm.mjs FILE < calls > arrays
//
// Calls are {"arrays": [{"bytes": base64, "shape": [...]}, ...], "calls": [[function, arguments], ...]} where an argument
// is {"array": its number}, {"float": text} or {"integer": text}. The bytes of the arrays come back as they are afterwards.
import { readFileSync } from "node:fs";

const PAGE = 65536; // The first is the module's own: its stack goes down from the end.
const CACHE_LINE = 64;

const memory = new WebAssembly.Memory({ initial: 1 });
const stack = new WebAssembly.Global({ value: "i32", mutable: true }, PAGE);
const imports = { env: { __linear_memory: memory, __stack_pointer: stack } };
const { instance } = await WebAssembly.instantiate(readFileSync(process.argv[2]), imports);
const { arrays, calls } = JSON.parse(readFileSync(0, "utf8"));

let end = PAGE;
for (const array of arrays) {
  const content = Buffer.from(array.bytes, "base64");
  array.address = end;
  array.length = content.length;
  end += Math.ceil(content.length / CACHE_LINE) * CACHE_LINE;
  memory.grow(Math.ceil(end / PAGE) - memory.buffer.byteLength / PAGE);
  new Uint8Array(memory.buffer).set(content, array.address);
}

function plain(argument) {
  if ("integer" in argument) return [BigInt(argument.integer)];
  if ("float" in argument) return [Number(argument.float)];
  const { address, shape } = arrays[argument.array];
  return [address, ...shape];
}

for (const [name, args] of calls) {
  const error = instance.exports[name](...args.flatMap(plain));
  if (error) throw new Error(`${name} ended with ${error}`);
}
const results = arrays.map(({ address, length }) => Buffer.from(memory.buffer, address, length).toString("base64"));
process.stdout.write(JSON.stringify(results));
