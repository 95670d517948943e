"""The bars of an executor: of the calls that are made within a block, one for each function or name.

Who submits and who ends a call only leaves a word here; the thread that shows the bars counts.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any, Final, NamedTuple, Protocol

from concurrent.apps.progress.board import Progress
from concurrent.apps.taskfuture import TaskFuture

__all__ = ["CallTally", "progress_of_calls"]

BARS_MAX: Final = 20
OTHERS: Final = "others"


class _Word(NamedTuple):
    """What has happened to calls of a name."""

    name: str
    begun: int
    ended: int
    failed: int
    cancelled: int


class CallTally:
    """See the module.

    :param name: what all calls are called together; empty: each as it is called itself.
    :param view: stands for the view of the executor whose calls count; None: all do.
    """

    def __init__(self, name: str, view: object) -> None:
        self._name = name
        self._view = view
        self._words: deque[_Word] = deque()
        self._begun: Counter[str] = Counter()
        self._ended: Counter[str] = Counter()
        self._failed: Counter[str] = Counter()
        self._cancelled: Counter[str] = Counter()

    def begun(self, future: TaskFuture[Any], calls: int) -> None:
        """A task is about to be pushed. Any thread.

        :param calls: how many it makes.
        """
        if self._view is not None and future.view is not self._view:
            return
        name = self._name or future.name
        self._words.append(_Word(name, calls, 0, 0, 0))
        future.when_ended(partial(self._note_end, name, calls))

    def look(self, show: Callable[..., None]) -> None:
        """Count, and show. The thread that shows."""
        while self._words:
            word = self._words.popleft()
            name = word.name if word.name in self._begun or len(self._begun) < BARS_MAX else OTHERS
            self._begun[name] += word.begun
            self._ended[name] += word.ended
            self._failed[name] += word.failed
            self._cancelled[name] += word.cancelled
        for name, total in self._begun.items():
            failed, cancelled = self._failed[name], self._cancelled[name]
            show(self._ended[name], total, name, name, failed=failed, cancelled=cancelled)

    def _note_end(self, name: str, calls: int, future: TaskFuture[Any]) -> None:
        if future.cancelled():
            self._words.append(_Word(name, 0, 0, 0, calls))
        else:
            has_failed = future.exception() is not None
            self._words.append(_Word(name, 0, calls, calls if has_failed else 0, 0))


class _Tallied(Protocol):
    """What tells tallies of its calls."""

    tallies: list[CallTally]


@contextmanager
def progress_of_calls(core: _Tallied, name: str, view: object = None) -> Iterator[None]:
    """Show bars of the calls that are made within the block; they are closed at its end.

    :param core: that of the executor.
    :param name: what they are called together; empty: each function has a bar.
    :param view: as for the tally.
    """
    tally = CallTally(name, view)
    progress = Progress("", look=tally.look)
    progress.begin()
    core.tallies.append(tally)
    try:
        yield
    finally:
        core.tallies.remove(tally)
        progress.close()
