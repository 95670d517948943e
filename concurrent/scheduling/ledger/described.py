"""What happens to tasks at a master, in words: its events and commands as lines for the log."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any, Final

from concurrent.scheduling.ledger import events
from concurrent.scheduling.tasks.outcome import (
    CANCELLED,
    DIED,
    FAILED,
    FINISHED,
    OUT_OF_MEMORY,
    RETRIABLE,
    TIMED_OUT,
)

__all__ = ["describe", "trace"]

WORDS: Final = {FINISHED: "finished", FAILED: "failed", DIED: "killed their worker", CANCELLED: "cancelled",
    TIMED_OUT: "took too long", OUT_OF_MEMORY: "took too much memory", RETRIABLE: "may be tried again",
}  # fmt: skip


def describe(one: Any) -> str:
    """Return a line for an event or a command; an empty one if that is not worth it."""
    words = _WORDS_BY_TYPE.get(type(one))
    return words(one) if words is not None else ""


def trace(log: logging.Logger, one: Any) -> None:
    """Write that line to a log, for debugging. Ask first whether anybody wants it."""
    line = describe(one)
    if line:
        log.debug("%s", line)


def _tasks(numbers: Sequence[int]) -> str:
    if len(numbers) == 1:
        return f"task {numbers[0]}"
    return f"{len(numbers)} tasks ({min(numbers)} to {max(numbers)})" if numbers else "no task"


def _ends(statuses: Sequence[int]) -> str:
    counts = Counter(statuses)
    return ", ".join(f"{count} {WORDS.get(status, status)}" for status, count in sorted(counts.items()))


_WORDS_BY_TYPE: Final[dict[type, Callable[[Any], str]]] = {
    events.OwnerJoined: lambda e: f"owner {e.owner} is {e.name}",
    events.OwnerLeft: lambda e: f"owner {e.owner} has left; what it pushed is freed",
    events.SessionAttached: lambda e: f"a session goes on with the job of owner {e.owner}",
    events.SessionDetached: lambda e: f"the job of owner {e.owner} goes on without a session",
    events.JobBegun: lambda e: f"owner {e.owner} has pushed what it begins with",
    events.JobClosed: lambda e: f"the job of owner {e.owner} is {e.how}",
    events.JobCancelled: lambda e: f"the job of owner {e.owner} is cancelled",
    events.JobHeld: lambda e: (
        f"nothing of owner {e.owner} may run: {e.reason}"
        if e.reason
        else f"owner {e.owner} is not held any more"
    ),
    events.JobReleased: lambda e: f"owner {e.owner} may run again",
    events.CodeDefined: lambda e: f"owner {e.owner} has sent code blob {e.index}",
    events.SystemPushed: lambda e: (
        f"owner {e.application} has pushed task system {e.system_id}, which is owner {e.owner}"
    ),
    events.SystemStepped: lambda e: (
        f"task system {e.owner} has dealt with its outcomes up to number {e.consumed_to}"
    ),
    events.SystemLosses: lambda e: f"task system {e.owner} has lost {len(e.losses)} processes",
    events.SystemTaken: lambda e: f"it was dealt with how task system {e.owner} has ended",
    events.SystemEnded: lambda e: f"task system {e.owner} has ended: {_ends([e.status])}",
    events.OutcomesRecalled: lambda e: (
        f"outcomes of owner {e.owner} come from the journal, from number {e.first} on: {_tasks(e.ids)}"
    ),
    events.Recall: lambda c: (
        f"the journal is asked for {c.count} outcomes of owner {c.owner}, from number {c.first} on"
    ),
    events.OutcomesConsumed: lambda e: f"owner {e.owner} has consumed its outcomes up to number {e.up_to}",
    events.BytesConsumed: lambda e: f"owner {e.owner} has consumed {e.size_bytes} bytes of outcomes",
    events.TasksSubmitted: lambda e: (
        f"owner {e.owner} has submitted {len(e.payloads)} tasks, {e.first_id} and on"
    ),
    events.TasksNamed: lambda e: f"owner {e.owner} has named {len(e.keys)} tasks, {e.first_id} and on",
    events.TasksTried: lambda e: f"workers died of {_tasks(e.ids)} of owner {e.owner}",
    events.TasksRetried: lambda e: f"{_tasks(e.ids)} of owner {e.owner} raised, and are tried again",
    events.TasksRenumbered: lambda e: (
        f"{_tasks(e.ids)} of owner {e.owner} have new numbers, {e.first_number} and on"
    ),
    events.StoreChanged: lambda e: (
        f"files have {e.stored_bytes} bytes of payloads; problem: {e.problem or 'none'}"
    ),
    events.Record: lambda c: f"the journal keeps: {describe(c.what)}",
    events.TasksEnded: lambda c: f"{_tasks(c.ids)} of owner {c.owner} have ended: {_ends(c.statuses)}",
    events.Accept: lambda c: f"the tasks of owner {c.owner} up to {c.last_id} are accepted",
    events.CancelRequested: lambda e: f"owner {e.owner} cancels {_tasks(e.ids)} of its own numbers",
    events.SlaveJoined: lambda e: f"slave {e.slave} is {e.name} with {e.workers} workers",
    events.SlaveAway: lambda e: f"nothing arrives from slave {e.slave}; what it runs waits for it",
    events.SlaveBack: lambda e: f"slave {e.slave} is back",
    events.SlaveHolding: lambda e: (
        f"slave {e.slave} still has {_tasks(e.running)}, and outcomes of {_tasks(e.finished)}"
    ),
    events.SlaveLost: lambda e: f"slave {e.slave} has left ({e.reason}); what it held goes to others",
    events.SlaveDrained: lambda e: f"{e.name} is drained by {e.by}: it gets nothing more",
    events.SlaveResumed: lambda e: f"{e.name} is not drained any more",
    events.TellDrained: lambda c: (
        f"slave {c.slave} is told that it is drained by {c.by}"
        if c.by
        else f"slave {c.slave} is told that it may take tasks again"
    ),
    events.TasksAgain: lambda e: f"{_tasks(e.numbers)} begin again at once",
    events.SlavesGone: lambda e: f"these slaves do not come back: {', '.join(map(str, e.names))}",
    events.SlaveLacks: lambda e: f"slave {e.slave} wants no tasks for {e.reason!r}",
    events.SlaveFits: lambda e: f"slave {e.slave} {e.words or 'has what is needed'}, for owner {e.owner}",
    events.WindowChanged: lambda e: f"slave {e.slave} wants to hold {e.window} tasks",
    events.TasksDone: lambda e: f"slave {e.slave} has done {_tasks(e.numbers)}: {_ends(e.statuses)}",
    events.TasksFailed: lambda e: f"the master cannot do {_tasks(e.numbers)}",
    events.TasksReturned: lambda e: f"slave {e.slave} gives back {_tasks(e.numbers)}",
    events.TasksTaken: lambda e: f"slave {e.slave} has taken {_tasks(e.numbers)}",
    events.TasksAssigned: lambda e: f"the scheduler gives slave {e.slave} up to {e.count} tasks",
    events.TasksOffered: lambda e: f"the scheduler offers up to {e.count} tasks to all slaves",
    events.SlaveAsked: lambda e: f"the scheduler may ask slave {e.slave} for tasks",
    events.PushedLost: lambda _: "what is on the work queue is offered again",
    events.Send: lambda c: f"{_tasks(c.numbers)} of owner {c.owner} sent to slave {c.slave}",
    events.Push: lambda c: f"{_tasks(c.numbers)} of owner {c.owner} offered to all slaves",
    events.CancelRun: lambda c: f"slave {c.slave} is told to cancel {_tasks(c.numbers)}",
    events.AskBack: lambda c: f"slave {c.slave} is asked to give back {c.count} tasks",
    events.TellInfeasible: lambda c: f"no slave could run {c.count} tasks of owner {c.owner}: {c.why}",
    events.FailInfeasible: lambda c: f"{_tasks(c.numbers)} fail, for no slave has what they claim: {c.why}",
    events.Deliver: lambda c: f"outcomes go to owner {c.owner}, its {_tasks(c.ids)}: {_ends(c.statuses)}",
}
