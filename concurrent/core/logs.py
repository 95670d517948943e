"""Where the log of a process goes: standard error, and a file where one is configured.

Modules log with the standard library's ``logging`` below the name ``concurrent``. A record may carry
``app`` and ``task`` through ``extra=``; the node's name is added to each.
"""

from __future__ import annotations

import logging
import sys
from pathlib import Path
from textwrap import indent
from typing import Any, Final

from concurrent.core.component import Component
from concurrent.core.earlylog import ROOT, EarlyLog
from concurrent.core.errors import ConfigurationError
from concurrent.core.items import BoolItem, ChoiceItem, IntItem, PathItem
from concurrent.core.logfile import SharedFileHandler

CLEAR_LINE: Final = "\r\x1b[K"
"""Clears the line of a terminal on which the cursor is, and goes to its beginning."""

__all__ = ["CLEAR_LINE", "TASK_OUTPUT", "LogSettings", "NodeFormatter", "NodeLog", "log_with_lines"]

LEVELS = ("debug", "info", "warning", "error")
TASK_OUTPUT: Final = "concurrent.task"
"""The logger of what tasks print."""


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


def _shortened(lines: str) -> str:
    left_out = len(lines) - LINES_LENGTH_MAX
    return lines if left_out <= 0 else f"({left_out} characters are left out)\n{lines[left_out:]}"


def log_with_lines(logger: logging.Logger, level: int, lines: str, message: str, *args: object) -> None:
    """Log a message with lines of text below it, such as a traceback of another process. Any thread.

    In a message line ends are shown and not sent, for a peer could make records of its own with them. These
    lines are indented instead, which no record is.

    :param lines: the text; nothing is added if it is empty.
    :param args: for the message, as everywhere in ``logging``.
    """
    if logger.isEnabledFor(level):
        record = logger.makeRecord(logger.name, level, __file__, 0, message, args, None)
        record.exc_text = indent(lines.rstrip("\n"), "  ") or None  # each formatter writes it below the line
        logger.handle(record)


class NodeLog:
    """The log handlers of one node; give them back with :meth:`stop`.

    :param level: one of :data:`LEVELS`.
    :param file: a file to append to, or None for standard error alone.
    :param size_bytes_max: the file is moved to ``FILE.1`` before it gets larger than this.
    :param has_task_output: what tasks print is logged, whatever the level.
    """

    def __init__(
        self,
        node_id: str,
        level: str = "info",
        *,
        file: Path | None = None,
        size_bytes_max: int = 0,
        has_task_output: bool = True,
    ) -> None:
        formatter = NodeFormatter(node_id)
        console = _TerminalHandler(sys.stderr) if sys.stderr.isatty() else logging.StreamHandler(sys.stderr)
        self._level = level
        self._has_task_output = has_task_output
        self._handlers: list[logging.Handler] = [console]
        self._before = logging.NOTSET, logging.NOTSET
        if file is not None:
            self._handlers.append(_file_handler(file, size_bytes_max))
        for handler in self._handlers:
            handler.setFormatter(formatter)

    def start(self, *, is_child: bool = False) -> None:
        """Begin to log.

        :param is_child: this process was forked from a node: what it inherited of that one's log is dropped.
        """
        root = logging.getLogger(ROOT)
        root.propagate = False  # a program's or plug-in's own handlers would show each line once more
        if is_child:
            root.handlers.clear()
        tasks = logging.getLogger(TASK_OUTPUT)
        self._before = root.level, tasks.level
        root.setLevel(self._level.upper())
        tasks.setLevel(logging.INFO if self._has_task_output else logging.NOTSET)
        early = [handler for handler in root.handlers if isinstance(handler, EarlyLog)]
        for handler in self._handlers:
            root.addHandler(handler)
        for kept in early:
            for record in kept.take_over():
                for handler in self._handlers:
                    handler.handle(record)

    def stop(self) -> None:
        """Stop logging and close the file."""
        root = logging.getLogger(ROOT)
        root.propagate = True
        for logger, level in zip((root, logging.getLogger(TASK_OUTPUT)), self._before, strict=True):
            logger.setLevel(level)
        for handler in self._handlers:
            root.removeHandler(handler)
            handler.close()


class _TerminalHandler(logging.StreamHandler):  # type: ignore[type-arg]  # which Python 3.10 cannot tell
    """Writes to a terminal on which some process, perhaps another one, draws a line that does not end."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the record, with the rest of such a line cleared."""
        return CLEAR_LINE + super().format(record)


def _file_handler(file: Path, size_bytes_max: int) -> logging.Handler:
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        return SharedFileHandler(file, size_bytes_max, part_count=3)
    except OSError as error:
        raise ConfigurationError(
            f"the log file {file} cannot be written: {error.strerror or error}",
            thing="logging.file",
            value=file,
            remedy="Set [logging] file to a file that this user may write, or to nothing",
        ) from error


class LogSettings(Component):
    """The options of section ``[logging]``."""

    level = ChoiceItem("logging", "level", "info", "Log messages of this level and above.", choices=LEVELS)
    file = PathItem(
        "logging",
        "file",
        "",
        "A file to log to, besides standard error.",
    )
    file_bytes_max = IntItem(
        "logging", "file_bytes_max", 16 << 20, "Rotate the log file at this size. 0: never.",
        minimum=0, unit="bytes",
    )  # fmt: skip

    task_output = BoolItem("logging", "task_output", True, "Log what tasks print, whatever the level.")

    def open(self, node_id: str, *, level: str | None = None) -> NodeLog:
        """Return a log for a node, not started yet.

        :param level: in place of the configured one.
        """
        return NodeLog(
            node_id,
            level or self.level,
            file=self.file,
            size_bytes_max=self.file_bytes_max,
            has_task_output=self.task_output,
        )
