"""What the tasks of a worker speak through: how far they are goes to a board, lines into their output."""

from __future__ import annotations

import logging
import time
from contextlib import suppress
from typing import Any, Final

from concurrent.scheduling.processes.taskoutput import CapturedOutput
from concurrent.scheduling.tasks.current import NOBODY, CurrentTask
from concurrent.scheduling.worker.board import packed_record

__all__ = ["Voice", "name_of_work"]

OWN_PACKAGE: Final = "concurrent.scheduling."


class Voice:
    """See the module. Any thread, and processes that tasks fork.

    ``number`` is that of the task that runs, 0 before the first; ``work`` is what was pushed of it, None
    between two tasks; ``is_ending`` tells that the worker was told to end. The worker sets them.

    :param output: where lines go.
    :param board: memory that the slave reads, ``BOARD_BYTES`` long; None if it reads none.
    """

    def __init__(self, output: CapturedOutput, board: memoryview | None) -> None:
        self.number = 0
        self.work: Any = None
        self.is_ending = False
        self._output = output
        self._board = board
        self._said: tuple[int, bytes] | None = None
        self._complained: int | None = None

    def current(self) -> CurrentTask:
        """Return the task that runs, for :func:`~concurrent.scheduling.tasks.current.current_task`."""
        return NOBODY if self.work is None else CurrentTask(self, self.number)

    def progress(self, number: int, done: float, total: float, text: str) -> None:
        """See :class:`~concurrent.scheduling.tasks.current.TaskVoice`."""
        if number != self.number or self.work is None:
            return
        try:
            record = packed_record(number, done, total, f"{text}")
        except Exception as error:  # boundary: it must not fail in a task, and what is given may be anything
            if self._complained != number:
                self._complained = number
                why = type(error).__name__
                with suppress(Exception):  # boundary: an error of the task's own may have no text
                    why = f"{error}"
                self.log(number, f"progress() was not understood: {why}", logging.WARNING)
            return
        if self._board is not None:
            self._board[: len(record)] = record
        self._said = number, record
        self._output.is_written = True

    def log(self, number: int, text: str, level: int) -> None:
        """See :class:`~concurrent.scheduling.tasks.current.TaskVoice`."""
        if number == self.number and self.work is not None:
            when = time.strftime("%H:%M:%S")
            with suppress(Exception):  # boundary: it must not fail in a task, and a text may be anything
                self._output.write_line(f"{when} {logging.getLevelName(level)} {text}")

    def name(self, number: int) -> str:
        """See :class:`~concurrent.scheduling.tasks.current.TaskVoice`."""
        with suppress(Exception):  # boundary: a task may have any name
            return name_of_work(self.work) if number == self.number else ""
        return ""

    def is_cancelled(self, number: int) -> bool:
        """See :class:`~concurrent.scheduling.tasks.current.TaskVoice`; one that is over is."""
        return self.is_ending or number != self.number or self.work is None

    def take(self, number: int) -> bytes:
        """Return what a task said last of how far it is, as a record; empty if nothing. Main thread."""
        said, self._said = self._said, None
        return said[1] if said is not None and said[0] == number else b""


def name_of_work(work: Any) -> str:
    """Return the name of what was pushed: that of a function, or of a task; of a batch none."""
    while type(work) is tuple:
        function, args, _ = work
        if str(getattr(function, "__module__", "")).startswith(OWN_PACKAGE) and args and callable(args[0]):
            work = args[0], args[1] if len(args) > 1 and type(args[1]) is tuple else (), {}  # it calls that
            continue
        function = getattr(function, "func", function)
        return str(getattr(function, "__name__", type(function).__name__))
    return str(getattr(work, "name", ""))
