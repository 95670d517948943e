"""A record is one line, whatever peers put into it."""

from __future__ import annotations

import logging
import sys
from typing import Any

from concurrent.core.logs import MESSAGE_LENGTH_MAX, NodeFormatter


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


def test_a_traceback_stays_whole_behind_its_line() -> None:
    try:
        raise ValueError("y" * 5000 + "\x1b")
    except ValueError:
        text = formatted("it failed", exc_info=sys.exc_info())
    first, *lines = text.split("\n")
    assert first.endswith("it failed")
    assert lines[0].startswith("Traceback")
    assert lines[-1] == "ValueError: " + "y" * 5000 + r"\x1b"
