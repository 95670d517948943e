"""Where the log of a process goes: standard error, and a file where one is configured.

Modules log with the standard library's ``logging`` below the name ``concurrent``. A record may carry
``app`` and ``task`` through ``extra=``; the node's name is added to each.

========  =================================================================================================
level     what belongs to it
========  =================================================================================================
debug     what happens to tasks, processes and sessions: many lines for each batch
info      what a node is, where it listens, who joins and leaves; what tasks print
warning   something is not as it should be, and goes on: once when it begins and once when it is over
error     something is lost or has failed, such as a task, a worker or a plug-in
critical  the node ends, or cannot keep its promise any more
========  =================================================================================================
"""

from __future__ import annotations

import logging
import re
import sys
from pathlib import Path
from typing import Final

from concurrent.core.component import Component
from concurrent.core.earlylog import ROOT, EarlyLog
from concurrent.core.errors import ConfigurationError
from concurrent.core.items import BoolItem, ChoiceItem, IntItem, PathItem
from concurrent.core.logfile import SharedFileHandler
from concurrent.core.logformat import FORMATS, make_formatter

CLEAR_LINE: Final = "\r\x1b[J"
"""Goes to the beginning of the terminal's line on which the cursor is, and clears what is there and below."""

__all__ = ["CLEAR_LINE", "LEVELS", "TASK_OUTPUT", "LogSettings", "NodeLog"]

LEVELS: Final = ("debug", "info", "warning", "error")
TASK_OUTPUT: Final = "concurrent.task"
"""The logger of what tasks print."""

NODE: Final = "{node}"
"""What stands for the name of the node in the name of a file."""


class NodeLog:
    """The log handlers of one node; give them back with :meth:`stop`.

    :param level: one of ``LEVELS``.
    :param file: a file to append to, or None for standard error alone.
    :param size_bytes_max: the file is moved to ``FILE.1`` before it gets larger than this.
    :param part_count: how many of these older parts are kept; 0: all.
    :param format_name: how records are written: one of ``FORMATS``.
    :param has_task_output: what tasks print is logged, whatever the level.
    """

    def __init__(
        self,
        node_id: str,
        level: str = "info",
        *,
        file: Path | None = None,
        size_bytes_max: int = 0,
        part_count: int = 3,
        format_name: str = FORMATS[0],
        has_task_output: bool = True,
    ) -> None:
        formatter = make_formatter(format_name, node_id)
        console = _TerminalHandler(sys.stderr) if sys.stderr.isatty() else logging.StreamHandler(sys.stderr)
        self._level = level
        self._has_task_output = has_task_output
        self._handlers: list[logging.Handler] = [console]
        self._before = logging.NOTSET, logging.NOTSET
        if file is not None:
            self._handlers.append(_file_handler(file, size_bytes_max, part_count))
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
    """Writes to a terminal on which some process, perhaps another one, draws the bars of its progress."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the record, behind what clears those bars; they are drawn again below it."""
        return CLEAR_LINE + super().format(record)


def _file_handler(file: Path, size_bytes_max: int, part_count: int) -> logging.Handler:
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        return SharedFileHandler(file, size_bytes_max, part_count)
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
    format = ChoiceItem(
        "logging", "format", FORMATS[0],
        "How records are written: text for people, or one JSON object a line for programs that collect logs.",
        choices=FORMATS,
    )  # fmt: skip
    file = PathItem(
        "logging", "file", "",
        f"A file to log to, besides standard error. {NODE} in it stands for the name that a node has from one "
        "start to its end, so that each writes a file of its own. Without it nodes may share a file: records "
        "are not mixed then, and none is lost.",
    )  # fmt: skip
    file_bytes_max = IntItem(
        "logging", "file_bytes_max", 16 << 20,
        "Move the log file to FILE.1 before it gets larger than this. 0: never, as it should be where "
        "something else rotates it.",
        minimum=0, unit="bytes",
    )  # fmt: skip
    file_parts = IntItem(
        "logging", "file_parts", 9, "How many older parts of the log file are kept. 0: all.", minimum=0
    )

    task_output = BoolItem("logging", "task_output", True, "Log what tasks print, whatever the level.")

    def open(self, node_id: str, *, level: str | None = None) -> NodeLog:
        """Return a log for a node, not started yet.

        :param level: in place of the configured one.
        """
        name = re.sub(r"[^\w.-]", "_", node_id)
        return NodeLog(
            node_id,
            level or self.level,
            file=self.file and Path(str(self.file).replace(NODE, name)),
            size_bytes_max=self.file_bytes_max,
            part_count=self.file_parts,
            format_name=self.format,
            has_task_output=self.task_output,
        )
