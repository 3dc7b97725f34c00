"""`fastws represent`: what a machine makes of images, for other programs."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from fastws.cli.models import Model
from fastws.cli.outputs import check_output
from fastws.cli.reading import Binarise, Data, Key, LabelColumn, Threshold, read_images
from fastws.cli.session import Json, Seed, busy

if TYPE_CHECKING:
    from numpy.typing import NDArray


def represent(
    model: Model,
    data: Data,
    out: Annotated[Path, typer.Argument(metavar="OUT.npz", help="The file to write: layer_1, layer_2 and so on.")],
    probabilities: Annotated[
        bool,
        typer.Option(
            "--probabilities", help="Write recognition probabilities, of which none is drawn, and not states."
        ),
    ] = False,
    key: Key = None,
    threshold: Threshold = None,
    binarise: Binarise = None,
    label_column: LabelColumn = None,
    seed: Seed = 0,
    json: Json = False,
) -> None:
    """Write the hidden states that recognition draws for each image, an array a layer, and its labels."""
    import json as json_module

    import numpy as np

    from fastws.files import write_atomically
    from fastws.machine import Machine

    machine = Machine.load(model)
    check_output(out, model, data)
    images = read_images(data, "test", key, threshold, binarise, label_column, labels=True)
    layers: Sequence[NDArray[Any]]
    with busy(f"Reading {len(images.x):,} images"):
        if probabilities:
            layers = machine.recognition_probabilities(images.x)
        else:
            layers = machine.representations(images.x, seed)
    arrays: dict[str, Any] = {f"layer_{number}": layer for number, layer in enumerate(layers, start=1)}
    beside = {"y": images.y, "files": images.files}
    everything = arrays | {name: array for name, array in beside.items() if array is not None}
    write_atomically(out, lambda file: np.savez_compressed(file, **everything))
    kind = "probabilities" if probabilities else "states"
    if json:
        shapes = {name: list(array.shape) for name, array in arrays.items()}
        print(json_module.dumps({"n_images": len(images.x), "kind": kind, "layers": shapes, "seed": seed}))
        return
    print(f"Written to {out}: recognition {kind} of {len(images.x):,} images: {', '.join(everything)}.")
