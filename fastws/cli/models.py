"""Commands on any machine: evaluate, fantasies, show."""

from pathlib import Path
from typing import Annotated, Any

import typer

from fastws.cli.outputs import check_output, prepare_folder, write_table
from fastws.cli.reading import Binarise, Data, Key, LabelColumn, Threshold, read_images
from fastws.cli.session import Json, Out, Seed, busy, print_table, report, with_interval
from fastws.cli.words import image_shape, whole_numbers

Model = Annotated[Path, typer.Argument(metavar="MODEL.npz", help="A machine that fastws saved.")]
Shape = Annotated[
    str | None, typer.Option(help="Height and width of an image, as in 8x8.  \\[default: a square]", show_default=False)
]


def evaluate(
    model: Model,
    data: Data,
    samples: Annotated[
        str,
        typer.Option(help="Representations drawn an image; or several numbers, as in 1,10,100, for a bound each."),
    ] = "100",
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
    from fastws.experiments.intervals import interval
    from fastws.machine import Machine

    counts = sorted(set(whole_numbers(samples, "--samples", "1,10,100")))
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
            by_count = {n: estimate.measures(machine, images, n, seed) for n in counts}
            bits = by_count[counts[-1]]._asdict()
    if per_image is not None:
        write_table(per_image, image_set, {name: values.tolist() for name, values in bits.items()})
    means = {name: interval(values.tolist()) for name, values in bits.items()}
    bounds = [] if enumerable else [(n, *interval(found.neg_log_prob_bits.tolist())) for n, found in by_count.items()]
    if json:
        result: dict[str, Any] = {name: mean for name, (mean, _) in means.items()}
        result |= {"n_images": len(images), "exact": enumerable}
        result["half_intervals"] = {name: half for name, (_, half) in means.items()}
        result["bounds"] = [{"n_samples": n, "bits": mean, "half_interval_bits": half} for n, mean, half in bounds]
        print(json_module.dumps(result))
        return
    how = "exactly" if enumerable else f"by {counts[-1]:,} representations drawn an image"
    rows = [
        ("description length C(α, d), Eq 3", with_interval(*means["description_length_bits"], 3)),
        ("free energy C(d), Eq 5", with_interval(*means["free_energy_bits"], 3)),
    ]
    if enumerable:
        rows.append(("-log2 P(d)", with_interval(*means["neg_log_prob_bits"], 3)))
    for n, mean, half in bounds:
        by = "by importance weighting" if len(bounds) == 1 else f"by {n:,} weighted"
        rows.append((f"-log2 P(d), an upper bound {by}", with_interval(mean, half, 3)))
    title = f"{machine} on {len(images)} images of {images.shape[1]} pixels, {how}"
    print_table(title, ["mean over the images", "bits"], rows)
    if len(images) > 1:
        print("± is half a 95 % interval of the mean over images like these.")
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
