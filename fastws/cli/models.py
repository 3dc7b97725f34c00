"""Commands on any machine and any binary data: train, evaluate, fantasies, show."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from fastws.cli.session import (
    Json,
    Out,
    Seed,
    learn,
    prepare_folder,
    print_table,
    report,
    saving_on_interrupt,
)
from fastws.cli.words import image_shape, layer_sizes, numbers

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from fastws.simulation import Simulation

Model = Annotated[Path, typer.Argument(metavar="MODEL.npz", help="A machine that fastws saved.")]
Threshold = Annotated[float | None, typer.Option(help="Pixels above it are on; without one they must be 0 or 1.")]
Shape = Annotated[
    str | None, typer.Option(help="Height and width of an image, as in 8x8.  \\[default: a square]", show_default=False)
]


def train(
    data: Annotated[Path, typer.Option(help="An .npz with x_train or x, or an .npy: a row an image.")],
    layers: Annotated[str, typer.Option(help="Units of the layers, input first, as in 64,16,16,4.")],
    rates: Annotated[
        str, typer.Option(help="Learning rate, or one a level and one for the top layer's biases, with commas.")
    ] = "0.01",
    sweeps: Annotated[int, typer.Option(min=1, help="How often each image is visited.")] = 100,
    nonnegative: Annotated[
        bool, typer.Option("--nonnegative", help="Hold the generative weights to the inputs at 0 or above.")
    ] = False,
    threshold: Threshold = None,
    seed: Seed = 0,
    out: Out = None,
    json: Json = False,
) -> None:
    """Train a machine on any binary images."""
    from fastws.checks import check_rates
    from fastws.machine import Machine
    from fastws.simulation import Simulation
    from fastws.streams import Images

    images = Images(read_images(data, threshold, ("x_train", "x")))
    sizes = layer_sizes(layers, "--layers")
    if sizes[0] != images.n_inputs:
        raise ValueError(f"--layers begins with {sizes[0]} input units; the images have {images.n_inputs} pixels.")
    machine = Machine(sizes)
    values = numbers(rates, "--rates")
    level_rates = check_rates(values[0] if len(values) == 1 else values, len(sizes), "--rates")
    schedule = [(sweeps * len(images), level_rates)]
    run = Simulation(machine, images, schedule, nonnegative, seed)
    _finish_training(run, prepare_folder(out or Path("fastws-train")), json)


def resume_train(simulations: "list[Simulation]", notes: dict[str, Any], folder: Path, as_json: bool) -> None:
    """Go on with an interrupted `fastws train`."""
    _finish_training(simulations[0], folder, as_json)


def _finish_training(run: "Simulation", folder: Path, as_json: bool) -> None:
    import time

    from fastws import estimate
    from fastws.simulation import save_runs

    with saving_on_interrupt(folder, lambda path: save_runs(path, [run], {"command": "train"})):
        compile_seconds = run.compile()
        started = time.perf_counter()
        learn([run], [lambda check: run.advance(progress=check)])
        seconds = time.perf_counter() - started
        run.machine.save(folder / "machine.npz")
        images = run.stream.x  # type: ignore[union-attr]
        free_energy = float(estimate.free_energy_bits(run.machine, images).mean())
        result = {
            "seed": run.seed,
            "layer_sizes": run.machine.layer_sizes,
            "examples": run.examples_seen,
            "free_energy_bits": free_energy,
            "seconds": seconds,
            "compile_seconds": compile_seconds,
        }
        rows = [
            ("examples", f"{run.examples_seen:,}"),
            ("free energy of a training image", f"{free_energy:.2f} bits of {images.shape[1]}"),
            ("time learning", f"{seconds:.2f} s"),
        ]
        title = f"{run.machine}, seed {run.seed}"
        report(result, folder, [folder / "machine.npz"], as_json, lambda: print_table(title, ["", "this run"], rows))


def evaluate(
    model: Model,
    data: Annotated[Path, typer.Argument(metavar="DATA", help="An .npz with x_test, x or x_train, or an .npy.")],
    samples: Annotated[int, typer.Option(min=1, help="Representations drawn an image.")] = 100,
    threshold: Threshold = None,
    seed: Seed = 0,
    json: Json = False,
) -> None:
    """Say in how many bits a machine describes images: exactly where it has at most 20 hidden units, or by sampling."""
    import json as json_module

    from fastws import estimate, exact
    from fastws.machine import Machine

    machine = Machine.load(model)
    images = read_images(data, threshold, ("x_test", "x", "x_train"))
    enumerable = sum(machine.layer_sizes[1:]) <= exact.MAX_HIDDEN
    if enumerable:
        bits = {
            "description_length_bits": exact.description_length_bits(machine, images),
            "free_energy_bits": exact.free_energy_bits(machine, images),
            "neg_log_prob_bits": exact.neg_log_prob_bits(machine, images),
        }
    else:
        bits = estimate.measures(machine, images, samples, seed)._asdict()
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
    images = machine.fantasies(n, seed)
    pixels = folder / "fantasies.npz"
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
    result = {"layer_sizes": machine.layer_sizes}
    report(result, folder, files, json, lambda: print(f"The generative weights of {machine}."))


def read_images(path: Path, threshold: float | None, names: tuple[str, ...]) -> "NDArray[np.uint8]":
    """Return the binary images of a file: the first array that it has of these names.

    Raises
    ------
    OSError, ValueError
        If there are none.
    """
    from fastws.datasets import binarise, read_arrays

    arrays = read_arrays(path)
    for name in names:
        if name in arrays:
            return binarise(arrays[name], threshold, name)
    raise ValueError(f"{path} has no array named {' or '.join(names)}; it has {', '.join(arrays) or 'nothing'}.")
