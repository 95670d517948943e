"""Which rows of a journal are wanted still, as the events that it has say. A pure module.

A row goes when telling the rest again gives the same ledger:

- All that a job has left goes with ``OwnerLeft``. Of what replaces itself, such as ``OutcomesConsumed``, the
  newest stays.
- A task goes when its outcome was consumed; the other tasks of its row may stay. Its payload goes when it has
  ended; of a job that is kept, with the task.
- An outcome goes when it was consumed and no row has its task any more: a task that is told without its end
  would run again. Its payload goes when it was consumed. Of a job that keeps its results, both stay.

A row that is mostly unwanted is cut when there is much of that altogether.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Any, Final, cast

from concurrent.scheduling.ledger import recorded
from concurrent.scheduling.ledger.recorded import TasksSubmitted
from concurrent.scheduling.store.journal.jobrows import Changes, JobRows, Tally
from concurrent.scheduling.store.journal.records import Numbers, Told
from concurrent.scheduling.store.journal.rows import OutcomeRow, Row, TaskRow

__all__ = ["Live"]

NEWEST: Final = (
    recorded.SessionAttached,
    recorded.JobBegun,
    recorded.JobClosed,
    recorded.JobHeld,
    recorded.JobReleased,
    recorded.JobNoted,
    recorded.SystemPushed,
    recorded.SystemStepped,
    recorded.SystemLosses,
)
"""Of these the newest of an owner counts."""

UNWANTED_BYTES_MAX: Final = 64 << 20
"""So much may be unwanted, besides as much as is wanted, before rows are cut."""

CUT_BYTES_MAX: Final = 8 << 20
LEFT_ROWS_MAX: Final = 2000
"""What is done at most in one transaction: of rows that are cut, and of the rows of a job that has left."""


class Live:
    """See the module. Tell it each row, as it is appended and in the order in which they are replayed.

    :param unwanted_bytes_max: how much may be unwanted besides as much as is wanted.
    """

    def __init__(self, unwanted_bytes_max: int = UNWANTED_BYTES_MAX) -> None:
        self.jobs: dict[int, JobRows] = {}
        self._tally = Tally()
        self._unwanted_bytes_max = unwanted_bytes_max
        self._left: deque[JobRows] = deque()
        self._slaves = JobRows(self._tally)
        self._slave_names: dict[int, str] = {}
        self._note: dict[type, Callable[[Row, Any, Numbers], None]] = {
            recorded.OwnerJoined: self._owner_joined,
            recorded.OwnerLeft: self._owner_left,
            recorded.TasksNamed: self._tasks_named,
            recorded.TasksTried: self._about_tasks,
            recorded.TasksRetried: self._about_tasks,
            recorded.TasksRenumbered: self._about_tasks,
            recorded.OutcomesConsumed: self._outcomes_consumed,
            recorded.SystemEnded: self._system_ended,
            recorded.SlaveJoined: self._slave_joined,
            recorded.SlaveLost: self._slave_lost,
            recorded.SlaveDrained: self._slave_drained,
            recorded.SlaveResumed: self._slave_resumed,
            **dict.fromkeys(NEWEST, self._newest),
        }

    @property
    def total_bytes(self) -> int:
        """How large all rows are, payloads included, about."""
        return self._tally.total_bytes

    @property
    def wanted_bytes(self) -> int:
        """How much of that is wanted, about."""
        return self._tally.wanted_bytes

    def note(self, seq: int, size_bytes: int, told: Told) -> None:
        """Take note of a row.

        :param size_bytes: how large it is, without payloads that have rows of their own.
        """
        what = told.events[0]
        if isinstance(what, TasksSubmitted):
            tasks = TaskRow(seq, size_bytes, cast("list[TasksSubmitted]", told.events), told.spans)
            self._job(what.owner).add_tasks(tasks, told.numbers)
        elif isinstance(what, recorded.TasksEnded):
            ended = OutcomeRow(seq, size_bytes, what, told.numbers)
            self._job(what.owner).add_outcomes(ended, what, told.numbers)
        elif (note := self._note.get(type(what))) is not None:
            note(Row(seq, size_bytes), what, told.numbers)
        else:
            self._job(what.owner).add(Row(seq, size_bytes), told.numbers)  # type: ignore[union-attr]

    @property
    def has_more(self) -> bool:
        """Whether more is to go than one transaction does."""
        return bool(self._left) or (bool(self._tally.to_cut) and self._is_much_unwanted)

    @property
    def _is_much_unwanted(self) -> bool:
        tally = self._tally
        return tally.total_bytes - 2 * tally.wanted_bytes > self._unwanted_bytes_max

    def changes(self) -> Changes:
        """Return what the next transaction has to do besides, and begin anew."""
        self._drop_left()
        self._cut()
        changes, self._tally.changes = self._tally.changes, Changes()
        return changes

    def _job(self, owner: int) -> JobRows:
        job = self.jobs.get(owner)
        if job is None:
            job = self.jobs[owner] = JobRows(self._tally)
        return job

    def _owner_joined(self, row: Row, what: recorded.OwnerJoined, numbers: Numbers) -> None:
        job = self._job(what.owner)
        job.begin(what.job)
        job.add(row, numbers)

    def _owner_left(self, row: Row, what: recorded.OwnerLeft, numbers: Numbers) -> None:
        job = self.jobs.pop(what.owner, None) or JobRows(self._tally)
        job.add(row, numbers)
        self._left.append(job)

    def _newest(self, row: Row, what: Any, numbers: Numbers) -> None:
        self._job(what.owner).add_newest(row, numbers, type(what))

    def _tasks_named(self, row: Row, what: recorded.TasksNamed, numbers: Numbers) -> None:
        job = self._job(what.owner)
        job.add(row, numbers)
        job.keys.append((what.first_id, len(what.keys), row.seq))

    def _about_tasks(
        self,
        row: Row,
        what: recorded.TasksTried | recorded.TasksRetried | recorded.TasksRenumbered,
        _numbers: Numbers,
    ) -> None:
        self._job(what.owner).add_about(row, what.ids)

    def _outcomes_consumed(self, row: Row, what: recorded.OutcomesConsumed, numbers: Numbers) -> None:
        self._newest(row, what, numbers)
        self._job(what.owner).consumed(what.up_to)

    def _system_ended(self, row: Row, what: recorded.SystemEnded, numbers: Numbers) -> None:
        self._newest(row, what, numbers)
        self._job(what.owner).drop_newest(recorded.SystemStepped)

    def _slave_joined(self, row: Row, what: recorded.SlaveJoined, numbers: Numbers) -> None:
        names = {slave: name for slave, name in self._slave_names.items() if name != what.name}
        self._slave_names = {**names, what.slave: what.name}
        self._slaves.add_newest(row, numbers, ("joined", what.name))
        self._slaves.drop_newest(("lost", what.name))

    def _slave_lost(self, row: Row, what: recorded.SlaveLost, numbers: Numbers) -> None:
        name = self._slave_names.get(what.slave, "")
        self._slaves.add_newest(row, numbers, ("lost", name))
        self._slaves.drop_newest(("joined", name))
        self._slaves.drop_newest(("lost", name))
        self._slave_names.pop(what.slave, None)

    def _slave_drained(self, row: Row, what: recorded.SlaveDrained, numbers: Numbers) -> None:
        self._slaves.add_newest(row, numbers, ("drained", what.name))

    def _slave_resumed(self, row: Row, what: recorded.SlaveResumed, numbers: Numbers) -> None:
        self._slaves.add_newest(row, numbers, ("drained", what.name))
        self._slaves.drop_newest(("drained", what.name))

    def _drop_left(self) -> None:
        """Drop rows of jobs that have left, ``OwnerLeft`` after all others."""
        count = LEFT_ROWS_MAX
        while self._left and count > 0:
            job = self._left[0]
            count -= job.drop_some(count)
            if not job.rows:
                self._left.popleft()

    def _cut(self) -> None:
        tally, cut_bytes = self._tally, 0
        while tally.to_cut and cut_bytes < CUT_BYTES_MAX and self._is_much_unwanted:
            job, row = tally.to_cut.pop(next(iter(tally.to_cut)))
            cut_bytes += row.size_bytes
            job.cut(row)
