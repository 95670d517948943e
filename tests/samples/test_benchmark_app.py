"""The benchmark application on an embedded cluster, in a process of its own."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest

ROOT = Path(__file__).resolve().parents[2]
SMALL = {"tasks": 6, "task_ms": 2, "output": ""}


def run(scheduler: str = "GenericTaskScheduler", **options: object) -> subprocess.CompletedProcess[str]:
    """Run the benchmark with two workers.

    :param options: options of the section ``[benchmark]``.
    """
    texts = {**SMALL, **options}
    settings = [part for key, value in texts.items() for part in ("-o", f"benchmark.{key}={value}")]
    command = ["-m", "concurrent.apps.main", "app", "benchmark", "-w", "2", "--scheduler", scheduler, *settings]
    return subprocess.run(
        [sys.executable, *command], cwd=ROOT, capture_output=True, text=True, timeout=60, check=False
    )


def steps_of(output: str) -> list[str]:
    """Return what stands below N in the tables of a report."""
    words = [line.split() for line in output.splitlines()]
    return [line[0] for line in words if len(line) == 9 and line[0].rstrip("*").isdigit()]


@pytest.mark.parametrize("scheduler", ["GenericTaskScheduler", "ZMQTaskScheduler"])
def test_all_kinds_and_modes_are_measured_and_drawn(scheduler: str, tmp_path: Path) -> None:
    done = run(scheduler, output=tmp_path / "drawn.svg")
    assert done.returncode == 0, done.stderr
    assert steps_of(done.stdout) == ["1", "2", "2*"] * 4
    for title in ("active wait, a task system", "active wait, plain tasks"):
        assert title in done.stdout
    for title in ("computing, a task system", "computing, plain tasks"):
        assert title in done.stdout
    assert "7.02" in (tmp_path / "drawn.svg").read_text(encoding="utf-8")
    ElementTree.parse(tmp_path / "drawn.svg")
    assert done.stdout.count("speed-up    ") == 4
    assert "benchmark: 72 of 72" in done.stderr


@pytest.mark.parametrize("mode", ["system", "tasks"])
@pytest.mark.parametrize("kind", ["wait", "work"])
def test_one_kind_in_one_mode_with_chosen_numbers_of_workers(kind: str, mode: str) -> None:
    done = run(kind=kind, mode=mode, workers="2")
    assert done.returncode == 0, done.stderr
    assert steps_of(done.stdout) == ["2", "2*"]
    assert "picture     none" in done.stdout


def test_without_lanes_only_the_row_with_all_tasks_at_once_is_measured() -> None:
    done = run(kind="work", lanes="no")
    assert done.returncode == 0, done.stderr
    assert steps_of(done.stdout) == ["2*"] * 2
    assert done.stdout.count("speed-up    ") == 2


def test_more_workers_than_there_are_is_refused_with_a_remedy() -> None:
    done = run(workers="1, 3")
    assert done.returncode == 2
    assert "asks for 3 workers, the cluster has 2" in done.stderr
    assert "--workers 3" in done.stderr


@pytest.mark.parametrize(
    ("option", "value"), [("workers", "0"), ("kind", "idle"), ("tasks", "0"), ("task_ms", "0")]
)
def test_wrong_options_are_refused_by_name(option: str, value: str) -> None:
    done = run(**{option: value})
    assert done.returncode == 2
    assert f"[benchmark] {option} = {value!r} is not allowed" in done.stderr


def test_a_picture_that_can_not_be_written_fails_and_names_the_option(tmp_path: Path) -> None:
    done = run(kind="wait", mode="tasks", output=tmp_path / "missing" / "drawn.svg")
    assert done.returncode == 1
    assert "set [benchmark] output" in done.stderr
