"""Files that were written when the entropy coder was the package constriction 0.5.0; they have to keep their bytes.

`golden.json` was made by `python tests/golden.py` then, and is not to be made anew: a file that comes out otherwise
is one that nobody who has a file of an earlier fastws can read. Machines and images follow from whole numbers, so that
no generator of NumPy has a say.
"""

import hashlib
import itertools
import json
from pathlib import Path

import numpy as np

import fastws
from machines import parameter_arrays

PATH = Path(__file__).parent / "golden.json"
LARGEST_SEED = 2**64 - 1


def sequence(n, salt):
    """Return n numbers in [0, 1) that look random."""
    return ((np.arange(n, dtype=np.uint64) * 2654435761 + salt * 40503) ** 2 % 2**32 >> 8) / 2**24


def machine_of(case):
    """Return a machine whose parameters lie between minus and plus the scale."""
    machine = fastws.Machine(case["layer_sizes"])
    for salt, array in enumerate(parameter_arrays(machine)):
        array[...] = (case["scale"] * (2 * sequence(array.size, salt + 1) - 1)).reshape(array.shape)
    return machine


def images_of(case):
    """Return images of which the given part of the pixels is on."""
    shape = case["images"], case["layer_sizes"][0]
    return (sequence(shape[0] * shape[1], 99) < case["density"]).reshape(shape).astype(np.uint8)


def name_of(case):
    """Return a name for a test."""
    sizes = "-".join(map(str, case["layer_sizes"]))
    return f"{case['method']} {sizes} {case['scale']:g}"


def _cases():
    nets = [[1, 1], [5, 1], [16, 8, 1], [7, 3, 2, 5, 4], [130, 70, 65]]
    settings = zip(itertools.cycle((0, 7, LARGEST_SEED)), itertools.cycle((0.1, 0.5, 0.9, 1.0, 0.0)), strict=False)
    for sizes in nets:
        for scale in (0.0, 0.4, 3.0, 1e4):
            for method in ("bits-back", "two-part"):
                seed, density = next(settings)
                n = 1 if scale == 1e4 else 40 // sizes[0] + 2
                case = {"layer_sizes": sizes, "scale": scale, "images": n, "density": density}
                yield case | {"seed": seed, "method": method}
    for method in ("bits-back", "two-part"):
        case = {"layer_sizes": [64, 32, 16, 8], "scale": 1.5, "images": 500, "density": 0.3}
        yield case | {"seed": 3, "method": method}


def main():
    """Write the files, whole if they are small."""
    cases = []
    for case in _cases():
        blob = fastws.codec.compress(machine_of(case), images_of(case), case["seed"], case["method"])
        small = len(blob) < 1000
        cases.append(case | ({"hex": blob.hex()} if small else {"sha256": hashlib.sha256(blob).hexdigest()}))
    PATH.write_text("[\n" + ",\n".join(map(json.dumps, cases)) + "\n]\n")


if __name__ == "__main__":
    main()
