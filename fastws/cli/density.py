"""`fastws density`: the comparison of 1996, anew."""

import os
import zlib
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from fastws.cli.interrupts import check, held
from fastws.cli.outputs import prepare_folder
from fastws.cli.reading import FORMATS, Binarise, Key, LabelColumn, Threshold, read_images
from fastws.cli.session import Json, Out, Seed, print_table, progress_bar, report, saving_on_interrupt, with_interval

if TYPE_CHECKING:
    from fastws.experiments.density import Study
    from fastws.experiments.density.sets import Source
    from fastws.simulation import Simulation

# Spelled out, since their module takes long to import: a test holds the two together.
_SETS = ("mixture", "bn", "deep-bn", "mrf", "mrfs", "digits", "pairs")


def density(
    name: Annotated[
        str,
        typer.Option(
            "--set",
            metavar="SET",
            help=f"{', '.join(_SETS)}; or images of your own: {FORMATS}. The first five are drawn from true models; "
            "digits, and pairs of them, are scikit-learn's, and not the images of 1996.",
        ),
    ] = "bn",
    seed: Seed = 0,
    seeds: Annotated[int, typer.Option(min=1, help="How many draws of the set, by this seed and the next ones.")] = 10,
    key: Key = None,
    threshold: Threshold = None,
    binarise: Binarise = None,
    label_column: LabelColumn = None,
    out: Out = None,
    json: Json = False,
) -> None:
    """Compare wake-sleep with other density estimators, as Frey, Hinton and Dayan did in 1996, on several draws.

    Prints what a test image costs each method beside the published figures, and writes result.json and a picture of
    all draws into the folder.
    """
    # `fastws resume` may be called from another folder.
    settings = {
        "set": name if name in _SETS else os.path.abspath(name),
        "seed": seed,
        "seeds": seeds,
        "key": key,
        "threshold": threshold,
        "binarise": binarise,
        "label_column": label_column,
    }
    study = _study(settings)
    _finish(study, settings, prepare_folder(out or Path("fastws-density")), json)


def resume_density(simulations: "list[Simulation]", notes: dict[str, Any], folder: Path, as_json: bool) -> None:
    """Go on with an interrupted `fastws density`."""
    settings = notes["settings"]
    study = _study(settings)
    if _fingerprint(study.source) != notes["images"]:
        raise ValueError(f"{settings['set']} has other images than when the study began; put the old ones back.")
    study.restore(notes["study"])
    _finish(study, settings, folder, as_json)


def _study(settings: dict[str, Any]) -> "Study":
    from fastws.experiments.density import Study

    return Study(_source(settings), settings["seed"], settings["seeds"])


def _source(settings: dict[str, Any]) -> "Source":
    from fastws.experiments.density import ImageSource, SyntheticSource, bundled

    name = settings["set"]
    ways = {way: settings[way] for way in ("key", "threshold", "binarise", "label_column")}
    if name not in _SETS:
        if not os.path.exists(name):
            raise ValueError(f"--set is {os.path.basename(name)}: no such file, nor one of {', '.join(_SETS)}.")
        return ImageSource(name, read_images(Path(name), "train", **ways).x)
    for way, value in ways.items():
        if value is not None:
            raise ValueError(f"--{way.replace('_', '-')} goes with images of your own, not with --set {name}.")
    return bundled(name) if name in ("digits", "pairs") else SyntheticSource(name)


def _fingerprint(source: "Source") -> int:
    """Return a number that says which images a study is of: 0 where they are drawn by the seed alone."""
    from fastws.experiments.density import ImageSource

    return zlib.crc32(source.x.tobytes()) if isinstance(source, ImageSource) else 0


def _finish(study: "Study", settings: dict[str, Any], folder: Path, as_json: bool) -> None:
    from fastws.simulation import save_runs

    def save(path: Path) -> None:
        images = _fingerprint(study.source)
        save_runs(path, [], {"command": "density", "settings": settings, "images": images, "study": study.notes()})

    with saving_on_interrupt(folder, save):
        # Raised anywhere else than in `watch`, Ctrl-C might be lost.
        with held(), progress_bar("Draws, methods and sizes", study.n_tasks, study.n_done) as show:

            def watch() -> None:
                check()
                show(study.n_done)

            study.run(watch)
        result = study.result()
        report(result, folder, _draw(result, folder), as_json, lambda: _print(result))


def _title(result: dict[str, Any]) -> str:
    from fastws.experiments.density.published import TITLES

    draws = "one draw" if result["draws"] == 1 else f"{result['draws']} draws"
    return f"{TITLES.get(result['set'], os.path.basename(result['set']))}: {draws}, seed {result['seed']}"


def _draw(result: dict[str, Any], folder: Path) -> list[Path]:
    from fastws import plotting
    from fastws.experiments.density.published import LABELS, PUBLISHED, gaps

    entropy, then = result["entropy_bits"], PUBLISHED.get(result["set"], {})
    floor = 0.0 if entropy is None else then["entropy"]
    figure = plotting.cost_gaps(
        {LABELS[method]: gaps(costs, entropy) for method, costs in result["costs_bits"].items()},
        {LABELS[method]: bits - floor for method, bits in then.items() if method != "entropy"},
        "test cost, bits an image" if entropy is None else "test cost above the entropy, bits an image",
        _title(result),
    )
    return plotting.save(figure, folder / "gaps")


def _print(result: dict[str, Any]) -> None:
    from fastws.experiments.density.published import LABELS, PUBLISHED, gaps
    from fastws.experiments.intervals import interval

    entropy, then = result["entropy_bits"], PUBLISHED.get(result["set"], {})
    known = {} if entropy is None else {"entropy": entropy}
    rows = []
    for method, costs in (known | result["costs_bits"]).items():
        above = "" if entropy is None or method == "entropy" else with_interval(*interval(gaps(costs, entropy)))
        published = [f"{then[method]:.1f}" if method in then else ""]
        if entropy is not None:
            known_then = method in then and method != "entropy"
            published.append(f"{then[method] - then['entropy']:+.1f}" if known_then else "")
        cost = with_interval(*interval(costs)) if entropy is None else f"{interval(costs)[0]:.2f}"
        rows.append((LABELS[method], cost, *([] if entropy is None else [above]), *(published if then else [])))
    columns = ["bits a test image", "here", *([] if entropy is None else ["above the entropy"])]
    if then:
        columns += ["1996", *([] if entropy is None else ["above the entropy"])]
    print_table(_title(result), columns, rows)
    if result["draws"] > 1:
        print("± is half a 95 % interval of the mean over the draws.")
    print(_compared(result["costs_bits"], LABELS))
    if result["set"] in ("digits", "pairs"):
        print("The images of 1996, from the US Postal Service, are not public; these are others, and far fewer.")
    print(f"It took {result['seconds']:.0f} s of processor time.")


def _compared(costs: dict[str, list[float]], labels: dict[str, str]) -> str:
    """Say, of each rival, in how many draws it costs less than the Helmholtz machine."""
    own = costs["helmholtz"]
    wins = {
        labels[method]: sum(cost < ours for cost, ours in zip(bits, own, strict=True))
        for method, bits in costs.items()
        if method != "helmholtz"
    }
    said = ", ".join(f"{label} in {n}" for label, n in wins.items())
    return f"Cheaper than the Helmholtz machine, of {len(own)} draws: {said}."
