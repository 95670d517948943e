"""The process that hosts one task system, beside the master.

The process may be started before there is a system for it, and waits for it then. The system's methods run in
the main thread, one at a time; the loop's thread talks to the master. The process ends when the system is
complete, fails, or the master is gone.
"""

from __future__ import annotations

import encodings.idna  # noqa: F401  # with it and TCP in the zygote a host need not import anything
import logging
import os
import queue
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from typing import Any, Final, NamedTuple

import concurrent.transport.carriers.tcp  # noqa: F401
from concurrent.core.builtin import BUILT_IN
from concurrent.core.component import ComponentManager
from concurrent.core.environment import Environment
from concurrent.core.errors import ConnectionLost, TransportError
from concurrent.core.ids import new_node_id
from concurrent.core.leaving import end_copy
from concurrent.core.loggers import get_log
from concurrent.core.logs import NodeLog
from concurrent.scheduling.owner.inbox import Inbox
from concurrent.scheduling.owner.results import Outcome, load_outcomes
from concurrent.scheduling.owner.taskclient import TaskClient
from concurrent.scheduling.pickling.code import AppCode, ReceivedCode
from concurrent.scheduling.tasks.drive import SystemDrive
from concurrent.scheduling.tasks.outcome import FAILED, FINISHED
from concurrent.scheduling.tasks.task import Task
from concurrent.scheduling.wire.columns import Payload
from concurrent.scheduling.wire.failure import dumps_failure, message_of
from concurrent.scheduling.wire.messages import to_master, to_system
from concurrent.transport.calls.handler import TCPHandler
from concurrent.transport.calls.methods import HasMethods, receives
from concurrent.transport.carriers.channels import carriers_named
from concurrent.transport.frames.frames import Frame, as_payload
from concurrent.transport.loop.loop import NodeLoop

__all__ = ["main"]

CALL_TIMEOUT_S: Final = 30.0
EXIT_BROKEN: Final = 70
"""The exit code if the loop fails: whatever the system waits for then would never come."""

PROGRESS_S: Final = 0.25


class _Given(NamedTuple):
    """A task system as it comes from the master."""

    system_id: int
    code: list[bytes | Frame]
    payload: bytes | Frame


def main(reach: Sequence[Any], token: str, log_level: str) -> None:
    """Host the task system that the master has, or will have, for ``token``. Main thread of its own process.

    :param reach: as for :class:`~concurrent.scheduling.master.systems.SystemHosts`.
    """
    channel, host, port, recipe = reach
    node_id = new_node_id("system")
    node_log = NodeLog(node_id, log_level)
    node_log.start(is_child=True)
    logging.getLogger("concurrent.transport").setLevel(logging.WARNING)
    loop = NodeLoop(node_id, on_failed=lambda error: os._exit(EXIT_BROKEN))  # the master hears of it
    loop.start()
    components = ComponentManager(built_in=BUILT_IN) if recipe is None else Environment.from_recipe(recipe)
    client = carriers_named(components, channel).make_client(loop, host, port, node_id=node_id)
    try:
        systems: queue.SimpleQueue[_Given | None] = queue.SimpleQueue()
        own_code = ReceivedCode()
        run = _Run(loop, own_code)
        run.register_methods(client, systems.put)

        def lost(_handler: TCPHandler, reason: str) -> None:
            systems.put(None)
            run.lost(reason)

        client.on_lost = lost
        client.start()
        handler = client.wait_open(CALL_TIMEOUT_S)
        handler.call(to_master.join_system, token).result(CALL_TIMEOUT_S)
        given = systems.get()
        if given is None:
            return
        for index, blob in enumerate(given.code):
            own_code.take(index, bytes(blob))
        own_code.enter()
        loop.call(run.tasks.attach, handler, len(given.code), timeout_s=CALL_TIMEOUT_S)
        pid = os.getpid()
        status, payload = run.outcome(handler, given)
        end_copy(pid)  # which the system has forked
        handler.cast(to_master.system_finished, status, payload)
    except ConnectionLost as error:
        get_log("concurrent.scheduling.owner.systemhost").warning("the master is gone: %s", error)
    finally:
        client.stop()
        loop.stop()
        node_log.stop()


class _MasterLog(logging.Handler):
    """Has the master log what a task system logs; any thread."""

    def __init__(self, handler: TCPHandler) -> None:
        super().__init__()
        self._handler = handler

    def emit(self, record: logging.LogRecord) -> None:
        """Send one record, with its traceback if it has one."""
        with suppress(TransportError):  # without a master there is no log of the master
            self._handler.cast(to_master.system_log, record.levelno, self.format(record))


class _Run:
    """One task system at work. Main thread only. It is what the system knows as the master."""

    def __init__(self, loop: NodeLoop, code: AppCode) -> None:
        self.log: logging.Logger
        self._inbox = Inbox(self._deliver, lambda *dealt_with: self.tasks.consumed(*dealt_with))
        self.tasks = TaskClient(loop, code, on_outcomes=self._inbox.put_outcomes)
        self.tasks.room.inbox = self._inbox
        self._handler: TCPHandler
        self._drive: SystemDrive
        self._pid = os.getpid()
        self._progress_at = 0.0

    def register_methods(self, endpoint: HasMethods, take: Callable[[_Given], object]) -> None:
        """Register what the master calls; ``take`` is called with the system that it has for this process."""
        self.tasks.register_methods(endpoint)

        @receives(endpoint, to_system.host_system)
        def host_system(
            _handler: TCPHandler, _request: Any, system_id: int, code: list[Payload], payload: Payload
        ) -> None:
            """Host a task system; the answer says that it is here."""
            take(_Given(system_id, code, payload))

    @property
    def workers(self) -> int:
        """How many worker processes the cluster has now."""
        return self._handler.call(to_master.count_workers).result(CALL_TIMEOUT_S)

    def progress(self, done: int, total: int) -> None:
        """Have the application show how far the work is; more often than four times a second is dropped."""
        now = time.monotonic()
        if done >= total or now - self._progress_at >= PROGRESS_S:
            self._progress_at = now
            self._handler.cast(to_master.system_progress, done, total)

    def push_task(self, task: Task) -> None:
        """Have one more task run."""
        self.push_tasks((task,))

    def push_tasks(self, tasks: Iterable[Task], batch_size: int = 1) -> None:
        """Have more tasks run."""
        self.tasks.push_many(tasks, batch_size)

    def lost(self, reason: str) -> None:
        """The master is gone: nothing waits for it any more. Loop thread."""

        def stop() -> None:
            raise ConnectionLost(f"the master is gone: {reason}", thing="master")

        self._inbox.put(stop)
        self.tasks.close(f"the master is gone: {reason}")  # other threads that wait for room go on

    def outcome(self, handler: TCPHandler, given: _Given) -> tuple[int, bytes | Frame]:
        """Run the system to its end; return the status and payload that its application gets.

        :raises ConnectionLost: if the master is gone.
        """
        self._handler = handler
        self.log = get_log(f"concurrent.system.{given.system_id}")
        self.log.addHandler(_MasterLog(handler))
        self.log.propagate = False
        logging.getLogger("concurrent.scheduling.owner.room").addHandler(_MasterLog(handler))
        code = self.tasks.code
        self._inbox.begin()
        try:
            self._drive = SystemDrive(code.loads_payload(given.payload), self, self._go_on)
            return FINISHED, code.dumps_payload(self._drive.run())
        except ConnectionLost:
            raise
        except BaseException as error:  # boundary: a task system is foreign code
            end_copy(self._pid, error)
            error = self._inbox.failure or error
            if isinstance(error, ConnectionLost):
                raise error from None
            self.log.info("the task system failed: %s: %s", type(error).__name__, message_of(error))
            return FAILED, as_payload(dumps_failure(error, code, ""))

    def _go_on(self) -> bool:
        """Run what comes next, unless nothing can come."""
        if self._drive.finished_count == self.tasks.pushed_count and self._inbox.is_empty():
            return False
        self._inbox.run_next()
        return True

    def _deliver(self, outcomes: list[Outcome]) -> None:
        self._drive.take(load_outcomes(self.tasks.code, outcomes))
