// The page's model where compiled kernels answer, in a worker if the browser gives one to a page from a disk.
const hostSource = document.getElementById("host").textContent;
const listeners = new Set();
const tell = ([reply, content]) => {
  const view = new DataView(content.buffer, content.byteOffset, content.byteLength);
  for (const listener of [...listeners]) listener(reply, [view]);
};

function inWorker() {
  const glue = "\nonmessage = ({ data }) => { const [reply, content] = handle(data); postMessage([reply, content], [content.buffer]); };";
  const address = URL.createObjectURL(new Blob([hostSource, glue], { type: "text/javascript" }));
  const worker = new Worker(address);
  let asked = null;
  worker.onmessage = ({ data }) => {
    asked = null;
    tell(data);
  };
  // A worker that cannot even begin: the page answers itself.
  worker.onerror = () => {
    answer = onPage();
    if (asked) answer(asked);
  };
  return (request) => worker.postMessage((asked = request));
}

function onPage() {
  const handle = new Function(`${hostSource}\nreturn handle;`)();
  return (request) => setTimeout(() => tell(handle(request)));
}

let answer;
try {
  answer = inWorker();
} catch {
  answer = onPage();
}

const model = {
  send: (request) => answer(request),
  on: (event, listener) => void (event === "msg:custom" && listeners.add(listener)),
  off: (event, listener) => void (listener ? listeners.delete(listener) : listeners.clear()),
  get: (key) => (key === "link" ? location.hash.slice(1) : undefined),
  set: () => {},
  save_changes: () => {},
  setLink: (text) => history.replaceState(null, "", `#${text}`),
};
addEventListener("hashchange", () => location.reload());
page.render({ model, el: document.getElementById("page") });
