"""What an interrupted command wrote of itself beside its simulations, and whether all of it is there and fits."""

import sys
from collections.abc import Callable, Collection, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from fastws.simulation import Simulation

_LARGEST = sys.float_info.max
Check = Callable[[Any, str], None]
"""What raises `ValueError` if a value of JSON is not what it takes; the second argument is where the value is."""


def check_notes(command: str, notes: dict[str, Any], runs: "Sequence[Simulation]") -> None:
    """Check the notes of a command that `fastws resume` knows, and that its simulations are such as it runs.

    Raises
    ------
    ValueError
        If something is missing, of another type, out of range or does not go with the simulations.
    """
    if bool(runs) == (command == "density"):
        raise ValueError(f"there are {len(runs)} simulations" if runs else "there is no simulation")
    {"density": _check_density, "bars": _check_bars, "digits": _check_digits, "train": _check_train}[command](
        notes, runs
    )


def _check_bars(notes: dict[str, Any], runs: "Sequence[Simulation]") -> None:
    from fastws import exact
    from fastws.experiments.bars import RECIPES, evaluation_points
    from fastws.restarts import trial_length
    from fastws.streams import MAX_ENUMERATED_SIZE, Bars

    for run in runs:
        if not isinstance(run.stream, Bars) or run.stream.size > MAX_ENUMERATED_SIZE:
            raise ValueError(f"{run.stream!r} is not what fastws bars learns from")
        exact.check_size(run.machine)
    if len({(str(run.machine), run.total_examples, repr(run.stream)) for run in runs}) > 1:
        raise ValueError("the simulations differ in more than their seeds")
    points, trial = evaluation_points(runs[0].total_examples), trial_length(runs[0])
    contest = _row(_whole(), _whole(at_least=1), _whole(at_least=1), _whole())
    _record(
        recipe=_one_of(tuple(RECIPES)),
        several=_flag,
        runs=_watched([(run, points) for run in runs], 2, {trial}),
        contests=_list(contest),
    )(notes, "the notes")
    contests = notes["contests"]
    if sum(n_runs for _, n_runs, _, _ in contests) != len(runs):
        raise ValueError(f"the contests are not those of {len(runs)} simulations")
    if any(n_runs not in (1, restarts) for _, n_runs, restarts, _ in contests):
        raise ValueError("a contest has neither all of its runs nor the one that was chosen")
    if len(contests) > 1 and not notes["several"]:
        raise ValueError(f"there are {len(contests)} contests where one is expected")


def _check_density(notes: dict[str, Any], runs: "Sequence[Simulation]") -> None:
    from fastws.experiments.density.study import task_names

    settings = _only(
        set=_text,
        seed=_whole(),
        seeds=_whole(at_least=1),
        key=_optional(_text),
        threshold=_optional(_number()),
        binarise=_optional(_whole()),
        label_column=_optional(_text),
    )
    _record(settings=settings, images=_whole(), study=_record(seconds=_number(at_least=0)))(notes, "the notes")
    result = _row(_number(), _number(), _whole())
    _record(found=_list(_some_of(task_names(notes["settings"]["set"]), result)))(notes["study"], "study")
    n_draws, n_found = notes["settings"]["seeds"], len(notes["study"]["found"])
    if n_found != n_draws:
        raise ValueError(f"there are results of {n_found} draws, where {n_draws} are expected")


def _check_digits(notes: dict[str, Any], runs: "Sequence[Simulation]") -> None:
    from fastws.experiments.digits import BASELINES, DigitRun, net_names

    _check_images(runs)
    source = _record(
        data=_text,
        threshold=_optional(_number()),
        seed=_whole(),
        key=_optional(_text),
        binarise=_optional(_whole()),
        label_column=_optional(_text),
    )
    watched = _watched([(run, DigitRun(run).points) for run in runs], 1)
    net = _only(error=_number(at_least=0), n_hidden=_whole(at_least=1), decay=_number(at_least=0), n_sweeps=_whole())
    baselines = _only(
        wanted=_one_of(BASELINES), nearest=_only(n_compared=_whole(), n_wrong=_whole()), nets=_some_of(net_names(), net)
    )
    _record(source=source, runs=watched, baselines=baselines)(notes, "the notes")
    if notes["baselines"]["nearest"]["n_wrong"] > notes["baselines"]["nearest"]["n_compared"]:
        raise ValueError("more images are misread than were compared")


def _check_train(notes: dict[str, Any], runs: "Sequence[Simulation]") -> None:
    _check_images(runs)
    simulation, *judges = runs
    if len(judges) > 1 or any(str(judge.machine) != str(simulation.machine) for judge in judges):
        raise ValueError(f"there are {len(runs)} simulations, where one is expected and one like it for the best")
    curve = _list(_row(_whole(), *[_number()] * len(runs)))
    _record(
        run=_record(curve=curve, seconds=_number(at_least=0), patience=_whole(at_least=1)),
        shape=_row(_whole(at_least=1), _whole(at_least=1)),
    )(notes, "the notes")
    measured = [point[0] for point in notes["run"]["curve"]]
    if measured != sorted(set(measured)) or any(point > simulation.examples_seen for point in measured):
        raise ValueError(f"the curve is not that of {simulation.examples_seen} examples")
    height, width = notes["shape"]
    if height * width != simulation.machine.layer_sizes[0]:
        raise ValueError(f"images of {height} x {width} pixels are not those of {simulation.machine}")


def _check_images(runs: "Sequence[Simulation]") -> None:
    from fastws.streams import Images

    for run in runs:
        if not isinstance(run.stream, Images):
            raise ValueError(f"{run.stream!r} is no set of images")


def _watched(runs: "Sequence[tuple[Simulation, Sequence[int]]]", n_measures: int, more: Collection[int] = ()) -> Check:
    """Return the check of what `WatchedRun.notes` says of simulations that are measured at these points, or at more."""
    curve = _list(_row(_whole(), *[_number()] * n_measures))
    check_all = _list(_record(curve=curve, seconds=_number(at_least=0)), len(runs))

    def check(value: Any, where: str) -> None:
        check_all(value, where)
        for number, ((run, points), notes) in enumerate(zip(runs, value, strict=True)):
            measured = [point[0] for point in notes["curve"]]
            due = {point for point in points if point < run.examples_seen}
            possible = {point for point in (*points, *more) if point <= run.examples_seen}
            if measured != sorted(set(measured)) or not due <= set(measured) <= possible:
                raise ValueError(f"{where}[{number}] has a curve that is not that of {run.examples_seen} examples")

    return check


def _record(**fields: Check) -> Check:
    def check(value: Any, where: str) -> None:
        if not isinstance(value, dict):
            raise ValueError(f"{where} is {_short(value)}, no record")
        for name, check_field in fields.items():
            if name not in value:
                raise ValueError(f"{where} has no {name!r}")
            check_field(value[name], name)

    return check


def _only(**fields: Check) -> Check:
    """Return the check of a record that has these fields and no others."""
    check_fields = _record(**fields)

    def check(value: Any, where: str) -> None:
        check_fields(value, where)
        for name in value:
            if name not in fields:
                raise ValueError(f"{where} has {_short(name)}, which is not of it")

    return check


def _some_of(names: Collection[str], check_item: Check) -> Check:
    """Return the check of a record of like things, each of which has one of these names."""

    def check(value: Any, where: str) -> None:
        _only(**{name: check_item for name in names if isinstance(value, dict) and name in value})(value, where)

    return check


def _list(check_item: Check, length: int | None = None) -> Check:
    def check(value: Any, where: str) -> None:
        if not isinstance(value, list):
            raise ValueError(f"{where} is {_short(value)}, no list")
        if length is not None and len(value) != length:
            raise ValueError(f"{where} has {len(value)} entries for {length} simulations")
        for number, item in enumerate(value):
            check_item(item, f"{where}[{number}]")

    return check


def _row(*checks: Check) -> Check:
    def check(value: Any, where: str) -> None:
        if not isinstance(value, list) or len(value) != len(checks):
            raise ValueError(f"{where} is {_short(value)}, no list of {len(checks)}")
        for number, (item, check_item) in enumerate(zip(value, checks, strict=True)):
            check_item(item, f"{where}[{number}]")

    return check


def _whole(at_least: int = 0) -> Check:
    def check(value: Any, where: str) -> None:
        if not isinstance(value, int) or isinstance(value, bool) or value < at_least:
            raise ValueError(f"{where} is {_short(value)}, no whole number of at least {at_least}")

    return check


def _number(at_least: float = -_LARGEST) -> Check:
    def check(value: Any, where: str) -> None:
        if not isinstance(value, int | float) or isinstance(value, bool) or not at_least <= value <= _LARGEST:
            raise ValueError(f"{where} is {_short(value)}, no finite number in range")

    return check


def _one_of(words: Sequence[str]) -> Check:
    def check(value: Any, where: str) -> None:
        if not isinstance(value, str) or value not in words:
            raise ValueError(f"{where} is {_short(value)}, none of {', '.join(words)}")

    return check


def _optional(check_other: Check) -> Check:
    def check(value: Any, where: str) -> None:
        if value is not None:
            check_other(value, where)

    return check


def _text(value: Any, where: str) -> None:
    if not isinstance(value, str):
        raise ValueError(f"{where} is {_short(value)}, no text")


def _flag(value: Any, where: str) -> None:
    if not isinstance(value, bool):
        raise ValueError(f"{where} is {_short(value)}, neither true nor false")


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
