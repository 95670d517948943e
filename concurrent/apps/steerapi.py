"""What people may do to a running cluster, over the JSON API of its master.

Slaves are drained by admins; tasks are cancelled and begin again for whoever may touch their jobs. Each that
changes something says in the audit log who did it, and waits until that is kept.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import Future
from functools import partial
from typing import TYPE_CHECKING, Final, TypeVar

from concurrent.apps.slavechoice import find_slave, names_of
from concurrent.apps.taskchoice import Chosen, TaskChoice
from concurrent.core.errors import InvalidArguments, NodeError
from concurrent.core.loggers import get_log
from concurrent.core.rows import ROWS_MAX
from concurrent.core.status import Status
from concurrent.scheduling.ledger.records import TaskRecord
from concurrent.scheduling.ledger.states import TaskState
from concurrent.scheduling.ledger.status import DRAINED
from concurrent.scheduling.master.dispatcher import Dispatcher
from concurrent.transport.calls.answer import Request
from concurrent.transport.calls.methods import HasMethods, jsonremote
from concurrent.transport.loop.loop import NodeLoop
from concurrent.transport.security.auditing import NO_AUDIT, REFUSED, IAudit
from concurrent.transport.security.identity import ANYBODY, THIS_USER, Identity
from concurrent.transport.security.roles import OBSERVERS, SUBMITTERS

if TYPE_CHECKING:
    from concurrent.apps.steered import CancelAnswer, DrainAnswer, DrainList, RetryAnswer

__all__ = ["SteerAPI"]

TYPES_FROM: Final = ("concurrent.apps.steered",)
"""Where the types of the answers are, for the documents that describe the API: most masters are not steered."""

log = get_log(__name__)

AnyAnswer = TypeVar("AnyAnswer", bound=Status)

CALL_TIMEOUT_S: Final = 10.0

DRAIN_MAX_S: Final = 366 * 86400.0
"""So long what a drained slave runs may go on at most, if that is bounded at all."""

HOW_ANEW: Final = (
    "'concurrent tasks --failed' lists which; have the program push them anew, a script with a job under "
    "another key; with retry=Retry(times=3) the cluster does it the next time"
)
"""What is to be done about tasks that have failed."""

LEFT: Final = (TaskState.QUEUED, TaskState.PUSHED)
"""Tasks in these states wait for a slave already."""


class SteerAPI:
    """See the module. Its methods are for the threads of the JSON API.

    :param audit: told who does what. Loop thread.
    """

    def __init__(self, loop: NodeLoop, dispatcher: Dispatcher, *, audit: IAudit = NO_AUDIT) -> None:
        self._loop = loop
        self._dispatcher = dispatcher
        self._ledger = dispatcher.ledger
        self._audit = audit

    def register_methods(self, service: HasMethods) -> None:
        """Register everything with the JSON API of the master."""
        self._register_slave_methods(service)
        self._register_task_methods(service)

    def _register_slave_methods(self, service: HasMethods) -> None:
        @jsonremote(service)
        def drain(request: Request, slave: str, timeout_s: float | None = None) -> DrainAnswer:
            """Have a slave get nothing more, by its name or number. What runs there may end, or goes to others
            after ``timeout_s``."""
            _check_timeout(timeout_s)
            return self._do(request, f"slave {slave}", partial(self._drain, slave, timeout_s))

        @jsonremote(service)
        def resume(request: Request, slave: str) -> DrainAnswer:
            """Have a drained slave take tasks again, by its name or number."""
            return self._do(request, f"slave {slave}", partial(self._resume, slave))

        @jsonremote(service, roles=OBSERVERS)
        def drains(_request: Request, slave: str = "") -> DrainList:
            """Return the slaves that are drained, also those that are away; of one, by its name, if it is."""
            return self._loop.call(partial(self._drains, slave), timeout_s=CALL_TIMEOUT_S)

    def _register_task_methods(self, service: HasMethods) -> None:
        @jsonremote(service, roles=SUBMITTERS)
        def cancel_tasks(
            request: Request,
            tasks: list[str] = [],  # noqa: B006  nobody changes it
            *,
            job: str = "",
            function: str = "",
            application: str = "",
            dry_run: bool = False,
        ) -> CancelAnswer:
            """Cancel open tasks: by ``JOB/ID`` or number, or all of a job, a function, an application.
            With ``dry_run`` they are only counted."""
            choice = TaskChoice(tuple(tasks), job, function, application)
            if dry_run:
                return self._loop.call(self._would_cancel, choice, request.identity, timeout_s=CALL_TIMEOUT_S)
            return self._do(request, str(choice), partial(self._cancel, choice))

        @jsonremote(service, roles=SUBMITTERS)
        def retry_tasks(
            request: Request,
            tasks: list[str] = [],  # noqa: B006  nobody changes it
            *,
            job: str = "",
            function: str = "",
            application: str = "",
            failed: bool = False,
            dry_run: bool = False,
        ) -> RetryAnswer:
            """Have open tasks begin at once that wait for their next try, or run. It costs them nothing.
            With ``dry_run`` they are only counted; with ``failed`` it is said why it cannot be."""
            choice = TaskChoice(tuple(tasks), job, function, application)
            if failed:
                count = self._loop.call(self._failed_count, choice, request.identity, timeout_s=CALL_TIMEOUT_S)
                raise _is_final(choice, count)
            if dry_run:
                return self._loop.call(self._would_retry, choice, request.identity, timeout_s=CALL_TIMEOUT_S)
            return self._do(request, str(choice), partial(self._retry, choice))

    def _do(self, request: Request, what: str, change: Callable[[Identity], AnyAnswer]) -> AnyAnswer:
        """Do something, say who did it, and wait until it is kept."""
        kept: Future[AnyAnswer] = Future()

        def begin() -> None:
            note = partial(self._audit.write, request.method, request.identity, request.peer_ip, what)
            try:
                answer = change(request.identity)
            except NodeError as error:
                note(f"{REFUSED}: {error.message}")
                raise
            note(f"done: {_in_words(answer)}")
            log.info("%s: %s %s: %s", _who(request.identity), request.method, what, _in_words(answer))
            self._dispatcher.jobs.when_kept(lambda: kept.set_result(answer))

        self._loop.call(begin, timeout_s=CALL_TIMEOUT_S)
        return kept.result(CALL_TIMEOUT_S)

    def _drain(self, text: str, timeout_s: float | None, identity: Identity) -> DrainAnswer:
        name = find_slave(text, self._ledger)
        self._dispatcher.slaves.drain(name, _who(identity), time.time(), timeout_s)
        return self._drain_answer(name)

    def _resume(self, text: str, _identity: Identity) -> DrainAnswer:
        name = find_slave(text, self._ledger)
        self._dispatcher.slaves.resume(name)
        return self._drain_answer(name)

    def _drains(self, slave: str) -> DrainList:
        from concurrent.apps.steered import DrainList

        names = [name for name in self._ledger.drains.by_name if slave in ("", name)]
        shown = names[-ROWS_MAX:]
        rows = tuple(map(self._drain_answer, shown))
        return DrainList(rows, len(names), len(names) - len(shown))

    def _drain_answer(self, name: str) -> DrainAnswer:
        from concurrent.apps.steered import DrainAnswer

        drain = self._ledger.drains.by_name.get(name)
        slave = names_of(self._ledger).get(name)
        return DrainAnswer(
            slave=name,
            number=slave.slave if slave is not None else 0,
            drain="" if drain is None else DRAINED if slave is None else slave.drain_state,
            drained_by="" if drain is None else drain.by,
            drained_at=0.0 if drain is None else drain.at,
            ends_at=0.0 if drain is None else drain.ends_at,
            held=len(slave.held) if slave is not None else 0,
        )

    def _would_cancel(self, choice: TaskChoice, identity: Identity) -> CancelAnswer:
        return self._cancel_answer(choice.of(self._dispatcher, identity))

    def _cancel_answer(self, chosen: Chosen) -> CancelAnswer:
        from concurrent.apps.steered import CancelAnswer

        running = self._running_count(chosen.tasks)
        return CancelAnswer(waiting=len(chosen.tasks) - running, running=running, not_open=chosen.not_open)

    def _cancel(self, choice: TaskChoice, identity: Identity) -> CancelAnswer:
        chosen = choice.of(self._dispatcher, identity)
        answer = self._cancel_answer(chosen)
        ids_by_owner: dict[int, list[int]] = {}
        for task in chosen.tasks:
            ids_by_owner.setdefault(task.owner.owner, []).append(task.client_id)
        for owner, ids in ids_by_owner.items():
            self._dispatcher.cancel(owner, ids, by=_who(identity))
        return answer

    def _running_count(self, tasks: list[TaskRecord]) -> int:
        """Return how many of some tasks run, as far as slaves tell."""
        numbers_by_slave: dict[int, set[int]] = {}
        for task in tasks:
            if task.state is TaskState.HELD:
                numbers_by_slave.setdefault(task.slave, set()).add(task.number)
        begun = self._ledger.running.begun
        slaves = self._ledger.slaves
        return sum(len(begun(slaves[key]) & numbers) for key, numbers in numbers_by_slave.items())

    def _would_retry(self, choice: TaskChoice, identity: Identity) -> RetryAnswer:
        return self._retry_answer(choice.of(self._dispatcher, identity))

    def _retry_answer(self, chosen: Chosen) -> RetryAnswer:
        from concurrent.apps.steered import RetryAnswer

        states = [task.state for task in chosen.tasks]
        queued = sum(states.count(state) for state in LEFT)
        running = states.count(TaskState.HELD)
        return RetryAnswer(
            waiting=len(states) - queued - running,
            running=running,
            queued=queued,
            not_open=chosen.not_open,
            failed=chosen.failed,
        )

    def _failed_count(self, choice: TaskChoice, identity: Identity) -> int:
        return choice.of(self._dispatcher, identity).failed

    def _retry(self, choice: TaskChoice, identity: Identity) -> RetryAnswer:
        chosen = choice.of(self._dispatcher, identity)
        answer = self._retry_answer(chosen)
        self._dispatcher.try_again([task.number for task in chosen.tasks])
        return answer


def _who(identity: Identity) -> str:
    """Return who does something, as others are told: never empty."""
    if identity == ANYBODY:
        return "somebody"
    return "the user of the master" if identity == THIS_USER else identity.key


def _in_words(answer: Status) -> str:
    return ", ".join(f"{key} {value}" for key, value in vars(answer).items() if value) or "nothing to do"


def _is_final(choice: TaskChoice, count: int) -> NodeError:
    """Return why what has failed for good is not tried again.

    :param choice: what was meant, of which so many have failed.
    """
    return NodeError(
        f"of {choice}, {count:,} {'has' if count == 1 else 'have'} failed, and what has failed is not tried "
        "again: its failure is an outcome that its program counts, or has been given already",
        thing="failed",
        value=count,
        remedy=HOW_ANEW,
    )


def _check_timeout(timeout_s: float | None) -> None:
    """Raise InvalidArguments unless it is a time, or none."""
    if timeout_s is not None and not 0.0 <= timeout_s <= DRAIN_MAX_S:
        raise InvalidArguments(
            f"timeout_s must be from 0 to {DRAIN_MAX_S:.0f}, but is {timeout_s}",
            thing="timeout_s",
            value=timeout_s,
            remedy="Leave it out to let what runs there end by itself",
        )
