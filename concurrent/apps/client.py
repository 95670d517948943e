"""A program's connection to a cluster: registered, pushing tasks and task systems. One for each program."""

from __future__ import annotations

import itertools
import os
import socket
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeoutError
from contextlib import suppress
from typing import Any, Final, NamedTuple

from concurrent.apps.api import NodeType
from concurrent.apps.masterlink import Joined, MasterLink
from concurrent.apps.runtime import PYTHON, describe_runtime
from concurrent.core.component import ComponentManager
from concurrent.core.errors import (
    CallTimeout,
    ConcurrentError,
    ConnectionLost,
    LoopClosed,
    MessageTooLarge,
    PayloadTooLarge,
)
from concurrent.core.items import Host
from concurrent.core.loggers import get_log
from concurrent.core.stats import Stats
from concurrent.scheduling.owner.results import Outcome
from concurrent.scheduling.owner.taskclient import TaskClient
from concurrent.scheduling.pickling.codebook import CodeBook
from concurrent.scheduling.pickling.coding import Codec
from concurrent.scheduling.pickling.sources import folder_of_program
from concurrent.scheduling.tasks.outcome import FAILED
from concurrent.scheduling.wire.columns import check_statuses
from concurrent.scheduling.wire.failure import dumps_failure, too_large
from concurrent.scheduling.wire.messages import to_master, to_owner
from concurrent.transport.calls.handler import TCPHandler
from concurrent.transport.calls.methods import HasMethods, receives
from concurrent.transport.frames.frames import Frame, as_payload
from concurrent.transport.loop.loop import NodeLoop
from concurrent.transport.session.limits import Limits

__all__ = ["ClusterClient"]

CALL_TIMEOUT_S: Final = 10.0
LATE_S: Final = 1.0
NO_WORKERS_S: Final = 3.0
NO_WORKERS_AGAIN_S: Final = 30.0
"""How soon, and how often, it is said that a cluster has no workers."""

log = get_log("concurrent.apps.client")


class _System(NamedTuple):
    """A task system that has no outcome yet."""

    item: Any
    code_count: int
    payload: bytes | Frame


class ClusterClient:
    """See the module. Its callbacks are called on the loop.

    :param own_modules: modules whose code has to travel with the tasks.
    :param identity: what the program says of itself at its registration, for people.
    :param own_folders: where imports of the program's own modules begin; None: where they do for its file.
    :param on_outcomes: called with the outcomes of tasks that came together.
    :param on_accepted: called with the tasks that the master has accepted.
    :param on_running: called with tasks that have begun to run and will take a while.
    :param on_system_accepted: called with a task system that the master hosts.
    :param on_system_progress: called with a task system, how much it has done, and of how much in all.
    :param on_system_outcome: called with the outcome of a task system.
    :param on_refused: called with the error when the master will never take this program in.
    :param codec: as for :class:`~concurrent.scheduling.owner.taskclient.TaskClient`.
    """

    def __init__(  # noqa: PLR0913  what is called back, by name
        self,
        loop: NodeLoop,
        node_id: str,
        *,
        own_modules: Sequence[str] = (),
        identity: Mapping[str, str] | None = None,
        own_folders: Sequence[str] | None = None,
        on_outcomes: Callable[[list[Outcome]], object],
        on_accepted: Callable[[list[Any]], object] | None = None,
        on_running: Callable[[list[Any]], object] | None = None,
        on_system_accepted: Callable[[Any], object] | None = None,
        on_system_progress: Callable[[Any, int, int], object] | None = None,
        on_system_outcome: Callable[[Outcome], object] | None = None,
        on_refused: Callable[[ConcurrentError], object] | None = None,
        codec: Codec | None = None,
    ) -> None:
        self.tasks = TaskClient(
            loop,
            CodeBook(own_modules, [folder_of_program()] if own_folders is None else own_folders),
            on_outcomes=on_outcomes,
            on_accepted=on_accepted,
            on_running=on_running,
            codec=codec,
        )
        self._loop = loop
        self._node_id = node_id
        self._on_system_accepted = on_system_accepted
        self._on_system_progress = on_system_progress
        self._on_system_outcome = on_system_outcome
        self._on_refused = on_refused
        self._identity = dict(identity or {})
        self.wants_workers = 0
        """How many workers this program waits for. Any thread."""
        self._failure: ConcurrentError | None = None
        self._systems: dict[int, _System] = {}
        self._system_ids = itertools.count(1)
        self._handler: TCPHandler | None = None
        self._has_joined = threading.Event()
        self._link: MasterLink | None = None

    @property
    def state(self) -> str:
        """Whether the master has taken this program in. Any thread."""
        return self._link.state if self._link is not None else "not registered"

    def start(
        self, master: Host, http_port: int, stats: Stats, limits: Limits, *, components: ComponentManager
    ) -> None:
        """Begin to look for the master; what is pushed meanwhile waits. Any thread.

        :param master: the address of its JSON API.
        :param http_port: the port of this program's own JSON API, 0 if it has none.
        :param components: has the carriers of the compute channel that the master names.
        """
        self._master = master
        self._link = MasterLink(
            self._loop,
            master,
            node_id=self._node_id,
            node_type=NodeType.application,
            http_port=http_port,
            describe=self._describe,
            register_methods=self._register_methods,
            prepare=lambda answer: None,
            on_joined=self._joined,
            on_left=self._left,
            on_refused=self._refused,
            stats=stats,
            limits=limits,
            components=components,
        )
        self._link.start()

    def stop(self, timeout_s: float = 5.0, *, why: str = "") -> None:
        """Say goodbye: the master frees what is unfinished. Not the loop's thread.

        :param why: what the master is told.
        """
        if self._link is not None:
            self._link.stop(timeout_s, why=why)

    def give_up(self, error: ConcurrentError) -> None:
        """Nothing will come any more: end what waits. Any thread, also after the end of the loop."""
        self._failure = error
        self._handler = None
        self._has_joined.set()
        with suppress(LoopClosed):
            self.tasks.close(error.message)

    def push_system(self, system: Any) -> int:
        """Have the master host a task system; returns the number that it gets. Any thread.

        :raises SchedulingError: if it cannot be pickled.
        """
        payload, code_count = self.tasks.pickled(system)
        system_id = next(self._system_ids)
        self._loop.post(self._push_system, system_id, _System(system, code_count, payload))
        return system_id

    @property
    def waits_for(self) -> str:
        """What this program waits for; nothing if it does not. Any thread."""
        if self._link is not None and self._link.waits_for:
            return self._link.waits_for
        if self.wants_workers:
            return f"a cluster with {self.wants_workers} workers"
        return self.tasks.room.waits_for

    def count_workers(self) -> int:
        """Return how many worker processes the cluster has now. Not the loop's thread.

        Waits until this program has joined its master, as all that it pushes does.

        :raises ConcurrentError: if there is no hope of that; see :meth:`give_up`.
        :raises CallTimeout: if the master does not answer.
        """
        while True:
            self._has_joined.wait()
            handler = self._handler
            if self._failure is not None:
                raise self._failure
            if handler is None:  # it was lost just now
                continue
            try:
                answer = handler.call(to_master.count_workers.within(CALL_TIMEOUT_S))
                return answer.result(CALL_TIMEOUT_S + LATE_S)
            except CallTimeout:
                raise
            except FutureTimeoutError:  # not even that: the loop has ended
                raise self._failure or LoopClosed("this program has left its master") from None
            except ConnectionLost:
                self._loop.call(bool, timeout_s=CALL_TIMEOUT_S)  # which takes note of it

    def _describe(self) -> dict[str, Any]:
        """Return what this program says of itself when it registers."""
        has_systems = self._on_system_outcome is not None
        return {
            "pid": os.getpid(),
            "host": socket.gethostname(),
            "systems": has_systems,
            **self._identity,
            **describe_runtime(),
        }

    def _register_methods(self, endpoint: HasMethods) -> None:
        self.tasks.register_methods(endpoint)

        @receives(endpoint, to_owner.notice)
        def notice(_handler: TCPHandler, _request: Any, text: str) -> None:
            """Log what the master has to say of what goes wrong with the tasks."""
            log.warning("the master says: %s", text)

        @receives(endpoint, to_owner.tasksystem_accepted)
        def tasksystem_accepted(_handler: TCPHandler, _request: Any, system_id: int) -> None:
            """Take note that the master hosts a task system."""
            system = self._systems.get(system_id)
            if system is not None and self._on_system_accepted is not None:
                self._on_system_accepted(system.item)

        @receives(endpoint, to_owner.tasksystem_progress)
        def tasksystem_progress(
            _handler: TCPHandler, _request: Any, system_id: int, done: int, total: int
        ) -> None:
            """Take note of how far a task system is."""
            system = self._systems.get(system_id)
            if system is not None and self._on_system_progress is not None:
                self._on_system_progress(system.item, done, total)

        @receives(endpoint, to_owner.tasksystem_finished)
        def tasksystem_finished(
            _handler: TCPHandler, _request: Any, system_id: int, status: int, payload: bytes | Frame
        ) -> None:
            """Take the outcome of a task system."""
            check_statuses([status])
            self._finish_system(system_id, status, payload)

    def _watch_workers(self, handler: TCPHandler) -> None:
        """Say so if there is work, but nobody who does it; now and then, while that is so."""
        if handler is not self._handler:
            return
        self._loop.call_later(NO_WORKERS_AGAIN_S, self._watch_workers, handler)
        if self.tasks.open_count or self._systems or self.wants_workers:
            answer = handler.call(to_master.count_workers.within(CALL_TIMEOUT_S))
            answer.add_done_callback(self._warn_of_no_workers)

    def _warn_of_no_workers(self, answer: Future[int]) -> None:
        if answer.exception() is None and answer.result() == 0:
            log.warning(
                "the master at %s has no workers; start some with %s: concurrent slave --master %s",
                self._master,
                PYTHON,
                self._master,
            )

    def _joined(self, joined: Joined) -> None:
        self._handler = joined.handler
        self._has_joined.set()
        self._loop.call_later(NO_WORKERS_S, self._watch_workers, joined.handler)
        self.tasks.attach(joined.handler)
        for system_id, system in list(self._systems.items()):
            self._send_system(system_id, system)

    def _left(self, _reason: str) -> None:
        self._handler = None
        if self._failure is None:
            self._has_joined.clear()
        self.tasks.detach()

    def _refused(self, error: ConcurrentError) -> None:
        self.give_up(error)
        if self._on_refused is not None:
            self._on_refused(error)

    def _push_system(self, system_id: int, system: _System) -> None:
        self._systems[system_id] = system
        self._send_system(system_id, system)

    def _send_system(self, system_id: int, system: _System) -> None:
        if self._handler is None:
            return
        try:
            self.tasks.send_code(system.code_count)
            self._handler.cast(to_master.push_tasksystem, system_id, system.code_count, system.payload)
        except PayloadTooLarge as error:
            self._finish_system(system_id, FAILED, as_payload(dumps_failure(error, None, "")))
        except MessageTooLarge:
            limit = self._handler.peer_bytes_max
            failure = too_large("a task system", len(system.payload), limit)
            self._finish_system(system_id, FAILED, as_payload(failure))

    def _finish_system(self, system_id: int, status: int, payload: bytes | Frame) -> None:
        system = self._systems.pop(system_id, None)
        if system is not None and self._on_system_outcome is not None:
            self._on_system_outcome(Outcome(system.item, status, payload))
