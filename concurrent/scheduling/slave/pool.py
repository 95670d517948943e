"""The worker processes of a slave: deals tasks out, takes them back, replaces workers that die.

Tasks wait in one queue, the applications in turns. Each worker gets some milliseconds of work ahead
(``pace.py``). What a worker has not started is taken back as soon as another one is idle, or the worker makes
no progress, so a long task holds nothing behind it. Everything here belongs to the loop's thread.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future
from itertools import repeat
from typing import Final

from concurrent.core.errors import SchedulingError
from concurrent.core.loggers import get_log
from concurrent.scheduling.processes.launcher import Launcher
from concurrent.scheduling.slave.death import Death, verdict
from concurrent.scheduling.slave.fairqueue import FairQueue
from concurrent.scheduling.slave.pace import Pace
from concurrent.scheduling.slave.report import OnDone, OutcomeReport
from concurrent.scheduling.slave.restarts import Restarts
from concurrent.scheduling.slave.status import WorkersStatus
from concurrent.scheduling.slave.stuck import StuckWatch
from concurrent.scheduling.slave.suspects import Suspects
from concurrent.scheduling.slave.workerlink import AppBlobs, Item, WorkerLink
from concurrent.scheduling.slave.workerwatch import OnRunning, WorkerWatch
from concurrent.scheduling.tasks.outcome import CANCELLED, DIED
from concurrent.scheduling.worker.sharedmemory import ArgumentMemory
from concurrent.scheduling.worker.worker import CAN_TAKE_BACK
from concurrent.transport.frames.frames import Frame
from concurrent.transport.loop.loop import NodeLoop

__all__ = ["WorkerPool"]

TAKE_BACK_MIN_S: Final = 0.0003
"""Less waiting work than this is not worth taking from one worker for another at once."""

ZYGOTE_PATIENCE: Final = 2
"""How often tasks may go down with the zygote, which others may kill too, before they have to run apart."""

WINDOW_CHANGE: Final = 0.25

log = get_log("concurrent.scheduling.slave.pool")


class WorkerPool:
    """See the module. Loop thread only. ``held_count`` tells how many tasks are here that have no outcome yet.

    :param loop: the loop that owns the pool.
    :param launcher: what starts the workers; attached to ``loop``. Pools may share it.
    :param memory: what the workers read large arguments from, if these lie there.
    :param size: the number of workers.
    :param tasks_per_worker: how many tasks a worker runs before another takes its place; 0: no limit.
    :param on_done: called with numbers, statuses (``outcome.py``) and payloads, at most once per loop turn.
    :param on_window: called with the number of tasks that the pool wants to hold, when it has changed much.
    :param on_running: called with tasks that have run for a while, again and again (``workerwatch.py``).
    """

    def __init__(
        self,
        loop: NodeLoop,
        launcher: Launcher,
        memory: ArgumentMemory,
        *,
        size: int,
        tasks_per_worker: int = 0,
        on_done: OnDone,
        on_window: Callable[[int], None],
        on_running: OnRunning,
    ) -> None:
        self.size = size
        self.held_count = 0
        self._tasks_per_worker = tasks_per_worker or sys.maxsize
        self._loop = loop
        self._launcher = launcher
        self._memory = memory
        self._on_done = on_done
        self._on_window = on_window
        self._pace = Pace()
        self._window = self._pace.window(size)
        self._queue = FairQueue()
        self._links: list[WorkerLink] = []
        self._workers = WorkerWatch(loop, self._links, on_running)
        self._stuck = StuckWatch(loop, self._links, self._pace, self._relieve)
        self._code_by_app: dict[int, AppBlobs] = {}
        self._report = OutcomeReport(loop, self._done)
        self._restarts = Restarts(loop, self._start_worker)
        self._suspects = Suspects()
        self._apart_link: WorkerLink | None = None
        self._fallen: list[Death] = []
        self._death_count = 0
        self._done_count = 0
        self._stopped: Future[list[int]] | None = None
        self._kill_timer: asyncio.TimerHandle | None = None
        self._is_killing = False
        self._is_paused = False

    @property
    def window(self) -> int:
        """How many tasks the pool wants to hold in all, running and waiting."""
        return self._window

    @property
    def task_s(self) -> float:
        """How long tasks took lately, in seconds."""
        return self._pace.duration_s

    def start(self) -> None:
        """Start the workers."""
        for _ in range(self.size):
            self._start_worker()

    def stop(self, timeout_s: float) -> Future[list[int]]:
        """Let running tasks finish, then end the workers; what still runs after that is killed.

        Unstarted tasks are neither run nor reported. Outcomes of the others are reported before the future is
        done. With a ``timeout_s`` of zero everything is dropped at once and ``on_done`` is not called again;
        a second call may so cut short a stop that waits. A new pool may be started at once.

        :param timeout_s: how long running tasks may take, in seconds.
        :returns: a future of the numbers of all tasks whose outcome was not reported.
        """
        if self._stopped is None:
            self._stopped = Future()
            self._begin_stop()
            self._kill_timer = self._loop.call_later(timeout_s, self._kill_all)
        if timeout_s <= 0:
            self._report.be_silent()
            self._kill_all()
        self._check_stopped()
        return self._stopped

    def _begin_stop(self) -> None:
        self._stuck.stop()
        self._restarts.close()
        for link in self._links:
            self._put_back(link.take_back())
            link.finish()

    def define(self, app: int, index: int, blob: bytes) -> None:
        """Keep a blob of an application's code; blobs come in the order of their indices.

        :raises SchedulingError: if one is missing before it.
        """
        blobs = self._code_by_app.setdefault(app, AppBlobs(app)).blobs
        if index > len(blobs):
            raise SchedulingError(
                f"blob {index} of application {app} came before blob {len(blobs)}",
                thing=f"application {app}",
                value=index,
            )
        if index == len(blobs):
            blobs.append(bytes(blob))

    def forget(self, app: int) -> None:
        """Drop the code of an application. Its tasks should be done or cancelled by then."""
        if self._code_by_app.pop(app, None) is not None:
            for link in self._links:
                link.forget(app)
            self._launcher.sweep(app, is_last=not self._code_by_app)

    def forget_unused(self) -> None:
        """Drop the code of the applications that have no task here."""
        for app in [app for app, code in self._code_by_app.items() if not code.open_count]:
            self.forget(app)

    def started_numbers(self) -> set[int]:
        """Return the numbers of the tasks that workers have."""
        return {item[0] for link in self._links for item in link.outstanding}

    def run(
        self,
        app: int,
        code_count: int,
        numbers: Sequence[int],
        payloads: Sequence[bytes | Frame],
    ) -> bool:
        """Take tasks of one application; they start in this order as far as workers are free.

        :param code_count: how many blobs of the application their payloads need.
        :returns: whether they were taken; if not, some of these blobs are not defined.
        """
        code = self._code_by_app.get(app) or self._code_by_app.setdefault(app, AppBlobs(app))
        if code_count > len(code.blobs):
            return False
        if not numbers:
            return True
        items = list(zip(numbers, payloads, repeat(code)))
        count = len(items)
        self._pace.note_sizes(count, sum(map(len, payloads)))
        is_newcomer = not code.open_count and self.held_count > self.size
        code.open_count += count
        self.held_count += count
        if self._workers.is_resting:
            self._workers.wake()
        if self._suspects.count_by_number:
            items = self._suspects.set_apart(items)
            if not items:
                self._deal()
                return True
        if self.held_count == 1 and self._give_alone(items):
            return True
        if is_newcomer:  # what others have waiting at the workers is not before its turn
            for link in self._links:
                self._put_back(link.take_back(is_slow=False))
        self._queue.extend(items)
        self._deal()
        return True

    def cancel(self, numbers: Iterable[int]) -> None:
        """Drop tasks that have not started and kill the workers of those that run.

        Each is reported as cancelled, or as what it was if it has just ended. Unknown numbers are ignored.
        """
        wanted = set(numbers)
        self._drop_waiting(wanted)
        for link in self._links:
            if wanted.isdisjoint(item[0] for item in link.outstanding):
                continue
            can_take_back = link.can_take_back
            self._put_back(link.take_back())
            started = [item[0] for item in link.outstanding]
            link.cancelled |= wanted.intersection(started)
            # The newest started task is the one that runs; results of older ones are on their way.
            if link.cancelled and (started[-1] in wanted or not can_take_back):
                link.kill()
        self._drop_waiting(wanted)
        self._deal()

    def give_back(self, count: int) -> list[int]:
        """Give up to ``count`` tasks away that have not started; return their numbers, newest first."""
        if count > self._queue.count:
            for link in self._links:
                if len(link.outstanding) > 1:
                    self._put_back(link.take_back())
        items = self._queue.take_newest(count)
        self.held_count -= len(items)
        for item in items:
            item[2].open_count -= 1
        numbers = [item[0] for item in items]
        self._deal()
        return numbers

    def pause_results(self, *, is_paused: bool) -> None:
        """Take no more results from the workers, who have to wait with them then; or go on.

        For an owner that cannot pass them on as fast as they come.
        """
        self._is_paused = is_paused
        for link in self._links:
            link.pause_reading(is_paused=is_paused)
        self._stuck.stop()  # who has to wait does not stand still
        self._go_on_watching()

    def status(self) -> WorkersStatus:
        """Return what the pool is doing.

        ``running`` has the number of the running task by the pid of its worker, None for an idle one;
        ``tasks`` tells more of those that have run for a while.
        """
        running = {link.pid: link.outstanding[0][0] if link.outstanding else None for link in self._links}
        started = sum(number is not None for number in running.values())
        return WorkersStatus(
            size=self.size,
            idle=len(running) - started,
            running=running,
            tasks=self._workers.rows(),
            waiting=self.held_count - started,
            deaths=self._death_count,
            done=self._done_count,
            window=self._window,
            task_s=self._pace.duration_s,
        )

    def _start_worker(self) -> None:
        link = WorkerLink(self._loop, self._results_came, self._worker_died, self._memory)
        try:
            link.start(self._launcher)
        except OSError as error:
            log.error("a worker cannot be started: %s", error)
            self._restarts.start_later()
        else:
            link.pause_reading(is_paused=self._is_paused)
            self._links.append(link)
            self._deal()

    def _deal(self) -> None:
        """Give waiting tasks to workers that have little, the emptiest first."""
        if self._stopped is not None:
            return
        if self._suspects.waiting or self._apart_link is not None:
            self._deal_apart()
        queue = self._queue
        if queue.count:
            depth = self._pace.depth(is_shared=queue.is_shared) if CAN_TAKE_BACK else 1
            links = [
                link
                for link in self._links
                if len(link.outstanding) * 2 <= depth
                and not link.is_held
                and not link.is_leaving
                and link is not self._apart_link
            ]
            links.sort(key=_outstanding_count)
            for index, link in enumerate(links):
                if not queue.count:
                    break
                fair = max(-(-queue.count // (len(links) - index)), self._pace.share)
                room = min(depth, self._tasks_per_worker - link.done_count) - len(link.outstanding)
                self._give(link, min(room, fair, queue.count))
        if self.held_count > 1:  # else nothing can lie behind a running task
            if not queue.count:
                self._even_out()
            self._go_on_watching()

    def _deal_apart(self) -> None:
        """Have suspects run one at a time, alone at a worker that gets nothing else meanwhile."""
        waiting = self._suspects.waiting
        if self._apart_link is None:
            links = [link for link in self._links if not link.is_leaving]
            self._apart_link = min(links, key=_outstanding_count, default=None)
            if self._apart_link is not None:
                self._put_back(self._apart_link.take_back(is_slow=False))
        link = self._apart_link
        if link is None or link.outstanding:
            return
        if waiting:
            link.give([waiting.popleft()], hold_s=0.0)
        else:
            self._apart_link = None

    def _put_back(self, items: list[Item]) -> None:
        """Queue again what workers had, as it was before; suspects apart."""
        self._queue.put_back(self._suspects.set_apart(items))

    def _give_alone(self, items: Sequence[Item]) -> bool:
        """Give the only task that is here to a worker, without the queue; tells whether one is idle."""
        for link in self._links:
            if not link.outstanding and not link.is_leaving:
                link.give(items, hold_s=0.0)
                return True
        return False

    def _go_on_watching(self) -> None:
        if not self._is_paused and self._stopped is None:
            self._stuck.go_on()

    def _give(self, link: WorkerLink, count: int) -> None:
        queue = self._queue
        while count > 0 and queue.count:
            is_shared = queue.is_shared
            items = queue.take(count, self._pace.turn, self._pace.credit(self.size))
            waiting_count = items[0][2].open_count - self.size
            link.give(items, self._pace.hold_s(waiting_count, self.size, is_shared=is_shared))
            count -= len(items)

    def _even_out(self) -> None:
        """Take unstarted tasks from the fullest worker if another one is idle and it is worth it."""
        if all(link.outstanding for link in self._links):
            return
        fullest = max(self._links, key=_outstanding_count, default=None)
        if fullest is None or not any(link.is_idle for link in self._links):
            return
        spare = len(fullest.outstanding) - 1
        if spare > 0 and spare * self._pace.duration_s > TAKE_BACK_MIN_S:
            self._take_back_from([fullest])

    def _take_back_from(self, links: Iterable[WorkerLink]) -> None:
        before = self._queue.count
        for link in links:
            self._put_back(link.take_back())
        if self._queue.count > before:
            self._deal()

    def _relieve(self, stuck: list[WorkerLink]) -> None:
        """Take back what waits behind a task that takes long."""
        self._take_back_from(stuck)
        self._go_on_watching()

    def _results_came(
        self,
        link: WorkerLink,
        numbers: Sequence[int],
        statuses: Sequence[int],
        payloads: Sequence[bytes | Frame],
        busy_s: float,
    ) -> None:
        count = len(numbers)
        self._restarts.quick_death_count = 0
        if self._suspects.count_by_number:
            self._suspects.finished(numbers)
        self._done_count += count
        self.held_count -= count
        self._pace.note_durations(count, busy_s)
        delay_s = self._pace.report_delay_s(link.least_open_count - self.size, self.size)
        self._report.add(numbers, statuses, payloads, delay_s)
        if link.done_count >= self._tasks_per_worker and not link.is_leaving:
            link.finish()
        self._deal()

    def _end(self, item: Item, status: int, payload: bytes) -> None:
        """Report the end of a task that no worker reports; somebody may be waiting for it."""
        item[2].open_count -= 1
        self.held_count -= 1
        self._report.add([item[0]], [status], [payload], delay_s=0.0)

    def _done(self, numbers: list[int], statuses: list[int], payloads: list[bytes | Frame]) -> None:
        """Hand outcomes over, and say if the pool wants to hold more or less from now on."""
        self._on_done(numbers, statuses, payloads)
        window = self._pace.window(self.size)
        if abs(window - self._window) > WINDOW_CHANGE * self._window:
            self._window = window
            self._on_window(window)

    def _drop_waiting(self, wanted: set[int]) -> None:
        for item in (*self._queue.remove(wanted), *self._suspects.remove(wanted)):
            self._end(item, CANCELLED, b"")

    def _worker_died(self, link: WorkerLink, signal: int | None, code: int | None, tail: str) -> None:
        """Find out which task is to blame; the others go on, and pay nothing."""
        death = Death.of(link, signal, code, tail)
        self._links.remove(link)
        self._workers.forget(link)
        if link is self._apart_link:
            self._apart_link = None
        self._put_back(death.unstarted)
        self._death_count += not link.is_leaving or bool(link.distrusted_because)
        if not death.started and not link.is_leaving:
            log.error("worker %d %s without a task; %s", link.pid, death.how, tail)
        if link.has_fallen:  # with all workers of its zygote, which are told of in this turn
            if not self._fallen:
                self._loop.call_soon(self._judge_fallen)
            self._fallen.append(death)
        else:
            self._judge([death], patience=1)
        self._drop_waiting(link.cancelled)
        if self._stopped is not None:
            self._check_stopped()
            return
        self._restarts.replace(is_quick=link.done_count == 0 and not death.started)
        self._deal()

    def _judge_fallen(self) -> None:
        """Find out who killed the zygote, if one of the tasks did."""
        fallen, self._fallen = self._fallen, []
        self._judge(fallen, patience=ZYGOTE_PATIENCE)
        self._check_stopped()
        self._deal()

    def _judge(self, deaths: Sequence[Death], patience: int) -> None:
        """Charge the task that brought workers down, if that can be told, and have the others run again.

        :param patience: how often a task may go down with others before it has to run apart.
        """
        if self._is_killing:
            deaths = [death._replace(candidates=[]) for death in deaths]
        charged, others = verdict(deaths, self._suspects, patience, self._loop.time())
        self._put_back(others)
        for item, evidence in charged:
            self._end(item, DIED, evidence)

    def _kill_all(self) -> None:
        self._is_killing = True
        self._workers.stop()
        for link in self._links:
            link.kill()

    def _check_stopped(self) -> None:
        if self._links or self._fallen or self._stopped is None or self._stopped.done():
            return
        if self._kill_timer is not None:
            self._kill_timer.cancel()
        self._workers.stop()
        unstarted = [item[0] for item in (*self._queue, *self._suspects.waiting)]
        self._queue, self._suspects = FairQueue(), Suspects()
        try:
            self._report.flush()
        finally:
            self._stopped.set_result([*unstarted, *self._report.dropped])


def _outstanding_count(link: WorkerLink) -> int:
    return len(link.outstanding)
