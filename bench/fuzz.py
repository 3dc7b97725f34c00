"""Load damaged files: only `ValueError` and `OSError` with our words, soon, and in memory of the order of the file.

Usage: ``python bench/fuzz.py [FILES]``, 10,000 by default. Half of the files have random bytes changed; the other half
have what the archive holds changed and the archive's checksums put right again, so that the parsers behind see it.
"""

import io
import json
import re
import signal
import sys
import tempfile
import time
import tracemalloc
import zipfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np

from fastws.machine import Machine
from fastws.simulation import Simulation
from fastws.streams import Bars, Images

SECONDS = 5
# On top of a multiple of the file's size: what Python's own zip and JSON readers need.
WORKING_MEMORY = 1_000_000
ODD_VALUES = [None, -1, 0, 1, 2.5, 1e400, 2**70, 10**9, "", "bars", [], {}, [1], [[1, 2]], True, float("nan")]


def originals() -> dict[str, tuple[Callable[[str], object], bytes]]:
    """Return files of each kind, with what loads them."""
    machine = Machine([16, 8, 1])
    images = Images(np.random.default_rng(0).integers(0, 2, (20, 16)))
    things = {
        "machine": (Machine.load, machine),
        "bars run": (Simulation.load, Simulation(machine, Bars(4), [(10, 0.1), (5, (0.2, 0.001, 0.001))])),
        "images run": (Simulation.load, Simulation(machine, images, [(10, 0.1)])),
    }
    files = {}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "file")
        for name, (load, thing) in things.items():
            thing.save(path)
            files[name] = load, path.read_bytes()
    return files


def damaged(content: bytes, rng: np.random.Generator) -> bytes:
    """Return the bytes with a few of them changed, lost, repeated or added."""
    data = bytearray(content)
    for _ in range(rng.integers(1, 5)):
        i, j = sorted(int(k) for k in rng.integers(0, len(data) + 1, 2))
        j = min(j, i + int(rng.integers(1, 64)))
        match rng.integers(5):
            case 0 if i < len(data):
                data[i] ^= 1 << int(rng.integers(8))
            case 1:
                del data[i:]
            case 2:
                data[i:j] = rng.bytes(j - i)
            case 3:
                data[i:i] = data[i:j]
            case _:
                del data[i:j]
        if not data:
            break
    return bytes(data)


def rewritten(content: bytes, rng: np.random.Generator) -> bytes:
    """Return an archive that is whole, of members that are not."""
    members = {}
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        for name in archive.namelist():
            members[name] = archive.read(name)
    name = str(rng.choice(sorted(members)))
    match rng.integers(5):
        case 0:
            members[name] = damaged(members[name], rng)
        case 1:
            members[name] = with_header(members[name], rng)
        case 2:
            del members[name]
        case 3:
            members[str(rng.choice(sorted(members)))] = members[name]
        case _:
            members["metadata.npy"] = with_description(members["metadata.npy"], rng)
    compression = zipfile.ZIP_DEFLATED if rng.random() < 0.05 else zipfile.ZIP_STORED
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", compression) as archive:
        for name, member in members.items():
            archive.writestr(name, member)
    return file.getvalue()


def with_header(member: bytes, rng: np.random.Generator) -> bytes:
    """Return an array whose header gives another shape or type."""
    number = str(rng.choice([0, 1, 3, 2**31, 2**62, -5])).encode()
    if rng.random() < 0.5:
        return re.sub(rb"'shape': \(\d*", b"'shape': (" + number, member, count=1)
    kind = str(rng.choice(["|O", "<f8", "<f4", "|V7", ">i2", "<U9", "|b1", "<M8[s]"])).encode()
    return re.sub(rb"'descr': '[^']*'", b"'descr': '" + kind + b"'", member, count=1)


def with_description(member: bytes, rng: np.random.Generator) -> bytes:
    """Return metadata with one value, at any depth, replaced or left out."""
    array = np.lib.format.read_array(io.BytesIO(member))
    description = json.loads(array.tobytes())
    places = [(description, key) for key in description]
    for container, key in places:
        inner = container[key]
        if isinstance(inner, dict | list):
            places += [(inner, k) for k in (inner if isinstance(inner, dict) else range(len(inner)))]
    container, key = places[rng.integers(len(places))]
    if rng.random() < 0.2:
        del container[key]
    else:
        container[key] = ODD_VALUES[rng.integers(len(ODD_VALUES))]
    file = io.BytesIO()
    np.lib.format.write_array(file, np.frombuffer(json.dumps(description).encode(), np.uint8))
    return file.getvalue()


def outcome(load: Callable[[str], object], path: Path) -> str:
    """Load a file; return what came of it, or raise what should not have."""
    size = path.stat().st_size
    tracemalloc.start()
    signal.setitimer(signal.ITIMER_REAL, SECONDS)
    try:
        load(str(path))
        result = "loaded"
    except OSError:
        result = "OSError"
    except ValueError as error:
        if path.name not in str(error):
            raise
        result = "ValueError"
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    if peak > 10 * size + WORKING_MEMORY:
        raise MemoryError(f"{peak} bytes for a file of {size}")
    return result


def fuzz(n: int, seed: int = 0) -> Counter[str]:
    """Load n damaged files; return how often what came of it. A file that breaks the loaders stays in the folder."""

    def too_long(*_: object) -> None:
        raise TimeoutError(f"it takes more than {SECONDS} s")

    signal.signal(signal.SIGALRM, too_long)
    outcomes: Counter[str] = Counter()
    files = originals()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "damaged.npz")
        for i in range(n):
            rng = np.random.default_rng([seed, i])
            kind = str(rng.choice(sorted(files)))
            load, content = files[kind]
            way = damaged if i % 2 else rewritten
            path.write_bytes(way(content, rng))
            try:
                outcomes[f"{way.__name__}: {outcome(load, path)}"] += 1
            except BaseException as error:
                error.add_note(f"{kind}, {way.__name__}, seed {seed}, file {i}")
                raise
    return outcomes


if __name__ == "__main__":
    started = time.perf_counter()
    n_files = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
    for what, count in sorted(fuzz(n_files).items()):
        print(f"{what:25} {count:6}")
    print(f"{n_files} files in {time.perf_counter() - started:.0f} s; nothing else was raised")
