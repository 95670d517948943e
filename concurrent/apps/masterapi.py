"""What peers may call on a master's compute channel, and which session belongs to which node.

What was sent is checked before anything else sees it: a peer's mistake is its own error and changes
nothing. The registry of methods compares arguments with the annotations; what numbers may be, each method
checks itself. A cast that is refused ends the session, but for those that are only shown to people: tasks
whose message was lost would be waited for without end. Loop thread only.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

from concurrent.apps.api import NodeType
from concurrent.apps.attaching import Attaching
from concurrent.apps.codeapi import register_code
from concurrent.apps.explainapi import register_explain
from concurrent.apps.jobwish import JobWish
from concurrent.apps.neighbours import Neighbours
from concurrent.apps.newsapi import register_news
from concurrent.apps.registry import NodeRecord, NodeRegistry
from concurrent.apps.revoked import tell_revoked
from concurrent.core.errors import InvalidArguments, NodeError, NotAllowed, SchedulingError
from concurrent.core.loggers import get_log
from concurrent.scheduling.ledger.events import JobBegun, SystemStepped, TasksNamed, TasksSubmitted
from concurrent.scheduling.master.dispatcher import Dispatcher
from concurrent.scheduling.master.systems import SystemHosts
from concurrent.scheduling.tasks.outcome import FAILED
from concurrent.scheduling.tasks.runterms import MOST_WEIGHT
from concurrent.scheduling.wire.columns import Payload, check_statuses
from concurrent.scheduling.wire.failure import dumps_failure
from concurrent.scheduling.wire.messages import to_master, to_owner
from concurrent.scheduling.wire.stretches import PackedTerms, read_stretches
from concurrent.transport.calls.handler import TCPHandler
from concurrent.transport.calls.methods import HasMethods, receives
from concurrent.transport.security.identity import Identity
from concurrent.transport.security.trust import Trust
from concurrent.transport.session.states import SessionState

__all__ = ["WINDOW_MAX", "MasterAPI"]

TASKS_PER_MESSAGE_MAX: Final = 10_000
MESSAGE_BYTES_MIN: Final = 8 << 20
"""Nodes that accept less could not be sent what others push."""

WINDOW_MAX: Final = 1 << 24
GRACE_MAX_S: Final = 3600.0
ID_MAX: Final = 1 << 63
KEY_LENGTH_MAX: Final = 1024
"""How many characters the text may have by which a program knows a task."""

PROCESS_ENDED: Final = "its process has ended"

WAITING_HOST: Final = "waits for a task system"
"""The context of a host's session until there is a system for it; without any the session would be ended."""

log = get_log(__name__)


def _weight_of(record: NodeRecord) -> int:
    """Return the weight that an application asks for when it registers.

    :raises NodeError: if there is no such weight.
    """
    weight = record.data.get("weight", 1)
    if type(weight) is not int or not 1 <= weight <= MOST_WEIGHT:
        raise NodeError(
            f"the weight of an application must be a whole number from 1 to {MOST_WEIGHT}: {weight!r:.100}",
            thing="application.weight",
            value=weight,
        )
    return weight


@dataclass(frozen=True, slots=True)
class Peer:
    """What a session belongs to; kept as the ``context`` of its handler."""

    node_id: str
    node_type: NodeType
    number: int
    is_system: bool = False


class MasterAPI:
    """See the module.

    :param alike_max: how many nodes of one type may join from one address, so that others find a place there.
    :param neighbours: sees the ends of slaves on this machine.
    :param may_host: raises NotAllowed for whoever may not have task systems here.
    :param trust: who is trusted no more, which nodes are told that join; None if everybody is.
    """

    def __init__(
        self,
        registry: NodeRegistry,
        dispatcher: Dispatcher,
        systems: SystemHosts,
        *,
        alike_max: int,
        neighbours: Neighbours,
        may_host: Callable[[Identity], object],
        attaching: Attaching | None = None,
        trust: Trust | None = None,
    ) -> None:
        self._alike_max = alike_max
        self._neighbours = neighbours
        self._may_host = may_host
        self._attaching = attaching
        self._trust = trust or Trust()
        self._detaching: set[int] = set()
        self._is_stopping = False
        self._registry = registry
        self._dispatcher = dispatcher
        self._systems = systems

    def bind(self, handler: TCPHandler, record: NodeRecord) -> int:
        """Let the node that registered use the session; returns its number.

        :raises NodeError: if the session is another node's, or its address has too many of its type.
        """
        self._check(handler, record)
        if record.node_type is NodeType.slave:
            number = self._dispatcher.slaves.join(handler, record.node_id, record.data)
            self._neighbours.watch(number, record.data, partial(self._process_ended, handler))
        else:
            number = self._dispatcher.jobs.begin(handler, record.node_id, weight=_weight_of(record))
        self._bound(handler, record, number)
        return number

    def attach(self, handler: TCPHandler, record: NodeRecord, wish: JobWish) -> Future[dict[str, Any]]:
        """Let the application that registered use the session for a job; returns what it will be answered.

        :raises NodeError: as :meth:`bind` does, or if the job cannot be had; see :class:`Attaching`.
        """
        self._check(handler, record)
        if self._attaching is None:
            raise NodeError(
                "this master keeps no journal, so it has no jobs",
                thing="attach_job",
                remedy="Call register_application, or start the master with a journal",
            )
        number, answer = self._attaching.attach(handler, wish, _weight_of(record))
        self._detaching.discard(number)
        self._bound(handler, record, number)
        return answer

    def _check(self, handler: TCPHandler, record: NodeRecord) -> None:
        if handler.node_id != record.node_id or handler.context is not None:
            raise NodeError(f"this session is that of {handler.node_id}", thing=record.node_id)
        if handler.peer_bytes_max < MESSAGE_BYTES_MIN:
            raise NodeError(
                f"{record.node_id} accepts messages of {handler.peer_bytes_max} bytes only",
                thing="transport.message_bytes_max",
                value=handler.peer_bytes_max,
                remedy=f"Accept at least {MESSAGE_BYTES_MIN}",
            )
        joined_count = self._registry.count(record.ip, record.node_type)
        if joined_count >= self._alike_max:
            raise NodeError(
                f"{record.ip} has {joined_count} nodes of type {record.node_type.value}, which is all that one "
                "address may have",
                thing=record.node_id,
                value=self._alike_max,
                remedy="Stop some of them",
            )

    def _bound(self, handler: TCPHandler, record: NodeRecord, number: int) -> None:
        if record.node_type is NodeType.application and record.data.get("systems") is True:
            self._systems.application_joined(number, handler)
        self._own(handler, Peer(record.node_id, record.node_type, number))
        self._registry.joined(record, number)
        tell_revoked(handler, self._trust.revoked)
        log.info("%s joined from %s", record.node_id, record.ip)

    def stop(self) -> None:
        """Take the sessions that end from now on for those that end because this master stops.

        So nothing is offered anew of what a slave had: where it would be, is closed next.
        """
        self._is_stopping = True

    def session_cut(self, handler: TCPHandler, *, is_silent: bool) -> None:
        """Give a slave nothing more while nothing arrives from it, and do not wait for one that has ended."""
        peer = handler.context
        if not isinstance(peer, Peer) or peer.node_type is not NodeType.slave:
            return
        if self._neighbours.has_ended(peer.number):
            handler.close(PROCESS_ENDED)
        elif is_silent and not self._is_stopping:
            self._dispatcher.slaves.away(peer.number)

    def _process_ended(self, handler: TCPHandler) -> None:
        """A slave has ended; what it has sent is read first, up to the end of its connection."""
        if handler.state is SessionState.CUT:
            handler.close(PROCESS_ENDED)

    def session_resumed(self, handler: TCPHandler) -> None:
        """Go on with a slave that was away."""
        peer = handler.context
        if isinstance(peer, Peer) and peer.node_type is NodeType.slave:
            self._dispatcher.slaves.back(peer.number)

    def session_lost(self, handler: TCPHandler, reason: str) -> None:
        """Free or move what a session's node had."""
        self._systems.lost(handler)
        peer = handler.context
        if not isinstance(peer, Peer):
            return
        if peer.node_type is NodeType.slave:
            self._neighbours.forget(peer.number)
            if not self._is_stopping:  # else it comes back to the next master with what it has
                self._dispatcher.slaves.lose(peer.number, reason)
        else:
            self._session_of_owner_lost(handler, peer.number)
        if not peer.is_system:
            self._registry.leave(peer.node_id, peer.number, reason, has_said_goodbye=handler.has_said_goodbye)
            log.info("%s left: %s", peer.node_id, reason)

    def _session_of_owner_lost(self, handler: TCPHandler, owner: int) -> None:
        """End the job of a session, or have it go on without one."""
        jobs = self._dispatcher.jobs
        if not jobs.has_session(owner, handler):
            return  # another one has taken the job over
        is_detaching = owner in self._detaching
        self._detaching.discard(owner)
        if not jobs.outlives_session(owner) or (
            handler.has_said_goodbye and not is_detaching and not jobs.is_kept(owner)
        ):
            jobs.leave(owner)
        elif not self._is_stopping:
            jobs.detach(owner)
            self._systems.session_left(owner)

    def register_methods(self, server: HasMethods) -> None:
        """Register everything with the server of the compute channel."""
        self._register_owner_methods(server)
        self._register_job_methods(server)
        self._register_system_methods(server)
        self._register_host_methods(server)
        self._register_outcome_methods(server)
        self._register_queue_methods(server)
        register_code(server, self._dispatcher, _number)
        register_news(server, self._dispatcher, _number)
        register_explain(server, self._dispatcher, _number)

    def _register_owner_methods(self, server: HasMethods) -> None:
        dispatcher = self._dispatcher

        @receives(server, to_master.push_tasks)
        def push_tasks(
            handler: TCPHandler,
            _request: Any,
            first_id: int,
            code_count: int,
            terms: PackedTerms,
            payloads: list[Payload],
        ) -> None:
            """Accept tasks, numbered by their owner from ``first_id``; ``terms`` as in ``stretches.py``."""
            owner = _number(handler, NodeType.application)
            count = len(payloads)
            if not (0 <= first_id <= ID_MAX and code_count >= 0 and 0 < count <= TASKS_PER_MESSAGE_MAX):
                _check("first_id", first_id, 0, ID_MAX)
                _check("code_count", code_count, 0)
                _check("the number of payloads", count, 1, TASKS_PER_MESSAGE_MAX)
            (_, asked), *changes = read_stretches(terms, count)
            submitted = TasksSubmitted(owner, first_id, payloads, asked, changes, at=time.time())
            dispatcher.submit(submitted, code_count)

        @receives(server, to_master.cancel)
        def cancel(handler: TCPHandler, _request: Any, ids: list[int], grace_s: float = 0.0) -> None:
            """Want nothing more of these tasks; those that run have so long to end by themselves."""
            _check("grace_s", grace_s, 0, GRACE_MAX_S)
            dispatcher.cancel(_number(handler, NodeType.application), ids, grace_s)

        @receives(server, to_master.consumed)
        def consumed(handler: TCPHandler, _request: Any, size_bytes: int) -> None:
            """Have dealt with outcomes of that size."""
            _check("size_bytes", size_bytes, 0)
            dispatcher.consumed(_number(handler, NodeType.application), size_bytes)

        @receives(server, to_master.consumed_to)
        def consumed_to(handler: TCPHandler, _request: Any, up_to: int) -> None:
            """Have dealt with the outcomes up to this one of the registration, counted from 1."""
            _check("up_to", up_to, 0)
            dispatcher.consumed_to(_number(handler, NodeType.application), up_to)

    def _register_job_methods(self, server: HasMethods) -> None:
        dispatcher = self._dispatcher

        @receives(server, to_master.name_tasks)
        def name_tasks(handler: TCPHandler, _request: Any, first_id: int, keys: list[str]) -> None:
            """Keep texts by which a program that starts again knows its tasks."""
            owner = _number(handler, NodeType.application)
            _check("first_id", first_id, 0, ID_MAX)
            _check("the number of keys", len(keys), 1, TASKS_PER_MESSAGE_MAX)
            _check("the length of a key", max(map(len, keys)), 0, KEY_LENGTH_MAX)
            dispatcher.note(TasksNamed(owner, first_id, keys))

        @receives(server, to_master.job_keys)
        def job_keys(handler: TCPHandler, _request: Any, first_id: int) -> dict[str, Any]:
            """Return the texts of tasks that were named."""
            owner = _number(handler, NodeType.application)
            _check("first_id", first_id, 0, ID_MAX)
            return dispatcher.jobs.keys(owner, first_id)

        @receives(server, to_master.job_begun)
        def job_begun(handler: TCPHandler, _request: Any, left_over: int) -> None:
            """Know that all was pushed that the program begins with."""
            owner = _number(handler, NodeType.application)
            _check("left_over", left_over, 0, ID_MAX)
            dispatcher.note(JobBegun(owner, left_over))

        @receives(server, to_master.detach_job)
        def detach_job(handler: TCPHandler, _request: Any) -> None:
            """Go on with the job when this session ends."""
            self._detaching.add(_number(handler, NodeType.application))

    def _register_system_methods(self, server: HasMethods) -> None:
        systems = self._systems

        @receives(server, to_master.push_tasksystem)
        def push_tasksystem(
            handler: TCPHandler, _request: Any, system_id: int, code_count: int, payload: Payload
        ) -> None:
            """Host a task system."""
            owner = _number(handler, NodeType.application)
            _check("code_count", code_count, 0)
            try:
                self._may_host(handler.identity)
                systems.start(handler, owner, system_id, code_count, payload)
            except (NotAllowed, SchedulingError, NodeError, OSError) as error:
                failure = dumps_failure(error, None, "")
                handler.cast(to_owner.tasksystem_finished, system_id, FAILED, failure)

        @receives(server, to_master.tasksystem_heard)
        def tasksystem_heard(handler: TCPHandler, _request: Any, system_id: int) -> None:
            """Have dealt with the outcome of a task system."""
            systems.heard(_number(handler, NodeType.application), system_id)

        @receives(server, to_master.cancel_tasksystem)
        def cancel_tasksystem(handler: TCPHandler, _request: Any, system_id: int) -> None:
            """End a task system."""
            systems.cancel(_number(handler, NodeType.application), [system_id])

    def _register_host_methods(self, server: HasMethods) -> None:  # noqa: C901  a function for each message
        systems = self._systems

        @receives(server, to_master.join_system)
        def join_system(handler: TCPHandler, _request: Any, token: str) -> None:
            """Take in a host that was started for a task system."""
            if handler.context is not None:
                raise NodeError(f"this session is that of {handler.node_id}", thing="join_system")
            systems.join(handler, token)
            if handler.context is None:
                handler.context = WAITING_HOST

        @receives(server, to_master.system_progress)
        def system_progress(handler: TCPHandler, _request: Any, done: int, total: int) -> None:
            """Tell the application how far a task system is."""
            systems.progress(_number(handler, NodeType.application), done, total)

        @receives(server, to_master.system_notice)
        def system_notice(handler: TCPHandler, _request: Any, text: str) -> None:
            """Tell the application what it should know of its task system."""
            systems.notice(_number(handler, NodeType.application), text)

        @receives(server, to_master.system_stepped)
        def system_stepped(
            handler: TCPHandler, _request: Any, consumed_to: int, next_id: int, checkpoint: Payload
        ) -> None:
            """Keep how far a task system is."""
            owner = _number(handler, NodeType.application)
            _check("consumed_to", consumed_to, 0)
            _check("next_id", next_id, 1)
            systems.stepped(SystemStepped(owner, checkpoint, consumed_to, next_id))

        @receives(server, to_master.system_log)
        def system_log(handler: TCPHandler, _request: Any, level: int, text: str) -> None:
            """Log what a task system has to say."""
            systems.log(_number(handler, NodeType.application), level, text)

        @receives(server, to_master.system_finished)
        def system_finished(handler: TCPHandler, _request: Any, status: int, payload: Payload) -> None:
            """Bring home the result of a task system."""
            owner = _number(handler, NodeType.application)
            check_statuses([status])
            systems.finished(owner, status, payload)

        @receives(server, to_master.count_workers)
        def count_workers(handler: TCPHandler, _request: Any) -> int:
            """Return how many worker processes the slaves have together."""
            if not isinstance(handler.context, Peer):
                raise _not_joined(handler, NodeType.application)
            return self._dispatcher.workers

    def _register_outcome_methods(self, server: HasMethods) -> None:
        slaves = self._dispatcher.slaves

        @receives(server, to_master.done)
        def done(
            handler: TCPHandler,
            _request: Any,
            numbers: list[int],
            statuses: list[int],
            payloads: list[Payload],
            task_s: float,
        ) -> None:
            """Report how attempts ended, and how long tasks took lately."""
            slave = _number(handler, NodeType.slave)
            check_statuses(statuses)
            if not 0.0 <= task_s < math.inf:
                raise InvalidArguments(
                    f"task_s must be a number from 0 on, but is {task_s!r}", thing="task_s", value=task_s
                )
            slaves.done(slave, numbers, statuses, payloads, float(task_s))

        @receives(server, to_master.holding)
        def holding(handler: TCPHandler, _request: Any, running: list[int], finished: list[int]) -> None:
            """Tell what is left from an earlier session."""
            slaves.holding(_number(handler, NodeType.slave), running, finished)

        @receives(server, to_master.running)
        def running(
            handler: TCPHandler,
            _request: Any,
            numbers: list[int],
            workers: list[int],
            run_s: list[float],
            notes: list[str],
        ) -> None:
            """Tell of tasks that have run for a while, again and again while they do."""
            slave = _number(handler, NodeType.slave)
            if not all(map(math.isfinite, run_s)):
                raise InvalidArguments("run_s must be numbers of seconds", thing="run_s")
            slaves.running(slave, numbers, workers, run_s, notes)

    def _register_queue_methods(self, server: HasMethods) -> None:
        slaves = self._dispatcher.slaves

        @receives(server, to_master.returned)
        def returned(handler: TCPHandler, _request: Any, numbers: list[int]) -> None:
            """Hand back tasks that have not started."""
            slaves.returned(_number(handler, NodeType.slave), numbers)

        @receives(server, to_master.took)
        def took(handler: TCPHandler, _request: Any, numbers: list[int]) -> None:
            """Report what was taken from the work queue."""
            slaves.took(_number(handler, NodeType.slave), numbers)

        @receives(server, to_master.pull)
        def pull(handler: TCPHandler, _request: Any, room: int) -> None:
            """Ask the work queue for tasks."""
            slave = _number(handler, NodeType.slave)
            _check("room", room, 0)
            slaves.pull(slave, min(room, WINDOW_MAX))

        @receives(server, to_master.set_window)
        def set_window(handler: TCPHandler, _request: Any, window: int) -> None:
            """Want to hold so many tasks from now on."""
            slave = _number(handler, NodeType.slave)
            _check("window", window, 0)
            slaves.set_window(slave, min(window, WINDOW_MAX))

    def own_system(self, handler: TCPHandler, number: int) -> None:
        """Let the host of a task system push tasks, as the owner of that number."""
        self._own(handler, Peer(handler.node_id, NodeType.application, number, is_system=True))

    def _own(self, handler: TCPHandler, peer: Peer) -> None:
        handler.context = peer
        if peer.node_type is NodeType.application:
            handler.on_room = lambda: self._dispatcher.owner_has_room(peer.number)


def _number(handler: TCPHandler, node_type: NodeType) -> int:
    """Return the number of the registration that the session belongs to; raise NodeError if it has no such."""
    peer = handler.context
    if type(peer) is not Peer or peer.node_type is not node_type:
        raise _not_joined(handler, node_type)
    return peer.number


def _not_joined(handler: TCPHandler, node_type: NodeType) -> NodeError:
    return NodeError(
        f"{handler.node_id} has not joined as {node_type.value}",
        thing=handler.node_id,
        remedy=f"Register with the JSON API, then call register_{node_type.value} here",
    )


def _check(name: str, value: float, minimum: int, maximum: float = math.inf) -> None:
    """Raise InvalidArguments unless a number is in its range."""
    if not minimum <= value <= maximum:
        top = "on" if maximum == math.inf else f"to {maximum}"
        raise InvalidArguments(f"{name} must be from {minimum} {top}, but is {value}", thing=name, value=value)
