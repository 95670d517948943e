"""A program's task systems that have no outcome yet, and what the master says of them.

A master with a journal keeps the outcome of a system until the program has dealt with it, and brings it to each
session again; maybe before the program has said that it waits for the system.
"""

from __future__ import annotations

import itertools
import sys
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from concurrent.core.errors import MessageTooLarge, PayloadTooLarge
from concurrent.scheduling.owner.results import Outcome
from concurrent.scheduling.owner.taskclient import TaskClient
from concurrent.scheduling.tasks.options import NO_OPTIONS, Asked, Options
from concurrent.scheduling.tasks.outcome import FAILED
from concurrent.scheduling.tasks.task import Task
from concurrent.scheduling.tasks.terms import BINDING
from concurrent.scheduling.wire.columns import check_statuses
from concurrent.scheduling.wire.failure import dumps_failure, not_kept, too_large
from concurrent.scheduling.wire.messages import to_master, to_owner
from concurrent.transport.calls.handler import TCPHandler
from concurrent.transport.calls.methods import HasMethods, receives
from concurrent.transport.frames.frames import Frame, as_payload
from concurrent.transport.loop.loop import NodeLoop

__all__ = ["OpenSystems"]


class _System(NamedTuple):
    item: Any
    code_count: int
    payload: bytes | Frame
    is_hosted: bool = False
    """Whether the master has it."""
    asked: tuple[str, ...] = ()
    """What is asked for its tasks."""


class OpenSystems:
    """See the module. Loop thread only, unless a method says otherwise.

    :param tasks: pickles systems, and sends the code that they need.
    :param on_accepted: called with a task system that the master hosts.
    :param on_progress: called with a task system, how much it has done, and of how much in all.
    :param on_outcome: called with the outcome of a task system; None if the program has none.
    """

    def __init__(
        self,
        loop: NodeLoop,
        tasks: TaskClient,
        *,
        on_accepted: Callable[[Any], object] | None,
        on_progress: Callable[[Any, int, int], object] | None,
        on_outcome: Callable[[Outcome], object] | None,
    ) -> None:
        self._loop = loop
        self._tasks = tasks
        self._on_accepted = on_accepted
        self._on_progress = on_progress
        self._on_outcome = on_outcome
        self._system_by_id: dict[int, _System] = {}
        self._ids = itertools.count(1)
        self._handler: TCPHandler | None = None
        self._unclaimed: dict[int, tuple[int, bytes | Frame]] = {}
        self._given: dict[int, Any] = {}
        self._heard: set[int] = set()
        self._on_hosted: list[Callable[[], object]] = []

    @property
    def are_wanted(self) -> bool:
        """Whether the program may have any."""
        return self._on_outcome is not None

    @property
    def count(self) -> int:
        """How many there are. Any thread."""
        return len(self._system_by_id)

    def push(self, item: Any, options: Options = NO_OPTIONS) -> int:
        """Have the master host a task system; returns the number that it gets. Any thread.

        :param options: what is asked for each of its tasks.
        :raises SchedulingError: if it cannot be pickled.
        """
        payload, code_count = self._tasks.pickled(Asked(item, options) if options else item)
        system_id = next(self._ids)
        asked = tuple(options.given)
        self._loop.post(self._add, system_id, _System(item, code_count, payload, asked=asked))
        return system_id

    def adopt(self, system_id: int, item: Any) -> None:
        """Wait for the outcome of a system that the master has. Any thread, before anything is pushed.

        :raises SchedulingError: if it cannot be pickled.
        """
        payload, code_count = self._tasks.pickled(item)
        self._loop.post(self._add, system_id, _System(item, code_count, payload, is_hosted=True))

    def begin(self, former: Sequence[int]) -> None:
        """Use no number of a system that a former program has pushed. Before anything is pushed."""
        self._ids = itertools.count(max(former, default=0) + 1)

    def heard(self, item: Any) -> None:
        """The program has dealt with the outcome of a system. Any thread."""
        self._loop.post(self._tell_heard, item)

    def when_hosted(self, call: Callable[[], object]) -> None:
        """Call back once the master has all of them."""
        self._on_hosted.append(call)
        self._look_whether_hosted()

    def attach(self, handler: TCPHandler, *, has_none: bool) -> None:
        """Send a master what it does not have.

        :param has_none: whether it has nothing of this program.
        """
        self._handler = handler
        for system_id, system in list(self._system_by_id.items()):
            if has_none:
                self._system_by_id[system_id] = system._replace(is_hosted=False)
            if has_none or not system.is_hosted:
                self._send(system_id, system)

    def detach(self) -> None:
        """There is no master for now."""
        self._handler = None

    def register_methods(self, endpoint: HasMethods) -> None:
        """Register what the master calls."""

        @receives(endpoint, to_owner.tasksystem_accepted)
        def tasksystem_accepted(_handler: TCPHandler, _request: Any, system_id: int) -> None:
            """Take note that the master hosts a task system."""
            system = self._system_by_id.get(system_id)
            if system is None:
                return
            self._system_by_id[system_id] = system._replace(is_hosted=True)
            if self._on_accepted is not None:
                self._on_accepted(system.item)
            self._look_whether_hosted()

        @receives(endpoint, to_owner.tasksystem_progress)
        def tasksystem_progress(
            _handler: TCPHandler, _request: Any, system_id: int, done: int, total: int
        ) -> None:
            """Take note of how far a task system is."""
            system = self._system_by_id.get(system_id)
            if system is not None and self._on_progress is not None:
                self._on_progress(system.item, done, total)

        @receives(endpoint, to_owner.tasksystem_finished)
        def tasksystem_finished(
            _handler: TCPHandler, _request: Any, system_id: int, status: int, payload: bytes | Frame
        ) -> None:
            """Take the outcome of a task system."""
            check_statuses([status])
            self._finish(system_id, status, payload)

    def _add(self, system_id: int, system: _System) -> None:
        self._system_by_id[system_id] = system
        if system_id in self._unclaimed:
            self._finish(system_id, *self._unclaimed.pop(system_id))
        elif not system.is_hosted:
            self._send(system_id, system)

    def _send(self, system_id: int, system: _System) -> None:
        if self._handler is None:
            return
        if not self._handler.peer_has(to_master.OPTIONS):
            asked = list(dict.fromkeys([*system.asked, *_asked_by_classes(system.item)]))
            if asked:
                self._finish(system_id, FAILED, as_payload(not_kept(asked)))
                return
        try:
            self._tasks.send_code(system.code_count)
            self._handler.cast(to_master.push_tasksystem, system_id, system.code_count, system.payload)
        except PayloadTooLarge as error:
            self._finish(system_id, FAILED, as_payload(dumps_failure(error, None, "")))
        except MessageTooLarge:
            failure = too_large("a task system", len(system.payload), self._handler.peer_bytes_max)
            self._finish(system_id, FAILED, as_payload(failure))

    def _finish(self, system_id: int, status: int, payload: bytes | Frame) -> None:
        system = self._system_by_id.pop(system_id, None)
        if system is None:
            if system_id in self._heard:
                self._tell(system_id)
            elif system_id not in self._given:
                self._unclaimed[system_id] = status, payload
        elif self._on_outcome is not None:
            self._given[system_id] = system.item
            self._on_outcome(Outcome(system.item, status, payload))
        self._look_whether_hosted()

    def _tell_heard(self, item: Any) -> None:
        for system_id in [one for one, given in self._given.items() if given is item]:
            del self._given[system_id]
            self._heard.add(system_id)
            self._tell(system_id)

    def _tell(self, system_id: int) -> None:
        """Tell the master that an outcome was dealt with; if it does not hear of that it brings it again."""
        if self._handler is not None and self._handler.peer_has(to_master.JOBS):
            self._handler.cast(to_master.tasksystem_heard, system_id)

    def _look_whether_hosted(self) -> None:
        if all(system.is_hosted for system in self._system_by_id.values()):
            calls, self._on_hosted = self._on_hosted, []
            for call in calls:
                call()


def _asked_by_classes(system: Any) -> list[str]:
    """Return what binds of the classes of tasks that stand in the module of a task system.

    An older master hosts the system with its own code, which does not look for that. Nobody sees from here what
    tasks of other modules ask for.
    """
    beside = vars(sys.modules.get(type(system).__module__, sys)).values()
    classes = [one for one in beside if isinstance(one, type) and issubclass(one, Task)]
    return [name for name in BINDING if any(getattr(one, name, None) for one in classes)]
