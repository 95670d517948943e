"""Looks after the workers of a pool: what each runs since when, what it prints, and whether it gets on.

While tasks are in the pool it looks at each worker five times a second. A task that has run for a fifth of a
second is told of, and again every two seconds while it runs; shorter ones are never seen here. That a process
is stopped is said at once and logged; that it has not computed for long is only said, for a task may well
sleep or wait for an answer. Loop thread only.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from concurrent.core.loggers import get_log
from concurrent.core.rows import chosen_rows
from concurrent.scheduling.processes.procstat import ProcessState, process_state
from concurrent.scheduling.slave.crew import Item, shown_item
from concurrent.scheduling.slave.status import WorkerTaskRow
from concurrent.scheduling.slave.workerlink import WorkerLink
from concurrent.transport.loop.loop import NodeLoop

__all__ = ["OnRunning", "RunningTask", "WorkerWatch"]

LOOK_S: Final = 0.2
"""How often workers are looked at, and how long a task has run when it is told of."""

CHECK_S: Final = 1.0
"""How often what running tasks print goes to the log, their processes are examined, and stalled ones killed."""

REPORT_S: Final = 2.0
"""How often the tasks that run are told of again, so that silence means something."""

START_S: Final = 10.0
"""A worker that has tasks and starts none for so long is said to."""

IDLE_S: Final = 10.0
"""A process that has used no processor time for so long is said to have."""

log = get_log(__name__)


@dataclass(slots=True, eq=False)
class RunningTask:
    """A task that has run for a while.

    :param number: its number.
    :param shown: what logs call it.
    :param pid: the process that runs it.
    :param since: when that began, in the loop's time.
    :param note: what is unusual about it, in a few words; mostly nothing.
    """

    number: int
    shown: str
    pid: int
    since: float
    note: str = ""
    is_told: bool = False
    used_ticks: int = -1
    used_at: float = 0.0
    stopped_at: float | None = None


OnRunning = Callable[[Sequence[RunningTask]], object]


class WorkerWatch:
    """See the module. ``is_resting`` tells that nobody looks; :meth:`wake` it when there is something to run.

    :param links: the workers; the list of the pool itself.
    :param on_running: called with tasks that have run for a while, or whose note has changed.
    :param on_look: called at each look with the task that each worker runs.
    """

    def __init__(
        self,
        loop: NodeLoop,
        links: Sequence[WorkerLink],
        on_running: OnRunning,
        on_look: Callable[[Mapping[WorkerLink, Item]], object],
    ) -> None:
        self.is_resting = True
        self._loop = loop
        self._links = links
        self._on_running = on_running
        self._on_look = on_look
        self._timer: asyncio.TimerHandle | None = None
        self._done_count_by_link: dict[WorkerLink, int] = {}
        self._task_by_link: dict[WorkerLink, RunningTask] = {}
        self._checked_at = 0.0
        self._reported_at = 0.0
        self._is_start_late = False

    def wake(self) -> None:
        """Begin to look, and go on as long as there are tasks."""
        self.is_resting = False
        self._timer = self._loop.call_later(LOOK_S, self._look)

    def stop(self) -> None:
        """Look no more, until :meth:`wake`."""
        self.is_resting = True
        if self._timer is not None:
            self._timer.cancel()

    def forget(self, link: WorkerLink) -> None:
        """Know no more of a worker that has ended."""
        self._done_count_by_link.pop(link, None)
        task = self._task_by_link.pop(link, None)
        if task is not None:
            _note_end(task)

    def rows(self) -> tuple[WorkerTaskRow, ...]:
        """Return the tasks that have run for long, the longest first."""
        now = self._loop.time()
        tasks = chosen_rows(self._task_by_link.values(), lambda task: -task.since)
        return tuple(WorkerTaskRow(one.number, one.pid, now - one.since, one.note, one.shown) for one in tasks)

    def _look(self) -> None:
        now = self._loop.time()
        before, self._task_by_link = self._task_by_link, {}
        counts, self._done_count_by_link = self._done_count_by_link, {}
        running: dict[WorkerLink, Item] = {}
        for link in self._links:
            if not link.outstanding:
                continue
            self._done_count_by_link[link] = link.done_count
            item = link.running_item()
            if item is None:
                continue
            running[link] = item
            if counts.get(link, link.done_count) == link.done_count:  # else it gets on
                self._note(link, item, before.get(link))
        for link, task in before.items():
            if self._task_by_link.get(link) is not task:
                _note_end(task)
        if now - self._checked_at >= CHECK_S:
            self._checked_at = now
            self._check(now)
            self._check_starts(now)
        self._tell(now)
        self._on_look(running)
        if self._done_count_by_link:
            self._timer = self._loop.call_later(LOOK_S, self._look)
        else:
            self.is_resting = True

    def _note(self, link: WorkerLink, item: Item, known: RunningTask | None) -> None:
        if known is None or known.number != item[0]:
            known = RunningTask(item[0], shown_item(item), link.pid, link.progress_at)
        self._task_by_link[link] = known

    def _check(self, now: float) -> None:
        for link in list(self._links):
            link.log_output()
            link.look()
        for task in self._task_by_link.values():
            if now - task.since >= CHECK_S and (state := process_state(task.pid)) is not None:
                _examine(task, state, now)

    def _check_starts(self, now: float) -> None:
        """Say it when a worker has tasks and starts none, because it is not there or never came up."""
        is_late = any(
            link.outstanding and now - link.progress_at >= START_S and link.running_number() is None
            for link in self._links
        )
        if is_late != self._is_start_late:
            self._is_start_late = is_late
            if is_late:
                log.warning("a worker has started none of its tasks for %.0f s: does its zygote hang?", START_S)
            else:
                log.warning("all workers with tasks have started one")

    def _tell(self, now: float) -> None:
        long = [task for task in self._task_by_link.values() if now - task.since >= LOOK_S]
        if now - self._reported_at < REPORT_S:
            long = [task for task in long if not task.is_told]
        else:
            self._reported_at = now
        if long:
            for task in long:
                task.is_told = True
            self._on_running(long)


def _note_end(task: RunningTask) -> None:
    if task.stopped_at is not None:
        log.warning("%s, whose process %d was stopped, is over", task.shown, task.pid)


def _examine(task: RunningTask, state: ProcessState, now: float) -> None:
    """Take note of how the process of a task is."""
    if state.used_ticks != task.used_ticks:
        task.used_ticks, task.used_at = state.used_ticks, now
    if state.is_stopped:
        if task.stopped_at is None:
            task.stopped_at = now
            task.is_told = False
            log.warning(
                "%s makes no progress: its process %d is stopped, by a signal or a debugger",
                task.shown,
                task.pid,
            )
        task.note = "its process is stopped"
        return
    if task.stopped_at is not None:
        log.warning("%s goes on, its process was stopped for %.0f s", task.shown, now - task.stopped_at)
        task.stopped_at = None
        task.is_told = False
    idle_s = now - task.used_at
    task.note = ""
    if idle_s >= IDLE_S:
        waits = "waits for a device and " if state.is_blocked else ""
        task.note = f"its process {waits}has not computed for {idle_s:.0f} s"
