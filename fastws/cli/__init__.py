"""The words that a person types: `fastws` and its commands."""

import signal
import sys
from typing import NoReturn

from fastws.cli import interrupts


def main() -> NoReturn:
    """Run the command line; exit with 0 done, 2 the user's mistake, 130 interrupted with the state saved."""
    before = interrupts.listen()
    try:
        # Slow to import: Ctrl-C is ours by now.
        from fastws.cli.commands import run

        code = run()
    finally:
        # Python kills a process by a Ctrl-C that comes while it takes itself apart.
        interrupts.stop_listening(signal.SIG_IGN if interrupts.ends_with_its_caller() else before)
    if code == 0 and interrupts.answered():
        from fastws.cli.session import INTERRUPTED, complain

        complain("Interrupted; everything had been done by then.")
        code = INTERRUPTED
    sys.exit(code)
