// The page's model where a local server answers: requests go out as JSON, replies come as JSON and arrays in one body.
import page from "./live.js";

const BEAT_SECONDS = 5;

const [token, ...rest] = location.hash.slice(1).split("&");
const name = Array.from(crypto.getRandomValues(new Uint8Array(16)), (b) => b.toString(16).padStart(2, "0")).join("");
const headers = { "X-Fastws-Token": token, "X-Fastws-Page": name };
const listeners = new Set();
const el = document.getElementById("page");
let link = rest.join("&");

function tell(reply, buffers) {
  for (const listener of [...listeners]) listener(reply, buffers);
}

// No answer at all: the program has ended, or the address is not the one that it printed.
const gone = "Nothing answers any more: fastws live has ended. Start it again, and open the address that it prints.";

async function ask(request) {
  try {
    const answer = await fetch("ask", { method: "POST", headers, body: JSON.stringify(request) });
    if (!answer.ok) return tell({ id: request.id, error: await answer.text() }, []);
    const body = await answer.arrayBuffer();
    const length = new DataView(body).getUint32(0, true);
    const reply = JSON.parse(new TextDecoder().decode(new Uint8Array(body, 4, length)));
    tell(reply, [new DataView(body, Math.ceil((4 + length) / 8) * 8)]);
  } catch {
    tell({ id: request.id, error: gone, lost: true }, []);
  }
}

const model = {
  send: (request) => void ask(request),
  on: (event, listener) => void (event === "msg:custom" && listeners.add(listener)),
  off: (event, listener) => void (listener ? listeners.delete(listener) : listeners.clear()),
  get: (key) => (key === "link" ? link : undefined),
  set: () => {},
  save_changes: () => {},
  setLink(text) {
    link = text;
    history.replaceState(null, "", "#" + [token, ...(text ? [text] : [])].join("&"));
  },
};

setInterval(() => fetch("beat", { method: "POST", headers }).catch(() => {}), BEAT_SECONDS * 1000);
addEventListener("pagehide", () => fetch("bye", { method: "POST", headers, keepalive: true }).catch(() => {}));
// A link to another state of the page that is pasted into the address bar.
addEventListener("hashchange", () => location.reload());
addEventListener("pageshow", (event) => event.persisted && location.reload());
page.render({ model, el });
