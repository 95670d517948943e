"""Strangers at every port of a master leave nothing behind, and stop nothing; see ``benchmarks/hostile``."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SECONDS, SECONDS_IF_LONG = 0.5, 2.0
TIMEOUT_S = 240


@pytest.mark.system
@pytest.mark.timeout(TIMEOUT_S + 30)
@pytest.mark.parametrize("channel", ["tcp", "zmq"])
def test_strangers_leave_nothing_behind(channel: str, *, is_long: bool) -> None:
    """How fast it stays depends on the machine, which this does not judge."""
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "benchmarks.hostile",
            "--channel",
            channel,
            "--seconds",
            str(SECONDS_IF_LONG if is_long else SECONDS),
            "--lenient",
        ],
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=TIMEOUT_S,
    )
    print(done.stdout)
    assert done.returncode == 0, done.stdout
