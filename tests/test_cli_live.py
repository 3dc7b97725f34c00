"""`fastws live`: it prints the page's address on a line of its own, and ends without a word too many."""

import http.client
import re
import signal
import socket
import subprocess
import sys
import webbrowser

import pytest

from fastws.live import server as module

ADDRESS = re.compile(r"^http://127\.0\.0\.1:\d+/#[\w-]{32}(&seed=\d+)?$")


@pytest.fixture
def opened(monkeypatch):
    """What the browser was told to open; the server ends at once."""
    pages = []
    monkeypatch.setattr(webbrowser, "open", lambda address: pages.append(address) or True)
    monkeypatch.setattr(module.PageServer, "serve_forever", lambda self: None)
    monkeypatch.setattr(module.PageServer, "get_ready", lambda self: None)
    return pages


def test_the_browser_opens_the_address_that_is_printed(run, opened):
    code, output, complaints = run("live", "--seed", 3)
    address, *rest = output.splitlines()
    assert (code, complaints, rest) == (0, "", ["The page was closed."])
    assert ADDRESS.match(address)
    assert address.endswith("&seed=3")
    assert opened == [address]


def test_no_browser_is_opened_unless_it_is_wanted(run, opened):
    _, output, _ = run("live", "--no-browser")
    assert ADDRESS.match(output.splitlines()[0])
    assert opened == []


def test_where_there_is_no_browser_that_is_said(run, opened, monkeypatch):
    monkeypatch.setattr(webbrowser, "open", lambda address: False)
    code, output, _ = run("live")
    assert code == 0
    assert "no browser that could be opened" in output.splitlines()[1]


def test_a_port_in_use_is_a_sentence(run, opened):
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        code, output, complaints = run("live", "--port", port)
    assert (code, output) == (2, "")
    assert complaints.startswith(f"Error: port {port} cannot be used")
    assert "--port" in complaints


@pytest.mark.skipif(sys.platform == "win32", reason="Ctrl-C goes to every process of a console there")
def test_ctrl_c_ends_it_in_good_order():
    command = [sys.executable, "-m", "fastws", "live", "--no-browser"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        address = process.stdout.readline().strip()
        assert ADDRESS.match(address)
        connection = http.client.HTTPConnection("127.0.0.1", int(address.split(":")[2].split("/")[0]), timeout=20)
        connection.request("GET", "/")
        assert b"<main" in connection.getresponse().read()
        process.send_signal(signal.SIGINT)
        output, complaints = process.communicate(timeout=20)
        connection.close()
    assert (process.returncode, output, complaints) == (0, "", "")
