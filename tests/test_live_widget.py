"""The widget in a real Jupyter kernel, asked over the wire as its front end asks."""

import subprocess
import sys
import time

import numpy as np
import pytest

from fastws.experiments.bars import new_simulation

SECONDS = 60
MAKE = "from fastws.live import Widget\nwidget = Widget(seed=5)\nwidget"


@pytest.fixture(scope="module")
def kernel():
    pytest.importorskip("anywidget")
    pytest.importorskip("ipykernel")
    manager_of_kernels = pytest.importorskip("jupyter_client.manager")
    manager, client = manager_of_kernels.start_new_kernel(startup_timeout=SECONDS)
    yield client
    client.stop_channels()
    manager.shutdown_kernel(now=True)


def messages(kernel, wanted):
    """Yield what the kernel says until it has said something of a kind."""
    deadline = time.monotonic() + SECONDS
    while time.monotonic() < deadline:
        message = kernel.get_iopub_msg(timeout=SECONDS)
        yield message
        if wanted(message):
            return
    pytest.fail("the kernel did not answer")


def test_the_page_is_answered_in_a_notebook(kernel):
    number = kernel.execute(MAKE)
    said = list(
        messages(
            kernel,
            lambda m: (
                m["msg_type"] == "status"
                and m["content"]["execution_state"] == "idle"
                and m["parent_header"].get("msg_id") == number
            ),
        )
    )
    assert not [m["content"] for m in said if m["msg_type"] == "error"]
    shown = [m["content"]["data"] for m in said if m["msg_type"] == "execute_result"]
    assert "application/vnd.jupyter.widget-view+json" in shown[0]
    opened = [m["content"] for m in said if m["msg_type"] == "comm_open"]
    state = next(c["data"]["state"] for c in opened if "_esm" in c["data"]["state"])
    comm = next(c["comm_id"] for c in opened if "_esm" in c["data"]["state"])
    assert "export default" in state["_esm"]
    assert state["link"] == "seed=5"

    settings = {"id": 1, "op": "reset", "seed": 5}
    for request in (settings, {"id": 2, "op": "advance", "n": 500}):
        content = {"comm_id": comm, "data": {"method": "custom", "content": request}}
        kernel.shell_channel.send(kernel.session.msg("comm_msg", content))
        *_, answer = messages(
            kernel, lambda m: m["msg_type"] == "comm_msg" and m["content"]["data"].get("method") == "custom"
        )
        reply = answer["content"]["data"]["content"]
        assert reply["id"] == request["id"], reply
    assert reply["example"] == 500
    place = next(place for place in reply["arrays"] if place["name"] == "gen_weights_0")
    weights = np.frombuffer(bytes(answer["buffers"][0]), np.float32, 128, place["offset"])
    expected = np.ascontiguousarray(new_simulation(5).advance(500).machine.gen_weights[0]).ravel()
    np.testing.assert_array_equal(weights.view(np.uint32), expected.view(np.uint32))


def test_links_and_seeds():
    pytest.importorskip("anywidget")
    from fastws.live import Widget

    assert Widget().link == "seed=0"
    assert Widget(link="view=bars&seed=3").link == "view=bars&seed=3"
    with pytest.raises(ValueError, match="seed is -1"):
        Widget(-1)
    assert Widget().session.world("main").example == 0


def test_without_anywidget_there_is_a_sentence():
    program = "import sys; sys.modules['anywidget'] = None\nimport fastws.live\nfastws.live.Session()\n"
    done = subprocess.run([sys.executable, "-c", program + "fastws.live.Widget"], capture_output=True, text=True)
    assert done.returncode == 1
    assert "ImportError: fastws.live.Widget needs the package anywidget" in done.stderr
    assert "pip install 'fastws[live]'" in done.stderr
