"""`fastws classify`: images read by the machines that `fastws digits` left."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from fastws.cli.outputs import check_output, prepare_folder, write_table
from fastws.cli.reading import FORMATS, Binarise, Key, LabelColumn, Threshold, read_images
from fastws.cli.session import Json, Out, Seed, busy, print_table, report

if TYPE_CHECKING:
    from fastws.machine import Machine

_PREFIX = "machine-"


def classify(
    machines_and_data: Annotated[
        list[Path],
        typer.Argument(
            metavar="MACHINES... DATA",
            help=f"The machines, one a class, or the folder that they are in; and last the images: {FORMATS}.",
        ),
    ],
    samples: Annotated[int, typer.Option(min=1, help="Runs of each recognition net an image.")] = 10,
    key: Key = None,
    threshold: Threshold = None,
    binarise: Binarise = None,
    label_column: LabelColumn = None,
    seed: Seed = 0,
    out: Out = None,
    json: Json = False,
) -> None:
    """Read images: each is of the class whose machine describes it in the fewest bits, as in Figure 2.

    Writes labels.csv, a row an image: its label, and the mean description length (Eq 3) by each machine, in bits.
    If the images have labels, the error rate is said. The class of a machine is the label in its file, or the X of
    machine-X.npz.
    """
    from fastws.classifier import DescriptionLengthClassifier

    *paths, data = machines_and_data
    machines = _load(_files(paths))
    classifier = DescriptionLengthClassifier(n_runs=samples, random_state=seed, n_jobs=-1)
    classes = sorted(machines)
    classifier.use_machines([machines[label] for label in classes], classes)
    images = read_images(data, "test", key, threshold, binarise, label_column, labels=True)
    n_inputs, n_pixels = classifier.n_features_in_, images.x.shape[1]
    if n_inputs != n_pixels:
        raise ValueError(f"the machines have {n_inputs} inputs; the images of {data} have {n_pixels} pixels.")
    folder = prepare_folder(out or Path("fastws-classify"))
    path = check_output(folder / "labels.csv", data)
    with busy(f"Classifying {len(images.x):,} images"):
        bits = classifier.description_lengths_bits(images.x)
    chosen = [classes[best] for best in bits.argmin(axis=1)]
    columns = {f"bits_{label}": bits[:, number].tolist() for number, label in enumerate(classes)}
    write_table(path, images, {"label": chosen, **columns})
    result: dict[str, Any] = {
        "seed": seed,
        "n_images": len(chosen),
        "counts": {str(label): chosen.count(label) for label in classes},
    }
    if images.y is not None:
        true = [str(label) for label in images.y.tolist()]
        result["error_rate"] = sum(str(found) != label for found, label in zip(chosen, true, strict=True)) / len(true)
    report(result, folder, [path], json, lambda: _print(result, data))


def _print(result: dict[str, Any], data: Path) -> None:
    rows = [(label, f"{count:,}") for label, count in result["counts"].items()]
    print_table(f"{result['n_images']:,} images of {data}", ["class", "images"], rows)
    if "error_rate" in result:
        print(f"By the labels that the images have, {result['error_rate']:.1%} are misread.")


def _files(paths: Sequence[Path]) -> list[Path]:
    """Return the machines' files: those given, and for a folder those in it.

    Raises
    ------
    ValueError
        If there are none.
    """
    files = []
    for path in paths:
        found = sorted(path.glob(f"{_PREFIX}*.npz")) if path.is_dir() else [path]
        if not found:
            raise ValueError(f"{path} has no {_PREFIX}*.npz; give the folder that fastws digits wrote into.")
        files += found
    if not files:
        raise ValueError("there is one path only; give the machines, or their folder, and after them the images.")
    return files


def _load(files: Sequence[Path]) -> "dict[Any, Machine]":
    """Return the machines by their labels, which are whole numbers if all are.

    Raises
    ------
    OSError, ValueError
        If a file is no machine, or two have one label.
    """
    from fastws.machine import Machine

    found: dict[str, tuple[Path, Machine]] = {}
    for file in files:
        machine = Machine.load(file)
        label = file.stem.removeprefix(_PREFIX) if machine.label is None else str(machine.label)
        if label in found:
            raise ValueError(f"{found[label][0]} and {file} are both of the class {label}; give one machine a class.")
        found[label] = file, machine
    whole = all(label.lstrip("-").isdecimal() for label in found)
    return {int(label) if whole else label: machine for label, (_, machine) in found.items()}
