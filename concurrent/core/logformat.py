"""How a record of the log is written: as a line for people, or as JSON for programs that collect logs."""

from __future__ import annotations

import json
import logging
from datetime import datetime, timezone
from textwrap import indent
from typing import Any, Final, NamedTuple

__all__ = [
    "CONTROLS",
    "FORMATS",
    "JSONFormatter",
    "NodeFormatter",
    "log_with_lines",
    "make_formatter",
    "of_task",
]

FORMATS: Final = ("text", "json")

MESSAGE_LENGTH_MAX: Final = 2000
"""Longer messages are cut; tracebacks stay whole."""

LINES_LENGTH_MAX: Final = 262144
"""Of longer tracebacks the beginning is left out: their end says what was raised, and where."""

CONTROLS: Final = {code: f"\\x{code:02x}" for code in (*range(32), *range(127, 160))} | {
    ord("\n"): "\\n",
    ord("\r"): "\\r",
    ord("\t"): "\\t",
    0x2028: "\\u2028",
    0x2029: "\\u2029",
}
"""What peers could use to make lines of their own, or to command a terminal."""

CONTROLS_OF_TRACEBACKS: Final = {code: text for code, text in CONTROLS.items() if chr(code) not in "\n\t"}


class _TaskFields(NamedTuple):
    """Which task a record is about."""

    number: int
    name: str


def of_task(number: int, name: str = "") -> dict[str, Any]:
    """Return what to log with as ``extra`` if the message is about a task and says so already.

    Only logs in JSON show it once more, as ``task`` and ``name``.

    :param number: its number at the master.
    :param name: what it is called; empty if nobody has given it a name.
    """
    return {"of_task": _TaskFields(number, name)}


def make_formatter(format_name: str, node_id: str) -> logging.Formatter:
    """Return what writes the records of a node.

    :param format_name: one of :data:`FORMATS`.
    """
    return JSONFormatter(node_id) if format_name == "json" else NodeFormatter(node_id)


class NodeFormatter(logging.Formatter):
    """One line: time, level, node, application and task where there are any, logger, message.

    Control characters are shown as Python writes them, so that one record is one line; only a traceback
    has lines of its own behind it.

    :param node_id: the name of the node that logs.
    """

    def __init__(self, node_id: str) -> None:
        super().__init__("%(asctime)s %(levelname)-7s %(who)s %(name)s: %(message)s")
        self._node_id = node_id

    def format(self, record: logging.LogRecord) -> str:
        """Return the line, followed by the traceback where the record has one."""
        parts = [getattr(record, "node", self._node_id)]
        parts += [f"{key}={record.__dict__[key]}" for key in ("app", "task") if key in record.__dict__]
        record.__dict__["who"] = " ".join(parts)
        if record.exc_text:
            record.exc_text = _shortened(record.exc_text).translate(CONTROLS_OF_TRACEBACKS)
        return super().format(record)

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802
        """Return the line without a traceback."""
        message = record.message
        if len(message) > MESSAGE_LENGTH_MAX:
            message = f"{message[:MESSAGE_LENGTH_MAX]} ... ({len(message)} characters)"
        record.message = message
        return super().formatMessage(record).translate(CONTROLS)

    def formatException(self, ei: Any) -> str:  # noqa: N802
        """Return the traceback."""
        return _shortened(super().formatException(ei)).translate(CONTROLS_OF_TRACEBACKS)


class JSONFormatter(logging.Formatter):
    """One JSON object in ASCII, on a line: ``time``, ``level``, ``node``, ``logger``, ``message``, and ``app``,
    ``task``, ``name`` and ``traceback`` where there are any.

    :param node_id: the name of the node that logs.
    """

    def __init__(self, node_id: str) -> None:
        super().__init__()
        self._node_id = node_id

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        values = record.__dict__
        shown = {
            "time": datetime.fromtimestamp(record.created, timezone.utc).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "node": values.get("node", self._node_id),
            "logger": record.name,
            "message": _shortened(record.getMessage()),
        }
        shown |= {key: values[key] for key in ("app", "task") if key in values}
        if about := values.get("of_task"):
            shown["task"] = about.number
            if about.name:
                shown["name"] = about.name
        traceback = values.get("lines") or record.exc_text
        if record.exc_info and not traceback:
            traceback = self.formatException(record.exc_info)
        if traceback:
            shown["traceback"] = _shortened(traceback)
        if record.stack_info:
            shown["stack"] = record.stack_info
        return json.dumps(shown, default=str)


def _shortened(lines: str) -> str:
    left_out = len(lines) - LINES_LENGTH_MAX
    return lines if left_out <= 0 else f"({left_out} characters are left out)\n{lines[left_out:]}"


def log_with_lines(
    logger: logging.Logger,
    level: int,
    lines: str,
    message: str,
    *args: object,
    extra: dict[str, Any] | None = None,
) -> None:
    """Log a message with lines of text below it, such as a traceback of another process. Any thread.

    In a message line ends are shown and not sent, for a peer could make records of its own with them. These
    lines are indented instead, which no record is.

    :param lines: the text; nothing is added if it is empty.
    :param args: for the message, as everywhere in ``logging``.
    :param extra: what :func:`of_task` returns, if it is about a task.
    """
    if logger.isEnabledFor(level):
        record = logger.makeRecord(logger.name, level, __file__, 0, message, args, None, extra=extra)
        text = lines.rstrip("\n")
        record.__dict__["lines"] = text
        record.exc_text = indent(text, "  ") or None  # each formatter writes it below the line
        logger.handle(record)
