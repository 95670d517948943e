"""All that a master knows of one task, open or ended, and what it has printed. Loop thread only."""

from __future__ import annotations

from collections.abc import Iterable
from concurrent.futures import Future
from typing import Final

from concurrent.apps.jobnames import jobs_called
from concurrent.apps.observed import OutputStatus, TaskDetails, TaskRow
from concurrent.apps.taskchoice import parts_of
from concurrent.apps.tasklist import TaskLister
from concurrent.core.errors import NodeError
from concurrent.core.nearest import did_you_mean
from concurrent.scheduling.ledger.records import TaskRecord
from concurrent.scheduling.ledger.states import TaskState
from concurrent.scheduling.master.dispatcher import Dispatcher
from concurrent.scheduling.master.jobmakers import may_read
from concurrent.scheduling.tasks.explanation import Explanation
from concurrent.scheduling.telemetry.endedtasks import EndedTask
from concurrent.transport.security.identity import Identity

__all__ = ["TaskFinder"]

NOT_KEPT: Final = "(its traceback is not kept any more, only those of the latest failures are)"


class TaskFinder:
    """See the module. Make one for each moment that is asked about.

    :param identity: who asks.
    :param at: the time of day, in seconds since the epoch.
    """

    def __init__(self, dispatcher: Dispatcher, identity: Identity, at: float) -> None:
        self._dispatcher = dispatcher
        self._ledger = dispatcher.ledger
        self._identity = identity
        self._at = at
        self._lister = TaskLister(dispatcher, identity, at)

    def details(self, text: str) -> TaskDetails:
        """Return all that is known of a task.

        :param text: ``JOB/ID``, or the number of an open one at the master.
        :raises InvalidArguments: if that names no task.
        :raises NodeError: if there is none, or nothing is known of it any more.
        """
        task = self._find(text)
        return self._of_open(task) if isinstance(task, TaskRecord) else self._of_ended(task)

    def output(self, text: str) -> Future[OutputStatus]:
        """Return the end of what a task has printed.

        :raises InvalidArguments: if that names no task.
        :raises NodeError: if there is none of somebody's own.
        """
        task = self._find(text)
        job = self._dispatcher.ended.mark_of(task.owner) if isinstance(task, TaskRecord) else task.job
        if not may_read(job.maker, self._identity):
            raise _not_there(text)
        if isinstance(task, TaskRecord):
            said = self._output(job.owner, task.client_id)
            is_running = task.state is TaskState.HELD
        else:
            said = self._output(job.owner, task.id) or self._output_of_last(task)
            is_running = False
        answer: Future[OutputStatus] = Future()
        if isinstance(said, Future):
            said.add_done_callback(lambda said: answer.set_result(OutputStatus(said.result(), is_running)))
        else:
            answer.set_result(OutputStatus(said, is_running))
        return answer

    def _output(self, owner: int, task_id: int) -> str | Future[str]:
        if owner not in self._ledger.owners:
            return ""
        return self._dispatcher.news.output(owner, task_id)

    def _find(self, text: str) -> TaskRecord | EndedTask:
        """Return an open task, or what is known of one that has ended."""
        title, number = parts_of(text)
        if not title:
            task = self._ledger.task_by_number.get(number)
            if task is None:
                raise _not_there(text)
            return task
        jobs = jobs_called(self._ledger.owners.values(), title)
        for job in reversed(jobs):
            if number in job.number_by_id:
                return self._ledger.task_by_number[job.number_by_id[number]]
            ended = self._dispatcher.ended.tasks.find(job.owner, number)
            if ended is not None:
                return ended
        ended = self._dispatcher.ended.tasks.find_of(title, number)
        if ended is not None:  # of a job that is gone
            return ended
        known = (f"{job.title}/{number}" for job in self._ledger.owners.values())
        raise _not_there(text, [] if jobs else known)

    def _of_open(self, task: TaskRecord) -> TaskDetails:
        row = self._lister.open_row(task)
        return TaskDetails(
            row=row,
            came_at=self._at - self._ledger.places.arrivals.age_s(task.number),
            explanation=self._dispatcher.explainer().task(task) if row.is_yours else None,
            text="",
            output=self._kept_output(row),
        )

    def _of_ended(self, task: EndedTask) -> TaskDetails:
        row = self._lister.ended_row(task)
        return TaskDetails(
            row=row,
            came_at=task.came_at,
            explanation=self._explanation_of(task) if row.is_yours else None,
            text=_text_of(task) if row.is_yours else "",
            output=(self._kept_output(row) or self._output_of_last(task)) if row.is_yours else "",
        )

    def _output_of_last(self, task: EndedTask) -> str:
        """Return what a task printed that was the last one to fail so: it outlives the job."""
        group = self._dispatcher.ended.failures.get(task.job.owner, task.name, task.exception)
        return group.output if group is not None and group.tasks[-1] == task.id else ""

    def _explanation_of(self, task: EndedTask) -> Explanation | None:
        job = self._ledger.owners.get(task.job.owner)
        return self._dispatcher.explainer().of_job(job, task.id) if job is not None else None

    def _kept_output(self, row: TaskRow) -> str:
        """Return what the master has of what a task printed, without asking its slave."""
        return self._dispatcher.news.kept_output(row.owner, row.id) if row.is_yours else ""


def _text_of(task: EndedTask) -> str:
    """Return how a task failed, as far as it is kept; nothing of one that has not failed."""
    return task.text or (f"{task.words}\n{NOT_KEPT}" if task.words else "")


def _not_there(text: str, known: Iterable[str] = ()) -> NodeError:
    """Return the error of a task of which nothing is known.

    :param known: how it might have been called.
    """
    return NodeError(
        f"nothing is known of a task {text!r:.100} at this master",
        thing="task",
        value=text,
        remedy=f"{did_you_mean(text, sorted(known))}'concurrent tasks' lists those that there are; of those "
        "that have ended the latest are known",
    )
