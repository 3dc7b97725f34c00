"""Binary images to learn from: a user's own, in the formats they come in, and the digit sets of the experiments.

`load` reads one set of images: ``.npz``, ``.npy``, IDX, CSV, MATLAB's ``.mat``, or a folder of pictures. `load_file`
reads one to learn from and one to test on. `load_bundled` and `load_openml` give digits.
"""

from fastws.datasets.arrays import read_arrays
from fastws.datasets.digits import BUNDLED_THRESHOLD, DigitData, load_bundled, load_file
from fastws.datasets.loading import ImageSet, load
from fastws.datasets.openml import load_openml
from fastws.datasets.pixels import binarise, image_shape

__all__ = [
    "BUNDLED_THRESHOLD",
    "DigitData",
    "ImageSet",
    "binarise",
    "image_shape",
    "load",
    "load_bundled",
    "load_file",
    "load_openml",
    "read_arrays",
]
