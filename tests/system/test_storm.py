"""A small storm of random kills: nothing is lost, delivered twice or left behind; see ``benchmarks/storm``."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
KILLS = 50
TASKS = 100
TIMEOUT_S = 400


@pytest.mark.system
@pytest.mark.timeout(TIMEOUT_S + 60)
@pytest.mark.parametrize("channel", ["tcp", "zmq"])
@pytest.mark.parametrize("scheduler", ["GenericTaskScheduler", "ZMQTaskScheduler"])
def test_whatever_is_killed_each_outcome_comes_once(scheduler: str, channel: str) -> None:
    options = {"--kills": KILLS, "--tasks": TASKS, "--channel": channel, "--scheduler": scheduler}
    storm = subprocess.run(
        [sys.executable, "-m", "benchmarks.storm", *(str(word) for one in options.items() for word in one)],
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=TIMEOUT_S,
    )
    print(storm.stdout)  # the seed, and what it has found
    assert storm.returncode == 0, storm.stdout
