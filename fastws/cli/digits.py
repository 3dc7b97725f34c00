"""`fastws digits`: Figure 2 of the paper."""

import os
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
    progress_bar,
    report,
    saving_on_interrupt,
)

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from fastws.datasets import DigitData
    from fastws.experiments.digits import Backprop, DigitRun, Reading
    from fastws.simulation import Simulation

_SAMPLES = 24
_NAMED = ("bundled", "usps", "mnist")


def digits(
    data: Annotated[
        str,
        typer.Option(
            help="bundled: scikit-learn's digits; usps or mnist: from OpenML; or a file .npz with x_train, y_train, "
            "x_test, y_test."
        ),
    ] = "bundled",
    threshold: Annotated[
        float | None, typer.Option(help="Pixels above it are on.  \\[bundled digits: 8 of 16]", show_default=False)
    ] = None,
    seed: Seed = 0,
    sweeps: Annotated[int, typer.Option(min=1, help="How often each net visits each of its images.")] = 500,
    hidden: Annotated[str, typer.Option(help="Units of the hidden layers of each net, first to top.")] = "16,16,4",
    out: Out = None,
    json: Json = False,
) -> None:
    """Reproduce Figure 2: a net a digit; an image is the digit whose net describes it in the fewest bits.

    Prints the error beside the paper's and beside nearest neighbours and backpropagation on the same images. Writes
    the nets, result.json and the pictures into the folder.
    """
    from fastws.cli.words import layer_sizes
    from fastws.experiments.digits import new_runs

    images = _load(data, threshold, seed)
    runs = new_runs(images, seed, sweeps, layer_sizes(hidden, "--hidden"))
    folder = prepare_folder(out or Path("fastws-digits"))
    # `fastws resume` may be called from another folder.
    origin = data if data in _NAMED else os.path.abspath(data)
    _finish(runs, images, {"data": origin, "threshold": threshold, "seed": seed}, folder, json)


def resume_digits(simulations: "list[Simulation]", notes: dict[str, Any], folder: Path, as_json: bool) -> None:
    """Go on with an interrupted `fastws digits`."""
    from fastws.experiments.digits import DigitRun, are_of

    source = notes["source"]
    runs = [DigitRun.resumed(*pair) for pair in zip(simulations, notes["runs"], strict=True)]
    data = _load(source["data"], source["threshold"], source["seed"])
    if not are_of(runs, data):
        raise ValueError(f"{data.name} has other training images than when the run began; put the old ones back.")
    _finish(runs, data, source, folder, as_json)


def _load(data: str, threshold: float | None, seed: int) -> "DigitData":
    from fastws import datasets

    if data == "bundled":
        return datasets.load_bundled(seed, datasets.BUNDLED_THRESHOLD if threshold is None else threshold)
    if data in _NAMED:
        if threshold is not None:
            raise ValueError(f"--threshold does not go with --data {data}, which has its own.")
        return datasets.load_openml(data)
    return datasets.load_file(data, threshold)


def _finish(runs: "list[DigitRun]", data: "DigitData", source: dict[str, Any], folder: Path, as_json: bool) -> None:
    from fastws.experiments import digits as experiment
    from fastws.filenames import file_names
    from fastws.simulation import save_runs

    simulations = [run.simulation for run in runs]

    def save(path: Path) -> None:
        notes = {"command": "digits", "source": source, "runs": [run.notes() for run in runs]}
        save_runs(path, simulations, notes)

    seed = source["seed"]
    with saving_on_interrupt(folder, save):
        runs[0].compile()
        learn(simulations, [run.run for run in runs])
        machines = [simulation.machine for simulation in simulations]
        reading = experiment.read(machines, data, seed)
        nearest_neighbour = experiment.nearest_neighbour_error(data)
        with progress_bar("Backpropagation, for comparison", experiment.BACKPROP_TOTAL) as show:
            backprop = experiment.backprop(data, seed, show)
        files = []
        for name, label, machine in zip(file_names(reading.classes), reading.classes, machines, strict=True):
            files.append(folder / f"machine-{name}.npz")
            machine.label = label
            machine.save(files[-1])
        files += _draw(runs, reading, data, seed, folder)
        result = experiment.result(runs, reading, data, nearest_neighbour, backprop, seed)
        report(result, folder, files, as_json, lambda: _print(result, reading, data, backprop))


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


def _print(result: dict[str, Any], reading: "Reading", data: "DigitData", backprop: "Backprop") -> None:
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
        (
            "nearest neighbour",
            percent(result["nearest_neighbour_error"]),
            f"{experiment.PAPER_NEAREST_NEIGHBOUR_ERROR:.1%}",
        ),
        (
            "backpropagation, tuned on the test data",
            percent(result["backprop_error"]),
            f"{experiment.PAPER_BACKPROP_ERROR:.1%}",
        ),
    ]
    title = f"Misread digits (Figure 2): {data.name}; {result['n_train']} to learn from, {result['n_test']} to test on"
    print_table(title, ["", "here (95 % interval)", "paper"], rows)
    print(
        f"The best supervised net has {backprop.n_hidden} hidden units, weight decay {backprop.decay:g} and "
        f"{backprop.n_sweeps} sweeps, all chosen on the test data, as in the paper. The paper's images, from CEDAR, "
        "are not public; these are others."
    )
    by_class = ", ".join(f"{label} {error:.1%}" for label, error in result["error_by_class"].items())
    print(f"Misread by class: {by_class}.")
    own, free_energy = result["mean_description_length_bits"], reading.own_bits("free_energy")
    print(
        f"To describe an image by the net of its class takes {own:.1f} bits, of which bits-back would return all but "
        f"{free_energy:.1f}. Learning took {result['seconds']:.1f} s of processor time."
    )
