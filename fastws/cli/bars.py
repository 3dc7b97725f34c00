"""`fastws bars`: Figure 1 of the paper."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from fastws.cli.interrupts import held
from fastws.cli.outputs import prepare_folder
from fastws.cli.session import COMPILING, Json, Out, busy, learn, print_table, report, saving_on_interrupt

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from fastws.experiments.bars import BarsRun, Contest
    from fastws.plotting.saving import Drawn
    from fastws.simulation import Simulation

_SAMPLES = 48


def bars(
    seed: Annotated[int, typer.Option(min=0, help="The same seed gives the same bits.")] = 0,
    seeds: Annotated[
        int | None, typer.Option(min=1, help="Run this many machines, with seeds S, S+1 …, and draw the best.")
    ] = None,
    examples: Annotated[int, typer.Option(min=1, help="Length of a run.")] = 2_000_000,
    recipe: Annotated[
        str, typer.Option(help="paper: note [15] to the letter; robust: a schedule that fails less.")
    ] = "paper",
    restarts: Annotated[
        int | None,
        typer.Option(
            min=1,
            help="Begin with this many machines a seed, and go on with that of lowest free energy after a quarter of "
            "its schedule; together they see --examples.  \\[default: 1, robust 3]",
            show_default=False,
        ),
    ] = None,
    exclude: Annotated[
        list[str] | None, typer.Option(help="full or blank: leave this ambiguous image out of the training data.")
    ] = None,
    p_vertical: Annotated[float, typer.Option(help="Probability that the bars are vertical.", show_default="2/3")] = 2
    / 3,
    p_bar: Annotated[float, typer.Option(help="Probability of each bar.")] = 0.2,
    size: Annotated[int, typer.Option(min=1, help="Width of the images and bars of each orientation.")] = 4,
    hidden: Annotated[
        int | None,
        typer.Option(min=1, help="Units of the first hidden layer.  \\[default: one a bar]", show_default=False),
    ] = None,
    out: Out = None,
    json: Json = False,
) -> None:
    """Reproduce Figure 1: a net of 16-8-1 units learns what makes images of bars.

    Prints this run beside the paper's figures. Writes the machine, result.json and the pictures into the folder.
    """
    from fastws.experiments.bars import default_restarts, new_contest, new_run
    from fastws.restarts import examples_of_each
    from fastws.streams import Bars

    stream = Bars(size, p_vertical, p_bar, exclude or ())

    n_restarts = restarts or default_restarts(recipe)
    length = examples_of_each(examples, n_restarts)

    def new(seed: int) -> "BarsRun":
        return new_run(seed, recipe, length, stream, hidden)

    contests = [new_contest(s, n_restarts, new) for s in range(seed, seed + (seeds or 1))]
    folder = prepare_folder(out or Path("fastws-bars"))
    _finish(contests, recipe, seeds is not None, folder, json)


def resume_bars(simulations: "list[Simulation]", notes: dict[str, Any], folder: Path, as_json: bool) -> None:
    """Go on with an interrupted `fastws bars`."""
    from fastws.experiments.bars import BarsRun, Contest

    runs = iter([BarsRun.resumed(*pair) for pair in zip(simulations, notes["runs"], strict=True)])
    contests = [
        Contest(seed, [next(runs) for _ in range(n_runs)], restarts, given_up)
        for seed, n_runs, restarts, given_up in notes["contests"]
    ]
    _finish(contests, notes["recipe"], notes["several"], folder, as_json)


def _finish(contests: "list[Contest]", recipe: str, several: bool, folder: Path, as_json: bool) -> None:
    from fastws.experiments.bars import summary
    from fastws.restarts import trial_length
    from fastws.simulation import save_runs

    def save(path: Path) -> None:
        runs = [run for contest in contests for run in contest.runs]
        notes = {
            "command": "bars",
            "recipe": recipe,
            "several": several,
            "runs": [run.notes() for run in runs],
            "contests": [(c.seed, len(c.runs), c.restarts, c.given_up) for c in contests],
        }
        save_runs(path, [run.simulation for run in runs], notes)

    with saving_on_interrupt(folder, save):
        runs = [run for contest in contests for run in contest.runs]
        if len(runs) > len(contests):
            _learn(runs, "Trial", trial_length(runs[0].simulation))
            with held():
                for contest in contests:
                    contest.choose()
        kept = [contest.best for contest in contests]
        model = _learn(kept, "Learning", None, partial(_get_ready_to_draw, kept[0]))
        best = min(contests, key=lambda contest: contest.best.divergence_bits)
        best.best.simulation.machine.save(folder / "machine.npz")
        files = [folder / "machine.npz", *_draw(best.best, model, folder)]
        result = summary(contests, recipe) if several else best.result(recipe)
        report(result, folder, files, as_json, lambda: _print(contests, best, recipe, several))


def _learn(runs: "list[BarsRun]", label: str, until: int | None, meanwhile: Callable[[], Any] = lambda: None) -> Any:
    """Let runs learn on all cores up to a number of examples, or to their end, and show how far they are.

    Returns what `meanwhile` does.
    """
    from fastws.experiments.bars import learn as learn_bars
    from fastws.kernels.layout import LANES
    from fastws.simulation import compile_together
    from fastws.threads import shares

    parts = shares(runs, LANES)
    with busy(COMPILING):
        runs[0].compile_seconds += compile_together([run.simulation for run in parts[0]])
    tasks = [partial(learn_bars, part, until) for part in parts]
    return learn([run.simulation for run in runs], tasks, label, until, meanwhile)


def _get_ready_to_draw(run: "BarsRun") -> "Drawn":
    """Load or compile what the pictures need besides a machine that has learned; draw the one that needs none."""
    from fastws import plotting
    from fastws.plotting.saving import drawn

    run.bars.sample(1)
    run.simulation.machine.fantasies(1)
    return drawn(plotting.bars_model(run.bars))


def _draw(run: "BarsRun", model: "Drawn", folder: Path) -> list[Path]:
    from fastws import plotting
    from fastws.experiments.bars import unambiguous
    from fastws.plotting.saving import save_all

    machine, stream = run.simulation.machine, run.bars
    shape = (stream.size, stream.size)
    images = unambiguous(stream.sample(100 * _SAMPLES))[:_SAMPLES]
    fantasies = unambiguous(machine.fantasies(100 * _SAMPLES))[:_SAMPLES]
    seen, divergence, kl_penalty = zip(*run.curve, strict=True)
    figures: dict[str, Figure | Drawn] = {
        "fig1a-model": model,
        "fig1b-samples": plotting.samples(images, fantasies, image_shape=shape),
        "fig1c-weights": plotting.hinton(machine, image_shape=shape),
        "learning-curve": plotting.learning_curve(seen, divergence, kl_penalty),
    }
    return save_all({folder / name: figure for name, figure in figures.items()})


def _print(contests: "list[Contest]", best: "Contest", recipe: str, several: bool) -> None:
    from fastws.experiments import bars as experiment

    result = best.result(recipe)
    rows = [
        (
            "asymmetric divergence KL(data ‖ model)",
            f"{result['asymmetric_divergence_bits']:.3f} bits",
            f"{experiment.PAPER_DIVERGENCE_BITS:.2f} bits",
        ),
        (
            "KL penalty (last term of Eq 8)",
            f"{result['kl_penalty_bits']:.3f} bits",
            f"{experiment.PAPER_KL_PENALTY_BITS:.2f} bits",
        ),
        ("largest weight", f"{result['largest_weight']:.1f}", f"{experiment.PAPER_LARGEST_WEIGHT}"),
        ("examples", f"{result['examples']:,}", f"{experiment.PAPER_EXAMPLES:,}"),
        ("time learning", f"{result['seconds']:.2f} s", ""),
        ("examples a second", f"{result['examples_per_second']:,.0f}", ""),
        ("time compiling, before", f"{sum(c.best.compile_seconds for c in contests):.2f} s", ""),
    ]
    name = f"the best, seed {result['seed']}" if several else f"seed {result['seed']}"
    print_table(f"The bars (Figure 1), recipe {recipe}", ["", name, "paper"], rows)
    if several:
        _print_spread([contest.best for contest in contests])
    elif not best.best.succeeded:
        print(
            f"This run ended {result['asymmetric_divergence_bits']:.2f} bits away from the data, in a local optimum "
            "of the algorithm, as many seeds do: try another with --seed, or --recipe robust."
        )


def _print_spread(runs: "list[BarsRun]") -> None:
    import numpy as np

    bits = np.array([run.divergence_bits for run in runs])
    succeeded = [run for run in runs if run.succeeded]
    low, median, high = np.quantile(bits, [0.25, 0.5, 0.75])
    print(
        f"{len(succeeded)} of {len(runs)} runs reached the paper's 0.10 bits. Divergence over all of them: median "
        f"{median:.3f} bits, half of them between {low:.3f} and {high:.3f}, from {bits.min():.3f} to {bits.max():.3f}."
    )
    if succeeded:
        reached = [run.curve[-1][1:] for run in succeeded]
        divergence, kl_penalty = np.median(reached, axis=0)
        print(f"Those that reached it: median divergence {divergence:.3f} bits, KL penalty {kl_penalty:.3f} bits.")
