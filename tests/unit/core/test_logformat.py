"""Logs for programs: each record is one JSON object on one line, with all that is known of it."""

from __future__ import annotations

import json
import logging
import sys
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from concurrent.core import Environment
from concurrent.core.logformat import LINES_LENGTH_MAX, JSONFormatter, NodeFormatter, log_with_lines, of_task
from concurrent.core.logs import LogSettings, NodeLog


def record_of(message: str, *args: Any, exc_info: Any = None, **values: Any) -> logging.LogRecord:
    record = logging.LogRecord("concurrent.test", logging.WARNING, "file", 1, message, args, exc_info)
    record.__dict__.update(values)
    return record


def written(record: logging.LogRecord) -> dict[str, Any]:
    line = JSONFormatter("node-1").format(record)
    assert line.isascii()
    assert line.isprintable()
    shown = json.loads(line)
    assert isinstance(shown, dict)
    return shown


def test_a_record_says_when_with_zone_how_bad_who_and_what() -> None:
    record = record_of("%s is away", "Zoë")
    shown = written(record)
    at = datetime.fromisoformat(shown.pop("time"))
    assert at.tzinfo is not None
    assert at.timestamp() == pytest.approx(record.created, abs=0.001)
    assert shown == {
        "level": "warning",
        "node": "node-1",
        "logger": "concurrent.test",
        "message": "Zoë is away",
    }


def test_what_it_is_about_has_fields_of_its_own() -> None:
    shown = written(record_of("task 7 (sum): hello", app=3, **of_task(7, "sum")))
    assert (shown["app"], shown["task"], shown["name"]) == (3, 7, "sum")
    assert "name" not in written(record_of("task 7: hello", **of_task(7)))
    assert written(record_of("hello", task=9))["task"] == 9


def test_people_are_not_told_twice_which_task_it_is() -> None:
    line = NodeFormatter("node-1").format(record_of("task 7 (sum): hello", **of_task(7, "sum")))
    assert line.endswith("WARNING node-1 concurrent.test: task 7 (sum): hello")


def test_what_peers_put_into_a_message_makes_no_second_line() -> None:
    text = 'left\n{"level": "error"}\r\u2028\x9b\ud800'
    assert written(record_of("%s", text))["message"] == text


def test_a_traceback_is_whole_and_as_it_was() -> None:
    try:
        raise ValueError("y" * 5000)
    except ValueError:
        shown = written(record_of("it failed", exc_info=sys.exc_info()))
    lines = shown["traceback"].split("\n")
    assert lines[0].startswith("Traceback")
    assert lines[-1] == "ValueError: " + "y" * 5000


def test_lines_of_another_process_are_as_it_sent_them() -> None:
    records: list[logging.LogRecord] = []
    logger = logging.Logger("concurrent.test")
    logger.handle = records.append  # type: ignore[method-assign]
    log_with_lines(logger, logging.ERROR, "first\n  second\n", "it failed", extra=of_task(5))
    for _ in range(2):  # several handlers write the same record
        NodeFormatter("node-1").format(records[0])
        shown = written(records[0])
        assert (shown["message"], shown["traceback"], shown["task"]) == ("it failed", "first\n  second", 5)


def test_of_far_too_much_the_end_is_kept() -> None:
    message = written(record_of("x" * LINES_LENGTH_MAX + "the end"))["message"]
    assert message.startswith("(7 characters are left out)")
    assert message.endswith("the end")


def test_the_format_is_that_of_standard_error_and_file(capsys: Any, tmp_path: Path) -> None:
    log = NodeLog("node-1", file=tmp_path / "node.log", format_name="json")
    log.start()
    try:
        logging.getLogger("concurrent.test").info("hello")
    finally:
        log.stop()
    (line,) = (tmp_path / "node.log").read_text().splitlines()
    assert json.loads(line)["message"] == "hello"
    assert capsys.readouterr().err.splitlines() == [line]


def test_each_node_has_a_file_of_its_own_if_the_file_is_named_after_it(tmp_path: Path) -> None:
    options = {"logging.file": str(tmp_path / "{node}.log"), "logging.format": "json"}
    settings = Environment(overrides=options, variables={})[LogSettings]
    for name in ("slave-anna-1", "slave-../anna-2"):
        settings.open(name).stop()
    assert sorted(file.name for file in tmp_path.iterdir()) == ["slave-.._anna-2.log", "slave-anna-1.log"]
