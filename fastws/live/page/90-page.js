// A stand-in for the page: the weights as they learn.
export default {
  render({ model, el }) {
    el.innerHTML = '<canvas width="320" height="160"></canvas><p></p>';
    const canvas = el.querySelector("canvas"), note = el.querySelector("p"), pen = canvas.getContext("2d");
    let id = 0;
    const ask = () => model.send({ id: ++id, op: "advance", n: 2000 });
    model.on("msg:custom", (reply, buffers) => {
      if (reply.error) return void (note.textContent = reply.error);
      const view = buffers[0], place = reply.arrays[0];
      const w = new Float32Array(view.buffer.slice(view.byteOffset + place.offset), 0, 128);
      pen.clearRect(0, 0, 320, 160);
      for (let i = 0; i < 128; i++) {
        const unit = Math.floor(i / 16), pixel = i % 16, r = Math.min(18, Math.abs(w[i]) * 2);
        pen.fillRect((unit % 4) * 80 + (pixel % 4) * 19, Math.floor(unit / 4) * 80 + Math.floor(pixel / 4) * 19, r, r);
      }
      note.textContent = `${reply.example} examples`;
      if (reply.example < 200000) requestAnimationFrame(ask);
    });
    ask();
  },
};
