"""The workers of a pool: whose they are, when one is started, and when one is ended for another application.

As many workers as tasks may run at once are kept ready, belonging to nobody; an application that needs one
takes it. When all are taken another one is started, and while several applications take turns there is always
one ahead, so that nobody waits for a fork. Who comes back finds workers that know its code, as long as there
are not too many in all: then the one ends that has been idle for longest. Surplus that nobody has needed for a
while ends too.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from operator import attrgetter
from typing import Final

from concurrent.core.loggers import get_log
from concurrent.scheduling.processes.launcher import Launcher
from concurrent.scheduling.slave.crew import Crew
from concurrent.scheduling.slave.restarts import Restarts
from concurrent.scheduling.slave.workerlink import WorkerLink
from concurrent.transport.loop.loop import NodeLoop

__all__ = ["SURPLUS_MIN", "Roster"]

SURPLUS_MIN: Final = 4
"""So many workers that nobody needs at the moment are kept at least, besides those that may have tasks."""

SURPLUS_S: Final = 10.0
"""How long such a worker has been idle when it is ended."""

_progress_at = attrgetter("progress_at")

log = get_log(__name__)


class Roster:
    """See the module. Loop thread only.

    :param size: how many workers may have tasks at once.
    :param start: starts a worker, with the launcher of an application if that has one, and returns the link to
        it; OSError if it cannot.
    :param on_start: called when a worker was started that belongs to nobody.

    ``links`` has all workers, those that are leaving too.
    """

    def __init__(
        self,
        loop: NodeLoop,
        size: int,
        start: Callable[[Launcher | None], WorkerLink],
        on_start: Callable[[], object],
    ) -> None:
        self.links: list[WorkerLink] = []
        self.restarts = Restarts(loop, self._start_ready)
        self._loop = loop
        self._size = size
        self._start_worker = start
        self._on_start = on_start
        self._ready: list[WorkerLink] = []
        self._is_closed = False
        self._timer: asyncio.TimerHandle | None = None

    def fill(self) -> None:
        """Start workers until there are enough."""
        for _ in range(self._size - self._lasting_count()):
            self._start_ready()

    def worker_for(self, crew: Crew, devices: Sequence[int] = ()) -> WorkerLink | None:
        """Return a worker that belongs to a crew from now on, None if there can be none for now.

        :param devices: the devices that are its own.
        """
        launcher = crew.app.launcher
        ready = self._ready if launcher is None else []
        while not self._is_closed and (ready or self._can_start()):
            link = ready.pop(0) if ready else self._start(launcher)
            if link is None:
                return None
            try:
                link.join(crew, devices)
            except ConnectionError:
                continue  # it has ended, which is reported soon
            except OSError as error:
                log.error("a worker cannot be given to application %d: %s", crew.owner, error)
                link.finish()
                continue
            crew.links.append(link)
            self._watch_surplus()
            if not self._ready and any(other.crew not in (crew, None) for other in self.links):
                self._loop.call_soon(self._start_ahead)
            return link
        return None

    def dismiss(self, crew: Crew) -> None:
        """End the workers of a crew whose application has left, after the tasks that they run."""
        for link in crew.links:
            link.finish()
        crew.links.clear()

    def leaving(self, link: WorkerLink) -> None:
        """Let a worker end after the task that it runs."""
        self._strike_off(link)
        link.finish()

    def ended(self, link: WorkerLink, *, is_quick: bool) -> None:
        """Take note that a worker has ended, and start another one if too few are left.

        :param is_quick: whether it has died before it got to anything.
        """
        self.links.remove(link)
        self._strike_off(link)
        if not self._is_closed and (is_quick or self._lasting_count() < self._size):
            self.restarts.replace(is_quick=is_quick)

    def close(self) -> None:
        """Start no more workers."""
        self._is_closed = True
        self.restarts.close()
        if self._timer is not None:
            self._timer.cancel()

    def _strike_off(self, link: WorkerLink) -> None:
        """Have nobody take a worker any more; an application without any needs no memory for arguments."""
        crew = link.crew
        for links in (self._ready, crew.links if crew is not None else []):
            if link in links:
                links.remove(link)
        if crew is not None and crew.app.is_idle:
            crew.app.let_go()

    def _lasting_count(self) -> int:
        return sum(not link.is_leaving for link in self.links)

    def _start(self, launcher: Launcher | None = None) -> WorkerLink | None:
        try:
            link = self._start_worker(launcher)
        except OSError as error:
            if self._is_one_ending() or (self._lasting_count() > self._size and self._retire_one()):
                log.debug("a worker cannot be started before another one has ended: %s", error)
            else:
                self._retire_one()  # it may have what is lacking
                log.error("a worker cannot be started: %s", error)
                self.restarts.start_later()
            return None
        self.links.append(link)
        return link

    def _is_one_ending(self) -> bool:
        return any(link.is_leaving and not link.outstanding for link in self.links)

    def _start_ready(self) -> None:
        link = self._start()
        if link is not None:
            self._ready.append(link)
            self._on_start()

    def _start_ahead(self) -> None:
        """Have a worker ready for the next application that needs one: several take turns."""
        if not self._is_closed and not self._ready and self._can_start():
            self._start_ready()
            self._watch_surplus()

    def _can_start(self) -> bool:
        """Tell whether there may be one more worker; the one that was idle for longest may have to go."""
        if self.restarts.is_waiting:
            return False
        most = self._size + max(self._size, SURPLUS_MIN)
        if len(self.links) >= most + self._size:  # too many are leaving
            return False
        return self._lasting_count() < most or self._retire_one()

    def _retire_one(self) -> bool:
        """Let the worker end that has been idle for longest; tells whether there is one."""
        idle = [link for link in self.links if link.is_idle]
        if idle:
            self.leaving(min(idle, key=_progress_at))
        return bool(idle)

    def _watch_surplus(self) -> None:
        if self._timer is None and self._lasting_count() > self._size:
            self._timer = self._loop.call_later(SURPLUS_S, self._end_surplus)

    def _end_surplus(self) -> None:
        self._timer = None
        count = self._lasting_count() - self._size
        since = self._loop.time() - SURPLUS_S
        idle = [link for link in self.links if link.is_idle and link.progress_at <= since]
        for link in sorted(idle, key=_progress_at)[: max(0, count)]:
            self.leaving(link)
        self._watch_surplus()
