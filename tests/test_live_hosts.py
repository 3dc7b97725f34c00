"""One front end in three hosts: a page that only asks gets the session's answers from each, in a real browser."""

import base64
import json
import shutil
import threading

import pytest

from fastws.live import Session, front, static
from fastws.live.server import PageServer

sync_api = pytest.importorskip("playwright.sync_api", reason="playwright, which drives a browser, is not installed")
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
pytestmark = [
    pytest.mark.long,
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium is installed to open the page in"),
    pytest.mark.xdist_group("browser"),
]

REQUESTS = [
    {"id": 1, "op": "reset", "seed": 3},
    {"id": 2, "op": "advance", "n": 2000},
    {"id": 3, "op": "step"},
    {"id": 4, "op": "fantasies", "n": 3},
    {"id": 5, "op": "open"},
]
# It asks one after the other, keeps what comes back, and goes on by the link that it had.
ASKING = """
export default {
  render({ model, el }) {
    const answers = [];
    const ask = () => model.send(REQUESTS[answers.length]);
    model.on("msg:custom", (reply, [view]) => {
      const bytes = view ? new Uint8Array(view.buffer, view.byteOffset, view.byteLength) : [];
      answers.push([reply, btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(""))]);
      if (answers.length < REQUESTS.length) return ask();
      model.setLink("view=bars&n=2");
      el.textContent = JSON.stringify({ answers, link: model.get("link"), before });
    });
    const before = model.get("link");
    ask();
  },
};
""".replace("REQUESTS", json.dumps(REQUESTS))


@pytest.fixture
def found_at(monkeypatch):
    """Return what opens an address and returns what the asking page found there, and where it was then."""
    monkeypatch.setattr(front, "script", lambda: ASKING)

    def open_page(address):
        with sync_api.sync_playwright() as playwright:
            options = ["--no-sandbox", "--disable-gpu"]
            browser = playwright.chromium.launch(executable_path=CHROMIUM, args=options)
            page = browser.new_page()
            complaints, asked = [], []
            page.on("pageerror", lambda error: complaints.append(str(error)))
            page.on("console", lambda line: complaints.append(line.text))
            page.on("request", lambda request: asked.append(request.url))
            page.goto(address)
            text = page.locator("#page:not(:empty)").text_content(timeout=60_000)
            found = json.loads(text) | {"address": page.url, "asked": asked, "workers": len(page.workers)}
            browser.close()
        assert complaints == []
        return found

    return open_page


def assert_answers(found):
    session = Session()
    for request, (reply, content) in zip(REQUESTS, found["answers"], strict=True):
        expected, expected_content = session.handle(request)
        if "error" in expected:
            assert reply["error"]
        else:
            assert reply == json.loads(json.dumps(expected))
            assert base64.b64decode(content) == expected_content


def test_the_local_server(found_at):
    with PageServer(link="seed=3") as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            found = found_at(server.address)
        finally:
            server.shutdown()
            thread.join()
        assert_answers(found)
        assert (found["before"], found["link"]) == ("seed=3", "view=bars&n=2")
        assert found["address"] == f"http://{server.host}/#{server.token}&view=bars&n=2"
        assert all(address.startswith(f"http://{server.host}/") for address in found["asked"])


def test_the_page_without_a_server(found_at, tmp_path):
    path = tmp_path / "page.html"
    path.write_text(static.page(), encoding="utf-8")
    found = found_at(f"{path.as_uri()}#seed=3")
    assert_answers(found)
    assert found["before"] == "seed=3"
    assert found["address"] == f"{path.as_uri()}#view=bars&n=2"
    assert [address for address in found["asked"] if not address.startswith(("file:", "blob:", "data:"))] == []
    assert found["workers"] == 1  # the page itself stays free to draw


def test_the_front_end_is_the_same_everywhere():
    pytest.importorskip("anywidget")
    from fastws.live import Widget

    script = front.script()
    assert Widget._esm == script
    with PageServer() as server:
        assert server.contents["/live.js"][1].decode() == script
    assert script.replace("export default", "const page =") in static.page()
