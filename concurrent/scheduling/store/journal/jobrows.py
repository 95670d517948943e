"""All rows that a journal has of one job, and which of them go. A pure module; see ``live.py``."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import islice
from operator import attrgetter

from concurrent.scheduling.ledger.jobspec import JobSpec
from concurrent.scheduling.ledger.recorded import TasksEnded
from concurrent.scheduling.store.journal.records import EMPTIED, GONE, Numbers
from concurrent.scheduling.store.journal.rows import OutcomeRow, Row, TaskRow

__all__ = ["Changes", "JobRows", "Tally"]


@dataclass(slots=True)
class Changes:
    """What a transaction does besides what it adds.

    :param cuts: rows, and what is wanted of them, see ``cut``; done before anything is deleted.
    :param rows: the numbers of those that go.
    :param payloads: the numbers of payloads with rows of their own that go.
    """

    cuts: list[tuple[int, bytes]] = field(default_factory=list)
    rows: list[int] = field(default_factory=list)
    payloads: list[int] = field(default_factory=list)


@dataclass(slots=True)
class Tally:
    """How large the rows of all jobs are, and what goes of them.

    :param changes: those of the transaction that comes next.
    :param to_cut: rows that are mostly unwanted, by their numbers, with the job of each.
    """

    total_bytes: int = 0
    wanted_bytes: int = 0
    changes: Changes = field(default_factory=Changes)
    to_cut: dict[int, tuple[JobRows, Row]] = field(default_factory=dict)


class JobRows:
    """See the module. ``rows`` has each by its number, and ``payloads`` how large those with own rows are."""

    def __init__(self, tally: Tally) -> None:
        self.rows: dict[int, Row] = {}
        self.payloads: dict[int, int] = {}
        self.keys: list[tuple[int, int, int]] = []
        """The first task, the count and the row of each ``TasksNamed``."""
        self._tally = tally
        self._is_kept = False
        self._keeps_results = False
        self._newest: dict[object, int] = {}
        self._tasks: list[TaskRow] = []  # by the numbers of their first tasks, those that are gone among them
        self._first_ids: list[int] = []
        self._gone_count = 0
        self._outcomes: list[OutcomeRow] = []  # by the numbers of their first outcomes
        self._unconsumed_at = 0
        self._about: dict[int, list[_AboutTasks]] = {}  # by task

    def begin(self, spec: JobSpec | None) -> None:
        """Take note of what the job is."""
        if spec is not None:
            self._is_kept = spec.keep_s > 0
            self._keeps_results = spec.keeps_results

    def add(self, row: Row, numbers: Numbers) -> None:
        """Take note of a row, which is wanted.

        :param numbers: of payloads that have rows of their own.
        """
        self.rows[row.seq] = row
        self._tally.total_bytes += row.size_bytes
        self._tally.wanted_bytes += row.wanted_bytes
        for number, size_bytes in numbers.values():
            self.payloads[number] = size_bytes
            self._tally.total_bytes += size_bytes
            self._tally.wanted_bytes += size_bytes

    def add_newest(self, row: Row, numbers: Numbers, what: object) -> None:
        """Take note of a row that takes the place of the one before, of the same ``what``."""
        self.add(row, numbers)
        self.drop_newest(what)
        self._newest[what] = row.seq
        if numbers:
            self._newest[what, "payload"] = next(iter(numbers.values()))[0]

    def drop_newest(self, what: object) -> None:
        """What the newest row of its kind says is not wanted any more."""
        if (seq := self._newest.pop(what, 0)) in self.rows:
            self._drop(self.rows[seq])
        self._drop_payloads([self._newest.pop((what, "payload"), 0)])

    def add_tasks(self, row: TaskRow, numbers: Numbers) -> None:
        """Take note of a row of tasks."""
        self.add(row, numbers)
        if numbers:
            row.refer(numbers)
        self._tasks.append(row)
        self._first_ids.append(row.first_id)

    def add_about(self, row: Row, ids: list[int]) -> None:
        """Take note of a row that is wanted until all of some tasks have ended."""
        self.add(row, {})
        about = _AboutTasks(row, len(ids))
        for task_id in ids:
            self._about.setdefault(task_id, []).append(about)

    def add_outcomes(self, row: OutcomeRow, ended: TasksEnded, numbers: Numbers) -> None:
        """Take note of a row of outcomes."""
        self.add(row, numbers)
        self._outcomes.append(row)
        for tasks, ids in self._rows_of(ended.ids):
            row.tasks.append(tasks)
            tasks.ends.append(row)
            if not self._is_kept:
                self._lower(tasks, ids, EMPTIED)
        if self._about:
            for task_id in ended.ids:
                for about in self._about.pop(task_id, ()):
                    about.count -= 1
                    if not about.count:
                        self._drop(about.row)

    def consumed(self, up_to: int) -> None:
        """Take note that outcomes up to a number were consumed."""
        at = self._unconsumed_at
        while at < len(self._outcomes) and self._outcomes[at].first <= up_to:
            row = self._outcomes[at]
            tasks_consumed = self._rows_of(row.consume(up_to))
            if not self._keeps_results:
                before = row.wanted_bytes
                self._drop_payloads(row.free())
                self._note_less(row, before)
            for tasks, ids in tasks_consumed:
                self._lower(tasks, ids, GONE)
                if not tasks.left:
                    self._drop_tasks(tasks)
            if row.ids:
                break
            self._release(row)
            at += 1
        self._unconsumed_at = at
        if not self._keeps_results and at > len(self._outcomes) // 2:
            del self._outcomes[:at]
            self._unconsumed_at = 0

    def cut(self, row: Row) -> None:
        """Have a row cut, and drop what stayed for what is cut off."""
        self._tally.changes.cuts.append((row.seq, row.states()))
        self._tally.total_bytes -= row.size_bytes
        self._tally.wanted_bytes -= row.wanted_bytes
        row.is_cut()
        self._tally.total_bytes += row.size_bytes
        self._tally.wanted_bytes += row.wanted_bytes
        if isinstance(row, TaskRow):
            self._unlink(row)

    def drop_some(self, count: int) -> int:
        """Drop the oldest rows, all if they are not more than ``count``, and all payloads; returns how many."""
        rows = list(islice(self.rows.values(), count))
        for row in rows:
            self._drop(row)
        self._drop_payloads(list(self.payloads))
        return len(rows)

    def task_rows(self, ids: Sequence[int]) -> list[int]:
        """Return the rows that have any of these tasks."""
        return [row.seq for row, _ in self._rows_of(ids)]

    def outcome_rows(self, first: int, count: int) -> list[int]:
        """Return the rows that have so many outcomes from a number on, in their order."""
        at = max(0, bisect_right(self._outcomes, first, key=attrgetter("first")) - 1)
        found = []
        while at < len(self._outcomes) and (row := self._outcomes[at]).first < first + count:
            if row.last >= first:
                found.append(row.seq)
            at += 1
        return found

    def key_rows(self, first_id: int, count: int) -> list[int]:
        """Return the rows that name any of so many tasks from a number on."""
        at = max(0, bisect_right(self.keys, (first_id + 1,)) - 1)
        found = []
        while at < len(self.keys) and self.keys[at][0] < first_id + count:
            found.append(self.keys[at][2])
            at += 1
        return found

    def _rows_of(self, ids: Sequence[int]) -> list[tuple[TaskRow, Sequence[int]]]:
        """Return the rows that have any of these tasks, each with tasks that are at least all of them."""
        if not ids:
            return []
        row = self._row_of(min(ids))
        if row is not None and max(ids) < row.first_id + row.count:
            return [(row, ids)] if row.left else []
        ids_by_row: dict[int, list[int]] = {}
        found: dict[int, TaskRow] = {}
        for task_id in ids:
            if row is None or not row.has(task_id):
                row = self._row_of(task_id)
            if row is not None and row.has(task_id):
                found[row.seq] = row
                ids_by_row.setdefault(row.seq, []).append(task_id)
        return [(row, ids_by_row[seq]) for seq, row in found.items()]

    def _row_of(self, task_id: int) -> TaskRow | None:
        at = bisect_right(self._first_ids, task_id) - 1
        return self._tasks[at] if at >= 0 else None

    def _lower(self, tasks: TaskRow, ids: Sequence[int], state: int) -> None:
        before = tasks.wanted_bytes
        self._drop_payloads(tasks.lower(ids, state))
        self._note_less(tasks, before)

    def _note_less(self, row: Row, before: int) -> None:
        """Less of a row is wanted than before."""
        self._tally.wanted_bytes -= before - row.wanted_bytes
        if row.is_mostly_unwanted:
            self._tally.to_cut[row.seq] = (self, row)

    def _drop_tasks(self, row: TaskRow) -> None:
        """Nothing is wanted of a row of tasks."""
        self._drop(row)
        row.present = 0
        self._unlink(row)
        self._gone_count += 1
        if 2 * self._gone_count > len(self._tasks):
            self._tasks = [one for one in self._tasks if one.present]
            self._first_ids = [one.first_id for one in self._tasks]
            self._gone_count = 0

    def _unlink(self, tasks: TaskRow) -> None:
        """What was consumed of a row of tasks is not in it any more: neither need it be told that it ended."""
        for row in tasks.ends:
            if not row.ids or not tasks.present:
                row.tasks.remove(tasks)
                self._release(row)
        tasks.ends = [row for row in tasks.ends if row.ids and tasks.present]

    def _release(self, row: OutcomeRow) -> None:
        if not row.ids and not row.tasks and not self._keeps_results and row.seq in self.rows:
            self._drop(row)

    def _drop(self, row: Row) -> None:
        del self.rows[row.seq]
        self._tally.to_cut.pop(row.seq, None)
        self._tally.total_bytes -= row.size_bytes
        self._tally.wanted_bytes -= row.wanted_bytes
        self._tally.changes.rows.append(row.seq)

    def _drop_payloads(self, numbers: list[int]) -> None:
        for number in numbers:
            if size_bytes := self.payloads.pop(number, 0):
                self._tally.total_bytes -= size_bytes
                self._tally.wanted_bytes -= size_bytes
                self._tally.changes.payloads.append(number)


@dataclass(slots=True)
class _AboutTasks:
    """A row that is wanted until so many tasks have ended."""

    row: Row
    count: int
