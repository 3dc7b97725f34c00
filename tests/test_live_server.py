"""The page's server: it answers its own page on this computer, and nobody else; a page that goes leaves no trace."""

import http.client
import json
import socket
import threading
import time
from contextlib import contextmanager

import numpy as np
import pytest

from fastws.experiments.bars import new_simulation
from fastws.live import server as module
from fastws.live.server import MOST_BYTES, MOST_CONNECTIONS, MOST_PAGES, PageServer
from machines import parameter_bits

PAGE = "0123456789abcdef" * 2
SECONDS = 20


@contextmanager
def serving(**options):
    with PageServer(**options) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


@pytest.fixture
def server():
    with serving() as server:
        yield server


def headers_of(server, **changes):
    headers = {
        "Host": server.host,
        "Origin": f"http://{server.host}",
        "X-Fastws-Token": server.token,
        "X-Fastws-Page": PAGE,
    }
    headers |= {name.replace("_", "-"): value for name, value in changes.items()}
    return {name: value for name, value in headers.items() if value is not None}


def send(server, method, path, body=None, **changes):
    """Return status, headers and content of an answer; headers that are None are left out."""
    connection = http.client.HTTPConnection(*server.server_address, timeout=SECONDS)
    try:
        connection.putrequest(method, path, skip_host=True, skip_accept_encoding=True)
        length = {} if body is None or "Content_Length" in changes else {"Content_Length": str(len(body))}
        for name, value in headers_of(server, **length, **changes).items():
            connection.putheader(name, value)
        connection.endheaders(body)
        answer = connection.getresponse()
        return answer.status, answer.headers, answer.read()
    finally:
        connection.close()


def ask(server, **request):
    status, _, content = send(server, "POST", "/ask", json.dumps({"id": 1, **request}).encode())
    assert status == 200, content
    length = int.from_bytes(content[:4], "little")
    start = -(-(4 + length) // 8) * 8
    return json.loads(content[4 : 4 + length]), content[start:]


def test_the_page_is_answered_with_the_bits_of_the_library(server):
    reply, content = ask(server, op="advance", n=3000)
    assert reply["example"] == 3000
    run = new_simulation().advance(3000)
    place = reply["arrays"][0]
    assert place["name"] == "gen_weights_0"
    weights = np.frombuffer(content, "<f4", 128, place["offset"]).reshape(8, 16)
    np.testing.assert_array_equal(
        weights.view(np.uint32), np.ascontiguousarray(run.machine.gen_weights[0]).view(np.uint32)
    )
    assert parameter_bits(run.machine).any()


def test_a_page_has_worlds_of_its_own(server):
    ask(server, op="advance", n=10)
    body = json.dumps({"id": 1, "op": "state"}).encode()
    *_, content = send(server, "POST", "/ask", body, X_Fastws_Page="f" * 32)
    assert b'"example": 0' in content
    assert ask(server, op="state")[0]["example"] == 10


@pytest.mark.parametrize("path", ["/", "/host.js", "/live.js", "/live.css"])
def test_files_hold_no_secret_and_load_nothing_from_elsewhere(server, path):
    status, headers, content = send(server, "GET", path, X_Fastws_Token=None, X_Fastws_Page=None, Origin=None)
    assert status == 200
    assert content
    assert server.token.encode() not in content
    assert "default-src 'none'" in headers["Content-Security-Policy"]
    assert "Access-Control-Allow-Origin" not in headers
    assert headers["Cache-Control"] == "no-store"


def test_the_address_has_the_token_where_browsers_keep_it_and_the_link():
    with PageServer(link="seed=3") as server:
        before, fragment = server.address.split("#")
        assert before == f"http://127.0.0.1:{server.server_address[1]}/"
        assert fragment == f"{server.token}&seed=3"
        assert len(server.token) >= 32
    with PageServer() as other:
        assert other.token != server.token


HELLO = b'{"id": 1, "op": "hello"}'
HOSTILE = {
    "wrong token": (403, {"X_Fastws_Token": "x" * 32}),
    "no token": (403, {"X_Fastws_Token": None}),
    "token of other letters": (403, {"X_Fastws_Token": "\xe9"}),
    "name of another site for this address": (403, {"Host": "evil.example"}),
    "another port": (403, {"Host": "127.0.0.1:1"}),
    "localhost": (403, {"Host": "localhost"}),
    "no Host": (403, {"Host": None}),
    "foreign Origin": (403, {"Origin": "https://evil.example"}),
    "Origin of a page from a disk": (403, {"Origin": "null"}),
    "no page": (400, {"X_Fastws_Page": None}),
    "page of another name": (400, {"X_Fastws_Page": "../" + "a" * 29}),
    "no length": (411, {"Content_Length": "many"}),
    "negative length": (411, {"Content_Length": "-1"}),
    "length in other digits": (411, {"Content_Length": "\xb2"}),
    "chunks": (411, {"Transfer_Encoding": "chunked"}),
    "huge": (413, {"Content_Length": str(MOST_BYTES + 1)}),
    "gigantic": (411, {"Content_Length": "9" * 5000}),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_requests_are_refused(server, name):
    status, changes = HOSTILE[name]
    found, headers, content = send(server, "POST", "/ask", HELLO, **changes)
    assert found == status, content
    assert content.decode().strip()
    assert headers["Connection"] == "close"
    assert server.token.encode() not in content
    assert not server._pages


@pytest.mark.parametrize("changes", [{"Host": "evil.example"}, {"Origin": "https://evil.example"}])
def test_files_are_refused_to_other_sites_too(server, changes):
    assert send(server, "GET", "/", **changes)[0] == 403


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"\xff\xfe", b"[" * 100_000, b'{"id": NaN}', b'{"n": ' + b"9" * 10_000 + b"}", b'{"n": Infinity}'],
    ids=["empty", "half", "no text", "deep", "NaN", "long number", "Infinity"],
)
def test_what_is_no_json_is_refused(server, body):
    status, _, content = send(server, "POST", "/ask", body)
    assert (status, content) == (400, b"the request is no JSON.")
    assert ask(server, op="hello")[0]["version"]


@pytest.mark.parametrize("path", ["/../setup.cfg", "//etc/passwd", "/session.py", "/?x", "/live.js?", "http://a/"])
def test_there_are_no_other_files(server, path):
    assert send(server, "GET", path)[0] == 404
    assert send(server, "POST", path, b"")[0] == 404


@pytest.mark.parametrize("method", ["PUT", "DELETE", "OPTIONS", "CONNECT", "BREW"])
def test_there_are_no_other_methods(server, method):
    status, headers, content = send(server, method, "/ask")
    assert status == 501
    assert b"<" not in content
    assert "Access-Control-Allow-Origin" not in headers


def test_what_is_asked_wrongly_is_a_sentence(server):
    assert "nobody knows here" in ask(server, op="hello", colour=1)[0]["error"]


def test_no_other_computer_can_connect(server):
    assert server.socket.getsockname()[0] == "127.0.0.1"


@pytest.mark.long
def test_a_thousand_connections(server):
    """Silent ones take no more than their share, and the page is answered when they are gone."""
    crowd = []
    for _ in range(1000):
        other = socket.create_connection(server.server_address, timeout=SECONDS)
        crowd.append(other)
        if len(crowd) > 200:
            crowd.pop(0).close()
    assert sum("process_request_thread" in thread.name for thread in threading.enumerate()) <= MOST_CONNECTIONS
    for other in crowd:
        other.close()
    for _ in range(100):
        try:
            assert ask(server, op="hello")[0]["version"]
            break
        except (ConnectionError, http.client.RemoteDisconnected):
            time.sleep(0.05)
    else:
        pytest.fail("the page was not answered any more")


def test_silent_connections_are_closed(monkeypatch):
    monkeypatch.setattr(module._Handler, "timeout", 0.1)
    with serving() as server, socket.create_connection(server.server_address, timeout=SECONDS) as silent:
        assert silent.recv(1) == b""


def test_a_closed_tab_is_no_traceback(server, capfd):
    body = json.dumps({"id": 1, "op": "fantasies", "n": 4096}).encode()
    for _ in range(5):
        with socket.create_connection(server.server_address, timeout=SECONDS) as page:
            head = "".join(f"{name}: {value}\r\n" for name, value in headers_of(server).items())
            page.sendall(f"POST /ask HTTP/1.1\r\n{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)
            page.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")  # what is under way is lost
    assert ask(server, op="hello")[0]["version"]
    assert capfd.readouterr() == ("", "")


def test_there_are_only_so_many_pages(server):
    for number in range(MOST_PAGES):
        assert send(server, "POST", "/beat", b"", X_Fastws_Page=f"{number:032}")[0] == 200
    status, _, content = send(server, "POST", "/beat", b"", X_Fastws_Page="x" * 32)
    assert status == 503
    assert b"close one of them" in content


def ends(thread):
    thread.join(SECONDS)
    return not thread.is_alive()


def test_it_ends_when_the_page_has_said_good_bye(monkeypatch):
    monkeypatch.setattr(module, "_SECONDS_AFTER_GOOD_BYE", 0.1)
    with PageServer() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        send(server, "POST", "/beat", b"")
        time.sleep(0.3)  # a page is there: that is no reason to end
        assert thread.is_alive()
        send(server, "POST", "/bye", b"")
        assert ends(thread)


def test_it_ends_when_the_page_has_been_gone_for_a_while(monkeypatch):
    monkeypatch.setattr(module, "_SECONDS_AFTER_GOOD_BYE", 0.0)
    monkeypatch.setattr(module, "_SECONDS_WITHOUT_A_PAGE", 0.2)
    with PageServer() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        send(server, "POST", "/beat", b"")
        assert ends(thread)


def test_it_waits_for_the_first_page(monkeypatch):
    monkeypatch.setattr(module, "_SECONDS_AFTER_GOOD_BYE", 0.0)
    monkeypatch.setattr(module, "_SECONDS_WITHOUT_A_PAGE", 0.0)
    with serving() as server:
        time.sleep(0.2)
        assert send(server, "GET", "/")[0] == 200


def test_what_pages_ask_first_is_answered():
    """Otherwise nothing would be compiled by then, and nobody would notice."""
    session = module.Session()
    for request in module._FIRST:
        assert "error" not in session.handle(request)[0]
