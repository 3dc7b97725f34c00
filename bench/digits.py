"""Time and memory of the whole digits experiment (Figure 2): python -m bench.digits."""

import json
import statistics
import subprocess
import sys

import numpy as np

import fastws
from bench.host import on_the_clock
from bench.works import IMAGES_A_CLASS, SWEEPS, noisy_digits
from fastws.threads import available_cores

IMAGES_TO_READ = 10_000
ROUNDS = 5
IMAGES_FOR_MEMORY = 2_000_000


def whole_experiment(x, y, x_test, y_test):
    """Print the seconds that ten nets take to learn, and to read."""
    classifier = fastws.DescriptionLengthClassifier(sweeps=SWEEPS, n_runs=10, n_jobs=-1)
    learning, reading = [], []
    for seed in range(ROUNDS):
        classifier.set_params(random_state=seed)
        learning.append(on_the_clock(lambda: classifier.fit(x, y))[0])
        seconds, read = on_the_clock(lambda: classifier.predict(x_test))
        reading.append(seconds)
    wrong = np.mean(read != y_test)
    print(f"ten nets 64-16-16-4 on {available_cores()} cores, {ROUNDS} rounds: median (range) in seconds\n")
    for what, seconds in (
        (f"learning, {len(x):,} images, {SWEEPS} sweeps", learning),
        (f"reading {len(x_test):,} images, ten runs of ten nets", reading),
    ):
        print(f"{what:55}{statistics.median(seconds):7.2f} ({min(seconds):.2f} … {max(seconds):.2f})")
    print(f"of which {wrong:.1%} misread, many being noisy copies of images learned from\n")


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
        output = subprocess.run([sys.executable, "-m", "bench.digits", what], capture_output=True, check=True).stdout
        data, growth = json.loads(output)
        print(f"{what:12}{1 + growth / data:.2f} ({data / 2**20:.0f} MiB of data, {growth / 2**20:.0f} MiB more)")


def main():
    """Show the speed of the experiment and the memory it takes."""
    if len(sys.argv) > 1:
        measure_memory(sys.argv[1])
        return
    x, y = noisy_digits(10 * IMAGES_A_CLASS)
    x_test, y_test = noisy_digits(IMAGES_TO_READ, seed=1)
    fastws.DescriptionLengthClassifier(sweeps=1).fit(x, y).predict(x_test[:10])
    whole_experiment(x, y, x_test, y_test)
    memory()


if __name__ == "__main__":
    main()
