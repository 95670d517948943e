"""What tasks say of themselves, on its way to their owners: how far they are, and what they print.

All of it is for people, so it may be lost: an owner whose session is full is told the next time, and what has
been printed is kept in memory only. Loop thread only.
"""

from __future__ import annotations

from collections.abc import Iterable
from concurrent.futures import Future
from dataclasses import replace
from typing import Final

from concurrent.scheduling.ledger.ledger import Ledger
from concurrent.scheduling.ledger.states import TaskState
from concurrent.scheduling.ledger.status import RunningRow
from concurrent.scheduling.master.outputshelf import OutputShelf
from concurrent.scheduling.master.sessions import Sessions
from concurrent.scheduling.tasks.current import TaskProgress
from concurrent.scheduling.wire.columns import check_columns
from concurrent.scheduling.wire.courier import Courier
from concurrent.scheduling.wire.messages import to_owner, to_slave

__all__ = ["NewsDesk"]

TEXT_CHARS_MAX: Final = 200
"""How much is kept of what a task says that it does."""

TIDY_COUNT_MIN: Final = 1000
"""Up to so many tasks nobody looks which of them have ended."""


class NewsDesk:
    """See the module.

    :param ledger: is asked whose tasks these are, and which slave has them.
    :param printed_before: from where on it counts what has been printed; more than any master before could have
        counted, so that who asks for what came after that misses nothing.
    """

    def __init__(
        self, ledger: Ledger, sessions: Sessions, courier: Courier, *, printed_before: int = 0
    ) -> None:
        self._ledger = ledger
        self._sessions = sessions
        self._courier = courier
        self._printed_before = printed_before
        self._shelf = OutputShelf()
        self._progress_by_number: dict[int, TaskProgress] = {}
        self._tidy_at = TIDY_COUNT_MIN

    def progress(
        self, slave: int, numbers: list[int], done: list[float], totals: list[float], texts: list[str]
    ) -> None:
        """Pass on how far tasks are that a slave has; others are left out.

        :raises InvalidArguments: if the columns differ in length.
        """
        check_columns(numbers, done, totals, texts)
        held = self._ledger.slaves[slave].held
        rows_by_owner: dict[int, list[tuple[int, float, float, str]]] = {}
        for number, one_done, total, text in zip(numbers, done, totals, texts, strict=True):
            task = held.get(number)
            if task is not None:
                self._progress_by_number[number] = TaskProgress(one_done, total, text[:TEXT_CHARS_MAX])
                rows = rows_by_owner.setdefault(task.owner.owner, [])
                rows.append((task.client_id, one_done, total, text))
        for owner, rows in rows_by_owner.items():
            handler = self._sessions.owners.get(owner)
            if handler is not None and handler.has_room:
                self._courier.cast(handler, to_owner.progress, *map(list, zip(*rows, strict=True)))

        self._tidy()

    def running(self, now: float) -> tuple[RunningRow, ...]:
        """Return the tasks that have run for a while, with what they say.

        :param now: the time, in seconds since the epoch.
        """
        latest = self._progress_by_number
        return tuple(
            replace(row, progress=latest[row.task].words) if row.task in latest else row
            for row in self._ledger.running.rows(self._ledger.slaves, now)
        )

    def progress_of(self, number: int) -> str:
        """Return how far a task says that it is, as people read it; empty if it has not said so."""
        latest = self._progress_by_number.get(number)
        return latest.words if latest is not None else ""

    def printed(self, slave: int, numbers: list[int], ends: list[str]) -> None:
        """Keep the end of what tasks have printed that a slave has, or had until they ended; no other's.

        :raises InvalidArguments: if the columns differ in length.
        """
        check_columns(numbers, ends)
        held = self._ledger.slaves[slave].held
        for number, end in zip(numbers, ends, strict=True):
            task = held.get(number)
            if task is not None:
                self._shelf.put(task.owner.owner, task.client_id, end)
            elif (whose := self._ledger.places.last_words.of(slave, number)) is not None:
                self._shelf.put(whose.owner, whose.task_id, end)
        self._shelf.tidy(self._ledger.owners)

    def kept_output(self, owner: int, task_id: int) -> str:
        """Return the end of what a task has printed by its end, or the end of a former try of it."""
        return self._shelf.get(owner, task_id)

    def printed_since(self, owners: Iterable[int], after: int) -> tuple[list[tuple[int, int]], int]:
        """Return which tasks have printed something and ended, by owner and id, the first ones first.

        :param owners: whose.
        :param after: only those that came after so many; some from before may be among them.
        :returns: them, and how many have come in all, counted from where this master began to.
        """
        counts = {owner: self._shelf.put_count(owner) for owner in owners}
        came, before = sum(counts.values()), self._printed_before
        total = before + came
        new = total - after if before <= after <= total else came
        return [(owner, one) for owner in counts for one in self._shelf.latest(owner, new)], total

    def output(self, owner: int, task_id: int) -> str | Future[str]:
        """Return the end of what a task of an owner has printed: of one that runs, as its slave says.

        So is that of one that has ended while its slave had it, such as one that was cancelled.
        """
        number = self._ledger.owners[owner].number_by_id.get(task_id)
        where = self._ledger.places.last_words.found(owner, task_id) if number is None else None
        if number is not None and (task := self._ledger.task_by_number[number]).state is TaskState.HELD:
            where = task.slave, number
        handler = self._sessions.slaves.get(where[0]) if where is not None else None
        if where is None or handler is None:
            return self._shelf.get(owner, task_id)
        answer: Future[str] = Future()
        asked = handler.call(to_slave.output, where[1])
        asked.add_done_callback(
            lambda asked: answer.set_result(_said(asked) or self._shelf.get(owner, task_id))
        )
        return answer

    def _tidy(self) -> None:
        """Forget how far tasks were that have ended."""
        if len(self._progress_by_number) > self._tidy_at:
            known = self._ledger.task_by_number
            latest = {number: one for number, one in self._progress_by_number.items() if number in known}
            self._progress_by_number = latest
            self._tidy_at = max(TIDY_COUNT_MIN, 2 * len(latest))


def _said(asked: Future[str]) -> str:
    """Return what a slave says; nothing if it does not answer, or is too old to."""
    said = asked.result() if asked.exception() is None else ""
    return said if isinstance(said, str) else ""
