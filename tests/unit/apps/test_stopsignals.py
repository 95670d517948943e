"""What a node does about signals, in processes of their own."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading

import pytest

from concurrent.apps.stopsignals import StopSignals

PROGRAM = """
import os, signal, sys
from concurrent.apps.stopsignals import StopSignals
with StopSignals(lambda: print("asked to stop", flush=True)):
    for _ in range(int(sys.argv[2])):
        os.kill(os.getpid(), int(sys.argv[1]))
print("in good order")
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_first_signal_asks_and_the_second_ends(number: signal.Signals) -> None:
    once, twice = (
        subprocess.run([sys.executable, "-c", PROGRAM, str(int(number)), count], capture_output=True, text=True)
        for count in ("1", "2")
    )
    assert (once.returncode, once.stdout.splitlines()) == (0, ["asked to stop", "in good order"])
    assert (twice.returncode, twice.stdout.splitlines()) == (128 + number, ["asked to stop"])


def test_the_handlers_of_before_are_there_again() -> None:
    before = signal.getsignal(signal.SIGTERM)
    with StopSignals(lambda: None):
        assert signal.getsignal(signal.SIGTERM) is not before
    assert signal.getsignal(signal.SIGTERM) is before


def test_other_threads_have_no_signals() -> None:
    before = signal.getsignal(signal.SIGTERM)
    seen = []

    def run() -> None:
        with StopSignals(lambda: None):
            seen.append(signal.getsignal(signal.SIGTERM))

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    assert seen == [before]
