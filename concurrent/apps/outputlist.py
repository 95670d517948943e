"""What the tasks of a job have printed, a part at a time. Loop thread only.

Those that have ended are known by what is kept of their output, however many tasks there are. Of those that run
the slaves are asked, all at the same time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import Future

from concurrent.apps.jobnames import numbers_called
from concurrent.apps.observed import OutputRow, OutputsList, TaskRow
from concurrent.apps.tasklist import TaskLister
from concurrent.core.errors import JobUnknown
from concurrent.core.nearest import did_you_mean
from concurrent.scheduling.ledger.records import JobRecord
from concurrent.scheduling.master.dispatcher import Dispatcher
from concurrent.scheduling.master.jobmakers import may_read
from concurrent.transport.security.identity import Identity

__all__ = ["OutputLister"]

_Key = tuple[int, int]
"""Of a task: the number of its owner, and its id there."""


class OutputLister:
    """See the module. Make one for each moment that is asked about.

    :param identity: who asks.
    :param at: the time of day, in seconds since the epoch.
    """

    def __init__(self, dispatcher: Dispatcher, identity: Identity, at: float) -> None:
        self._dispatcher = dispatcher
        self._ledger = dispatcher.ledger
        self._identity = identity
        self._lister = TaskLister(dispatcher, identity, at)

    def part(self, job: str, after: int, limit: int, offset: int) -> Future[OutputsList]:
        """Return what tasks of a job have printed.

        :param job: its name or id.
        :param after: of those that have ended only those that came after so many.
        :param limit: so many at most, from ``offset`` on.
        :raises JobUnknown: if there is no such job of somebody's own.
        """
        owners = self._owners(job)
        ended, total = self._dispatcher.news.printed_since(owners, after)
        keys = [*ended, *self._running(owners)]
        shown = keys[offset : offset + limit]
        rows = self._rows(shown)
        open_count = sum(len(self._ledger.owners[owner].number_by_id) for owner in owners)

        def made(outputs: list[str]) -> OutputsList:
            items = tuple(
                OutputRow(
                    f"{self._lister.job_name(owner)}/{task_id}", *_what(rows.get((owner, task_id))), output
                )
                for (owner, task_id), output in zip(shown, outputs, strict=True)
            )
            left_out = max(0, len(keys) - offset - len(shown))
            return OutputsList(items, len(keys), left_out, open_count, total)

        return _gathered([self._dispatcher.news.output(*key) for key in shown], made)

    def _owners(self, job: str) -> list[int]:
        """Return the numbers of a job and of its task systems."""
        found = numbers_called(self._dispatcher, job)
        mine = [owner for owner in sorted(found) if self._is_mine(self._ledger.owners[owner])]
        if not mine:
            known = {one.title for one in self._ledger.owners.values() if self._is_mine(one)}
            raise JobUnknown(
                f"there is no job {job!r:.100} of yours",
                thing="job",
                value=job,
                remedy=f"{did_you_mean(job, sorted(known))}'concurrent top' shows jobs and programs",
            )
        return mine

    def _is_mine(self, job: JobRecord) -> bool:
        return may_read(self._dispatcher.ended.mark_of(job).maker, self._identity)

    def _running(self, owners: Iterable[int]) -> list[_Key]:
        wanted = set(owners)
        tasks = (self._ledger.task_by_number[number] for number in self._lister.running())
        return [(one.owner.owner, one.client_id) for one in tasks if one.owner.owner in wanted]

    def _rows(self, keys: Iterable[_Key]) -> dict[_Key, TaskRow]:
        """Return what is known of tasks."""
        rows: dict[_Key, TaskRow] = {}
        missing = set()
        for owner, task_id in keys:
            number = self._ledger.owners[owner].number_by_id.get(task_id)
            if number is not None:
                rows[owner, task_id] = self._lister.open_row(self._ledger.task_by_number[number])
            else:
                missing.add((owner, task_id))
        tasks = self._dispatcher.ended.tasks
        for ended in (*tasks.unfinished(), *tasks.finished()) if missing else ():
            key = ended.job.owner, ended.id
            if key in missing:
                rows[key] = self._lister.ended_row(ended)
        return rows


def _what(row: TaskRow | None) -> tuple[str, str]:
    return ("", "") if row is None else (row.name, row.state)


def _gathered(parts: list[str | Future[str]], made: Callable[[list[str]], OutputsList]) -> Future[OutputsList]:
    """Return the answer that is made of texts, when all are there. None of them fails."""
    answer: Future[OutputsList] = Future()
    asked = [part for part in parts if isinstance(part, Future)]
    missing = len(asked)

    def one_more(_part: Future[str] | None) -> None:
        nonlocal missing
        missing -= 1
        if missing <= 0:
            answer.set_result(made([one.result() if isinstance(one, Future) else one for one in parts]))

    for part in asked:
        part.add_done_callback(one_more)
    if not asked:
        one_more(None)
    return answer
