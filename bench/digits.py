"""The digits experiment (Figure 2), side by side with others in one process: python bench/digits.py.

The images are the digits that come with scikit-learn, drawn with replacement and with one pixel in fifty turned over.
"""

import json
import statistics
import subprocess
import sys
import time
from functools import partial

import numpy as np
from rivals import compile_c, numpy_loop
from sklearn.datasets import load_digits
from sklearn.neural_network import BernoulliRBM

import fastws
from fastws.threads import available_cores

SIZES = [64, 16, 16, 4]
RATE = 0.01
SWEEPS = 500
IMAGES_A_CLASS = 700
IMAGES_TO_READ = 10_000
NOISE = 0.02
ROUNDS = 5
EXAMPLES = IMAGES_A_CLASS * SWEEPS
# These would take minutes for a whole run; their cost an example does not change on the way.
SLOW_EXAMPLES = 3000
IMAGES_FOR_MEMORY = 2_000_000


def noisy_digits(n, seed=0):
    """Return n binary images and their labels, as many of each digit."""
    digits, rng = load_digits(), np.random.default_rng(seed)
    labels = np.arange(n) % 10
    chosen = np.empty(n, np.int64)
    for label in range(10):
        own = np.flatnonzero(digits.target == label)
        chosen[labels == label] = rng.choice(own, np.count_nonzero(labels == label))
    images = np.empty((n, 64), np.uint8)
    for block in np.array_split(np.arange(n), max(1, n // 10_000)):
        images[block] = (digits.data[chosen[block]] > 8) ^ (rng.random((len(block), 64)) < NOISE)
    return images, labels


def fastws_run(machine, stream, n_examples, rates, nonnegative, seed=0):
    """Run fastws, called like its rivals."""
    fastws.Simulation(machine, stream, [(n_examples, rates)], nonnegative, seed).advance()


def restricted_boltzmann_machine(machine, stream, n_examples, rates, nonnegative, seed=0):
    """Let scikit-learn's RBM with as many units as the first hidden layer learn image by image."""
    rbm = BernoulliRBM(machine.layer_sizes[1], learning_rate=rates[0], batch_size=1, random_state=seed)
    for example in range(n_examples):
        image = example % len(stream)
        rbm.partial_fit(stream.x[image : image + 1])


def timed(function):
    """Return the seconds that a call takes and what it returns."""
    started = time.perf_counter()
    result = function()
    return time.perf_counter() - started, result


def whole_experiment(x, y, x_test, y_test):
    """Print the seconds that ten nets take to learn, and to read."""
    classifier = fastws.DescriptionLengthClassifier(sweeps=SWEEPS, n_runs=10, n_jobs=-1)
    learning, reading = [], []
    for seed in range(ROUNDS):
        classifier.set_params(random_state=seed)
        learning.append(timed(lambda: classifier.fit(x, y))[0])
        seconds, read = timed(lambda: classifier.predict(x_test))
        reading.append(seconds)
    wrong = np.mean(read != y_test)
    print(f"ten nets 64-16-16-4 on {available_cores()} cores, {ROUNDS} rounds: median (range) in seconds\n")
    for what, seconds in (
        (f"learning, {len(x):,} images, {SWEEPS} sweeps", learning),
        (f"reading {len(x_test):,} images, ten runs of ten nets", reading),
    ):
        print(f"{what:55}{statistics.median(seconds):7.2f} ({min(seconds):.2f} … {max(seconds):.2f})")
    print(f"of which {wrong:.1%} misread, many being noisy copies of images learned from\n")


def alternate(stream):
    """Print nanoseconds an example of one net, contestants taking turns."""
    contestants = {
        "fastws": (fastws_run, EXAMPLES),
        "NumPy loop": (numpy_loop, SLOW_EXAMPLES),
        "BernoulliRBM, 16 units": (restricted_boltzmann_machine, SLOW_EXAMPLES),
    }
    for name, flags in (("C -O3", ()), ("C -O3 -ffast-math", ("-ffast-math",))):
        run = compile_c("-O3", "-march=native", *flags)
        if run is None:
            print(f"{name}: skipped, there is no C compiler here.")
        else:
            contestants[name] = (run, EXAMPLES)
    results = {name: [] for name in contestants}
    reached = {}
    for seed in range(ROUNDS):
        for name, (run, n) in contestants.items():
            machine = fastws.Machine(SIZES)
            seconds = timed(partial(run, machine, stream, n, [RATE] * 4, False, seed))[0]
            results[name].append(seconds / n * 1e9)
            reached.setdefault(name, []).append(fastws.estimate.free_energy_bits(machine, stream.x).mean())
    print(f"one net, one thread, {ROUNDS} alternating rounds\n")
    print(f"{'':24}{'ns an example':>14}{'range':>20}{'/ fastws':>10}   free energy (bits an image)")
    for name, figures in results.items():
        ratio = statistics.median(a / b for a, b in zip(figures, results["fastws"], strict=True))
        span = f"{min(figures):,.0f} … {max(figures):,.0f}"
        bits = f"{statistics.median(reached[name]):.1f}" if contestants[name][1] == EXAMPLES else "(cut short)"
        print(f"{name:24}{statistics.median(figures):>14,.0f}{span:>20}{ratio:>10.2f}   {bits}")


def measure_memory(what):
    """Print, as JSON, the bytes of the data and how far the process grew beyond them; to be run in a fresh process."""
    import resource

    def peak():
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024

    classifier = fastws.DescriptionLengthClassifier(sweeps=1, n_runs=1, n_jobs=-1)
    x, y = noisy_digits(IMAGES_FOR_MEMORY)
    classifier.fit(x[:1000], y[:1000]).predict(x[:1000])
    before = peak()
    if what == "learning":
        classifier.fit(x, y)
    else:
        classifier.predict(x)
    print(json.dumps([x.nbytes + y.nbytes, peak() - before]))


def memory():
    """Print the peak of memory while learning and while reading, relative to the data."""
    print(f"\npeak memory with {IMAGES_FOR_MEMORY:,} images and their labels, in units of their own size\n")
    for what in ("learning", "reading"):
        output = subprocess.run([sys.executable, __file__, what], capture_output=True, check=True).stdout
        data, growth = json.loads(output)
        print(f"{what:12}{1 + growth / data:.2f} ({data / 2**20:.0f} MiB of data, {growth / 2**20:.0f} MiB more)")


def main():
    """Show the speed of the experiment, that of its rivals, and the memory it takes."""
    if len(sys.argv) > 1:
        measure_memory(sys.argv[1])
        return
    x, y = noisy_digits(10 * IMAGES_A_CLASS)
    x_test, y_test = noisy_digits(IMAGES_TO_READ, seed=1)
    fastws.DescriptionLengthClassifier(sweeps=1).fit(x, y).predict(x_test[:10])
    whole_experiment(x, y, x_test, y_test)
    alternate(fastws.Images(x[y == 3]))
    memory()


if __name__ == "__main__":
    main()
