"""`fastws digits`: Figure 2 of the paper."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from fastws.cli.outputs import prepare_folder
from fastws.cli.reading import FORMATS, Binarise, Key, LabelColumn
from fastws.cli.session import (
    COMPILING,
    Json,
    Out,
    Seed,
    busy,
    complain,
    learn,
    print_table,
    progress_bar,
    report,
    saving_on_interrupt,
)

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from numpy.typing import NDArray

    from fastws.datasets import DigitData
    from fastws.experiments.digits import Backprop, Baselines, DigitRun, Reading
    from fastws.machine import Machine
    from fastws.simulation import Simulation

_SAMPLES = 24
_NAMED = ("bundled", "usps", "mnist")


def digits(
    data: Annotated[
        str,
        typer.Option(
            help="bundled: scikit-learn's digits; usps or mnist: from OpenML; or labelled images of your own: "
            f"{FORMATS}. An .npz has x_train, y_train, x_test, y_test, or x and y; a third is held out where there are "
            "no test images."
        ),
    ] = "bundled",
    threshold: Annotated[
        float | None, typer.Option(help="Pixels above it are on.  \\[bundled digits: 8 of 16]", show_default=False)
    ] = None,
    seed: Seed = 0,
    sweeps: Annotated[int, typer.Option(min=1, help="How often each net visits each of its images.")] = 500,
    hidden: Annotated[str, typer.Option(help="Units of the hidden layers of each net, first to top.")] = "16,16,4",
    baselines: Annotated[
        str | None,
        typer.Option(
            help="What to compare with: none; nearest, the nearest neighbours; or all, also backpropagation.  "
            "\\[default: all, or nearest where backpropagation would take more than a minute]",
            show_default=False,
        ),
    ] = None,
    key: Key = None,
    binarise: Binarise = None,
    label_column: LabelColumn = None,
    out: Out = None,
    json: Json = False,
) -> None:
    """Reproduce Figure 2: a net a digit; an image is the digit whose net describes it in the fewest bits.

    Prints the error beside the paper's and beside nearest neighbours and backpropagation on the same images. Writes
    the nets as soon as they have learned, and at the end result.json and the pictures, into the folder.
    """
    from fastws.cli.words import layer_sizes
    from fastws.experiments.digits import BASELINES, Baselines, new_runs

    if baselines not in (None, *BASELINES):
        raise ValueError(f"--baselines is {baselines!r}; choose one of {', '.join(BASELINES)}.")
    # `fastws resume` may be called from another folder.
    origin = data if data in _NAMED else os.path.abspath(data)
    source = {
        "data": origin,
        "threshold": threshold,
        "seed": seed,
        "key": key,
        "binarise": binarise,
        "label_column": label_column,
    }
    images = _load(source)
    runs = new_runs(images, seed, sweeps, layer_sizes(hidden, "--hidden"))
    folder = prepare_folder(out or Path("fastws-digits"))
    _finish(runs, images, source, Baselines(_choose(baselines, images)), folder, json)


def _choose(baselines: str | None, data: "DigitData") -> str:
    """Return the baselines asked for, or those that do not take long, saying so."""
    from fastws.experiments.digits import QUICK_SECONDS, baseline_seconds

    if baselines == "none":
        return baselines
    seconds = baseline_seconds(data)
    said = {name: _duration(value) for name, value in seconds.items()}
    if baselines is None:
        baselines = "all" if seconds["backprop"] <= QUICK_SECONDS else "nearest"
        if baselines == "nearest":
            complain(
                f"Backpropagation, for comparison, is left out: it would take {said['backprop']} on two cores. "
                "--baselines all does it."
            )
    also = f", and backpropagation {said['backprop']}" if baselines == "all" else ""
    complain(f"After learning, the nearest neighbours will take {said['nearest']}{also}.")
    return baselines


def _duration(seconds: float) -> str:
    for size, unit in ((3600, "hours"), (60, "minutes")):
        if seconds >= 2 * size:
            return f"about {seconds / size:.0f} {unit}"
    return f"about {max(1, seconds):.0f} s"


def resume_digits(simulations: "list[Simulation]", notes: dict[str, Any], folder: Path, as_json: bool) -> None:
    """Go on with an interrupted `fastws digits`."""
    from fastws.experiments.digits import Baselines, DigitRun, are_of

    source = notes["source"]
    runs = [DigitRun.resumed(*pair) for pair in zip(simulations, notes["runs"], strict=True)]
    data = _load(source)
    if not are_of(runs, data):
        raise ValueError(f"{data.name} has other training images than when the run began; put the old ones back.")
    _finish(runs, data, source, Baselines.restored(notes["baselines"]), folder, as_json)


def _load(source: dict[str, Any]) -> "DigitData":
    from fastws import datasets

    data, threshold, seed = source["data"], source["threshold"], source["seed"]
    ways = {name: source[name] for name in ("key", "binarise", "label_column")}
    if data in _NAMED:
        for name, value in ways.items():
            if value is not None:
                raise ValueError(f"--{name.replace('_', '-')} goes with images of your own, not with --data {data}.")
    if data == "bundled":
        return datasets.load_bundled(seed, datasets.BUNDLED_THRESHOLD if threshold is None else threshold)
    if data in _NAMED:
        if threshold is not None:
            raise ValueError(f"--threshold does not go with --data {data}, which has its own.")
        return datasets.load_openml(data)
    with busy(f"Reading {data}"):
        return datasets.load_file(data, threshold, seed, **ways)


def _finish(
    runs: "list[DigitRun]",
    data: "DigitData",
    source: dict[str, Any],
    baselines: "Baselines",
    folder: Path,
    as_json: bool,
) -> None:
    import numpy as np

    from fastws.experiments import digits as experiment
    from fastws.simulation import save_runs

    simulations = [run.simulation for run in runs]

    def save(path: Path) -> None:
        notes = {
            "command": "digits",
            "source": source,
            "runs": [run.notes() for run in runs],
            "baselines": baselines.notes(),
        }
        save_runs(path, simulations, notes)

    seed = source["seed"]
    with saving_on_interrupt(folder, save):
        with busy(COMPILING):
            runs[0].compile()
        learn(simulations, [run.run for run in runs])
        machines = [simulation.machine for simulation in simulations]
        files = _save(machines, np.unique(data.y_train), folder)
        with progress_bar("Reading the test images", len(data.x_test)) as show:
            reading = experiment.read(machines, data, seed, watch=show)
        nearest_neighbour, backprop = _compare(data, seed, baselines)
        files += _draw(runs, reading, data, seed, folder)
        result = experiment.result(runs, reading, data, nearest_neighbour, backprop, seed)
        report(result, folder, files, as_json, lambda: _print(result, reading, data, backprop))


def _save(machines: "list[Machine]", classes: "NDArray[Any]", folder: Path) -> list[Path]:
    from fastws.filenames import file_names

    files = [folder / f"machine-{name}.npz" for name in file_names(classes)]
    for file, label, machine in zip(files, classes, machines, strict=True):
        machine.label = label
        machine.save(file)
    return files


def _compare(data: "DigitData", seed: int, so_far: "Baselines") -> "tuple[float | None, Backprop | None]":
    """Return the error of the nearest neighbours, and the best supervised net, or None for what is not wanted."""
    from fastws.experiments import digits as experiment

    if so_far.wanted == "none":
        return None, None
    with progress_bar("Nearest neighbours, for comparison", len(data.x_test), so_far.nearest.n_compared) as show:
        nearest = experiment.nearest_neighbour_error(data, show, so_far.nearest)
    if so_far.wanted == "nearest":
        return nearest, None
    done = experiment.BACKPROP_SWEEPS * len(so_far.nets)
    with progress_bar("Backpropagation, for comparison", experiment.BACKPROP_TOTAL, done) as show:
        return nearest, experiment.backprop(data, seed, show, so_far.nets)


def _draw(runs: "list[DigitRun]", reading: "Reading", data: "DigitData", seed: int, folder: Path) -> list[Path]:
    import numpy as np

    from fastws import plotting

    classes = [str(label) for label in reading.classes]
    examples = {label: run.images[:_SAMPLES] for label, run in zip(classes, runs, strict=True)}
    fantasies = {
        label: run.simulation.machine.fantasies(_SAMPLES, seed) for label, run in zip(classes, runs, strict=True)
    }
    sweeps = [seen / len(runs[0].images) for seen, _ in runs[0].curve]
    bits = {label: [bits for _, bits in run.curve] for label, run in zip(classes, runs, strict=True)}
    figures: dict[str, Figure] = {
        "fig2-digits": plotting.digit_samples(examples, fantasies, data.image_shape),
        "description-length": plotting.description_length_curve(sweeps, bits),
        "confusion": plotting.confusion(reading.confusion(), classes),
    }
    wrong = np.flatnonzero(reading.chosen() != reading.labels)
    if len(wrong):
        costs = reading.bits["description_length"][wrong]
        order = costs.argsort(axis=1)
        best, second = order[:, 0], order[:, 1]
        rows = np.arange(len(wrong))
        figures["misread"] = plotting.misread(
            data.x_test[wrong],
            list(reading.labels[wrong]),
            list(reading.classes[best]),
            costs[rows, best],
            list(reading.classes[second]),
            costs[rows, second],
            data.image_shape,
        )
    return [path for name, figure in figures.items() for path in plotting.save(figure, folder / name)]


def _print(result: dict[str, Any], reading: "Reading", data: "DigitData", backprop: "Backprop | None") -> None:
    from fastws.experiments import digits as experiment

    def percent(error: float) -> str:
        low, high = experiment.interval(error, result["n_test"])
        return f"{error:.1%} ({low:.1%} … {high:.1%})"

    rows = [
        (
            "wake-sleep, by mean description length",
            percent(result["error_rate"]),
            f"{experiment.PAPER_ERROR:.1%}",
        ),
        ("wake-sleep, by free energy", percent(result["free_energy_error_rate"]), ""),
        ("wake-sleep, by importance-weighted -log P(d)", percent(result["importance_error_rate"]), ""),
    ]
    if result["nearest_neighbour_error"] is not None:
        paper = f"{experiment.PAPER_NEAREST_NEIGHBOUR_ERROR:.1%}"
        rows.append(("nearest neighbour", percent(result["nearest_neighbour_error"]), paper))
    if backprop is not None:
        paper = f"{experiment.PAPER_BACKPROP_ERROR:.1%}"
        rows.append(("backpropagation, tuned on the test data", percent(backprop.error), paper))
    title = f"Misread digits (Figure 2): {data.name}; {result['n_train']} to learn from, {result['n_test']} to test on"
    print_table(title, ["", "here (95 % interval)", "paper"], rows)
    if backprop is not None:
        print(
            f"The best supervised net has {backprop.n_hidden} hidden units, weight decay {backprop.decay:g} and "
            f"{backprop.n_sweeps} sweeps, all chosen on the test data, as in the paper."
        )
    left_out = [
        name
        for name, found in (("nearest neighbours", result["nearest_neighbour_error"]), ("backpropagation", backprop))
        if found is None
    ]
    if left_out:
        print(f"Left out, as --baselines has it: {' and '.join(left_out)}.")
    print("The paper's images, from CEDAR, are not public; these are others.")
    by_class = ", ".join(f"{label} {error:.1%}" for label, error in result["error_by_class"].items())
    print(f"Misread by class: {by_class}.")
    own, free_energy = result["mean_description_length_bits"], reading.own_bits("free_energy")
    print(
        f"To describe an image by the net of its class takes {own:.1f} bits, of which bits-back would return all but "
        f"{free_energy:.1f}. Learning took {result['seconds']:.1f} s, summed over the nets."
    )
