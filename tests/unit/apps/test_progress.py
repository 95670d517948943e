"""How far the work is, on a terminal and anywhere else."""

from __future__ import annotations

import io
import logging

import pytest

from concurrent.apps.progress import Progress, bar_line
from concurrent.core.logs import CLEAR_LINE, NodeLog


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize("columns", [1, 10, 20, 30, 48, 80, 200])
@pytest.mark.parametrize(("done", "elapsed_s"), [(0, 0.0), (7, 0.5), (7, 90.0), (60, 4000.0)])
def test_a_bar_fits_its_line(columns: int, done: int, elapsed_s: float) -> None:
    assert len(bar_line("an application", done, 60, elapsed_s, columns)) <= columns


def test_a_bar_says_share_count_rate_and_what_is_left() -> None:
    line = bar_line("slow", 15, 60, 30.0, 80)
    assert line == f"slow [{'#' * 10}{'.' * 30}]  25% 15/60 0.5/s, 1:30 left"
    assert bar_line("slow", 60, 60, 3700.0, 80).endswith("] 100% 60/60 in 1:01:40")


def test_anywhere_else_there_are_ten_lines_for_each_source() -> None:
    stream = io.StringIO()
    progress = Progress("app", stream)
    for done in range(1, 301):
        progress.show(done, 300)
    assert stream.getvalue().splitlines()[0] == "app: 30 of 300"
    for done in range(1, 101):
        progress.show(done, 100, source=7, name="sums")
    lines = stream.getvalue().splitlines()
    assert len(lines) == 20
    assert lines[-1] == "sums: 100 of 100"
    assert progress.latest == {"app": (300, 300), "sums": (100, 100)}


def test_two_sources_share_a_line_and_neither_is_shown_as_the_other() -> None:
    stream = Terminal()
    now = [0.0]
    progress = Progress("app", stream, clock=lambda: now[0], width=lambda: 80)
    for step in range(1, 5):
        now[0] += 1.0
        progress.show(50 * step, 300)
        now[0] += 1.0
        progress.show(20 * step, 100, source="a system", name="sums")
    last = stream.getvalue().rpartition(CLEAR_LINE)[2]
    assert "app [" in last
    assert "200/300" in last
    assert "sums [" in last
    assert "80/100" in last
    assert len(last) < 80


def test_a_task_system_alone_goes_by_the_name_of_its_application() -> None:
    stream = io.StringIO()
    progress = Progress("app", stream)
    progress.show(5, 10, source=1, name="sums")
    assert stream.getvalue() == "app: 5 of 10\n"


def test_a_line_of_the_log_takes_the_place_of_the_bar(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = Terminal()
    monkeypatch.setattr("sys.stderr", stream)
    progress = Progress("app", width=lambda: 80)
    log = NodeLog("slave-1", "info")
    log.start()
    try:
        progress.show(7, 60)
        logging.getLogger("concurrent.task").info("hello")
        progress.show(60, 60)
    finally:
        log.stop()
    _, bar, line, last = stream.getvalue().split(CLEAR_LINE)
    assert bar.startswith("app [")
    assert "\n" not in bar
    assert line.endswith(": hello\n")
    assert last.startswith("app [")
    assert last.endswith("\n")
