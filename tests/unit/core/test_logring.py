"""The last lines that a process has logged."""

from __future__ import annotations

import logging

from concurrent.core.logring import LINE_CHARS_MAX, LINES_MAX, LogRing
from concurrent.core.logs import TASK_OUTPUT


def logged(ring: LogRing, message: str, *, name: str = "concurrent.x", error: Exception | None = None) -> None:
    exc_info = (type(error), error, None) if error is not None else None
    ring.handle(logging.LogRecord(name, logging.WARNING, "file", 1, message, (), exc_info))


def test_lines_are_had_once_and_those_that_follow() -> None:
    ring = LogRing()
    logged(ring, "one")
    logged(ring, "two")
    part = ring.part()
    assert [line.partition("concurrent.x: ")[2] for line in part.lines] == ["one", "two"]
    assert (part.after, part.total) == (2, 2)
    assert ring.part(2).lines == []
    logged(ring, "three")
    assert [line.rpartition(" ")[2] for line in ring.part(2).lines] == ["three"]


def test_only_the_last_are_kept_and_none_is_long() -> None:
    ring = LogRing()
    for number in range(LINES_MAX + 10):
        logged(ring, f"{number} " + "x" * 2 * LINE_CHARS_MAX)
    part = ring.part()
    assert len(part.lines) == part.total == LINES_MAX
    assert part.after == LINES_MAX + 10
    assert len(max(part.lines, key=len)) < LINE_CHARS_MAX + 10
    assert len(ring.part(LINES_MAX + 8).lines) == 2
    assert len(ring.part(3).lines) == LINES_MAX


def test_who_asks_for_what_another_process_had_gets_all() -> None:
    ring = LogRing()
    logged(ring, "one")
    assert len(ring.part(99).lines) == 1


def test_neither_what_tasks_print_nor_what_they_raise_is_kept() -> None:
    ring = LogRing()
    logged(ring, "secret", name=TASK_OUTPUT)
    logged(ring, "it failed\nbadly", error=ValueError("secret"))
    (line,) = ring.part().lines
    assert "secret" not in line
    assert line.endswith("it failed\\nbadly (the traceback is in the log itself)")
