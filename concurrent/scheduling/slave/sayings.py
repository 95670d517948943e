"""What the tasks of a slave say, gathered on its way to the master: how far they are, and what they printed.

All of it is for people and may be lost. Of what a task says of its progress the latest is sent on, and of all
tasks together so many lines a second: the more of them speak, the less often each is heard. Loop thread only.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Final

from concurrent.scheduling.tasks.current import TaskProgress

if TYPE_CHECKING:
    from concurrent.scheduling.slave.workerlink import WorkerLink

__all__ = ["OnSaid", "Sayings", "said_columns"]

LINES_PER_S: Final = 50.0
"""How much of the progress of running tasks is sent on, from all workers together."""

UNSENT_CHARS_MAX: Final = 1 << 20
"""So much output waits for the outcomes that it belongs to, at most."""

OnSaid = Callable[[dict[int, TaskProgress], dict[int, str]], object]
"""Called with how far tasks are, and the end of what tasks have printed that have ended; by their numbers."""


class Sayings:
    """See the module.

    :param on_said: called with what is sent on.
    """

    def __init__(self, on_said: OnSaid) -> None:
        self._on_said = on_said
        self._progress: dict[int, TaskProgress] = {}
        self._printed: dict[int, str] = {}
        self._unsent_chars = 0
        self._look_at = 0.0

    def progress(self, number: int, progress: TaskProgress) -> None:
        """Take note of how far a task is."""
        self._progress[number] = progress

    def printed(self, number: int, end: str) -> None:
        """Take note of the end of what a task has printed that has ended."""
        if end:
            self._printed[number] = end
            self._unsent_chars += len(end)
            if self._unsent_chars > UNSENT_CHARS_MAX:
                self.flush()

    def unsent(self, number: int) -> str:
        """Return the end of what a task has printed that has ended, if it was not sent on yet; else nothing."""
        return self._printed.get(number, "")

    def look(self, links: Iterable[WorkerLink], now: float) -> None:
        """Send on what running tasks say that is new. Call it a few times a second.

        :param now: the loop's time.
        """
        if now < self._look_at:
            return
        for link in links:
            if link.outstanding:
                said = link.new_progress()
                if said is not None:
                    self._progress[said[0]] = said[1]
        self._look_at = now + len(self._progress) / LINES_PER_S
        self.flush()

    def flush(self) -> None:
        """Send on what waits; before the outcomes of its tasks, after which nobody knows them."""
        if not self._progress and not self._printed:
            return
        progress, self._progress = self._progress, {}
        printed, self._printed = self._printed, {}
        self._unsent_chars = 0
        self._on_said(progress, printed)


def said_columns(progress: dict[int, TaskProgress]) -> tuple[list[int], list[float], list[float], list[str]]:
    """Return how far tasks are as it travels: their numbers, what is done, what there is, and what they say."""
    rows = progress.values()
    return list(progress), [one.done for one in rows], [one.total for one in rows], [one.text for one in rows]
