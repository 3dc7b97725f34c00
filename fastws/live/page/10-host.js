// What answers: a Python session or WebAssembly, behind a model in anywidget's form.

const TYPES = { float32: Float32Array, float64: Float64Array, uint8: Uint8Array };

/** Copy the arrays of a reply out of its buffer. */
function readArrays(reply, buffers) {
  const found = {};
  const whole = buffers && buffers[0];
  if (!whole || !reply.arrays) return found;
  const bytes = whole.buffer ? whole.buffer : whole;
  const start = whole.buffer ? whole.byteOffset : 0;
  for (const { name, shape, dtype, offset } of reply.arrays) {
    const Type = TYPES[dtype];
    const size = shape.reduce((product, n) => product * n, 1) * Type.BYTES_PER_ELEMENT;
    const array = new Type(bytes.slice(start + offset, start + offset + size));
    array.shape = shape;
    found[name] = array;
  }
  return found;
}

/** One request is under way at a time; the others wait in line. A figure has at most a few of its own in it. */
class Host {
  constructor(model) {
    this.model = model;
    this.line = [];
    this.under = null;
    this.next = 1;
    this.receive = (reply, buffers) => this.answer(reply, buffers);
    model.on("msg:custom", this.receive);
  }

  /** Ask and get the reply, its arrays beside it; an error of the host is an Error with its sentence. */
  ask(op, fields = {}) {
    return new Promise((resolve, reject) => {
      this.line.push({ request: { id: this.next++, op, ...fields }, resolve, reject });
      this.send();
    });
  }

  send() {
    if (this.under || !this.line.length) return;
    this.under = this.line.shift();
    this.model.send(this.under.request);
  }

  answer(reply, buffers) {
    if (!this.under || reply.id !== this.under.request.id) return;
    const { resolve, reject } = this.under;
    this.under = null;
    if (reply.error) {
      const error = new Error(reply.error);
      error.lost = Boolean(reply.lost);
      reject(error);
    } else {
      resolve({ ...reply, arrays: readArrays(reply, buffers) });
    }
    this.send();
  }

  close() {
    if (this.model.off) this.model.off("msg:custom", this.receive);
    this.line.length = 0;
  }
}
