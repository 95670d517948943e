"""The worker processes of a slave: has tasks run there, and replaces workers that die.

Each worker belongs to one application and one claim from its first task on (``crew.py``). Which crew has how
many is decided in ``shares.py``, which workers there are in ``roster.py``, which of them gets a task in
``dealing.py``.
Everything here belongs to the loop's thread.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Future
from itertools import repeat

from concurrent.scheduling.processes.cgroups import Groups
from concurrent.scheduling.processes.launcher import Launcher
from concurrent.scheduling.slave.bars import Bars
from concurrent.scheduling.slave.blame import Blame
from concurrent.scheduling.slave.crew import Item
from concurrent.scheduling.slave.crews import Crews
from concurrent.scheduling.slave.dealing import Dealer
from concurrent.scheduling.slave.grace import Grace
from concurrent.scheduling.slave.limits import NO_BOUNDS, Bounds, Limits
from concurrent.scheduling.slave.observations import Observations, OnObserved
from concurrent.scheduling.slave.offer import NOTHING, Offer
from concurrent.scheduling.slave.pace import Pace
from concurrent.scheduling.slave.report import OnDone, OutcomeReport
from concurrent.scheduling.slave.resources import Resources
from concurrent.scheduling.slave.roster import Roster
from concurrent.scheduling.slave.sayings import OnSaid, Sayings
from concurrent.scheduling.slave.status import WorkersStatus
from concurrent.scheduling.slave.stopping import Stopping
from concurrent.scheduling.slave.verdict import CANCEL, Verdict
from concurrent.scheduling.slave.window import Window
from concurrent.scheduling.slave.workerlink import WorkerLink
from concurrent.scheduling.slave.workerwatch import OnRunning, WorkerWatch
from concurrent.scheduling.tasks.outcome import DIED
from concurrent.scheduling.tasks.runterms import USUAL, RunTerms
from concurrent.transport.frames.frames import Frame
from concurrent.transport.loop.loop import NodeLoop

__all__ = ["WorkerPool"]


class WorkerPool:
    """The worker processes of a slave: has tasks run there, and replaces workers that die. Loop thread only.

    ``held_count`` tells how many tasks are here that have no outcome yet.

    :param loop: the loop that owns the pool.
    :param launcher: what starts the workers; attached to ``loop``. Pools may share it.
    :param size: how many tasks may run at once, each at a worker of its own.
    :param offer: what tasks can ask for besides.
    :param bounds: what is allowed to all tasks.
    :param groups: makes the control groups that bound the memory of workers; None: it is measured alone.
    :param on_done: called with numbers, statuses (``outcome.py``) and payloads, at most once per loop turn.
    :param on_window: called with the number of tasks that the pool wants to hold, when it has changed much.
    :param on_running: called with tasks that have run for a while, again and again (``workerwatch.py``).
    :param on_said: called with what tasks say of themselves (``sayings.py``), before their outcomes.
    :param on_observed: called once a second with what workers have run, use and run now (``observations.py``).
    """

    def __init__(  # noqa: PLR0913  what it is made of, and who is told, by name
        self,
        loop: NodeLoop,
        launcher: Launcher,
        *,
        size: int,
        offer: Offer = NOTHING,
        bounds: Bounds = NO_BOUNDS,
        groups: Groups | None = None,
        on_done: OnDone,
        on_window: Callable[[int], None],
        on_lacks: Callable[[str], object],
        on_running: OnRunning,
        on_said: OnSaid,
        on_observed: OnObserved,
    ) -> None:
        self.size = size
        self._tasks_per_worker = bounds.tasks_per_worker or sys.maxsize
        self._loop = loop
        self._launcher = launcher
        self._on_done = on_done
        self._on_lacks = on_lacks
        self._sayings = Sayings(on_said)
        self._bars = Bars(size)
        self._pace = Pace()
        self._window = Window(self._pace, size, on_window)
        self._roster = Roster(loop, size, self._new_link, self._has_started)
        self._links = self._roster.links
        resources = Resources(offer, size, groups)
        self._crews = Crews(launcher, self._roster, size, resources, loop.time)
        self._dealer = Dealer(
            loop,
            self._roster,
            self._pace,
            size=size,
            tasks_per_worker=self._tasks_per_worker,
            resources=resources,
        )
        self._grace = Grace(loop)
        self._limits = Limits(
            loop,
            self._links,
            bounds,
            on_over=self._over_limit,
            on_grown=self._renew,
            on_shortage=self._shortage_changed,
        )
        self._workers = WorkerWatch(loop, self._links, on_running, self._look)
        self._observations = Observations(loop, self._links, self._bars, on_observed)
        self._report = OutcomeReport(loop, self._done)
        self._blame = Blame(loop, self._dealer, self._charge, self._go_on)
        self._stopping = Stopping(loop, self._kill_all)
        self._done_count = 0
        self._is_paused = False

    @property
    def held_count(self) -> int:
        """How many tasks are here that have no outcome yet."""
        return self._dealer.held_count

    @property
    def window(self) -> int:
        """How many tasks the pool wants to hold in all, running and waiting."""
        return self._window.count

    @property
    def usual_window(self) -> int:
        """The same if no worker ran a task that takes long."""
        return self._window.usual_count

    @property
    def lacks(self) -> str:
        """Why the pool wants nothing, if its machine is short of something; else empty."""
        return self._limits.lacks

    @property
    def task_s(self) -> float:
        """How long tasks took lately, in seconds."""
        return self._pace.duration_s

    def start(self) -> None:
        """Start the workers."""
        self._limits.start()
        self._roster.fill()
        self._observations.start()

    def stop(self, timeout_s: float) -> Future[list[int]]:
        """Let running tasks finish, then end the workers; what still runs after that is killed.

        Unstarted tasks are neither run nor reported. Outcomes of the others are reported before the future is
        done. With a ``timeout_s`` of zero everything is dropped at once and ``on_done`` is not called again;
        a second call may so cut short a stop that waits. A new pool may be started at once.

        :param timeout_s: how long running tasks may take, in seconds.
        :returns: a future of the numbers of all tasks whose outcome was not reported.
        """
        if self._stopping.begin(timeout_s):
            self._roster.close()
            self._dealer.close()
            for link in self._links:
                link.finish()
        if timeout_s <= 0:
            self._report.be_silent()
            self._kill_all()
        self._check_stopped()
        return self._stopping.done

    def define(self, owner: int, index: int, blob: bytes) -> None:
        """Keep a blob of an application's code; blobs come in the order of their indices.

        :raises SchedulingError: if one is missing before it.
        """
        self._crews.of(owner).define(index, blob)

    def use(self, owner: int, launcher: Launcher) -> None:
        """Have the workers of an application started by a launcher, before it has any."""
        self._crews.of(owner).launcher = launcher

    def code_count(self, owner: int) -> int:
        """Return how many blobs of an application's code are here."""
        return len(self._crews.of(owner).blobs)

    def forget(self, owner: int) -> None:
        """Drop the code of an application and end its workers. Its tasks are done or cancelled by then."""
        self._crews.forget(owner)

    @property
    def owners(self) -> set[int]:
        """The numbers of the applications whose code or tasks are here."""
        return self._crews.owners

    @property
    def busy_owners(self) -> set[int]:
        """The numbers of those of them that have a task here without an outcome."""
        return self._crews.busy_owners

    def new_block(self, owner: int, size_bytes: int) -> memoryview:
        """Return memory for a large argument, which workers of this application can read, and no others.

        It can be written to, and holds anything before that; free with its last view.
        """
        return self._crews.new_block(owner, size_bytes)

    def open_numbers(self) -> set[int]:
        """Return the numbers of all tasks that have no outcome yet."""
        started = (item[0] for link in self._links for item in link.outstanding)
        return {*started, *self._dealer.unstarted_numbers(), *self._blame.open_numbers()}

    def output_of(self, number: int) -> str:
        """Return the end of what a task has printed that runs here, or has just ended; else nothing."""
        outputs = (link.output_of(number) for link in self._links if link.outstanding)
        return next((output for output in outputs if output is not None), self._sayings.unsent(number))

    def flush(self) -> None:
        """Report at once what outcomes there are."""
        self._report.flush()

    def tell_all(self) -> None:
        """Tell everything of the workers the next time: whoever is told knows nothing."""
        self._observations.tell_all()

    def run(
        self,
        owner: int,
        code_count: int,
        numbers: Sequence[int],
        payloads: Sequence[bytes | Frame],
        terms: RunTerms = USUAL,
    ) -> bool:
        """Take tasks of one application; they start in this order as far as workers are free.

        :param code_count: how many blobs of the application their payloads need.
        :param terms: what all of them ask for.
        :returns: whether they were taken; if not, some of these blobs are not defined.
        """
        crews = self._crews
        crew = crews.of(owner).crew() if terms.is_plain else crews.crew_for(owner, terms)
        if code_count > len(crew.app.blobs):
            return False
        if not numbers:
            return True
        items = list(zip(numbers, payloads, repeat(crew), repeat(terms)))
        count = len(items)
        self._pace.note_sizes(count, sum(map(len, payloads)))
        dealer = self._dealer
        is_newcomer = not crew.open_count and dealer.held_count > self.size and not crew.app.open_count
        crew.open_count += count
        dealer.held_count += count
        if self._workers.is_resting:
            self._workers.wake()
        dealer.add(items, is_newcomer=is_newcomer)
        return True

    def cancel(self, numbers: Iterable[int], grace_s: float = 0.0) -> None:
        """Drop tasks that have not started and end the workers of those that run.

        Each is reported as cancelled, or as what it was if it has just ended. Unknown numbers are ignored.

        :param grace_s: how long one that runs has to end by itself before it is killed, in seconds; 0: it is
            killed at once. What is being ended already keeps its time if that is over sooner.
        """
        wanted = set(numbers)
        self._drop_waiting(wanted)
        for link in self._links:
            if not wanted.isdisjoint(item[0] for item in link.outstanding):
                self._end_running(link, wanted, CANCEL, grace_s)
        self._drop_waiting(wanted)
        self._dealer.deal()

    def give_back(self, count: int) -> list[int]:
        """Give up to ``count`` tasks away that have not started; return their numbers, newest first."""
        items = self._dealer.take_newest(count)
        self._dealer.held_count -= len(items)
        for item in items:
            item[2].open_count -= 1
        self._dealer.deal()
        return [item[0] for item in items]

    def pause_results(self, *, is_paused: bool) -> None:
        """Take no more results from the workers, who have to wait with them then; or go on.

        For an owner that cannot pass them on as fast as they come.
        """
        self._is_paused = is_paused
        for link in self._links:
            link.pause_reading(is_paused=is_paused)
        self._dealer.pause(is_paused=is_paused)

    def status(self) -> WorkersStatus:
        """Return what the pool is doing.

        ``running`` has the number of the running task by the pid of its worker, None for an idle one;
        ``tasks`` tells more of those that have run for a while.
        """
        running = {link.pid: link.outstanding[0][0] if link.outstanding else None for link in self._links}
        started = sum(number is not None for number in running.values())
        return WorkersStatus(
            size=self.size,
            idle=max(0, self.size - self._dealer.busy_places),
            running=running,
            tasks=self._workers.rows(),
            waiting=self.held_count - started,
            deaths=self._blame.count,
            done=self._done_count,
            window=self._window.count,
            task_s=self._pace.duration_s,
        )

    def _new_link(self, launcher: Launcher | None = None) -> WorkerLink:
        link = WorkerLink(
            self._loop,
            launcher or self._launcher,
            self._results_came,
            self._worker_died,
            sayings=self._sayings,
            bars=self._bars,
        )
        link.pause_reading(is_paused=self._is_paused)
        return link

    def _look(self, running: Mapping[WorkerLink, Item]) -> None:
        self._look_at_window()
        self._limits.look(running)
        self._sayings.look(self._links, self._loop.time())

    def _look_at_window(self) -> None:
        """Say it if the pool wants to hold more or less from now on."""
        self._window.look(self._dealer.standing_count)

    def _has_started(self) -> None:
        self._dealer.deal()

    def _results_came(
        self,
        link: WorkerLink,
        numbers: Sequence[int],
        statuses: Sequence[int],
        payloads: Sequence[bytes | Frame],
        busy_s: float,
    ) -> None:
        count = len(numbers)
        crew, dealer = link.crew, self._dealer
        assert crew is not None, "a worker without an application has no tasks"
        self._roster.restarts.quick_death_count = 0
        if dealer.suspects.count_by_number:
            dealer.suspects.finished(numbers)
        if dealer.anew.numbers:
            dealer.anew.forget(numbers)
        self._done_count += count
        dealer.held_count -= count
        crew.open_count -= count
        if count and busy_s:
            self._pace.note_durations(count, busy_s)
        delay_s = self._pace.report_delay_s(crew.open_count - self.size, self.size)
        self._report.add(numbers, statuses, payloads, delay_s)
        is_done = link.done_count >= self._tasks_per_worker or (crew.memory and self._limits.has_grown(link))
        if is_done and not link.is_leaving:
            self._roster.leaving(link)
        dealer.deal()

    def _renew(self, link: WorkerLink) -> None:
        """Have another worker take the place of one after the task that it runs."""
        self._dealer.put_back(link.take_back())
        self._roster.leaving(link)
        self._dealer.deal()

    def _shortage_changed(self) -> None:
        self._window.is_open = not self.lacks
        self._on_lacks(self.lacks)
        self._look_at_window()

    def _end(self, item: Item, status: int, payload: bytes) -> None:
        """Report the end of a task that no worker reports; somebody may be waiting for it."""
        item[2].open_count -= 1
        self._dealer.held_count -= 1
        self._dealer.anew.forget([item[0]])
        self._report.add([item[0]], [status], [payload], delay_s=0.0)

    def _done(self, numbers: list[int], statuses: list[int], payloads: list[bytes | Frame]) -> None:
        """Hand outcomes over."""
        self._sayings.flush()
        self._on_done(numbers, statuses, payloads)
        self._look_at_window()

    def _over_limit(self, link: WorkerLink, number: int, verdict: Verdict) -> None:
        self._end_running(link, {number}, verdict, verdict.grace_s)
        self._dealer.deal()

    def _end_running(self, link: WorkerLink, wanted: set[int], verdict: Verdict, grace_s: float) -> None:
        """Have a worker end if it runs one of some tasks; what it has not started goes to others."""
        can_take_back = link.can_take_back
        self._dealer.put_back(link.take_back())
        started = [item[0] for item in link.outstanding]
        for number in wanted.intersection(started).difference(link.final_numbers()):
            link.verdicts[number] = verdict
        # The newest started task is the one that runs; results of older ones are on their way.
        if link.verdicts and (started[-1] in wanted or not can_take_back):
            self._grace.end(link, grace_s)

    def _drop_waiting(self, wanted: set[int]) -> None:
        for item in self._dealer.remove(wanted):
            self._end(item, *CANCEL.outcome())

    def _worker_died(self, link: WorkerLink, signal: int | None, code: int | None, tail: str) -> None:
        death = self._blame.died(link, signal, code, tail)
        self._workers.forget(link)
        self._dealer.forget(link)
        self._grace.forget(link)
        self._limits.forget(link)
        for item, status, payload in death.outcomes(self._loop.name):
            self._end(item, status, payload)
        is_quick = death.is_accident and not (link.done_count or death.started)
        self._roster.ended(link, is_quick=is_quick)
        self._go_on()

    def _charge(self, item: Item, evidence: bytes) -> None:
        self._end(item, DIED, evidence)

    def _go_on(self) -> None:
        self._check_stopped()
        self._dealer.deal()

    def _kill_all(self) -> None:
        self._stopping.killing()
        self._blame.excuse()
        self._workers.stop()
        self._limits.stop()
        for link in self._links:
            link.kill()

    def _check_stopped(self) -> None:
        if self._links or self._blame.is_open or not self._stopping.is_under_way:
            return
        self._workers.stop()
        self._limits.stop()
        self._observations.stop()
        unstarted = [item[0] for item in self._dealer.take_all()]
        self._crews.close()
        try:
            self._report.flush()
        finally:
            self._stopping.end([*unstarted, *self._report.dropped])
