"""A program that goes on when its terminal is closed."""

from __future__ import annotations

import os
import pty
import signal
import subprocess
import sys
from collections.abc import Iterator

import pytest

from concurrent.apps.hangup import OutlivesTerminal

PROGRAM = """
import os, sys, threading
from concurrent.apps.hangup import OutlivesTerminal
nothing_happens = threading.Event()
with OutlivesTerminal():
    print("ready", flush=True)
    while not os.path.samestat(os.fstat(1), os.stat(os.devnull)):
        nothing_happens.wait(0.01)
    print("nobody reads this", flush=True)
    sys.exit(7)
"""


@pytest.fixture
def hangup_before() -> Iterator[object]:
    before = signal.getsignal(signal.SIGHUP)
    yield before
    signal.signal(signal.SIGHUP, before)


def test_a_closed_terminal_does_not_end_the_program() -> None:
    outer, inner = pty.openpty()
    program = subprocess.Popen(
        [sys.executable, "-c", PROGRAM],
        stdin=inner,
        stdout=inner,
        stderr=inner,
        start_new_session=True,
        preexec_fn=_take_terminal,
    )
    os.close(inner)
    assert os.read(outer, 100).startswith(b"ready")
    os.close(outer)  # as if its window were closed
    assert program.wait(20) == 7


def test_the_signal_is_as_before_afterwards(hangup_before: object) -> None:
    with OutlivesTerminal():
        assert signal.getsignal(signal.SIGHUP) is not hangup_before
    assert signal.getsignal(signal.SIGHUP) is hangup_before


def test_a_signal_that_is_ignored_stays_so(hangup_before: object) -> None:
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    with OutlivesTerminal():
        assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN


def _take_terminal() -> None:
    """Make standard input the controlling terminal of this session, so that its end is told."""
    import fcntl
    import termios

    fcntl.ioctl(0, termios.TIOCSCTTY, 0)
