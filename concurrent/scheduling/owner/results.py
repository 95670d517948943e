"""How what an owner pushed has ended, and what that holds."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import repeat
from typing import Any, Final, NamedTuple

from concurrent.core.errors import (
    SchedulingError,
    TaskCancelled,
    TaskError,
    TaskFailed,
    TaskOutOfMemory,
    TaskTimeout,
    WorkerDied,
)
from concurrent.scheduling.pickling.batch import TaskBatch, load_results
from concurrent.scheduling.pickling.code import AppCode
from concurrent.scheduling.pickling.coding import uncoded
from concurrent.scheduling.pickling.shorthand import expanded
from concurrent.scheduling.tasks.options import Options
from concurrent.scheduling.tasks.outcome import DIED, FAILED, FINISHED, OUT_OF_MEMORY, TIMED_OUT, Ended
from concurrent.scheduling.tasks.task import Task
from concurrent.scheduling.tasks.terms import Terms, terms_of_each
from concurrent.scheduling.wire.columns import Payload
from concurrent.scheduling.wire.failure import dumps_failure, loads_failure, message_of, with_details

__all__ = ["Members", "Outcome", "Recalled", "load_outcome", "load_outcomes", "members_of"]


SHOWN_BYTES: Final = 200
"""How much of what cannot be read is shown."""

Loaded = tuple[Any, Any, "BaseException | None"]
"""What was pushed along with a task, its result, and its error; one of the last two is None."""


class Outcome(NamedTuple):
    """How one task, or one batch, ended.

    :param item: what was pushed along with it; of a batch, :class:`Members`.
    :param status: see ``outcome.py``.
    """

    item: Any
    status: int
    payload: Payload


class Recalled(NamedTuple):
    """In the place of the item: a task or batch that a former program of the job has pushed, as it travels."""

    payload: Payload


class Members(list[Any]):
    """The items of a batch, and what each asks for once it is pushed alone."""

    terms: list[Terms]


def members_of(batch: list[Any], options: Options) -> Members:
    """Return the items of a batch.

    :param options: what is asked for each, besides what it asks for itself.
    :raises SchedulingError: if one is no task, or asks for something that is not to be had in a batch.
    """
    items = Members(batch)
    items.terms = [options.over(one) for one in terms_of_each(batch)] if options else terms_of_each(batch)
    for terms in {id(one): one for one in items.terms}.values():
        asked = terms.binding()  # a batch runs as one, and has one outcome of its worker
        if asked:
            raise SchedulingError(
                f"a task that asks for {asked[0]} cannot run in a batch, for it is that of each alone",
                thing=asked[0],
                value=getattr(terms, asked[0]),
                remedy="Leave batch_size out for such tasks",
            )
    return items


def load_outcomes(code: AppCode, outcomes: Iterable[Outcome]) -> Iterator[Loaded]:
    """Yield the item, the result and the error of each task, those of batches too. The consumer's thread."""
    for outcome in outcomes:
        kind = type(outcome.item)
        if kind is Recalled:
            outcome = _rebuilt(code, outcome)
            kind = type(outcome.item)
        if kind is Members:
            yield from _load_batch(code, outcome)
        else:
            result, error = load_outcome(code, outcome)
            yield outcome.item, result, error


def _rebuilt(code: AppCode, outcome: Outcome) -> Outcome:
    """Return an outcome with the task that a former program pushed, or that this cannot be made again."""
    if not len(outcome.item.payload):
        return Outcome(Task(), FAILED, dumps_failure(_damaged(), None, ""))
    try:
        work = uncoded(expanded(code.loads_payload(outcome.item.payload), code))
    except BaseException as error:  # boundary: unpickling runs foreign code
        failure = dumps_failure(_cannot_rebuild(error), None, "")
        return Outcome(Task(), FAILED, failure)
    return outcome._replace(item=Members(work.members) if type(work) is TaskBatch else work)


def _load_batch(code: AppCode, outcome: Outcome) -> Iterable[Loaded]:
    members = outcome.item
    if outcome.status != FINISHED:
        return zip(members, repeat(None), repeat(load_outcome(code, outcome)[1]))
    try:
        results, errors = load_results(outcome.payload, code)
    except BaseException as error:  # boundary: unpickling runs foreign code
        return zip(members, repeat(None), repeat(_cannot_unpickle(error)))
    return zip(members, results, errors, strict=True)


def load_outcome(code: AppCode, outcome: Outcome) -> tuple[Any, BaseException | None]:
    """Return the result and the error of an outcome, one of which is None. The consumer's thread."""
    status, payload = outcome.status, outcome.payload
    try:
        if status == FINISHED:
            return code.loads_payload(payload), None
        if status == FAILED:
            return None, loads_failure(payload, code)
    except BaseException as error:  # boundary: unpickling runs foreign code
        return None, _cannot_unpickle(error) if status == FINISHED else _strange_failure(payload)
    if status == DIED:
        evidence = tuple(bytes(payload).decode("utf-8", "replace").split("\0"))
        last = evidence[-1].partition("; its last output")[0]
        many = f"{len(evidence)} workers died of the task; the last one: "
        return None, with_details(
            WorkerDied(
                f"{many if len(evidence) > 1 else ''}{last}",
                evidence=evidence,
                remedy="See what the task does to its process: memory, signals, native code",
            )
        )
    if status in (TIMED_OUT, OUT_OF_MEMORY):
        return None, _ended(status, Ended.read(bytes(payload)))
    by = bytes(payload).decode("utf-8", "replace")
    return None, TaskCancelled(f"the task was cancelled by {by}" if by else "the task was cancelled")


def _ended(status: int, ended: Ended) -> TaskError:
    """Return the error of a task that was ended from outside."""
    kind: type[TaskError] = TaskTimeout
    if status == OUT_OF_MEMORY:
        kind, remedy = TaskOutOfMemory, "Ask for more memory, or have it take less at a time"
    elif ended.where:
        remedy = "Give it more time, or see in its output what it waits for"
    else:
        remedy = "Give it a later deadline_s, or more workers that can run it"
    where = f", {ended.where}" if ended.where else ""
    output = f"; its last output:\n{ended.output}" if ended.output else ""
    evidence = (f"{ended.reason}{where}{output}",)
    return with_details(kind(ended.reason, evidence=evidence, remedy=remedy))


def _strange_failure(payload: Payload) -> TaskFailed:
    return TaskFailed(
        f"the task failed, and a slave says so in a way that cannot be read: {bytes(payload)[:SHOWN_BYTES]!r}",
        thing="failure",
        remedy="See in the protocol how a slave reports a failure; a worker of this framework does it so",
    )


def _damaged() -> TaskFailed:
    return TaskFailed(
        "a task of a former program is damaged on the disk of the master, so its outcome has nowhere to go",
        thing="task",
        remedy="See to the disk of the master, then push the task again",
    )


def _cannot_rebuild(error: BaseException) -> TaskFailed:
    return TaskFailed(
        f"a task of a former program cannot be unpickled here: {type(error).__name__}: {message_of(error)}",
        thing=type(error).__name__,
        remedy="Go on with the job with the program that pushed it",
    )


def _cannot_unpickle(error: BaseException) -> TaskFailed:
    return TaskFailed(
        f"the result cannot be unpickled here: {type(error).__name__}: {message_of(error)}",
        thing=type(error).__name__,
        remedy="Return plain data, or install the module that defines the result here too",
    )
