"""Wait for what happens elsewhere, however loaded the machine is."""

import time

# Only a test that fails waits so long.
LONGEST = 300


def wait_until(happened, process=None):
    """Return when something has happened; fail if that takes minutes, or the process that should do it has ended."""
    deadline = time.monotonic() + LONGEST
    while not happened():
        assert process is None or process.poll() is None, f"the process ended with {process.returncode}"
        assert time.monotonic() < deadline, f"it did not happen in {LONGEST} s"
        time.sleep(0.01)
