"""A slave's side of scheduling: runs the tasks that the master sends; ``pullingmanager.py`` takes them itself.

They run on a :class:`.WorkerPool`. When the session with a master has ended, the slave goes on: the
master may come back, or start again with the same work. It keeps the outcomes, and says what it has when it
joins the same cluster. What has not begun is dropped when nobody has come for a while (``Cluster.return_s``),
for others have it by then; what runs goes on. If the slave comes to another cluster the pool is thrown away,
running tasks included, for that one gives other tasks the same numbers.
"""

from __future__ import annotations

import logging
from asyncio import TimerHandle
from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import replace
from functools import partial
from typing import Any

from concurrent.core.interface import implements
from concurrent.core.loggers import get_log
from concurrent.scheduling.interfaces import ITaskManager
from concurrent.scheduling.processes.cgroups import Groups
from concurrent.scheduling.processes.launcher import Launcher
from concurrent.scheduling.slave.bars import BarColumns
from concurrent.scheduling.slave.cluster import Cluster
from concurrent.scheduling.slave.codeintake import CodeIntake
from concurrent.scheduling.slave.environments import Environments
from concurrent.scheduling.slave.fitting import Fitting, Instead
from concurrent.scheduling.slave.offer import NOTHING, Offer
from concurrent.scheduling.slave.pool import WorkerPool
from concurrent.scheduling.slave.sayings import said_columns
from concurrent.scheduling.slave.unconfirmed import Outcomes, Unconfirmed
from concurrent.scheduling.slave.workerfacts import FactColumns
from concurrent.scheduling.slave.workersettings import WorkerSettings
from concurrent.scheduling.slave.workerwatch import RunningTask
from concurrent.scheduling.tasks.current import TaskProgress
from concurrent.scheduling.tasks.runterms import read_run_terms
from concurrent.scheduling.wire.columns import Payload, check_columns, slices
from concurrent.scheduling.wire.courier import Courier
from concurrent.scheduling.wire.messages import to_master, to_slave
from concurrent.scheduling.wire.workqueue import Chunk
from concurrent.transport.calls.declaration import Cast, P
from concurrent.transport.calls.handler import TCPHandler
from concurrent.transport.calls.methods import receives
from concurrent.transport.carriers.client import SessionClient
from concurrent.transport.frames.blocks import new_block
from concurrent.transport.frames.frames import Buffer
from concurrent.transport.loop.loop import NodeLoop
from concurrent.transport.session.envelope import peek_request

__all__ = ["GenericTaskManager"]

log = get_log(__name__)


class GenericTaskManager(WorkerSettings):
    """Runs the tasks that the master sends. Loop thread only."""

    implements(ITaskManager)

    pool: WorkerPool
    """The workers, once ``open`` was called."""

    def __init__(self) -> None:
        """Nothing runs before ``open``."""
        self._handler: TCPHandler | None = None
        self._groups: Groups | None = None
        self._cluster: Cluster | None = None
        self._unconfirmed = Unconfirmed()
        self._done_count = 0
        self._carried: set[int] = set()
        self._old_owners: set[int] = set()
        self._give_up_timer: TimerHandle | None = None
        self._is_paused = False
        self._is_draining = False
        self._drained_by = ""
        self._is_traced = False
        self._waiting: list[Chunk] = []
        self._fitting = Fitting()
        self._intake: CodeIntake
        self._header: Buffer = b""
        self._header_owner: int | None = None

    def open(self, loop: NodeLoop, launcher: Launcher, workers: int, offer: Offer = NOTHING) -> None:
        """Start so many worker processes."""
        self._is_draining = False
        self._loop = loop
        self._courier = Courier(loop)
        self._launcher = launcher
        self._workers = workers
        self._offer = offer
        self._groups = self.new_groups()
        self._intake = self._new_intake()
        self.pool = self._new_pool()

    def register_methods(self, endpoint: SessionClient) -> None:
        """Register what the master calls, and have its messages received into shared memory."""
        endpoint.receive_into(self._new_block)

        @receives(endpoint, to_slave.code)
        def code(handler: TCPHandler, _request: Any, owner: int, index: int, blob: Payload) -> None:
            """Keep a blob of an owner's code."""
            self._old_owners.discard(owner)
            self._intake.take(handler, owner, index, blob, self.pool.code_count(owner))

        @receives(endpoint, to_slave.run)
        def run(
            _handler: TCPHandler,
            _request: Any,
            owner: int,
            code_count: int,
            numbers: list[int],
            payloads: list[Payload],
            terms: dict[str, Any] = {},  # noqa: B006  nobody changes it
        ) -> None:
            """Run tasks of one owner."""
            check_columns(numbers, payloads)
            self._arrived(Chunk(owner, code_count, numbers, payloads, read_run_terms(terms)))

        @receives(endpoint, to_slave.cancel)
        def cancel(_handler: TCPHandler, _request: Any, numbers: list[int], grace_s: float = 0.0) -> None:
            """Drop tasks, running or not."""
            dropped = set(numbers)
            chunks = (chunk.without(dropped) for chunk in self._waiting)
            self._waiting = [chunk for chunk in chunks if chunk.numbers]
            self.pool.cancel(numbers, grace_s)

        self._register_queue_methods(endpoint)
        self._register_fitting(endpoint)

        @receives(endpoint, to_slave.output)
        def output(_handler: TCPHandler, _request: Any, number: int) -> str:
            """Return the end of what a task has printed that runs."""
            return self.pool.output_of(number)

        @receives(endpoint, to_slave.stored)
        def stored(_handler: TCPHandler, _request: Any, count: int) -> None:
            """Keep no outcomes any more that the master keeps."""
            if self._cluster is not None and self._cluster.is_durable:
                self._unconfirmed.confirm(count)
                self._look_for_room()

        @receives(endpoint, to_slave.forget)
        def forget(_handler: TCPHandler, _request: Any, owner: int) -> None:
            """Drop all that is kept of an owner, which has left."""
            self._forget(owner)

    def _register_queue_methods(self, endpoint: SessionClient) -> None:
        @receives(endpoint, to_slave.give_back)
        def give_back(_handler: TCPHandler, _request: Any, count: int) -> None:
            """Hand back tasks that have not started."""
            self._tell(to_master.returned, self.pool.give_back(count))

        @receives(endpoint, to_slave.drained)
        def drained(_handler: TCPHandler, _request: Any, by: str) -> None:
            """Take nothing more, or take tasks again."""
            self._drained(by)

    def _register_fitting(self, endpoint: SessionClient) -> None:
        @receives(endpoint, to_slave.uses)
        def uses(
            handler: TCPHandler, _request: Any, owner: int, modules: list[list[str]], lacking: str = "warn"
        ) -> None:
            """Tell what there is not of the installed modules that an owner uses."""
            rows = [(module, distribution, version) for module, distribution, version in modules]
            python = self._launcher.python
            folders = python.folders if python is not None else ()
            fit = self._fitting.look(owner, rows, folders, waits=lacking == "avoid")
            self._courier.cast(handler, to_master.fits, owner, *fit)

        @receives(endpoint, to_slave.spared)
        def spared(_handler: TCPHandler, _request: Any, owner: int, by: str) -> None:
            """Hand back tasks of an owner, or run them."""
            self._fitting.spare(owner, by)
            self._run_waiting()

    def window(self) -> int:
        """Return how many tasks the slave wants to hold now."""
        return 0 if self._is_draining else self.pool.window

    def joined(
        self, handler: TCPHandler, host: str, work: dict[str, Any], cluster: Cluster | None = None
    ) -> None:
        """Begin to serve a master, or go on with one that was lost for a while."""
        cluster = cluster or Cluster(handler.node_id)
        former, self._cluster = self._cluster, cluster
        self._cancel_giving_up()
        self._is_traced = log.isEnabledFor(logging.DEBUG)
        self._done_count = 0
        if former is None:
            self._handler = handler
        elif former.cluster_id == cluster.cluster_id:
            self._come_back(handler)
        else:
            self._begin_anew()
            self._handler = handler
        if self.pool.lacks:
            self._tell(to_master.lacks, self.pool.lacks)
        self.pool.tell_all()
        self._look_for_room()

        def go_on() -> None:
            if self._handler is handler:
                self._look_for_room()

        handler.on_room = go_on

    def left(self) -> None:
        """Go on for now, and keep the outcomes; what has not begun is dropped if nobody comes."""
        self._handler = None
        self._intake.left()
        self._drained_by = ""  # the next master, or session, says whether it still is
        self._fitting.left()
        self._run_waiting()
        self._look_for_room()
        if self._is_draining:
            self._waiting.clear()
        elif self._cluster is not None and self._cluster.return_s > 0:
            self._give_up_timer = self._loop.call_later(self._cluster.return_s, self._give_up)
        else:
            self._give_up()

    def _come_back(self, handler: TCPHandler) -> None:
        """Tell a master of the same cluster what is here, then bring it what it may not have got."""
        self.pool.flush()
        self._forget_unused(self.pool.owners)
        kept = self._unconfirmed.take()
        finished = [number for outcomes in kept for number in outcomes.numbers]
        running = sorted(self.pool.open_numbers().union(*(chunk.numbers for chunk in self._waiting)))
        self._handler = handler
        if running or finished:
            log.info("is back with %d tasks and %d outcomes", len(running), len(finished))
        if handler.peer_has(to_slave.DURABLE):
            self._tell(to_master.holding, running, finished)
        self._carried = {*running, *finished}
        self._old_owners = self.pool.owners
        for outcomes in kept:
            self._done(*outcomes)
        settled = handler.call(to_master.count_workers)  # its answer says that all before it is dealt with
        settled.add_done_callback(lambda _answer: self._settled(handler))

    def _settled(self, handler: TCPHandler) -> None:
        """The master knows what is here: what it sends from now on is to be begun."""
        if self._handler is handler:
            self._carried.clear()
            self._old_owners = self._forget_unused(self._old_owners)

    def _forget_unused(self, owners: set[int]) -> set[int]:
        """Forget those of these applications that have no task here; return the others."""
        used = self.pool.busy_owners.union(chunk.owner for chunk in self._waiting)
        for owner in owners - used:
            self._forget(owner)
        return owners & used

    def _forget(self, owner: int) -> None:
        """Drop all that is kept of an application: what is kept of one has to go here."""
        self._waiting = [chunk for chunk in self._waiting if chunk.owner != owner]
        self._fitting.forget(owner)
        self._intake.forget(owner)
        self.pool.forget(owner)

    def _give_up(self) -> None:
        """Drop what has not begun: others have it by now."""
        self._give_up_timer = None
        dropped = self.pool.give_back(self.pool.held_count)
        count = len(dropped) + sum(len(chunk.numbers) for chunk in self._waiting)
        self._waiting.clear()
        self._forget_unused(self.pool.owners)
        if count:
            log.info("drops %d tasks that have not begun, for the master is away", count)

    def _cancel_giving_up(self) -> None:
        if self._give_up_timer is not None:
            self._give_up_timer.cancel()
            self._give_up_timer = None

    def _begin_anew(self) -> None:
        """Kill what runs for a former master and begin with new workers."""
        self._unconfirmed = Unconfirmed()
        self._carried.clear()
        self._old_owners.clear()
        for owner in self.pool.owners:
            self._intake.forget(owner)
        self.pool.stop(0)
        self.pool = self._new_pool()
        self._is_paused = False

    def _look_for_room(self) -> None:
        """Have workers wait with their results while nobody takes them, or go on."""
        if self._handler is None:
            is_paused = self._unconfirmed.is_full and not self._is_draining
        else:
            is_kept = self._cluster is not None and self._cluster.is_durable and self._unconfirmed.is_full
            is_paused = is_kept or not self._handler.has_room
        if is_paused is not self._is_paused:
            self._is_paused = is_paused
            self.pool.pause_results(is_paused=is_paused)

    def _drained(self, by: str) -> None:
        """Take nothing more and hand back what has not started, or take tasks again."""
        if by != self._drained_by:
            log.info(f"is drained by {by}: it takes no more tasks" if by else "takes tasks again")
        self._drained_by = by
        if by:
            waiting, self._waiting = self._waiting, []
            numbers = [number for chunk in waiting for number in chunk.numbers]
            self._tell(to_master.returned, numbers + self.pool.give_back(self.pool.held_count))

    def drain(self, timeout_s: float) -> Future[None]:
        """Hand back what has not started, finish what runs."""
        self._is_draining = True
        self._look_for_room()
        done: Future[None] = Future()

        def stopped(unfinished: Future[list[int]]) -> None:
            self._tell(to_master.returned, unfinished.result())
            done.set_result(None)

        self._tell(to_master.set_window, 0)
        self.pool.stop(timeout_s).add_done_callback(stopped)
        return done

    def close(self) -> None:
        """Forget the master."""
        self._cancel_giving_up()
        self._handler = None
        self._intake.close()
        if self._groups is not None:
            self._groups.close()
            self._groups = None

    def snapshot(self) -> dict[str, Any]:
        """Return what the workers are doing."""
        making = self._intake.lines()
        return replace(self.pool.status(), drained_by=self._drained_by, environments=making).to_json()

    def _new_intake(self) -> CodeIntake:
        return CodeIntake(
            self._loop,
            self.projects,
            partial(Environments, self._loop, self._launcher, self.environment_rules()),
            define=self._define,
            use=lambda owner, launcher: self.pool.use(owner, launcher),
            on_wait=lambda owner, words: self._tell(
                to_master.preparing, owner, "waits" if words else "", words
            ),
            on_failed=self._cannot_run,
        )

    def _new_pool(self) -> WorkerPool:
        pool = WorkerPool(
            self._loop,
            self._launcher,
            size=self._workers,
            offer=self._offer,
            bounds=self.bounds(),
            groups=self._groups,
            on_done=self._done,
            on_window=self._window_changed,
            on_lacks=lambda reason: self._tell(to_master.lacks, reason),
            on_running=self._running,
            on_said=self._said,
            on_observed=self._observed,
        )
        pool.start()
        return pool

    def _new_block(self, size_bytes: int, header: Buffer) -> memoryview:
        """Return memory for a large argument: such that only the workers of its owner read."""
        if header is not self._header:
            self._header, self._header_owner = header, _owner_of(header)
        owner = self._header_owner
        return new_block(size_bytes) if owner is None else self.pool.new_block(owner, size_bytes)

    def _arrived(self, chunk: Chunk) -> None:
        """Take tasks that the master sent."""
        self._old_owners.discard(chunk.owner)
        self._run(chunk)

    def _run_waiting(self) -> None:
        """Run what waits, as far as it may be run now."""
        waiting, self._waiting = self._waiting, []
        for chunk in waiting:
            self._begin(chunk)

    def _run(self, chunk: Chunk) -> None:
        """Run tasks, later if their code has still to come: it may take another way than they do."""
        if self._carried:  # the master may not know yet that they run here
            chunk = chunk.without(self._carried)
        self._begin(chunk)

    def _begin(self, chunk: Chunk) -> None:
        instead = self._fitting.instead_by_owner.get(chunk.owner)
        if self._is_draining or self._drained_by or instead is Instead.RETURN:
            self._tell(to_master.returned, chunk.numbers)
        elif instead is Instead.WAIT:
            self._waiting.append(chunk)
        elif not self.pool.run(*chunk):
            log.debug("%d tasks of owner %d wait for its code", len(chunk.numbers), chunk.owner)
            self._waiting.append(chunk)
            self._intake.look_again(chunk.owner)
        elif self._is_traced:
            log.debug("took %d tasks of owner %d", len(chunk.numbers), chunk.owner)

    def _define(self, owner: int, index: int, blob: bytes) -> None:
        """Keep a blob of an owner's code, and run what has waited for it."""
        self.pool.define(owner, index, blob)
        self._run_waiting()

    def _cannot_run(self, owner: int, words: str) -> None:
        """Hand back the tasks of an owner whose project or environment cannot be had here, and say why."""
        self._tell(to_master.preparing, owner, "failed", words)
        refused = [number for chunk in self._waiting if chunk.owner == owner for number in chunk.numbers]
        self._waiting = [chunk for chunk in self._waiting if chunk.owner != owner]
        self._tell(to_master.returned, refused)

    def _done(self, numbers: list[int], statuses: list[int], payloads: list[Any]) -> None:
        handler, task_s = self._handler, self.pool.task_s
        if handler is None:
            self._unconfirmed.keep(Outcomes(numbers, statuses, payloads))
            self._look_for_room()
            return
        if self._is_traced:
            log.debug("reports the outcomes of %d tasks", len(numbers))
        for part in slices(payloads):
            outcomes = Outcomes(numbers[part], statuses[part], payloads[part])
            if not self._courier.cast_outcomes(handler, to_master.done, outcomes, task_s):
                rest = slice(part.start, None)
                self._unconfirmed.keep(Outcomes(numbers[rest], statuses[rest], payloads[rest]))
                self._handler = None
                return
            self._note_sent(handler, outcomes)
        self._look_for_room()
        if self._old_owners:  # the master has not named them since this slave is back: they may have left
            self._old_owners = self._forget_unused(self._old_owners)

    def _note_sent(self, handler: TCPHandler, outcomes: Outcomes) -> None:
        """Keep outcomes until the master has them: on its disk, or in its memory if it keeps nothing there."""
        self._done_count += 1
        if self._cluster is not None and self._cluster.is_durable:
            self._unconfirmed.sent(outcomes, self._done_count, with_large=True)
        else:
            sent_count, acknowledged_count = handler.message_counts
            self._unconfirmed.confirm(acknowledged_count)
            self._unconfirmed.sent(outcomes, sent_count, with_large=False)

    def _window_changed(self, window: int) -> None:
        self._tell(to_master.set_window, window)

    def _running(self, tasks: Sequence[RunningTask]) -> None:
        """Tell a master that wants to know what has run for a while."""
        now = self._loop.time()
        self._tell(
            to_master.running,
            [task.number for task in tasks],
            [task.pid for task in tasks],
            [now - task.since for task in tasks],
            [task.note for task in tasks],
        )

    def _said(self, progress: dict[int, TaskProgress], printed: dict[int, str]) -> None:
        """Tell a master what tasks say, unless there is none or it takes no more now."""
        if self._handler is not None and self._handler.has_room:
            if progress:
                self._tell(to_master.progress, *said_columns(progress))
            if printed:
                self._tell(to_master.printed, list(printed), list(printed.values()))

    def _observed(self, bars: BarColumns | None, facts: FactColumns | None) -> None:
        """Tell a master what workers do, unless there is none or it takes no more now."""
        if self._handler is not None and self._handler.has_room:
            if bars is not None:
                self._tell(to_master.bars, *bars)
            if facts is not None:
                self._tell(to_master.workers, *facts)

    def _tell(self, message: Cast[P], *args: P.args, **kwargs: P.kwargs) -> None:
        """Tell the master, if there is one; one that cannot be told is lost, and moves the tasks."""
        if self._handler is not None and not self._courier.cast(self._handler, message, *args, **kwargs):
            self._handler = None


def _owner_of(header: Buffer) -> int | None:
    """Return whose tasks a message brings, which has not arrived as a whole; None if it brings none."""
    match peek_request(header):
        case to_slave.run.name, int(owner):
            return owner
    return None
