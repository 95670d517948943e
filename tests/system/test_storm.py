"""A small storm of random kills: nothing is lost, delivered twice or left behind; see ``benchmarks/storm``."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.ways import both_ways

ROOT = Path(__file__).resolve().parents[2]
KILLS, KILLS_IF_LONG = 25, 100
TASKS = 100
TIMEOUT_S = 400


@pytest.mark.system
@pytest.mark.timeout(TIMEOUT_S + 60)
@both_ways
def test_whatever_is_killed_each_outcome_comes_once(scheduler: str, channel: str, *, is_long: bool) -> None:
    kills = KILLS_IF_LONG if is_long else KILLS
    options = {"--kills": kills, "--tasks": TASKS, "--channel": channel, "--scheduler": scheduler}
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
