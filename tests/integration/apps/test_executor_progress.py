"""Bars of the calls of an executor: on a real terminal, and where there is none."""

from __future__ import annotations

import re
import subprocess
import sys
import time
from pathlib import Path

import pytest

from concurrent.apps import LocalCluster
from tests.integration.apps import workloads
from tests.ptys import run_on_terminal

TIMEOUT_S = 60.0

SCRIPT = """
import logging, sys, time
from concurrent.apps import LocalCluster

def steady(number):
    time.sleep(0.02)
    return number

def shaky(number):
    if number % 5 == 0:
        raise ValueError(number)

if __name__ == "__main__":
    logging.basicConfig(format="logged %(message)s")
    with LocalCluster(2) as cluster:
        with cluster.progress():
            futures = [cluster.submit(shaky, number) for number in range(20)]
            for number in cluster.map(steady, range(60), chunksize=3):
                print("result", number, "-" * 30)
                if number % 20 == 0:
                    logging.warning("%d", number)
        print("the end")
"""


@pytest.fixture
def script(tmp_path: Path) -> Path:
    made = tmp_path / "script.py"
    made.write_text(SCRIPT)
    return made


@pytest.mark.parametrize(("columns", "rows"), [(80, 24), (40, 3)])
def test_bars_stay_below_what_a_program_prints_and_logs_and_tear_nothing(
    script: Path, columns: int, rows: int
) -> None:
    code, lines, text = run_on_terminal([sys.executable, script], columns=columns, rows=rows)
    assert code == 0, text
    printed = [line for line in lines if line.startswith(("result", "logged"))]
    expected = []
    for number in range(60):
        expected.append(f"result {number} {'-' * 30}")
        if number % 20 == 0:
            expected.append(f"logged {number}")
    assert printed == expected
    assert lines[-1] == "the end"
    others = [line for line in lines if line not in expected]
    assert len(others) == 3
    assert any(line.startswith("shaky") and "100% 20/20, 4 failed" in line for line in others)
    assert any(line.startswith("steady") and "100% 60/60" in line for line in others)
    assert re.search(r"steady \[#*\.+\]", text)


def test_without_a_terminal_there_is_a_line_now_and_then(script: Path) -> None:
    done = subprocess.run(
        [sys.executable, script], capture_output=True, text=True, timeout=TIMEOUT_S, check=True
    )
    assert "\x1b" not in done.stderr + done.stdout
    assert "shaky: 20 of 20, 4 failed (100%)" in done.stderr
    assert "steady: 60 of 60 (100%)" in done.stderr
    assert done.stdout.count("\n") == 61


def test_calls_count_that_are_made_within_the_block(
    local_cluster: LocalCluster, capfd: pytest.CaptureFixture[str]
) -> None:
    local_cluster.submit(abs, -1).result(TIMEOUT_S)
    with local_cluster.progress("all"):
        assert list(local_cluster.map(abs, range(10))) == [*range(10)]
        local_cluster.submit(workloads.square, 2).result(TIMEOUT_S)
    local_cluster.submit(abs, -1).result(TIMEOUT_S)
    assert capfd.readouterr().err.splitlines()[-1] == "all: 11 of 11 (100%)"


def test_a_view_shows_its_own_calls(local_cluster: LocalCluster, capfd: pytest.CaptureFixture[str]) -> None:
    view = local_cluster.options(name="mine")
    with view.progress():
        local_cluster.submit(abs, -1).result(TIMEOUT_S)
        assert list(view.map(abs, [1, 2])) == [1, 2]
    assert capfd.readouterr().err.splitlines()[-1] == "mine: 2 of 2 (100%)"


def test_a_block_in_which_nothing_is_called_shows_nothing(
    local_cluster: LocalCluster, capfd: pytest.CaptureFixture[str]
) -> None:
    with local_cluster.progress():
        pass
    assert capfd.readouterr().err == ""


def test_a_block_that_is_left_by_an_error_ends_its_bars(
    local_cluster: LocalCluster, capfd: pytest.CaptureFixture[str]
) -> None:
    def fail() -> None:
        with local_cluster.progress():
            local_cluster.submit(abs, -1).result(TIMEOUT_S)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert local_cluster._core.tallies == []
    assert capfd.readouterr().err == "abs: 1 of 1 (100%)\n"


def test_what_is_cancelled_is_said(local_cluster: LocalCluster, capfd: pytest.CaptureFixture[str]) -> None:
    with local_cluster.progress():
        local_cluster.submit(time.sleep, 0).result(TIMEOUT_S)
        assert local_cluster.submit(time.sleep, 60).cancel()
    assert capfd.readouterr().err == "sleep: 1 of 2, 1 cancelled (50%)\n"


def test_what_cannot_be_pickled_counts_as_failed(
    local_cluster: LocalCluster, capfd: pytest.CaptureFixture[str]
) -> None:
    with local_cluster.progress():
        local_cluster.submit(abs, sys._getframe()).exception(TIMEOUT_S)
    assert capfd.readouterr().err == "abs: 1 of 1, 1 failed (100%)\n"
