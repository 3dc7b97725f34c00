"""Commands on any machine: evaluate, fantasies, show."""

from pathlib import Path
from typing import Annotated, Any

import typer

from fastws.cli.outputs import check_output, prepare_folder, write_table
from fastws.cli.reading import Binarise, Data, Key, LabelColumn, Threshold, read_images
from fastws.cli.session import Json, Out, Seed, busy, print_table, report
from fastws.cli.words import image_shape

Model = Annotated[Path, typer.Argument(metavar="MODEL.npz", help="A machine that fastws saved.")]
Shape = Annotated[
    str | None, typer.Option(help="Height and width of an image, as in 8x8.  \\[default: a square]", show_default=False)
]


def evaluate(
    model: Model,
    data: Data,
    samples: Annotated[int, typer.Option(min=1, help="Representations drawn an image.")] = 100,
    per_image: Annotated[
        Path | None,
        typer.Option(metavar="FILE.csv", help="Write what each image takes into this table, too.", show_default=False),
    ] = None,
    key: Key = None,
    threshold: Threshold = None,
    binarise: Binarise = None,
    label_column: LabelColumn = None,
    seed: Seed = 0,
    json: Json = False,
) -> None:
    """Say in how many bits a machine describes images: exactly where it has at most 20 hidden units, or by sampling."""
    import json as json_module

    from fastws import estimate, exact
    from fastws.machine import Machine

    machine = Machine.load(model)
    if per_image is not None:
        check_output(per_image, model, data)
    image_set = read_images(data, "test", key, threshold, binarise, label_column)
    images = image_set.x
    enumerable = exact.is_enumerable(machine)
    with busy(f"Measuring {len(images):,} images"):
        if enumerable:
            exactly = exact.measures(machine, images)._asdict()
            bits = {name: exactly[name] for name in estimate.Measures._fields}
        else:
            bits = estimate.measures(machine, images, samples, seed)._asdict()
    if per_image is not None:
        write_table(per_image, image_set, {name: values.tolist() for name, values in bits.items()})
    result: dict[str, Any] = {name: float(values.mean()) for name, values in bits.items()}
    result |= {"n_images": len(images), "exact": enumerable}
    if json:
        print(json_module.dumps(result))
        return
    how = "exactly" if enumerable else f"by {samples} representations drawn an image"
    bound = "-log2 P(d)" if enumerable else "-log2 P(d), an upper bound by importance weighting"
    rows = [
        ("description length C(α, d), Eq 3", f"{result['description_length_bits']:.3f}"),
        ("free energy C(d), Eq 5", f"{result['free_energy_bits']:.3f}"),
        (bound, f"{result['neg_log_prob_bits']:.3f}"),
    ]
    title = f"{machine} on {len(images)} images of {images.shape[1]} pixels, {how}"
    print_table(title, ["mean over the images", "bits"], rows)
    if per_image is not None:
        print(f"Written to {per_image}: a row an image.")


def fantasies(
    model: Model,
    n: Annotated[int, typer.Option("-n", "--number", min=1, help="How many.")] = 48,
    seed: Seed = 0,
    shape: Shape = None,
    out: Out = None,
    json: Json = False,
) -> None:
    """Draw fantasies from a machine: a picture, and their pixels as fantasies.npz."""
    import numpy as np

    from fastws import plotting
    from fastws.files import write_atomically
    from fastws.machine import Machine

    machine = Machine.load(model)
    height_width = image_shape(shape, machine.layer_sizes[0])
    folder = prepare_folder(out or Path("fastws-fantasies"))
    pixels = check_output(folder / "fantasies.npz", model)
    images = machine.fantasies(n, seed)
    write_atomically(pixels, lambda file: np.savez_compressed(file, x=images, shape=height_width))
    files = [pixels, *plotting.save(plotting.fantasies(machine, n, height_width, seed), folder / "fantasies")]
    report({"n": n, "seed": seed}, folder, files, json, lambda: print(f"{n} fantasies of {machine}."))


def show(model: Model, shape: Shape = None, out: Out = None, json: Json = False) -> None:
    """Draw the generative weights of a machine as in Figure 1c (a Hinton diagram)."""
    from fastws import plotting
    from fastws.machine import Machine

    machine = Machine.load(model)
    height_width = image_shape(shape, machine.layer_sizes[0])
    folder = prepare_folder(out or Path("fastws-show"))
    files = plotting.save(plotting.hinton(machine, height_width), folder / "weights")
    result = machine.made_with()
    report(result, folder, files, json, lambda: print(f"The generative weights of {machine}."))
