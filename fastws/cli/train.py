"""`fastws train`: any machine on any binary images, watched."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from fastws.cli.outputs import prepare_folder
from fastws.cli.reading import FORMATS, Binarise, Key, LabelColumn, Threshold, read_images
from fastws.cli.session import COMPILING, Json, Out, Seed, busy, learn, print_table, report, saving_on_interrupt
from fastws.cli.words import layer_sizes, numbers
from fastws.cli.words import schedule as schedule_of

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from fastws.experiments.training import TrainingRun
    from fastws.machine import Machine
    from fastws.simulation import Simulation

_SHOWN = 48


def train(
    data: Annotated[Path, typer.Option(help=f"Images: {FORMATS}.")],
    layers: Annotated[
        str | None, typer.Option(help="Units of the layers, input first, as in 64,16,16,4.", show_default=False)
    ] = None,
    groups: Annotated[
        str | None,
        typer.Option(
            help="Units of a softmax group of each layer, input first, of which one is on: 1,20 with --layers 64,20 is "
            "a mixture of 20 components.  \\[default: 1 everywhere, binary units]",
            show_default=False,
        ),
    ] = None,
    rates: Annotated[
        str | None,
        typer.Option(
            help="Learning rate, or one a level and one for the top layer's biases, with commas.  \\[default: 0.01]",
            show_default=False,
        ),
    ] = None,
    sweeps: Annotated[
        int | None,
        typer.Option(min=1, help="How often each image is visited.  \\[default: 100]", show_default=False),
    ] = None,
    schedule: Annotated[
        str | None,
        typer.Option(
            help="In the place of --rates and --sweeps: phases, as in '20s:0.1 100000:0.1,0.01', which is 20 sweeps at "
            "0.1 and then 100,000 examples at 0.1 and 0.01.",
            show_default=False,
        ),
    ] = None,
    nonnegative: Annotated[
        bool, typer.Option("--nonnegative", help="Hold the generative weights to the inputs at 0 or above.")
    ] = False,
    samples: Annotated[
        int, typer.Option(min=1, help="How many representations of each image to learn from, weighted.")
    ] = 1,
    recognition: Annotated[
        str,
        typer.Option(
            help="From what recognition learns: sleep, which is fantasies; wake, the representations (with --samples 2 "
            "or more); both."
        ),
    ] = "sleep",
    validation: Annotated[
        float | None,
        typer.Option(help="The part of the images to hold out, by the seed, as 0.1; the best machine on them is kept."),
    ] = None,
    patience: Annotated[
        int | None,
        typer.Option(
            min=1,
            help="With --validation: stop after so many sweeps without a lower free energy of the images held out.  "
            "\\[default: 10]",
            show_default=False,
        ),
    ] = None,
    resume_from: Annotated[
        Path | None,
        typer.Option(metavar="MODEL.npz", help="Go on from a saved machine in the place of an untrained one."),
    ] = None,
    key: Key = None,
    threshold: Threshold = None,
    binarise: Binarise = None,
    label_column: LabelColumn = None,
    seed: Seed = 0,
    out: Out = None,
    json: Json = False,
) -> None:
    """Train a machine on any binary images, and show how it learned.

    Writes the machine, result.json, the learning curve and fantasies beside the data into the folder.
    """
    from fastws.experiments.training import PATIENCE, new_training

    if patience is not None and validation is None:
        raise ValueError("--patience goes with --validation, which says what part of the images to hold out.")
    _check_recognition(recognition, samples)
    machine = _machine_to_train(layers, groups, resume_from)
    images = read_images(data, "train", key, threshold, binarise, label_column)
    n_pixels, found = machine.layer_sizes[0], images.x.shape[1]
    if n_pixels != found:
        where = f"--layers begins with {n_pixels}" if layers else f"the machine of {resume_from} has {n_pixels}"
        raise ValueError(f"{where} input units; the images have {found} pixels.")
    if samples > 1:
        _check_binary_units(machine)
    x, held_out = images.x, None
    if validation is not None:
        x, held_out = _hold_out(x, validation, seed)
    phases = _phases(rates, sweeps, schedule, len(x), len(machine.layer_sizes))
    run = new_training(machine, x, phases, held_out, patience or PATIENCE, nonnegative, seed, samples, recognition)
    _finish_training(run, images.image_shape, prepare_folder(out or Path("fastws-train")), json)


def _check_recognition(recognition: str, samples: int) -> None:
    from fastws.reweighted import RECOGNITION

    if recognition not in RECOGNITION:
        raise ValueError(f"--recognition is {recognition!r}; choose one of {', '.join(RECOGNITION)}.")
    if recognition != "sleep" and samples == 1:
        raise ValueError(
            f"--recognition {recognition} learns nothing from one representation an image, since the expected gradient "
            "is zero; give --samples 2 or more."
        )


def _check_binary_units(machine: "Machine") -> None:
    from fastws.softmax import check_binary_units

    check_binary_units(machine, "--samples 2 or more")


def _machine_to_train(layers: str | None, groups: str | None, resume_from: Path | None) -> "Machine":
    from fastws.machine import Machine
    from fastws.softmax import check_groups

    sizes = None if layers is None else layer_sizes(layers, "--layers")
    of_groups = None if groups is None else layer_sizes(groups, "--groups")
    if resume_from is None:
        if sizes is None:
            raise ValueError("--layers is missing; give the units of the layers, input first, as in 64,16,16,4.")
        return Machine(sizes, check_groups(of_groups, tuple(sizes), "--groups"))
    machine = Machine.load(resume_from)
    for option, text, given, held in (
        ("--layers", layers, sizes, machine.layer_sizes),
        ("--groups", groups, of_groups, machine.groups),
    ):
        if given is not None and tuple(given) != held:
            raise ValueError(f"{option} is {text}, but {resume_from} holds {machine}; leave {option} out.")
    return machine


def _hold_out(x: "NDArray[np.uint8]", part: float, seed: int) -> "tuple[NDArray[np.uint8], NDArray[np.uint8]]":
    from fastws.experiments.training import hold_out

    try:
        return hold_out(x, part, seed)
    except ValueError as error:
        raise ValueError(f"--validation: {error}") from error


def _phases(
    rates: str | None, sweeps: int | None, phases: str | None, n_images: int, n_levels: int
) -> list[tuple[int, Any]]:
    from fastws.checks import check_rates
    from fastws.experiments.training import DEFAULT_RATE, DEFAULT_SWEEPS

    if phases is not None:
        if rates is not None or sweeps is not None:
            raise ValueError("--schedule says the rates and the sweeps; leave --rates and --sweeps out.")
        found = schedule_of(phases, n_images, "--schedule")
    else:
        values = [DEFAULT_RATE] if rates is None else numbers(rates, "--rates")
        found = [((sweeps or DEFAULT_SWEEPS) * n_images, values)]
    option = "--rates" if phases is None else "the rates in --schedule"
    return [(n, check_rates(r[0] if len(r) == 1 else r, n_levels, option)) for n, r in found]


def resume_train(simulations: "list[Simulation]", notes: dict[str, Any], folder: Path, as_json: bool) -> None:
    """Go on with an interrupted `fastws train`."""
    from fastws.experiments.training import TrainingRun

    _finish_training(TrainingRun.restored(simulations, notes["run"]), tuple(notes["shape"]), folder, as_json)


def _finish_training(run: "TrainingRun", image_shape: tuple[int, int], folder: Path, as_json: bool) -> None:
    from fastws.simulation import save_runs

    def save(path: Path) -> None:
        save_runs(path, run.simulations(), {"command": "train", "run": run.notes(), "shape": image_shape})

    with saving_on_interrupt(folder, save):
        with busy(COMPILING):
            run.compile()
        learn([run.simulation], [run.run])
        with busy("Measuring"):
            result = run.result()
        run.machine.save(folder / "machine.npz")
        files = [folder / "machine.npz", *_draw(run, image_shape, folder)]
        report(result, folder, files, as_json, lambda: _print_training(run, result))


def _draw(run: "TrainingRun", image_shape: tuple[int, int], folder: Path) -> list[Path]:
    from fastws import plotting

    seen, training, *rest = zip(*run.curve, strict=True)
    held_out, kept_at = (rest[0], run.kept_at) if rest else (None, None)
    curve = plotting.free_energy_curve(seen, training, held_out, kept_at)
    # Images may be sorted by what they are.
    shown = run.images[:: max(1, len(run.images) // _SHOWN)][:_SHOWN]
    beside = plotting.samples(shown, run.machine.fantasies(len(shown), run.simulation.seed), image_shape)
    figures = {"learning-curve": curve, "fantasies": beside}
    return [path for name, figure in figures.items() for path in plotting.save(figure, folder / name)]


def _print_training(run: "TrainingRun", result: dict[str, Any]) -> None:
    n_pixels = run.images.shape[1]
    rows = [
        ("examples", f"{result['examples']:,}"),
        ("free energy of a training image", f"{result['free_energy_bits']:.2f} bits of {n_pixels}"),
    ]
    if run.held_out is not None:
        rows += [
            ("free energy of an image held out", f"{result['held_out_free_energy_bits']:.2f} bits of {n_pixels}"),
            ("the machine kept, after examples", f"{result['kept_at']:,}"),
        ]
    rows.append(("time learning", f"{result['seconds']:.2f} s"))
    print_table(f"{run.machine}, seed {result['seed']}", ["", "this run"], rows)
    if result.get("stopped_early"):
        print(
            f"Stopped early: {run.patience} sweeps brought no lower free energy of the {result['n_held_out']:,} images "
            "held out."
        )
