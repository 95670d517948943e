"""What the tasks of one worker print, on its way to the log: each line once, and how much is left out.

What a task has printed last can be had as text, too, while it runs and when it has ended.

A slave looks now and then at what a running task has printed so far, and gets the rest with the task's outcome.
Of much output only the beginning and the end are logged, for the log of a slave is written by its loop.
"""

from __future__ import annotations

import logging
import re
from typing import Any, Final

from concurrent.core.logformat import of_task
from concurrent.core.loggers import get_log
from concurrent.core.logs import TASK_OUTPUT
from concurrent.scheduling.processes.taskoutput import OutputFile, shown_end
from concurrent.scheduling.tasks.runterms import USUAL, RunTerms, shown_task

__all__ = ["OutputLog"]

LINE_ENDS: Final = re.compile("\r\n|\r|\n")

log = get_log(TASK_OUTPUT)


class OutputLog:
    """See the module. Loop thread only.

    :param output: the file that the worker prints to.
    """

    def __init__(self, output: OutputFile) -> None:
        self._output = output
        self._number = -1
        self._logged_bytes = 0
        self._emptied_bytes = 0

    def look(self, number: int, terms: RunTerms = USUAL) -> None:
        """Log what a task that still runs has printed since the last look.

        :param terms: what it asks for, among which its name may be.
        """
        if number != self._number:
            self._number, self._logged_bytes, self._emptied_bytes = number, 0, 0
        before = self._logged_bytes
        head, left_out_bytes, tail, self._logged_bytes = self._output.read_from(before)
        if tail and not self._logged_bytes:
            self._emptied_bytes += before + len(head) + left_out_bytes + len(tail)
        _log(shown_task(number, terms), head, left_out_bytes, tail, of_task(number, terms.name))

    def end_of(self, number: int) -> str:
        """Return the end of what a task that still runs has printed."""
        return self._output.end(self._emptied_bytes if number == self._number else 0)

    def finished(
        self, number: int, size_bytes: int, head: bytes, tail: bytes, *, terms: RunTerms = USUAL
    ) -> str:
        """Log what a task has printed and was not logged; return the end of all that it has.

        :param size_bytes: how much it has printed since the worker's file was emptied.
        :param head: the beginning of it, and ``tail`` its end: all of it, if it was not much.
        :param terms: what it asks for, among which its name may be.
        """
        logged = self._logged_bytes if number == self._number else 0
        tail_at = size_bytes - len(tail)
        left_out_bytes = max(0, tail_at - max(logged, len(head)))
        rest = head[logged:], left_out_bytes, tail[max(0, logged - tail_at) :]
        _log(shown_task(number, terms), *rest, of_task(number, terms.name))
        return shown_end(tail, size_bytes + (self._emptied_bytes if number == self._number else 0))

    def ended(self, pid: int, text: str) -> None:
        """Log what a worker printed after its last task, at its end in good order."""
        _log(f"worker {pid}, at its end", b"", 0, text.encode())


def _log(who: str, head: bytes, left_out_bytes: int, tail: bytes, about: dict[str, Any] | None = None) -> None:
    if not log.isEnabledFor(logging.INFO):
        return
    if left_out_bytes:  # lines that are there in part are left out too
        head_end = head.rfind(b"\n") + 1 or len(head)
        tail_start = tail.find(b"\n") + 1
        left_out_bytes += len(head) - head_end + tail_start
        head, tail = head[:head_end], tail[tail_start:]
    _log_lines(who, head, about)
    if left_out_bytes:
        log.info("%s: ... %d bytes of its output are left out here ...", who, left_out_bytes, extra=about)
    _log_lines(who, tail, about)


def _log_lines(who: str, data: bytes, about: dict[str, Any] | None) -> None:
    lines = LINE_ENDS.split(data.decode("utf-8", "replace"))
    if not lines[-1]:
        del lines[-1]
    for line in lines:
        log.info("%s: %s", who, line, extra=about)
