"""The page without a server: what its compiled kernels answer is what the session answers, to the bit."""

import base64
import json
import re
import shutil
import subprocess
import sys
import zlib
from pathlib import Path

import numpy as np
import pytest

from chance import INTERPRETED
from fastws.live import Session, static
from test_live_session import SMALL, WRONG, unpacked

LARGER = {"size": 3, "hidden": [20, 17, 2], "recipe": "robust", "nonnegative": False}
# In double precision, and so by other functions than those of the kernels.
ROUNDED = ("q", "reconstruction")


@pytest.fixture(scope="module")
def host(tmp_path_factory):
    if shutil.which("node") is None:
        pytest.skip("Node, which runs the page's host here, is not installed")
    path = tmp_path_factory.mktemp("host") / "host.js"
    path.write_text(static.host(), encoding="utf-8")
    return path


def answers_of(host, requests):
    command = ["node", Path(__file__).with_name("live_host.mjs"), host]
    node = subprocess.run(command, input=json.dumps(requests), capture_output=True, text=True)
    assert node.returncode == 0, node.stderr[-1000:]
    return [(reply, base64.b64decode(content)) for reply, content in json.loads(node.stdout)]


def assert_same(value, expected, place):
    if isinstance(expected, float):
        assert value == pytest.approx(expected, rel=1e-9, abs=1e-9), place
    elif isinstance(expected, dict):
        assert list(value) == list(expected), place
        for name in expected:
            assert_same(value[name], expected[name], f"{place}.{name}")
    else:
        assert value == expected, place


def compare(host, requests):
    """Ask both; values are the same, arrays of float32 and of states to the bit."""
    session = Session()
    numbered = [{"id": number, **request} for number, request in enumerate(requests)]
    for request, (reply, content) in zip(numbered, answers_of(host, numbered), strict=True):
        assert "error" not in reply, reply
        mine, my_content = session.handle(request)
        mine = json.loads(json.dumps(mine))
        arrays, expected = unpacked(reply, content), unpacked(mine, my_content)
        for values in (reply, mine):
            del values["arrays"]
        assert_same(reply, mine, request["op"])
        assert set(arrays) == set(expected)
        for name, array in expected.items():
            if array.dtype == np.float64:
                assert arrays[name].dtype in ([np.float32, np.float64] if name in ROUNDED else [np.float64])
                np.testing.assert_allclose(arrays[name], array, atol=2e-6 if name in ROUNDED else 1e-9, err_msg=name)
            else:
                assert arrays[name].dtype == array.dtype
                np.testing.assert_array_equal(arrays[name].view(np.uint8), array.view(np.uint8), err_msg=name)


@pytest.mark.skipif(INTERPRETED, reason="thousands of examples")
@pytest.mark.parametrize("settings", [{}, SMALL, LARGER], ids=["paper", "small", "larger"])
@pytest.mark.parametrize("seed", [0, 2**53 - 1])
def test_worlds_learn_to_the_same_bits(host, settings, seed):
    compare(
        host,
        [
            {"op": "hello"},
            {"op": "reset", "settings": settings, "seed": seed},
            {"op": "advance", "n": 3000},
            {"op": "step"},
            {"op": "at", "n": 1500},
            {"op": "step"},
            {"op": "branch", "n": 1030, "to": "other", "settings": {"rates": 0.25}},
            {"op": "advance", "n": 50, "phases": "wake", "world": "other"},
            {"op": "step", "world": "other"},
            {"op": "advance", "n": 50, "phases": "sleep", "world": "other"},
            {"op": "step", "world": "other"},
            {"op": "edit", "name": "gen_weights", "level": 0, "index": [1, 2], "value": -0.1, "world": "other"},
            {"op": "edit", "name": "rec_biases", "level": 0, "index": [1], "value": 1.7, "world": "other"},
            {"op": "advance", "n": 2500, "phases": "both", "world": "other"},
            {"op": "at", "n": 1131, "world": "other"},
            {"op": "advance", "n": 7, "world": "other"},
            {"op": "plan", "world": "other"},
            {"op": "python", "world": "other"},
            {"op": "rates", "rates": 0.5, "world": "other"},
            {"op": "state", "world": "other"},
            {"op": "at", "n": 3001},
            {"op": "state"},
            {"op": "drop", "world": "other"},
        ],
    )


@pytest.mark.skipif(INTERPRETED, reason="thousands of examples")
@pytest.mark.parametrize("settings", [{}, SMALL, LARGER], ids=["paper", "small", "larger"])
def test_machines_are_seen_alike(host, settings):
    size = settings.get("size", 4)
    hidden = sum(settings.get("hidden", [8, 1]))
    image, states = [1, 0] * (size**2 // 2) + [1] * (size % 2), [0, 1] * (hidden // 2) + [1] * (hidden % 2)
    looks = [
        {"op": "measures"},
        {"op": "fantasies", "n": 20, "seed": 4},
        {"op": "data", "n": 20, "seed": 4},
        {"op": "clamp", "n": 20, "seed": 4, "clamp": [[1, 2, 1], [2, 0, 0], [0, 1, 1]]},
        {"op": "recognise", "image": image, "n": 5, "seed": 4},
        {"op": "ledger", "image": image, "states": states},
        {"op": "unit", "bias": -0.3, "weights": [1.5, 2.0], "states": [1, 0], "draws": 50, "seed": 4},
        {"op": "unit", "bias": -0.3, "weights": [], "states": []},
    ]
    begun = [{"op": "reset", "settings": settings, "seed": 2}, {"op": "advance", "n": 5000}]
    compare(host, begun + (looks if hidden <= 13 else looks[1:]))


def test_what_the_session_refuses_is_refused(host):
    begin = [{"op": "reset", "settings": SMALL}, {"op": "advance", "n": 9}]
    answers = answers_of(host, [*begin, *(request for request, _ in WRONG), {"op": "state"}, None, 3, []])
    assert all("error" not in reply for reply, _ in answers[:2])
    for (request, _), (reply, content) in zip(WRONG, answers[2:], strict=False):
        assert reply.get("error"), request
        assert content == b""
    state, *rest = (reply for reply, _ in answers[2 + len(WRONG) :])
    assert (state["example"], state["furthest"]) == (9, 9)
    assert all(reply["error"] for reply in rest)


def test_the_kept_kernels_are_those_of_the_sources():
    assert not static.is_stale(), "compile them anew: python -m fastws.live.static --kernels"


def test_the_page_loads_nothing():
    page = static.page()
    assert not re.search(r"""(src|href)=["'](?!data:)""", page.split("<script")[0])
    assert not re.search(r"\bfrom\s+[\"'][./h]", page)
    assert "/* host */" not in page
    assert "export default" not in page
    assert page.count("</script>") == 2


@pytest.mark.long
def test_the_page_is_written_where_asked(tmp_path):
    def write(*words):
        command = [sys.executable, "-m", "fastws.live.static", *map(str, words)]
        return subprocess.run(command, capture_output=True, text=True)

    path = tmp_path / "page.html"
    done = write(path)
    assert (done.returncode, done.stderr) == (0, "")
    assert path.read_text(encoding="utf-8") == static.page()
    assert "there is no folder" in write(tmp_path / "none" / "page.html").stderr
    assert "give the name of the page" in write().stderr


def test_a_browser_without_simd_is_told_so(host, tmp_path):
    other = tmp_path / "host.js"
    other.write_text(f"WebAssembly.validate = () => false;\n{host.read_text(encoding='utf-8')}", encoding="utf-8")
    [(reply, _)] = answers_of(other, [{"id": 1, "op": "hello"}])
    assert "WebAssembly has no SIMD" in reply["error"]


def test_what_is_installed_grows_by_little():
    folder = Path(static.__file__).parent
    package = [path for path in folder.rglob("*") if path.is_file() and "__pycache__" not in path.parts]
    compressed = sum(len(zlib.compress(path.read_bytes())) for path in package)
    assert compressed < 200_000
