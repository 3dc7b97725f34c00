import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from chance import INTERPRETED

ROOT = Path(__file__).parents[1]


def printed(*words):
    command = [sys.executable, "-m", "bench.hashes", *words]
    process = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=600)
    assert process.returncode == 0, process.stderr
    return process.stdout


@pytest.mark.long
@pytest.mark.skipif(INTERPRETED, reason="thousands of examples")
def test_this_computer_computes_what_the_documentation_says():
    kept = (ROOT / "docs" / "hashes.txt").read_text(encoding="utf-8")
    assert printed().splitlines() == kept.splitlines()
    assert len(kept.splitlines()) == 40
    assert json.loads(printed("--json")) == {
        name: value for value, name in (row.split("  ") for row in kept.splitlines())
    }


def test_a_hash_is_of_shape_type_and_bits(monkeypatch):
    monkeypatch.syspath_prepend(ROOT)
    from bench.hashes import hash_of

    array = np.float32([[1, 2, 3], [4, 5, 6]])
    assert hash_of(array) == hash_of(array.astype(">f4")) == hash_of(np.asfortranarray(array))
    others = [array.T, array.ravel(), array.astype(np.float64), -array, np.nextafter(array, 9), array * [[1], [0]]]
    assert len({hash_of(array), *map(hash_of, others)}) == 7
    assert hash_of(np.float32([0.0])) != hash_of(np.float32([-0.0]))
