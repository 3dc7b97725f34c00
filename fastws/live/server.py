"""The page's local server: this computer only, and only for who has the token of the address that it prints."""

import hmac
import json
import os
import secrets
import threading
import time
from dataclasses import dataclass, field
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.resources import files
from typing import Any

from fastws.live import front
from fastws.live.session import Session

__all__ = ["PageServer"]

ADDRESS = "127.0.0.1"
MOST_BYTES = 1 << 18
"""How long a request may be."""
MOST_CONNECTIONS = 32
MOST_PAGES = 8

_SECONDS_OF_SILENCE = 10
"""After which a connection is closed that asks nothing."""
# A page says every five seconds that it is there; browsers let one in the background do so once a minute.
_SECONDS_WITHOUT_A_PAGE = 150.0
# A page that is loaded again says good-bye first.
_SECONDS_AFTER_GOOD_BYE = 5.0
_ALIGNED = 8
# In the order in which a page that is read from its top asks.
_FIRST: list[dict[str, Any]] = [
    {"op": "advance", "n": 1},
    {"op": "data"},
    {"op": "fantasies"},
    {"op": "unit", "bias": 0, "states": []},
    {"op": "step"},
    {"op": "measures"},
    {"op": "ledger", "image": [0] * 16, "states": [0] * 9},
    {"op": "recognise", "image": [0] * 16},
    {"op": "advance", "n": 1, "phases": "wake"},
    {"op": "advance", "n": 1, "phases": "sleep"},
]
_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; connect-src 'self'; "
        "img-src 'self' data: blob:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


class _Refused(Exception):
    """A request that is not answered; the text says why."""

    def __init__(self, status: HTTPStatus, why: str) -> None:
        super().__init__(why)
        self.status = status


@dataclass
class _Page:
    """An open page: its session, and when it was heard of last."""

    session: Session
    heard: float = field(default_factory=time.monotonic)
    lock: threading.Lock = field(default_factory=threading.Lock)


class PageServer(ThreadingHTTPServer):
    """Serves the page on this computer, at `address`.

    Parameters
    ----------
    port : int, default=0
        0 takes one that is free.
    link : str, optional
        The state of the page that its address has.
    rule_file : str, optional
        As `Session` takes it.

    Raises
    ------
    OSError
        If the port is not free.
    """

    daemon_threads = True
    block_on_close = False
    request_queue_size = 128
    # Windows would share a port that another program listens at.
    allow_reuse_address = os.name == "posix"

    def __init__(self, port: int = 0, link: str = "", rule_file: str | None = None) -> None:
        self.token = secrets.token_urlsafe(24)
        self._link, self._rule_file = link, rule_file
        self._pages: dict[str, _Page] = {}
        self._pages_lock = threading.Lock()
        self._opened = False
        self._left_at = time.monotonic()
        self._connections = threading.BoundedSemaphore(MOST_CONNECTIONS)
        self.contents = _contents()
        super().__init__((ADDRESS, port), _Handler)

    @property
    def address(self) -> str:
        """What to open in a browser; the token is after the #, which browsers send to nobody."""
        return f"http://{self.host}/#{'&'.join([self.token, *([self._link] if self._link else [])])}"

    @property
    def host(self) -> str:
        """The only Host that is answered."""
        return f"{ADDRESS}:{self.server_address[1]}"

    def get_ready(self) -> None:
        """Compile beside it, or load from Numba's cache, what pages ask first."""

        def ask() -> None:
            session = Session()
            for request in _FIRST:
                session.handle(request)

        threading.Thread(target=ask, daemon=True).start()

    def process_request(self, request: Any, client_address: Any) -> None:
        """Answer a connection in a thread of its own, unless there are too many: those are closed."""
        if not self._connections.acquire(blocking=False):
            self.shutdown_request(request)
            return
        super().process_request(request, client_address)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        """Answer a connection."""
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._connections.release()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Let a connection that broke go: the page was closed."""

    def page(self, name: str) -> _Page:
        """Return a page that has been heard of just now."""
        now = time.monotonic()
        with self._pages_lock:
            self._opened = True
            self._forget(now)
            if name not in self._pages and len(self._pages) >= MOST_PAGES:
                raise _Refused(HTTPStatus.SERVICE_UNAVAILABLE, f"{MOST_PAGES} pages are open; close one of them.")
            page = self._pages.setdefault(name, _Page(Session(self._rule_file)))
            page.heard = now
            return page

    def close_page(self, name: str) -> None:
        """Forget a page that says good-bye."""
        with self._pages_lock:
            self._pages.pop(name, None)
            self._left_at = time.monotonic()

    def _forget(self, now: float) -> None:
        silent = [name for name, page in self._pages.items() if now - page.heard > _SECONDS_WITHOUT_A_PAGE]
        for name in silent:
            del self._pages[name]

    def service_actions(self) -> None:
        """End, between two requests, when the last page has been gone for a while."""
        now = time.monotonic()
        with self._pages_lock:
            self._forget(now)
            if self._opened and not self._pages and now - self._left_at > _SECONDS_AFTER_GOOD_BYE:
                # It waits for the loop that called this.
                threading.Thread(target=self.shutdown, daemon=True).start()


class _Handler(BaseHTTPRequestHandler):
    """Answers one connection."""

    server: PageServer
    protocol_version = "HTTP/1.1"
    # Head and body go out in two writes, of which Nagle's algorithm would hold the second for 40 ms.
    disable_nagle_algorithm = True
    server_version, sys_version = "fastws", ""
    timeout = _SECONDS_OF_SILENCE

    def do_GET(self) -> None:
        """Serve the page's own files, which hold no secret."""
        self._answer(self._file)

    def do_POST(self) -> None:
        """Answer the page."""
        self._answer(self._reply)

    def _answer(self, make: Any) -> None:
        try:
            self._check_sender()
            kind, content = make()
            status = HTTPStatus.OK
        except _Refused as refusal:
            # What is left of the request is not read.
            self.close_connection = True
            status, kind, content = refusal.status, "text/plain", str(refusal).encode()
        self.send_response(status)
        self.send_header("Content-Type", f"{kind}; charset=utf-8" if kind.startswith("text/") else kind)
        self.send_header("Content-Length", str(len(content)))
        if self.close_connection:
            self.send_header("Connection", "close")
        for name, value in _HEADERS.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)

    def _check_sender(self) -> None:
        """Check that the request is from the page: another site's name may lead here, and another site may ask."""
        if self.headers.get_all("Host") != [self.server.host]:
            raise _Refused(HTTPStatus.FORBIDDEN, f"only http://{self.server.host} is answered here.")
        if self.headers.get_all("Origin", [f"http://{self.server.host}"]) != [f"http://{self.server.host}"]:
            raise _Refused(HTTPStatus.FORBIDDEN, "only the page itself is answered here.")

    def _file(self) -> tuple[str, bytes]:
        if self.path not in self.server.contents:
            raise _Refused(HTTPStatus.NOT_FOUND, "there is nothing of that name.")
        return self.server.contents[self.path]

    def _reply(self) -> tuple[str, bytes]:
        given = self.headers.get("X-Fastws-Token", "")
        if not hmac.compare_digest(given.encode(), self.server.token.encode()):
            raise _Refused(HTTPStatus.FORBIDDEN, "the token is wrong; open the address that fastws live printed.")
        name = self.headers.get("X-Fastws-Page", "")
        if not (len(name) == 32 and name.isascii() and name.isalnum()):
            raise _Refused(HTTPStatus.BAD_REQUEST, "a page needs a name.")
        body = self._body()
        match self.path:
            case "/ask":
                return "application/octet-stream", _answer_of(self.server.page(name), body)
            case "/beat":
                self.server.page(name)
            case "/bye":
                self.server.close_page(name)
            case _:
                raise _Refused(HTTPStatus.NOT_FOUND, "there is nothing of that name.")
        return "text/plain", b""

    def _body(self) -> bytes:
        length = self.headers.get("Content-Length", "")
        if "Transfer-Encoding" in self.headers or not (length.isascii() and length.isdigit() and len(length) < 10):
            raise _Refused(HTTPStatus.LENGTH_REQUIRED, "a request says how long it is.")
        if int(length) > MOST_BYTES:
            raise _Refused(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"a request has at most {MOST_BYTES:,} bytes.")
        return self.rfile.read(int(length))

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """Refuse what is no request that is known here, in plain text."""
        self.close_connection = True
        content = (message or "").encode("ascii", "replace")
        self.send_response(code)
        for name, value in {"Content-Type": "text/plain", "Content-Length": str(len(content)), **_HEADERS}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: Any) -> None:
        """Say nothing on the terminal."""


def _answer_of(page: _Page, body: bytes) -> bytes:
    """Return a reply as one body: the length of the JSON, the JSON, and, from the next multiple of 8 on, arrays."""
    try:
        request = json.loads(body, parse_constant=_no_number)
    except (ValueError, RecursionError):
        raise _Refused(HTTPStatus.BAD_REQUEST, "the request is no JSON.") from None
    with page.lock:
        reply, content = page.session.handle(request)
    head = json.dumps(reply, allow_nan=False).encode()
    padding = bytes(-(4 + len(head)) % _ALIGNED)
    return len(head).to_bytes(4, "little") + head + padding + content


def _no_number(word: str) -> None:
    raise ValueError(f"{word} is no number of JSON")


def _contents() -> dict[str, tuple[str, bytes]]:
    """Return the page's files by path: their types and bytes."""
    hosts = files("fastws.live").joinpath("hosts")
    page = hosts.joinpath("index.html").read_bytes()
    return {
        "/": ("text/html", page),
        "/host.js": ("text/javascript", hosts.joinpath("server.js").read_bytes()),
        "/live.js": ("text/javascript", front.script().encode()),
        "/live.css": ("text/css", front.style().encode()),
    }
