"""Binary images to learn from: a user's own, in the formats they come in, and the digit sets of the experiments.

`load` reads one set of images: ``.npz``, ``.npy``, IDX, CSV, MATLAB's ``.mat``, or a folder of pictures. `load_file`
reads one to learn from and one to test on. `load_bundled` and `load_openml` give digits.
"""

from fastws.datasets.arrays import read_arrays
from fastws.datasets.digits import (
    BUNDLED_THRESHOLD,
    BUNDLED_TRAINING_IMAGES,
    DigitData,
    load_bundled,
    load_file,
)
from fastws.datasets.loading import ImageSet, load
from fastws.datasets.openml import average_fields, load_openml, reduce_image
from fastws.datasets.pixels import binarise, given_shape, image_shape

__all__ = [
    "BUNDLED_THRESHOLD",
    "BUNDLED_TRAINING_IMAGES",
    "DigitData",
    "ImageSet",
    "average_fields",
    "binarise",
    "given_shape",
    "image_shape",
    "load",
    "load_bundled",
    "load_file",
    "load_openml",
    "read_arrays",
    "reduce_image",
]
