"""How jobs are held, closed and forgotten. Pure; the ledger owns it.

A job ends with its session if it is not kept; after a lost session, or a start of the master, its program has a
while to come back. A kept job ends when its program has left it and nothing of it is open, and is forgotten a
while after that. Moments are counted from when they are seen, so that a clock that is set does not matter; only
from one run of a master to the next the time of day counts.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from concurrent.scheduling.ledger.alarms import Alarm
from concurrent.scheduling.ledger.events import (
    CancelRequested,
    CancelRun,
    Command,
    ForgetJob,
    JobCancelled,
    JobClosed,
    JobHeld,
    JobReleased,
    OwnerJoined,
    OwnerLeft,
    Record,
    SessionDetached,
    SystemEnded,
    SystemTaken,
    TellUnread,
)
from concurrent.scheduling.ledger.joblife import CANCELLED as JOB_CANCELLED
from concurrent.scheduling.ledger.joblife import JobLife
from concurrent.scheduling.ledger.places import Places
from concurrent.scheduling.ledger.records import JobRecord
from concurrent.scheduling.ledger.states import TaskEvent, TaskState
from concurrent.scheduling.ledger.tally import earlier
from concurrent.scheduling.tasks.outcome import CANCELLED

__all__ = ["Lifetimes"]

LOOK_S: Final = 1.0
"""How often it is looked at jobs that outlive their sessions."""

NOTE_S: Final = 5.0
"""How often it is recorded at most what is remembered of a job."""

TOLD_BEFORE_S: Final = 86400.0
TOLD_BEFORE_SHARE: Final = 0.1
"""So long before, or this share of how long it is kept, it is told that a job will be forgotten unread."""


class Lifetimes:
    """See the module.

    :param return_s: how long a session that was lost has to come back.
    """

    def __init__(self, places: Places, return_s: float) -> None:
        self._places = places
        self._jobs = places.jobs
        self._return_s = return_s

    def joined(self, event: OwnerJoined) -> list[Command]:
        """Begin a job, with a session attached."""
        commands = self._jobs.begin(event)
        if commands:
            self._places.alarms.set(Alarm.JOBS, LOOK_S)
        return commands

    def left(self, event: OwnerLeft) -> list[Command]:
        """Free the tasks of a job and forget it, and its task systems."""
        job = self._jobs.end(event.owner)
        if job is None:
            return []
        commands: list[Command] = [Record(event)] if job.life is not None else []
        commands += self.free(job)
        for system in list(job.life.systems) if job.life is not None else ():
            commands += self._forget(self._jobs.by_number[system], "its application has left")
        return commands

    def detached(self, event: SessionDetached) -> list[Command]:
        """Let a job go on without a session, and look at once whether it is over."""
        self._places.alarms.wake(Alarm.JOBS)
        return self._jobs.detached(event)

    def free(self, job: JobRecord) -> list[Command]:
        """Drop the tasks of a job, of which nobody wants to hear."""
        places = self._places
        job.queue.drop(job)
        running: dict[int, list[int]] = {}
        if job.is_kept:
            places.budget.kept_count -= len(job.number_by_id)
        commands = places.end_copies(places.task_by_number[one] for one in job.number_by_id.values())
        for number in job.number_by_id.values():
            task = places.task_by_number.pop(number)
            places.budget.open_bytes -= len(task.payload)
            places.pushed.pop(number, None)
            places.refusals.forget(task)
            places.retries.forget(task)
            if task.state is TaskState.HELD:
                slave = places.slaves[task.slave]
                del slave.held[number]
                places.ending.add(task)
                running.setdefault(task.slave, []).append(number)
            task.undergo(TaskEvent.ENDED)
        job.number_by_id.clear()
        return [*commands, *(CancelRun(slave, numbers) for slave, numbers in running.items())]

    def system_ended(self, event: SystemEnded) -> list[Command]:
        """Drop the tasks of a task system that has ended; it is known until its application has heard of it."""
        job = self._jobs.by_number.get(event.owner)
        return self._jobs.record(event) + self.drop(job) if job is not None else []

    def drop(self, job: JobRecord) -> list[Command]:
        """Drop what is open of a task system that has ended: it counts as cancelled."""
        job.counts.cancelled += len(job.number_by_id)
        return self.free(job)

    def system_taken(self, event: SystemTaken) -> list[Command]:
        """Forget a task system that has ended; its application keeps its counts and its failures."""
        system = self._jobs.by_number.get(event.owner)
        life = system.life if system is not None else None
        if system is None or life is None or not life.has_ended:
            return []
        commands: list[Command] = []
        application = self._jobs.by_number.get(life.application)
        if application is not None and application.life is not None:
            its_life = application.life
            self._note_first_run(system, life)
            its_life.of_systems.add_all(life.of_systems)
            its_life.of_systems.add_all(system.counts)
            its_life.failures.add(life.failures.rows())
            its_life.first_run_at = earlier(its_life.first_run_at, life.first_run_at)
            its_life.is_changed = True
            commands += self._jobs.note(application, its_life)
        return commands + self.left(OwnerLeft(event.owner))

    def cancel_requested(self, event: CancelRequested) -> list[Command]:
        """Cancel some tasks of a job."""
        job = self._jobs.by_number.get(event.owner)
        return self._cancel(job, event.ids, event.grace_s, event.by) if job is not None else []

    def cancelled(self, event: JobCancelled) -> list[Command]:
        """Cancel a job: nothing of it runs any more, and nothing more of it is taken."""
        return self.closed(JobClosed(event.owner, JOB_CANCELLED, self._places.clock))

    def closed(self, event: JobClosed) -> list[Command]:
        """End what is open of a job, and count from now how long it is kept."""
        job = self._jobs.by_number.get(event.owner)
        if job is None:
            return []
        commands = self._cancel(job, list(job.number_by_id))
        if job.life is not None:
            commands += self._jobs.note(job, job.life)
        commands += self._jobs.record(event)
        self.settle(job)
        return commands

    def held(self, event: JobHeld) -> list[Command]:
        """Let nothing of a job run, for a reason."""
        return self._hold(event)

    def released(self, event: JobReleased) -> list[Command]:
        """Let a job run again that was held."""
        job = self._jobs.by_number.get(event.owner)
        if job is None or job.life is None or not job.life.held_because:
            return []
        return self._hold(JobReleased(event.owner, job.life.held_because))

    def begin(self) -> None:
        """Look after the jobs from before a start."""
        if self._jobs.by_number:
            self._places.alarms.set(Alarm.JOBS, LOOK_S)

    def slaves_are_back(self) -> None:
        """Let the jobs from before a start run."""
        for job in self._jobs.by_number.values():
            if job.life is not None:
                job.life.awaits_slaves = False
                self.settle(job)

    def settle(self, job: JobRecord) -> None:
        """Have the tasks of a job wait where schedulers see them, if they may run."""
        places = self._places
        queue = places.queue if job.may_run else places.parked
        if job.queue is not queue:
            job.queue.hand_over(job, queue)
        if not job.may_run:
            refused = places.refusals.tasks_of(job.owner)
            for task in refused:
                places.refusals.forget(task)
            places.requeue(refused)

    def look(self, now: float) -> list[Command]:
        """Close and forget jobs whose time has come, and record what is remembered of them.

        :param now: the time, in seconds since any fixed instant.
        """
        commands: list[Command] = []
        for job in [job for job in self._jobs.by_number.values() if job.life is not None]:
            assert job.life is not None
            commands += self._remember(job, job.life, now)
            commands += self._look_after(job, job.life, now)
            self._places.alarms.set(Alarm.JOBS, LOOK_S)
        return commands

    def _cancel(self, job: JobRecord, ids: Iterable[int], grace_s: float = 0.0, by: str = "") -> list[Command]:
        places = self._places
        known = {one: job.number_by_id[one] for one in ids if one in job.number_by_id}
        tasks = [places.task_by_number[number] for number in known.values()]
        commands: list[Command] = []
        ended = set(ids).difference(known)
        if ended and places.ending.runs:
            commands += places.ending.hurry(job.owner, ended, grace_s)
        commands += places.take_out(tasks, grace_s)
        commands += places.end(tasks, [CANCELLED] * len(tasks), [by.encode()] * len(tasks))
        for task in tasks:  # one that was queued is in the queue until its turn
            task.payload = b""
        return commands

    def _hold(self, event: JobHeld | JobReleased) -> list[Command]:
        commands = self._jobs.record(event)
        if commands:
            self.settle(self._jobs.by_number[event.owner])
        return commands

    def _note_first_run(self, job: JobRecord, life: JobLife) -> None:
        has_run = job.given_count or job.counts.finished or job.counts.failed
        if self._places.clock and has_run and not life.first_run_at:
            life.first_run_at = self._places.clock
            life.is_changed = True

    def _remember(self, job: JobRecord, life: JobLife, now: float) -> list[Command]:
        """Record what is remembered of a job, if that has changed and was not recorded just now."""
        self._note_first_run(job, life)
        if now < life.noted_at + NOTE_S:
            return []
        commands = self._jobs.note(job, life)
        if commands:
            life.noted_at = now
        return commands

    def _look_after(self, job: JobRecord, life: JobLife, now: float) -> list[Command]:
        """Close or forget a job if its time has come; a task system goes with its application."""
        if life.is_cancelled and job.number_by_id:
            return self._cancel(job, list(job.number_by_id))
        if life.is_attached or life.spec.kind == "system":
            life.left_at = None
            is_stray = not life.is_attached and life.application not in self._jobs.by_number
            return self._forget(job, "its application is not known") if is_stray else []
        if life.left_at is None:
            life.left_at = now
        is_lost = now - life.left_at >= self._return_s
        if not life.spec.keep_s:
            reason = f"its program did not come back within {self._return_s:.0f} s"
            return self._forget(job, reason) if is_lost else []
        if life.closed is None:
            is_done = not job.number_by_id and not self._jobs.has_open_system(life)
            if is_done and (life.has_begun or is_lost or life.spec.kind != "application"):
                how = "finished" if life.has_begun or life.spec.kind != "application" else "lost"
                return self._jobs.note(job, life) + self._jobs.record(
                    JobClosed(job.owner, how, self._places.clock)
                )
            return []
        return self._keep(job, life, life.closed, now)

    def _keep(self, job: JobRecord, life: JobLife, closed: JobClosed, now: float) -> list[Command]:
        """Forget a job that has ended if it was kept long enough; say before that it was not read."""
        keep_s = life.spec.keep_s
        if life.forget_at is None:
            life.forget_at = now + keep_s - max(0.0, self._places.clock - closed.at)
        left_s = life.forget_at - now
        if left_s <= 0:
            return self._forget(job, f"it was kept for {keep_s:.0f} s after it had ended")
        unread_count = life.outbox.waiting_count
        is_time = left_s <= min(TOLD_BEFORE_S, TOLD_BEFORE_SHARE * keep_s)
        if not unread_count or life.is_told_unread or not is_time:
            return []
        life.is_told_unread = True
        return [TellUnread(job.owner, unread_count, left_s)]

    def _forget(self, job: JobRecord, reason: str) -> list[Command]:
        unread_count = job.outbox.waiting_count
        return [*self.left(OwnerLeft(job.owner)), ForgetJob(job.owner, job.title, reason, unread_count)]
