"""What peers may call on a master's compute channel, and which session belongs to which node.

What was sent is checked before anything else sees it: a peer's mistake is its own error and changes
nothing. The registry of methods compares arguments with plain annotations, also that a list is one; what is
in a list, and what is annotated with Any, each method checks itself. Loop thread only.
"""

from __future__ import annotations

import logging
import math
from dataclasses import dataclass
from typing import Any, Final

from concurrent.apps.api import NodeType
from concurrent.apps.registry import NodeRecord, NodeRegistry
from concurrent.core.errors import InvalidArguments, NodeError, SchedulingError
from concurrent.scheduling.dispatcher import Dispatcher
from concurrent.scheduling.events import TasksSubmitted
from concurrent.scheduling.failure import dumps_failure
from concurrent.scheduling.outcome import CANCELLED, DIED, FAILED, FINISHED
from concurrent.scheduling.running import RUNNING
from concurrent.scheduling.systems import SystemHosts
from concurrent.transport.frames import Frame
from concurrent.transport.handler import TCPHandler
from concurrent.transport.methods import HasMethods, tcpremote

__all__ = ["WINDOW_MAX", "MasterAPI"]

ATTEMPTS_MAX: Final = 1000
TASKS_PER_MESSAGE_MAX: Final = 10_000
MESSAGE_BYTES_MIN: Final = 8 << 20
"""Nodes that accept less could not be sent what others push."""

WINDOW_MAX: Final = 1 << 24
STATUSES: Final = frozenset({FINISHED, FAILED, DIED, CANCELLED})
PAYLOADS: Final = frozenset({bytes, Frame})
NUMBERS: Final = frozenset({int})
FLOATS: Final = frozenset({float, int})
TEXTS: Final = frozenset({str})

WAITING_HOST: Final = "waits for a task system"
"""The context of a host's session until there is a system for it; without any the session would be ended."""

log = logging.getLogger("concurrent.apps.master")


@dataclass(frozen=True, slots=True)
class Peer:
    """What a session belongs to; kept as the ``context`` of its handler."""

    node_id: str
    node_type: NodeType
    number: int
    is_system: bool = False


class MasterAPI:
    """See the module."""

    def __init__(self, registry: NodeRegistry, dispatcher: Dispatcher, systems: SystemHosts) -> None:
        self._registry = registry
        self._dispatcher = dispatcher
        self._systems = systems

    def bind(self, handler: TCPHandler, record: NodeRecord) -> int:
        """Let the node that registered use the session; returns its number.

        :raises NodeError: if the session is another node's.
        """
        if handler.node_id != record.node_id or handler.context is not None:
            raise NodeError(f"this session is that of {handler.node_id}", thing=record.node_id)
        if handler.peer_bytes_max < MESSAGE_BYTES_MIN:
            raise NodeError(
                f"{record.node_id} accepts messages of {handler.peer_bytes_max} bytes only",
                thing="transport.message_bytes_max",
                value=handler.peer_bytes_max,
                remedy=f"Accept at least {MESSAGE_BYTES_MIN}",
            )
        if record.node_type is NodeType.slave:
            workers, window = record.data["workers"], record.data["window"]
            number = self._dispatcher.join_slave(handler, record.node_id, workers, window)
        else:
            number = self._dispatcher.join_owner(handler, record.node_id)
            if record.data.get("systems") is True:
                self._systems.application_joined(number)
        self._own(handler, Peer(record.node_id, record.node_type, number))
        self._registry.joined(record, number)
        log.info("%s joined", record.node_id)
        return number

    def session_lost(self, handler: TCPHandler, reason: str) -> None:
        """Free or move what a session's node had."""
        self._systems.lost(handler)
        peer = handler.context
        if not isinstance(peer, Peer):
            return
        if peer.node_type is NodeType.slave:
            self._dispatcher.lose_slave(peer.number, reason)
        else:
            self._dispatcher.leave_owner(peer.number)
            self._systems.application_left(peer.number)
        if not peer.is_system:
            self._registry.leave(peer.node_id, peer.number, reason)
            log.info("%s left: %s", peer.node_id, reason)

    def register_methods(self, server: HasMethods) -> None:
        """Register everything with the server of the compute channel."""
        self._register_owner_methods(server)
        self._register_system_methods(server)
        self._register_outcome_methods(server)
        self._register_queue_methods(server)

    def _register_owner_methods(self, server: HasMethods) -> None:
        dispatcher = self._dispatcher

        @tcpremote(server)
        def define_code(handler: TCPHandler, _request: Any, index: int, blob: Any) -> None:
            """Keep a blob of the owner's code."""
            _check("blob", [blob], PAYLOADS)
            dispatcher.define_code(_number(handler, NodeType.application), index, blob)

        @tcpremote(server)
        def push_tasks(
            handler: TCPHandler,
            _request: Any,
            first_id: int,
            code_count: int,
            attempts_max: int,
            payloads: list[Any],
        ) -> None:
            """Accept tasks, numbered by their owner from ``first_id``."""
            owner = _number(handler, NodeType.application)
            _check("payloads", payloads, PAYLOADS)
            if len(payloads) > TASKS_PER_MESSAGE_MAX:
                raise InvalidArguments(f"a message has {len(payloads)} tasks", thing="payloads")
            attempts = min(max(1, attempts_max), ATTEMPTS_MAX)
            dispatcher.submit(TasksSubmitted(owner, first_id, payloads, code_count, attempts))

        @tcpremote(server)
        def cancel(handler: TCPHandler, _request: Any, ids: list[int]) -> None:
            """Want nothing more of these tasks."""
            _check("ids", ids, NUMBERS)
            dispatcher.cancel(_number(handler, NodeType.application), ids)

        @tcpremote(server)
        def consumed(handler: TCPHandler, _request: Any, size_bytes: int) -> None:
            """Have dealt with outcomes of that size."""
            dispatcher.consumed(_number(handler, NodeType.application), max(0, size_bytes))

    def _register_system_methods(self, server: HasMethods) -> None:
        systems = self._systems

        @tcpremote(server)
        def push_tasksystem(
            handler: TCPHandler, _request: Any, system_id: int, code_count: int, payload: Any
        ) -> None:
            """Host a task system."""
            _check("payload", [payload], PAYLOADS)
            owner = _number(handler, NodeType.application)
            try:
                systems.start(handler, owner, system_id, code_count, payload)
            except (SchedulingError, NodeError, OSError) as error:
                failure = dumps_failure(error, None, "")
                handler.cast("tasksystem_finished", system_id, FAILED, failure)

        @tcpremote(server)
        def cancel_tasksystem(handler: TCPHandler, _request: Any, system_id: int) -> None:
            """End a task system."""
            systems.cancel(_number(handler, NodeType.application), [system_id])

        @tcpremote(server)
        def join_system(handler: TCPHandler, _request: Any, token: str) -> None:
            """Take in a host that was started for a task system."""
            if handler.context is not None:
                raise NodeError(f"this session is that of {handler.node_id}", thing="join_system")
            systems.join(handler, token)
            if handler.context is None:
                handler.context = WAITING_HOST

        @tcpremote(server)
        def system_progress(handler: TCPHandler, _request: Any, done: int, total: int) -> None:
            """Tell the application how far a task system is."""
            systems.progress(_number(handler, NodeType.application), done, total)

        @tcpremote(server)
        def system_log(handler: TCPHandler, _request: Any, level: int, text: str) -> None:
            """Log what a task system has to say."""
            systems.log(_number(handler, NodeType.application), level, text)

        @tcpremote(server)
        def system_finished(handler: TCPHandler, _request: Any, status: int, payload: Any) -> None:
            """Bring home the result of a task system."""
            _check("payload", [payload], PAYLOADS)
            systems.finished(_number(handler, NodeType.application), status, payload)

        @tcpremote(server)
        def count_workers(_handler: TCPHandler, _request: Any) -> int:
            """Return how many worker processes the slaves have together."""
            return self._dispatcher.workers

    def _register_outcome_methods(self, server: HasMethods) -> None:
        dispatcher = self._dispatcher

        @tcpremote(server)
        def done(
            handler: TCPHandler,
            _request: Any,
            numbers: list[int],
            statuses: list[int],
            payloads: list[Any],
            task_s: float,
        ) -> None:
            """Report how attempts ended, and how long tasks took lately."""
            slave = _number(handler, NodeType.slave)
            _check("numbers", numbers, NUMBERS)
            _check("statuses", statuses, NUMBERS)
            if unknown := set(statuses) - STATUSES:
                raise InvalidArguments(f"there is no status {unknown}", thing="statuses")
            _check("payloads", payloads, PAYLOADS)
            if type(task_s) is not float or not 0.0 <= task_s < math.inf:
                raise InvalidArguments(f"task_s must be a float from 0 on, but is {task_s!r}", thing="task_s")
            dispatcher.done(slave, numbers, statuses, payloads, task_s)

        @tcpremote(server, feature=RUNNING)
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
            _check("numbers", numbers, NUMBERS)
            _check("workers", workers, NUMBERS)
            _check("run_s", run_s, FLOATS)
            _check("notes", notes, TEXTS)
            if not all(map(math.isfinite, run_s)):
                raise InvalidArguments("run_s must be numbers of seconds", thing="run_s")
            dispatcher.running(slave, numbers, workers, run_s, notes)

    def _register_queue_methods(self, server: HasMethods) -> None:
        dispatcher = self._dispatcher

        @tcpremote(server)
        def returned(handler: TCPHandler, _request: Any, numbers: list[int]) -> None:
            """Hand back tasks that have not started."""
            _check("numbers", numbers, NUMBERS)
            dispatcher.returned(_number(handler, NodeType.slave), numbers)

        @tcpremote(server)
        def took(handler: TCPHandler, _request: Any, numbers: list[int]) -> None:
            """Report what was taken from the work queue."""
            _check("numbers", numbers, NUMBERS)
            dispatcher.took(_number(handler, NodeType.slave), numbers)

        @tcpremote(server)
        def pull(handler: TCPHandler, _request: Any, room: int) -> None:
            """Ask the work queue for tasks."""
            dispatcher.pull(_number(handler, NodeType.slave), min(room, WINDOW_MAX))

        @tcpremote(server)
        def set_window(handler: TCPHandler, _request: Any, window: int) -> None:
            """Want to hold so many tasks from now on."""
            dispatcher.set_window(_number(handler, NodeType.slave), min(max(0, window), WINDOW_MAX))

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
        raise NodeError(
            f"{handler.node_id} has not joined as {node_type.value}",
            thing=handler.node_id,
            remedy=f"Register with the JSON API, then call register_{node_type.value} here",
        )
    return peer.number


def _check(name: str, values: list[Any], allowed: frozenset[type]) -> None:
    """Raise InvalidArguments unless the values are all of one of the types."""
    found = set(map(type, values))
    if not found <= allowed:
        wrong = ", ".join(sorted(cls.__name__ for cls in found - allowed))
        raise InvalidArguments(
            f"{name} must be {' or '.join(sorted(cls.__name__ for cls in allowed))}, but has {wrong}",
            thing=name,
            value=wrong,
        )
