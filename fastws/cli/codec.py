"""`fastws compress` and `fastws decompress`: images sent by bits-back."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from fastws.cli.models import Model, Shape
from fastws.cli.outputs import check_output
from fastws.cli.reading import Binarise, Data, Key, LabelColumn, Threshold, read_images
from fastws.cli.session import Json, Seed, print_table, progress_bar
from fastws.cli.words import image_shape

if TYPE_CHECKING:
    from fastws.codec import Description
    from fastws.experiments.compression import Rates

_LABELS = {
    "raw_bits": "raw, a bit a pixel",
    "gzip_bits": "gzip",
    "lzma_bits": "lzma",
    "png_bits": "PNG, one sheet of all images",
    "two_part_bits": "two-part",
    "bits_back_bits": "bits-back",
    "free_energy_bits": "free energy C(d), Eq 5",
    "neg_log_prob_bits": "-log2 P(d), importance-weighted bound",
}


def compress(
    model: Model,
    data: Data,
    out: Annotated[Path, typer.Argument(metavar="OUT.fws", help="The file to write.")],
    method: Annotated[
        str, typer.Option(help="bits-back, or two-part: the bits of choosing a representation do not come back.")
    ] = "bits-back",
    samples: Annotated[int, typer.Option(min=1, help="Representations drawn an image, for the table.")] = 10,
    shape: Shape = None,
    key: Key = None,
    threshold: Threshold = None,
    binarise: Binarise = None,
    label_column: LabelColumn = None,
    seed: Seed = 0,
    json: Json = False,
) -> None:
    """Compress images with a machine, to their free energy, and say beside it what other ways would take.

    Only the same machine can decompress them; it is not part of the file.
    """
    import json as json_module
    from dataclasses import asdict

    from fastws import codec
    from fastws.experiments.compression import rates
    from fastws.files import write_atomically
    from fastws.machine import Machine

    codec.check_method(method)
    check_output(out, model, data)
    machine = Machine.load(model)
    image_set = read_images(data, "test", key, threshold, binarise, label_column)
    images = image_set.x
    height_width = image_set.image_shape if shape is None else image_shape(shape, images.shape[1])
    blobs = {}
    for name in codec.METHODS:
        with progress_bar(f"Compressing, {name}", len(images)) as show:
            blobs[name] = codec.compress(machine, images, seed, name, height_width, show)
    write_atomically(out, lambda file: file.write(blobs[method]))
    about = codec.describe(blobs[method])
    found = rates(machine, images, blobs, height_width, samples, seed)
    if json:
        result: dict[str, Any] = asdict(about) | asdict(found) | {"net_bits": about.net_bits}
        print(json_module.dumps(result))
        return
    _print(found, about, f"{machine} on {about.n_images:,} images of {images.shape[1]} pixels")
    print(f"Written to {out}: {len(blobs[method]):,} bytes by {method}.")


def decompress(
    model: Annotated[Path, typer.Argument(metavar="MODEL.npz", help="The machine that compressed the images.")],
    compressed: Annotated[Path, typer.Argument(metavar="IN.fws", help="What fastws compress wrote.")],
    out: Annotated[Path, typer.Argument(metavar="DATA.npz", help="The file to write: the arrays x and shape.")],
    json: Json = False,
) -> None:
    """Give back the images that `fastws compress` compressed, exactly."""
    import json as json_module
    from dataclasses import asdict

    import numpy as np

    from fastws import codec
    from fastws.files import write_atomically
    from fastws.machine import Machine

    check_output(out, model, compressed)
    machine = Machine.load(model)
    blob = compressed.read_bytes()
    about = codec.describe(blob)
    with progress_bar("Decompressing", about.n_images) as show:
        images = codec.decompress(machine, blob, show)
    write_atomically(out, lambda file: np.savez_compressed(file, x=images, shape=about.image_shape))
    if json:
        print(json_module.dumps(asdict(about)))
        return
    height, width = about.image_shape
    print(f"Written to {out}: {about.n_images:,} images of {height} x {width} pixels.")


def _print(found: "Rates", about: "Description", title: str) -> None:
    from dataclasses import asdict

    rows = [
        (_LABELS[name], f"{bits:.3f}", f"{bits / found.free_energy_bits - 1:+.1%}")
        for name, bits in asdict(found).items()
    ]
    print_table(title, ["", "bits an image", "over the free energy"], rows)
    print(
        f"Once a file, not in the table: {about.initial_bits} bits to choose the first representation with, and "
        f"{about.header_bits} bits of header and checksum; "
        f"{(about.initial_bits + about.header_bits) / about.n_images:.3f} bits an image here."
    )
