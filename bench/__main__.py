"""Measure fastws beside its rivals on this machine: print a table, write it as JSON and draw it."""

import argparse
import datetime
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, NoReturn

from rich.console import Console

from bench import evaluation, growth, history, instructions, rules, startup, threads
from bench.frameworks import CHUNK
from bench.host import describe, load_average
from bench.picture import draw
from bench.race import LONGEST_SECONDS, QUICK_SECONDS, Say, race
from bench.table import show
from bench.works import WORKS
from fastws.files import write_atomically
from fastws.plotting import save

OTHERS = {
    "threads": threads.measure,
    "evaluation": evaluation.measure,
    "startup": startup.measure,
    "rules": rules.measure,
}
SECTIONS = (*WORKS, "growth", *OTHERS)
USER_ERROR, INTERRUPTED = 2, 130
QUICKER = 20


class Arguments(argparse.ArgumentParser):
    """Complains in one sentence."""

    def error(self, message: str) -> NoReturn:
        """Say what is wrong, and end."""
        self.exit(USER_ERROR, f"{message}\n")


def rounds(word: str) -> int:
    if not word.isdecimal() or int(word) < 1:
        raise argparse.ArgumentTypeError(f"{word!r} is no whole number of at least 1")
    return int(word)


def arguments() -> argparse.Namespace:
    parser = Arguments(prog="python -m bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="seconds instead of minutes, to see whether it works")
    parser.add_argument("--only", nargs="+", choices=SECTIONS, default=SECTIONS, help="leave out the rest")
    parser.add_argument("--rounds", type=rounds, help="how often contestants take turns  [default: 5, or 1 if quick]")
    parser.add_argument("--out", type=Path, default=Path("fastws-bench"), help="folder  [default: fastws-bench]")
    parser.add_argument(
        "--instructions",
        nargs="+",
        choices=instructions.SETS,
        help="compile fastws and C for these, one after the other  [default: what Numba compiles for]",
    )
    chosen = parser.parse_args()
    available = instructions.available()
    for name in chosen.instructions or ():
        if name not in available:
            there = " and ".join(available) or "neither of these"
            parser.error(f"this processor has no {name}, but {there}; leave it out of --instructions")
    chosen.instructions = chosen.instructions or [instructions.in_use()]
    chosen.rounds = chosen.rounds or (1 if chosen.quick else 5)
    try:
        chosen.out.mkdir(parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=chosen.out).close()
    except OSError as error:
        parser.error(f"cannot write into the folder {chosen.out}: {error.strerror}; give another with --out")
    return chosen


@contextmanager
def telling() -> Iterator[Say]:
    """Yield what says on standard error what is going on: in place on a terminal, else in lines."""
    console = Console(stderr=True)
    if console.is_terminal:
        with console.status("") as status:
            yield status.update
    else:
        yield lambda message: print(message, file=sys.stderr, flush=True)


def measure(section: str, options: argparse.Namespace, record: dict[str, Any], say: Say) -> None:
    """Fill in a section of the record."""
    if section in WORKS:
        for chosen in options.instructions:
            if chosen == instructions.in_use():
                here(section, options, record["works"].setdefault(section, {}), say)
            else:
                say(f"{section}: {instructions.NAMES[chosen]}, in another process")
                record["works"][f"{section}, {chosen}"] = elsewhere(section, chosen, options)
    elif section == "growth":
        growth.measure(options.rounds, options.quick, record["growth"], say)
    else:
        OTHERS[section](options.rounds, options.quick, record["others"].setdefault(section, {}), say)


def here(section: str, options: argparse.Namespace, entry: dict[str, Any], say: Say) -> None:
    """Fill in the entry of a work."""
    work = WORKS[section]()
    if options.quick:
        # Whole chunks, and at least one.
        work = replace(work, examples=max(1, work.examples // (QUICKER * CHUNK)) * CHUNK)
    race(work, options.rounds, QUICK_SECONDS if options.quick else LONGEST_SECONDS, entry, say)


def elsewhere(section: str, chosen: str, options: argparse.Namespace) -> Any:
    """Return the entry of a work that a process measured whose Numba compiles for other instructions."""
    with tempfile.TemporaryDirectory() as folder:
        words = ["--only", section, "--rounds", str(options.rounds), "--out", folder, *["--quick"] * options.quick]
        environment = os.environ | instructions.environment(chosen)
        command = [sys.executable, "-m", "bench", *words]
        subprocess.run(command, env=environment, stdout=subprocess.DEVNULL, check=True)
        record = json.loads((Path(folder) / "bench.json").read_text(encoding="utf-8"))
    return record["works"][section]


def finish(record: dict[str, Any], folder: Path, complete: bool) -> None:
    """Print what was measured, and write it; what is complete goes into the history."""
    # A pipe has no width; the table needs this much.
    console = Console(highlight=False, width=None if sys.stdout.isatty() else 110)
    show(record, console)
    path = folder / "bench.json"
    write_atomically(path, lambda file: file.write(json.dumps(record, indent=1, ensure_ascii=False).encode()))
    files = [path]
    figure = draw(record)
    if figure is not None:
        files += save(figure, folder / "bench")
    line = history.line_of(record)
    if complete and line["ratios"]:
        lines = history.add(folder, line)
        files += [folder / history.FILE, *save(history.draw(lines), folder / "history")]
        console.print(f"\n{history.verdict(lines)}")
    console.print(f"\n{', '.join(map(str, files))}")


def main() -> int:
    options = arguments()
    record: dict[str, Any] = {
        "date": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "rounds": options.rounds,
        "quick": options.quick,
        "host": describe(),
        "load": [load_average()],
        "works": {},
        "growth": {},
        "others": {},
    }
    status = INTERRUPTED
    try:
        with telling() as say:
            for section in SECTIONS:
                if section in options.only:
                    measure(section, options, record, say)
        status = 0
    except KeyboardInterrupt:
        print("interrupted; this is what was measured until then", file=sys.stderr)
    finally:
        record["load"].append(load_average())
        finish(record, options.out, complete=status == 0 and not options.quick)
    return status


if __name__ == "__main__":
    sys.exit(main())
