"""The process that hosts one task system, beside the master.

The process may be started before there is a system for it, and waits for it then. The system's methods run in
the main thread, one at a time; the loop's thread talks to the master. The process ends when the system is
complete, fails, or the master is gone. Where the master has a journal it may go on with what a former process
has begun.
"""

from __future__ import annotations

import encodings.idna  # noqa: F401  # with it and TCP in the zygote a host need not import anything
import logging
import os
import queue
import random
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import concurrent.transport.carriers.tcp  # noqa: F401
from concurrent.core.builtin import BUILT_IN
from concurrent.core.component import ComponentManager
from concurrent.core.environment import Environment
from concurrent.core.errors import ConnectionLost, SchedulingError, TransportError
from concurrent.core.ids import new_node_id
from concurrent.core.leaving import end_copy
from concurrent.core.loggers import get_log
from concurrent.core.logs import NodeLog
from concurrent.scheduling.owner import classesmet, room
from concurrent.scheduling.owner.inbox import Inbox
from concurrent.scheduling.owner.results import Outcome, load_outcomes
from concurrent.scheduling.owner.systemclient import SystemClient
from concurrent.scheduling.owner.systemsteps import StepLimits, SystemSteps
from concurrent.scheduling.pickling.code import ReceivedCode
from concurrent.scheduling.pickling.unpickling import current
from concurrent.scheduling.tasks.drive import SystemDrive
from concurrent.scheduling.tasks.options import NO_OPTIONS, Asked, TermOptions
from concurrent.scheduling.tasks.outcome import FAILED, FINISHED
from concurrent.scheduling.tasks.task import Task
from concurrent.scheduling.tasks.tasksystem import ITaskSystem
from concurrent.scheduling.wire.columns import Payload, check_columns
from concurrent.scheduling.wire.failure import dumps_failure, message_of
from concurrent.scheduling.wire.messages import to_master, to_owner, to_system
from concurrent.transport.calls.handler import TCPHandler
from concurrent.transport.calls.methods import HasMethods, receives
from concurrent.transport.carriers.channels import carriers_named
from concurrent.transport.frames.frames import as_payload
from concurrent.transport.loop.loop import NodeLoop
from concurrent.transport.security.place import Place
from concurrent.transport.security.protection import Protection

if TYPE_CHECKING:
    from typing_extensions import Unpack

__all__ = ["main"]

CALL_TIMEOUT_S: Final = 30.0
EXIT_BROKEN: Final = 70
"""The exit code if the loop fails: whatever the system waits for then would never come."""

PROGRESS_S: Final = 0.25

STEP_OVERHEAD_BYTES: Final = 1024

log = get_log(__name__)


class _Bequest(NamedTuple):
    """What a former process of a task system leaves to this one; of the first one that is nothing but an id.

    :param job: the id of its job.
    :param next_id: the first id of a task that it cannot have pushed.
    :param consumed_to: the number of the last outcome that it had dealt with at its checkpoint.
    :param known_to: that of the last one that it can have dealt with.
    :param checkpoint: what the system goes on from; empty: it begins.
    """

    job: str
    next_id: int
    consumed_to: int
    known_to: int
    checkpoint: Payload


class _Given(NamedTuple):
    """A task system as it comes from the master.

    :param bequest: None if the system ends with this process.
    """

    system_id: int
    payload: Payload
    bequest: _Bequest | None


def main(reach: Sequence[Any], token: str, log_level: str) -> None:
    """Host the task system that the master has, or will have, for ``token``. Main thread of its own process.

    :param reach: as for :class:`~concurrent.scheduling.master.systems.SystemHosts`.
    """
    channel, host, port, place, recipe, log_format = reach
    node_id = new_node_id("system")
    node_log = NodeLog(node_id, log_level, format_name=log_format)
    node_log.start(is_child=True)
    logging.getLogger("concurrent.transport").setLevel(logging.WARNING)
    loop = NodeLoop(node_id, on_failed=lambda error: os._exit(EXIT_BROKEN))  # the master hears of it
    loop.start()
    components = ComponentManager(built_in=BUILT_IN) if recipe is None else Environment.from_recipe(recipe)
    client = carriers_named(components, channel).make_client(
        loop, host, port, node_id=node_id, protection=Protection(place=Place(Path(place)) if place else None)
    )
    try:
        systems: queue.SimpleQueue[_Given | None] = queue.SimpleQueue()
        own_code = _HostCode()
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
        own_code.enter()
        pid = os.getpid()
        status, payload = run.outcome(handler, given)
        end_copy(pid)  # which the system has forked
        handler.cast(to_master.system_finished, status, payload)
    except ConnectionLost as error:
        log.warning("the master is gone: %s", error)
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


class _HostCode(ReceivedCode):
    """Lets a task system keep its master, which is another one in each process."""

    def __init__(self) -> None:
        super().__init__()
        self.master: Any = None

    def know(self, master: Any) -> None:
        """Have pickles of the system refer to this master, and to that of the process where they are read."""
        self.master = master
        self.reference_by_id[id(master)] = (_master_here, ())


def _master_here() -> Any:
    code = current.code
    return code.master if isinstance(code, _HostCode) else None


class _Run:
    """One task system at work. Main thread only. It is what the system knows as the master."""

    def __init__(self, loop: NodeLoop, code: _HostCode) -> None:
        self.log: logging.Logger
        self._inbox = Inbox(self._deliver, lambda *dealt_with: self.tasks.consumed(*dealt_with))
        self.tasks = SystemClient(loop, code, on_outcomes=self._inbox.put_outcomes)
        self.tasks.room.inbox = self._inbox
        self._loop = loop
        self._code = code
        self._handler: TCPHandler
        self._drive: SystemDrive
        self._steps: SystemSteps | None = None
        self._bequest: _Bequest | None = None
        self._will_wake = False
        self._options = NO_OPTIONS
        self._pid = os.getpid()
        self._progress_at = 0.0

    def register_methods(self, endpoint: HasMethods, take: Callable[[_Given], object]) -> None:
        """Register what the master calls; ``take`` is called with the system that it has for this process."""
        self.tasks.register_methods(endpoint)

        @receives(endpoint, to_owner.recalled)
        def recalled(_handler: TCPHandler, _request: Any, ids: list[int], payloads: list[Payload]) -> None:
            """Keep tasks that a former process had pushed; their outcomes come next."""
            check_columns(ids, payloads)
            self.tasks.recall(ids, payloads)

        @receives(endpoint, to_system.take_over)
        def take_over(
            _handler: TCPHandler,
            _request: Any,
            job: str,
            next_id: int,
            consumed_to: int,
            known_to: int,
            checkpoint: Payload,
        ) -> None:
            """Go on with the system that comes next."""
            self._bequest = _Bequest(job, next_id, consumed_to, known_to, checkpoint)
            self.tasks.follow(next_id)

        @receives(endpoint, to_system.orphans)
        def orphans(_handler: TCPHandler, _request: Any, ids: list[int], payloads: list[Payload]) -> None:
            """Keep what a former process of the system had pushed since its checkpoint."""
            check_columns(ids, payloads)
            self.tasks.keep_orphans(ids, payloads)

        @receives(endpoint, to_system.host_system)
        def host_system(
            handler: TCPHandler, _request: Any, system_id: int, code: list[Payload], payload: Payload
        ) -> None:
            """Host a task system; the answer says that it is here."""
            for index, blob in enumerate(code):
                self._code.take(index, bytes(blob))
            bequest = self._bequest
            if bequest is None:
                self.tasks.attach(handler, len(code))
            else:
                self.tasks.attach(handler, len(code), bequest.next_id, bequest.consumed_to)
            take(_Given(system_id, payload, bequest))

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

    def push_task(self, task: Task, **options: Unpack[TermOptions]) -> None:
        """Have one more task run."""
        self.push_tasks((task,), **options)

    def push_tasks(self, tasks: Iterable[Task], batch_size: int = 1, **options: Unpack[TermOptions]) -> None:
        """Have more tasks run."""
        push = partial(self.tasks.push_many, tasks, batch_size, options=self._options.merged(**options))
        if self._steps is None:
            push()
        else:
            self._steps.pushing(push)

    def lost(self, reason: str) -> None:
        """The master is gone: nothing waits for it any more. Loop thread."""

        def stop() -> None:
            raise ConnectionLost(f"the master is gone: {reason}", thing="master")

        self._inbox.put(stop)
        self.tasks.close(f"the master is gone: {reason}")  # other threads that wait for room go on

    def outcome(self, handler: TCPHandler, given: _Given) -> tuple[int, Payload]:
        """Run the system to its end; return the status and payload that its application gets.

        :raises ConnectionLost: if the master is gone.
        """
        self._handler = handler
        self.log = get_log(f"concurrent.system.{given.system_id}")
        self.log.addHandler(_MasterLog(handler))
        self.log.propagate = False
        for log_of_owner in (room.log, classesmet.log):
            log_of_owner.addHandler(_MasterLog(handler))
            log_of_owner.propagate = False
        code = self._code
        code.know(self)
        self._inbox.begin()
        try:
            system = code.loads_payload(given.payload)
            if type(system) is Asked:
                system, self._options = system
            self._drive = SystemDrive(system, self, self._go_on)
            if given.bequest is not None:
                self._take_over(given.bequest, system)
            else:
                self._drive.begin()
            return FINISHED, code.dumps_payload(self._drive.complete())
        except ConnectionLost:
            raise
        except BaseException as error:  # boundary: a task system is foreign code
            end_copy(self._pid, error)
            error = self._inbox.failure or error
            if isinstance(error, ConnectionLost):
                raise error from None
            self.log.info("the task system failed: %s: %s", type(error).__name__, message_of(error))
            return FAILED, as_payload(dumps_failure(error, code, ""))

    def _take_over(self, bequest: _Bequest, system: ITaskSystem) -> None:
        """Have a system begin that outlives this process, or go on that has outlived another one."""
        random.seed(bequest.job)  # a system that draws from it and begins anew does the same
        self.tasks.expect_orphans()
        bytes_max = self._handler.peer_bytes_max - STEP_OVERHEAD_BYTES
        limits = StepLimits(bequest.consumed_to, bequest.known_to, bytes_max, bequest.next_id == 1)
        self._steps = steps = SystemSteps(
            self.tasks, self._drive, limits, clock=time.monotonic, tell=self._tell
        )
        if not len(bequest.checkpoint):
            steps.begin()
            return
        try:
            steps.restore(system, bequest.checkpoint)
        except Exception as error:  # boundary: the system's own code runs
            what = f"{type(error).__name__}: {message_of(error)}"
            raise SchedulingError(
                f"the task system cannot go on from its checkpoint: {what}",
                thing=type(system).__name__,
                remedy="Let checkpoint() return plain data, and restore() take that",
            ) from error

    def _tell(self, text: str) -> None:
        """Have the application know something of its system."""
        self._handler.cast(to_master.system_notice, text)

    def _go_on(self) -> bool:
        """Run what comes next, unless nothing can come."""
        if self._steps is not None and self._take_step(self._steps):
            return True
        if self._drive.finished_count == self.tasks.pushed_count and self._inbox.is_empty():
            return False
        self._inbox.run_next()
        return True

    def _take_step(self, steps: SystemSteps) -> bool:
        """Do what there is to do before something comes; tells whether the system was given something."""
        finished_count = self._drive.finished_count
        self._drive.take(steps.found())
        if self._drive.finished_count > finished_count:
            return True
        steps.look()
        due_in_s = steps.due_in_s
        if due_in_s is not None and not self._will_wake and self._inbox.is_empty():
            self._will_wake = True
            self._loop.post(self._loop.call_later, due_in_s, self._wake)
        return False

    def _wake(self) -> None:
        """Have the system's thread look again. Loop thread."""
        self._will_wake = False
        self._inbox.put(bool)

    def _deliver(self, outcomes: list[Outcome]) -> None:
        if self._steps is None:
            self._drive.take(load_outcomes(self._code, outcomes))
        else:
            self._drive.take(self._steps.followed(outcomes))
