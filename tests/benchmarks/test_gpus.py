"""What the check of GPUs says of runs, and where there are none."""

from __future__ import annotations

import subprocess
import sys

from benchmarks.cuda import visible
from benchmarks.gpus import Run, most_at_once, problems_of
from tests.style.source import ROOT


def run(device: str, begun_at: float, ended_at: float, is_right: bool = True) -> Run:
    return Run(1, (device,), is_right, begun_at, ended_at)


def test_runs_on_one_device_are_counted_at_once() -> None:
    assert most_at_once([run("a", 0, 1), run("a", 1, 2), run("b", 0, 2)]) == 1
    assert most_at_once([run("a", 0, 2), run("a", 1, 3), run("a", 2, 4)]) == 2


def test_what_is_wrong_is_said() -> None:
    assert problems_of([run("a", 0, 1), run("b", 0, 1)], 1, 1) == []
    assert problems_of([run("a", 0, 2), run("a", 1, 2, is_right=False)], 2, 1) == [
        "tasks saw [1] devices",
        "a device has computed something else",
        "2 tasks were on a device at once",
    ]


def test_it_says_where_there_is_no_gpu() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.gpus"], cwd=ROOT, capture_output=True, text=True, timeout=100
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout == "no GPU here\n" or visible()
