"""Nanoseconds an example of the bars run (Figure 1), side by side in one process: python bench/bars.py."""

import statistics
import time

from rivals import compile_c, numpy_loop

import fastws
from fastws import exact

EXAMPLES = 2_000_000
RATES = (0.2, 0.001, 0.001)
ROUNDS = 5
# The NumPy loop would take minutes for a whole run; its cost an example does not change on the way.
NUMPY_EXAMPLES = 10_000


def fastws_run(machine, stream, n_examples, rates, nonnegative, seed=0):
    """Run fastws, called like its rivals."""
    fastws.Simulation(machine, stream, [(n_examples, rates)], nonnegative, seed).advance()


def timed(run, n_examples, seed):
    """Return nanoseconds an example and the divergence reached."""
    bars = fastws.Bars()
    machine = fastws.Machine([16, 8, 1])
    machine.gen_biases[1][:] = -3
    started = time.perf_counter()
    run(machine, bars, n_examples, RATES, True, seed)
    nanoseconds = (time.perf_counter() - started) / n_examples * 1e9
    return nanoseconds, exact.report(machine, *bars.distribution()).asymmetric_divergence_bits


def main():
    """Alternate the contestants and print medians, ranges and ratios."""
    contestants = {"fastws": (fastws_run, EXAMPLES), "NumPy loop": (numpy_loop, NUMPY_EXAMPLES)}
    for name, flags in (("C -O3", ()), ("C -O3 -ffast-math", ("-ffast-math",))):
        run = compile_c("-O3", "-march=native", *flags)
        if run is None:
            print(f"{name}: skipped, there is no C compiler here.")
        else:
            contestants[name] = (run, EXAMPLES)
    fastws_run(fastws.Machine([16, 8, 1]), fastws.Bars(), 1, RATES, True)
    results = {name: [] for name in contestants}
    for seed in range(ROUNDS):
        for name, (run, n_examples) in contestants.items():
            results[name].append(timed(run, n_examples, seed))
    baseline = [nanoseconds for nanoseconds, _ in results["fastws"]]
    print(f"bars 16-8-1, one thread, {ROUNDS} alternating rounds\n")
    print(f"{'':20}{'ns an example':>14}{'range':>20}{'/ fastws':>10}{'2,000,000 in':>14}   divergences (bits)")
    for name, figures in results.items():
        nanoseconds = [figure for figure, _ in figures]
        median = statistics.median(nanoseconds)
        ratio = statistics.median(a / b for a, b in zip(nanoseconds, baseline, strict=True))
        span = f"{min(nanoseconds):,.0f} … {max(nanoseconds):,.0f}"
        reached = " ".join(f"{bits:.2f}" for _, bits in figures) if contestants[name][1] == EXAMPLES else "(cut short)"
        print(f"{name:20}{median:>14,.0f}{span:>20}{ratio:>10.2f}{median * EXAMPLES / 1e9:>12.2f} s   {reached}")


if __name__ == "__main__":
    main()
