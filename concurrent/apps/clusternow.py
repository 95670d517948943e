"""Whether a cluster moves at this moment, if not, why, and what is wrong with it. Loop thread only."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import NamedTuple

from concurrent.apps.clustertroubles import Troubles, troubles_of
from concurrent.apps.observed import CountsStatus, EndedStatus, NowStatus
from concurrent.apps.progresslist import counts_of_all
from concurrent.apps.status import NodeRow
from concurrent.apps.troublelist import NO_TROUBLES
from concurrent.scheduling.ledger.census import busy_workers
from concurrent.scheduling.master.dispatcher import Dispatcher
from concurrent.scheduling.tasks.explanation import BETWEEN_TRIES, Wait, shown_tasks, shown_time
from concurrent.scheduling.telemetry.rates import SPAN_S
from concurrent.transport.security.identity import Identity

__all__ = ["Moment", "moment_of"]


class Moment(NamedTuple):
    """What a cluster does, without its troubles, and these with what not everybody may read."""

    now: NowStatus
    troubles: Troubles

    def shown_to(self, identity: Identity) -> NowStatus:
        """Return what somebody may know of it."""
        return replace(self.now, troubles=self.troubles.shown_to(identity))


def moment_of(dispatcher: Dispatcher, lost: Iterable[NodeRow], at: float) -> Moment:
    """Return whether a cluster moves.

    :param lost: slaves that have gone without a word, the latest first.
    :param at: the time of day, in seconds since the epoch.
    """
    ledger = dispatcher.ledger
    counts = counts_of_all(ledger)
    rate = dispatcher.ended.rate
    per_s = rate.per_s(at)
    heard_busy = sum(min(one.workers, len(one.held)) for one in ledger.slaves.values() if not one.is_silent)
    lately = rate.count(at)
    moves = counts.open > 0 and (lately > 0 or heard_busy > 0)
    troubles = troubles_of(dispatcher, lost, at)
    can_tell = per_s and counts.open and not troubles.is_stuck
    left_s = counts.open / per_s if can_tell else None
    if moves:
        words = _of_motion(per_s, left_s, heard_busy, dispatcher.workers)
    else:
        words = _why_not(dispatcher, counts, lately)
    ended = dispatcher.ended.total()
    now = NowStatus(
        at=at,
        moves=moves,
        words=words,
        troubles=NO_TROUBLES,
        ended_per_s=per_s,
        left_s=left_s,
        counts=counts,
        ended=EndedStatus(ended.finished, ended.failed, ended.cancelled),
        busy=busy_workers(ledger),
        workers=dispatcher.workers,
        slaves=len(ledger.slaves),
        owners=len(ledger.owners),
    )
    return Moment(now, troubles)


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
        nobody = "" if ledger.slaves else "; no slave has joined"
        return ledger.jobs.shortage.reason or f"nothing to do: no task is open{lately}{nobody}"
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
