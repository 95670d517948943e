"""A record is one line, whatever peers put into it."""

from __future__ import annotations

import logging
import sys
from typing import Any

from concurrent.core.logformat import LINES_LENGTH_MAX, MESSAGE_LENGTH_MAX, NodeFormatter, log_with_lines


def formatted(message: str, *args: Any, exc_info: Any = None) -> str:
    record = logging.LogRecord("concurrent.test", logging.INFO, "file", 1, message, args, exc_info)
    return NodeFormatter("node-1").format(record)


def test_control_characters_of_a_message_are_shown_and_not_sent() -> None:
    line = formatted("left: %s", "bye\n2026 ERROR forged\r\x1b[2J\x9b\u2028end\ttab")
    assert line.endswith(r"left: bye\n2026 ERROR forged\r\x1b[2J\x9b\u2028end\ttab")
    assert line.isprintable()


def test_other_characters_stay_as_they_are() -> None:
    assert formatted("Zoë läuft \u2713").endswith("Zoë läuft \u2713")


def test_a_long_message_is_cut() -> None:
    line = formatted("x" * 10**6)
    assert len(line) < MESSAGE_LENGTH_MAX + 200
    assert line.endswith("(1000000 characters)")


def logged(lines: str, message: str, *args: Any) -> str:
    """Return what is written of a message with lines below it."""
    written: list[str] = []

    class Writer(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            written.append(self.format(record))

    logger = logging.Logger("concurrent.test")
    writer = Writer()
    writer.setFormatter(NodeFormatter("node-1"))
    logger.addHandler(writer)
    log_with_lines(logger, logging.ERROR, lines, message, *args)
    (text,) = written
    return text


def test_lines_below_a_message_stay_lines_and_are_no_records_of_their_own() -> None:
    lines = "Traceback (most recent call last):\n    raise it\n2026-01-01 ERROR node forged\x1b[2J\n"
    first, *below = logged(lines, "%s failed:\nbadly", "task 1").split("\n")
    assert first.endswith(r"concurrent.test: task 1 failed:\nbadly")
    assert below == [
        "  Traceback (most recent call last):",
        "      raise it",
        r"  2026-01-01 ERROR node forged\x1b[2J",
    ]


def test_nothing_is_below_a_message_without_lines() -> None:
    assert "\n" not in logged("", "it failed")


def test_of_too_many_lines_the_beginning_is_left_out() -> None:
    below = logged("x" * LINES_LENGTH_MAX + "\nValueError: at the end", "it failed").split("\n")[1:]
    assert below[0].endswith("characters are left out)")
    assert below[-1] == "  ValueError: at the end"


def test_other_formatters_show_the_lines_too() -> None:
    record: list[logging.LogRecord] = []
    logger = logging.Logger("concurrent.test")
    logger.handle = record.append  # type: ignore[method-assign]
    log_with_lines(logger, logging.ERROR, "the cause", "it failed")
    assert logging.Formatter("%(message)s").format(record[0]) == "it failed\n  the cause"


def test_a_traceback_stays_whole_behind_its_line() -> None:
    try:
        raise ValueError("y" * 5000 + "\x1b")
    except ValueError:
        text = formatted("it failed", exc_info=sys.exc_info())
    first, *lines = text.split("\n")
    assert first.endswith("it failed")
    assert lines[0].startswith("Traceback")
    assert lines[-1] == "ValueError: " + "y" * 5000 + r"\x1b"
