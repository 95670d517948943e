"""Whether a cluster moves at this moment, and if not, why: in figures and in one line. Loop thread only."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Final

from concurrent.apps.observed import CountsStatus, NowStatus
from concurrent.apps.progresslist import counts_of_all
from concurrent.apps.status import NodeRow
from concurrent.scheduling.ledger.census import busy_workers
from concurrent.scheduling.ledger.status import WaitRow
from concurrent.scheduling.master.dispatcher import Dispatcher
from concurrent.scheduling.tasks.explanation import BETWEEN_TRIES, Wait, shown_tasks, shown_time
from concurrent.scheduling.telemetry.failuregroups import FailureGroup
from concurrent.scheduling.telemetry.rates import SPAN_S

__all__ = ["now_of"]

TROUBLES_MAX: Final = 12
"""So many lines are shown, and of each kind a few, so that no kind hides the others."""

OF_KIND_MAX: Final = 3

LATELY_S: Final = 300.0
"""So long it is said that a slave has gone, or that tasks failed."""

USUAL_WAITS: Final = ("room at a slave", "the scheduler")
"""What a task may wait for while all is well."""


def now_of(dispatcher: Dispatcher, gone: Iterable[NodeRow], at: float) -> NowStatus:
    """Return whether a cluster moves.

    :param gone: slaves that have left, the latest first.
    :param at: the time of day, in seconds since the epoch.
    """
    ledger = dispatcher.ledger
    counts = counts_of_all(ledger)
    rate = dispatcher.ended.rate
    per_s = rate.per_s(at)
    heard_busy = sum(min(one.workers, len(one.held)) for one in ledger.slaves.values() if not one.is_silent)
    ended = rate.count(at)
    moves = counts.open > 0 and (ended > 0 or heard_busy > 0)
    left_s = counts.open / per_s if per_s and counts.open else None
    if moves:
        words = _of_motion(per_s, left_s, heard_busy, dispatcher.workers)
    else:
        words = _why_not(dispatcher, counts, ended)
    return NowStatus(
        at=at,
        moves=moves,
        words=words,
        troubles=tuple(islice(_troubles(dispatcher, gone, at), TROUBLES_MAX)),
        ended_per_s=per_s,
        left_s=left_s,
        counts=counts,
        busy=busy_workers(ledger),
        workers=dispatcher.workers,
        slaves=len(ledger.slaves),
        owners=len(ledger.owners),
    )


def _of_motion(per_s: float, left_s: float | None, busy: int, workers: int) -> str:
    of_workers = f"{busy:,} of {workers:,} workers are busy"
    if not per_s:
        return f"{of_workers}; no task has ended in the last {SPAN_S} s"
    rate = f"{per_s:,.0f}" if per_s >= 10 else f"{per_s:.1f}"
    left = f"; about {shown_time(left_s)} left" if left_s is not None else ""
    return f"{rate} tasks end in a second; {of_workers}{left}"


def _why_not(dispatcher: Dispatcher, counts: CountsStatus, ended: int) -> str:
    """Return the one line on why nothing runs."""
    ledger = dispatcher.ledger
    if not counts.open:
        lately = f"; {shown_tasks(ended)} ended in the last {SPAN_S} s" if ended else ""
        return dispatcher.ledger.jobs.shortage.reason or f"nothing to do: no task is open{lately}"
    silent = [slave for slave in ledger.slaves.values() if slave.is_silent and slave.held]
    most = dispatcher.explainer().most_waiting()
    if most is not None and not silent:
        return _line_of(most)
    if silent:
        held = sum(len(slave.held) for slave in silent)
        who = f"{silent[0].name} is" if len(silent) == 1 else f"{len(silent)} slaves are"
        return f"{who} silent with {shown_tasks(held)}: nobody knows what runs there"
    return f"{shown_tasks(counts.open)} open, at slaves that have not said that they run any"


def _line_of(wait: Wait) -> str:
    first = wait.first
    name = f"{first.name} of " if first.name else ""
    if first.state == BETWEEN_TRIES:  # what was raised is not for everybody
        return f"{shown_tasks(wait.count)} ({name}{first.owner}) failed, to be tried again: {first.then}"
    because = f": {'; '.join(first.because)}" if first.because else ""
    return f"{shown_tasks(wait.count)} ({name}{first.owner}) waiting for {first.waits_for}{because}"


def _troubles(dispatcher: Dispatcher, gone: Iterable[NodeRow], at: float) -> Iterator[str]:
    """Yield what a person should look at."""
    ledger = dispatcher.ledger
    if reason := ledger.jobs.shortage.reason:
        yield f"no more tasks are accepted: {reason}"
    explainer = dispatcher.explainer()
    if explainer.trouble:
        yield explainer.trouble
    slaves = list(ledger.slaves.values())
    silent = (one for one in slaves if one.is_silent)
    yield from (
        f"{one.name} is silent, with {shown_tasks(len(one.held))}" for one in islice(silent, OF_KIND_MAX)
    )
    lost = (one for one in gone if at - one.since < LATELY_S)
    for node in islice(lost, OF_KIND_MAX):
        yield f"{node.node_id} is gone since {shown_time(at - node.since)}: {node.reason}"
    short = (one for one in slaves if one.lacks)
    yield from (f"{one.name} wants no tasks: {one.lacks}" for one in islice(short, OF_KIND_MAX))
    unfit = (f"{one.name} {line}" for one in slaves for line in one.status().unfit)
    yield from islice(unfit, OF_KIND_MAX)
    held = (job for job in ledger.owners.values() if job.life is not None and job.life.held_because)
    for job in islice(held, OF_KIND_MAX):
        assert job.life is not None
        yield f"job {job.title} is held: {job.life.held_because}"
    waits = (row for row in explainer.long_waits() if row.waits_for not in USUAL_WAITS)
    yield from map(_of_wait, islice(waits, OF_KIND_MAX))
    runs = (row for row in ledger.running.rows(ledger.slaves, at) if row.note)
    for run in islice(runs, OF_KIND_MAX):
        yield f"{run.name or 'task'} of {run.owner} (task {run.id}), at {run.slave}: {run.note}"
    failures = (one for one in dispatcher.ended.failures.rows() if at - one.last_at < LATELY_S)
    yield from map(_of_failures, islice(failures, OF_KIND_MAX))


def _of_failures(group: FailureGroup) -> str:
    name = f"{group.name} of " if group.name else ""
    again = f", and {group.tried_again:,} failed tries were repeated" if group.tried_again else ""
    return f"{shown_tasks(group.count)} failed ({name}{group.job.name}): {group.exception}{again}"


def _of_wait(row: WaitRow) -> str:
    name = f"{row.name} of " if row.name else ""
    because = f": {row.because}" if row.because else ""
    waiting = f"waiting for {row.waits_for}, for up to {shown_time(row.age_s)}"
    return f"{shown_tasks(row.count)} ({name}{row.owner}) {waiting}{because}"
