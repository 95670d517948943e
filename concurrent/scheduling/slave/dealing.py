"""Deals waiting tasks out to workers, and takes back what would wait too long there. Loop thread only.

Each crew has a share of the places (``shares.py``), and its tasks go to its own workers, which begin when what
they claim is free (``resources.py``). Each worker gets some work ahead (``pace.py``). What it has not started
is taken back as soon as another one could do it, or the worker makes no progress, so a long task holds nothing
behind it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import islice
from typing import Final

from concurrent.scheduling.slave.apart import Apart
from concurrent.scheduling.slave.crew import Crew, Item
from concurrent.scheduling.slave.pace import Pace
from concurrent.scheduling.slave.resources import NO_RESOURCES, Resources, Room
from concurrent.scheduling.slave.rights import more_by_crew
from concurrent.scheduling.slave.roster import Roster
from concurrent.scheduling.slave.stuck import StuckWatch
from concurrent.scheduling.slave.suspects import Suspects
from concurrent.scheduling.slave.waiting import WaitingTasks
from concurrent.scheduling.slave.workerlink import WorkerLink
from concurrent.scheduling.worker.worker import CAN_TAKE_BACK
from concurrent.transport.loop.loop import NodeLoop

__all__ = ["Dealer"]

TAKE_BACK_MIN_S: Final = 0.0003
"""Less waiting work than this is not worth taking from one worker for another at once."""

CREWS_MAX: Final = 100
"""So many crews that wait are compared, those that have waited first: each task may ask for something else."""

OVERTAKE_MIN_S: Final = 0.02
"""Less waiting work than this at a worker is not overtaken by a task of higher priority."""


class Dealer:
    """See the module.

    :param roster: the workers.
    :param pace: knows how long tasks take.
    :param size: how many workers may have tasks at once.
    :param tasks_per_worker: how many tasks a worker may run.
    :param resources: what there is for claims.

    ``waiting`` has the tasks that no worker has, but for those of ``suspects``, which run one at a time, and of
    ``anew``, each of which is to be the first of a new worker. The owner keeps ``held_count``, how many tasks
    have no outcome yet.
    """

    def __init__(
        self,
        loop: NodeLoop,
        roster: Roster,
        pace: Pace,
        *,
        size: int,
        tasks_per_worker: int,
        resources: Resources = NO_RESOURCES,
    ) -> None:
        self.held_count = 0
        self.waiting = WaitingTasks()
        self.suspects = Suspects()
        self.anew = Apart()
        self._loop = loop
        self._roster = roster
        self._links = roster.links
        self._pace = pace
        self._size = size
        self._tasks_per_worker = tasks_per_worker
        self._resources = resources
        self._stuck = StuckWatch(loop, self._links, pace, self._relieve, self._has_free_place)
        self._apart_link: WorkerLink | None = None
        self._is_closed = False
        self._is_paused = False

    def add(self, items: Sequence[Item], *, is_newcomer: bool) -> None:
        """Deal tasks of one crew that have just come, all with the same terms.

        :param is_newcomer: whether the others have had the workers to themselves.
        """
        if self.suspects.count_by_number:
            items = self.suspects.set_apart(items)
        elif self.held_count == 1 and self._give_alone(items):
            return
        if items:
            if is_newcomer:  # what others have waiting at the workers is not before its turn
                for link in self._links:
                    self.put_back(link.take_back(is_slow=False))
            elif items[0][2].app.is_ranked:
                self._overtake(items[0])
            self.waiting.extend(items)
        self.deal()

    def put_back(self, items: Sequence[Item]) -> None:
        """Queue again what workers had, as it was before; suspects and what begins anew apart."""
        self.waiting.put_back(self.anew.set_apart(self.suspects.set_apart(items)))

    def begin_anew(self, items: Sequence[Item]) -> None:
        """Have tasks that a worker had run again, each as the first of a new worker."""
        self.anew.numbers.update(item[0] for item in items)
        self.anew.waiting.extend(items)

    def deal(self) -> None:
        """Give waiting tasks to workers that have little, the emptiest first."""
        if self._is_closed:
            return
        if self.anew.waiting:
            self._deal_anew()
        if self.suspects.waiting or self._apart_link is not None:
            self._deal_apart()
        if self.waiting.count:
            self._deal_by_shares()
        if self.held_count > 1:  # else nothing can lie behind a running task
            if not self.waiting.count:
                self._even_out()
            self._go_on_watching()

    def take_newest(self, count: int) -> list[Item]:
        """Take up to ``count`` tasks that no worker has started, newest first."""
        if count > self.waiting.count:
            for link in self._links:
                if len(link.outstanding) > 1:
                    self.put_back(link.take_back())
        return self.waiting.take_newest(count)

    def unstarted_numbers(self) -> list[int]:
        """Return the numbers of the tasks that no worker has."""
        queues = self.waiting, self.suspects.waiting, self.anew.waiting
        return [item[0] for items in queues for item in items]

    def remove(self, numbers: set[int]) -> list[Item]:
        """Take out the tasks with these numbers that no worker has, and return them."""
        return [item for queue in (self.waiting, self.suspects, self.anew) for item in queue.remove(numbers)]

    def forget(self, link: WorkerLink) -> None:
        """Know no more of a worker that has ended."""
        if link is self._apart_link:
            self._apart_link = None

    def pause(self, *, is_paused: bool) -> None:
        """Note that workers have to wait with their results, and so do not stand still; or that they go on."""
        self._is_paused = is_paused
        self._stuck.stop()
        self._go_on_watching()

    def close(self) -> None:
        """Deal no more, and take back what workers have not started."""
        self._is_closed = True
        self._stuck.stop()
        for link in self._links:
            self.put_back(link.take_back())

    def take_all(self) -> list[Item]:
        """Take every task that no worker has."""
        waiting, others = self.waiting, [*self.suspects.waiting, *self.anew.waiting]
        self.suspects, self.anew = Suspects(), Apart()
        crews = list(waiting.crews)
        return [item for crew in crews for item in waiting.take(crew, waiting.count)] + others

    def _give_alone(self, items: Sequence[Item]) -> bool:
        """Give the only task that is here to a worker, without the queue; tells whether there is one."""
        crew = items[0][2]
        if crew.takes:
            return False
        link = next((one for one in crew.links if one.is_idle), None) or self._roster.worker_for(crew)
        if link is not None:
            link.give(items, hold_s=0.0)
        return link is not None

    def _overtake(self, item: Item) -> None:
        """Take back what waits at workers of an application and has a lower priority than a task that comes."""
        crew, priority = item[2], item[3].priority
        for other in crew.app.crews.values():
            for link in other.links:
                ahead_s = (len(link.outstanding) - 1) * self._pace.duration_s
                if ahead_s > OVERTAKE_MIN_S and link.outstanding[-1][3].priority < priority:
                    self.put_back(link.take_back(is_slow=False))

    def _deal_by_shares(self) -> None:
        crews = islice(self.waiting.crews, CREWS_MAX)
        busy_by_crew: dict[Crew, list[WorkerLink]] = {crew: [] for crew in crews}
        free = self._size
        for link in self._links:
            if link.outstanding:
                busy_by_crew.setdefault(link.outstanding[0][2], []).append(link)
                free -= link.places
        apart = self.suspects.next_crew or self.anew.next_crew
        if apart is not None:
            busy_by_crew.setdefault(apart, [])  # it needs a place, or who floods would keep them all
        if len(busy_by_crew) == 1:
            ((crew, busy),) = busy_by_crew.items()
            if not crew.claim:
                self._deal_to(crew, busy, self._size - len(busy), free)
                return
        more = more_by_crew(busy_by_crew, self._size, self._resources.totals, self._loop.time(), apart)
        for crew, count in more.items():
            if count < 0:
                free += self._withhold(busy_by_crew[crew], -count) * crew.cpu
        room = Room(self._resources, self._links) if any(crew.takes for crew in busy_by_crew) else None
        for crew, count in more.items():
            if crew.waiting:
                free -= self._deal_to(crew, busy_by_crew[crew], count, free, room)

    def _withhold(self, busy: list[WorkerLink], count: int) -> int:
        """Have some of an application's busy workers get nothing more; those that are done soonest.

        One that may only be starting keeps what it has, else many that take turns would start for nothing.

        :param busy: those workers; the ones that get nothing more are taken out.
        :returns: how many of them had started nothing at all, so that their places are free at once.
        """
        busy.sort(key=_outstanding_count)
        chosen = busy[:count]
        del busy[:count]
        for link in chosen:
            if link.done_count:
                self.put_back(link.take_back(is_slow=False))
        return sum(not link.outstanding for link in chosen)

    def _deal_to(
        self, crew: Crew, busy: list[WorkerLink], more: int, free: int, room: Room | None = None
    ) -> int:
        """Deal the waiting tasks of one crew out over its workers.

        :param busy: those of its workers that have tasks.
        :param more: how many others may get some; none if negative.
        :param free: how many places there are.
        :param room: what else there is; None if nobody needs to know.
        :returns: how many places others have got.
        """
        busy.sort(key=_outstanding_count)
        shared = self.waiting.is_shared
        depth = self._pace.depth(is_shared=shared) if CAN_TAKE_BACK else 1
        hold_s = self._pace.hold_s(crew.open_count - self._size, self._size, is_shared=shared)
        more = max(0, min(more, free // crew.cpu))
        links: list[WorkerLink | None] = []
        if more:
            links += [link for link in crew.links if link.is_idle and link is not self._apart_link][:more]
            links += [None] * (more - len(links))
        is_one_to_be_done = crew in (self.anew.next_crew, self._crew_apart)
        if not is_one_to_be_done:
            links += [link for link in busy if self._has_little(link, depth)]
        if room is not None and room.closed:
            links = [link for link in links if link not in room.closed]
        left, taken = len(links), 0
        for known in links:
            waiting_count = len(crew.waiting)
            if not waiting_count:
                break
            link = known or self._new_link(crew, room)
            fair = max(-(-waiting_count // left), self._pace.share)
            left -= 1
            if link is None or not self._may_begin(link, crew, room):
                continue
            count = min(depth, self._tasks_per_worker - link.done_count) - len(link.outstanding)
            count = min(count, fair, waiting_count)
            if count > 0:
                if not link.outstanding:
                    taken += crew.cpu
                    if room is not None:
                        room.take(crew.takes)
                link.give(self.waiting.take(crew, count), hold_s)
        return taken

    def _new_link(self, crew: Crew, room: Room | None) -> WorkerLink | None:
        """Return a worker that had no crew until now, with its devices; None if there can be none for now."""
        if room is None or not crew.takes:
            return self._roster.worker_for(crew)
        if not room.fits(crew.takes):
            return None
        devices = room.devices_for(crew.claim)
        if devices is None:
            self._free_devices(crew, room)
            return None
        return self._roster.worker_for(crew, devices)

    @staticmethod
    def _may_begin(link: WorkerLink, crew: Crew, room: Room | None) -> bool:
        """Tell whether a worker may be given tasks: it has some, or what they take is free."""
        return room is None or bool(link.outstanding) or room.fits(crew.takes)

    def _free_devices(self, crew: Crew, room: Room) -> None:
        """Have idle workers end whose devices a crew is to have, and busy ones get nothing more."""
        chosen = room.devices_to_free(crew.claim, self._links)
        for link in list(self._links):
            if chosen.isdisjoint(link.devices):
                continue
            if link.outstanding:
                self.put_back(link.take_back(is_slow=False))
                room.closed.add(link)
            elif not link.is_leaving:
                self._roster.leaving(link)

    def _has_little(self, link: WorkerLink, depth: int) -> bool:
        is_ready = not (link.is_held or link.is_leaving or link is self._apart_link)
        return is_ready and len(link.outstanding) * 2 <= depth

    def _deal_anew(self) -> None:
        """Have tasks run again as the first of new workers; who finds no room holds up none of another crew."""
        refused: set[Crew] = set()
        for item in list(self.anew.waiting):
            crew = item[2]
            if crew in refused:
                continue
            link = self._new_link_apart(crew)
            if link is None:
                refused.add(crew)
            else:
                self.anew.waiting.remove(item)
                link.give([item], hold_s=0.0)

    def _deal_apart(self) -> None:
        """Have suspects run one at a time, alone at a worker that gets nothing else meanwhile."""
        waiting = self.suspects.waiting
        link: WorkerLink | None = self._apart_link
        if link is not None and not link.outstanding:
            if not waiting or waiting[0][2] is not link.crew or link.is_leaving:
                link = self._apart_link = None
        if link is None and waiting:
            link = self._apart_link = self._link_apart(waiting[0][2])
        if link is not None and not link.outstanding and self._has_room_for(waiting[0][2], is_there=True):
            link.give([waiting.popleft()], hold_s=0.0)

    @property
    def _crew_apart(self) -> Crew | None:
        """The crew of a suspect that waits for a worker which has done all it has; None if none does."""
        return self.suspects.next_crew if self._apart_link is None else None

    def _link_apart(self, crew: Crew) -> WorkerLink | None:
        """Return a worker for the suspects of a crew that has nothing to do; None until one is done.

        One that is busy is not chosen ahead: it may run its task for ever.
        """
        idle = next((link for link in crew.links if link.is_idle), None)
        return idle if idle is not None else self._new_link_apart(crew)

    def _new_link_apart(self, crew: Crew) -> WorkerLink | None:
        """Return a new worker for what does not wait with the others, if there is room for it."""
        if self.busy_places + crew.cpu > self._size:
            return None
        return self._new_link(crew, Room(self._resources, self._links) if crew.takes else None)

    @property
    def standing_count(self) -> int:
        """How many workers run a task that takes long."""
        return self._stuck.standing_count

    @property
    def busy_places(self) -> int:
        """How many places workers with tasks take."""
        return sum(link.places for link in self._links if link.outstanding)

    def _has_free_place(self) -> bool:
        return self.busy_places < self._size

    def _has_room_for(self, crew: Crew, *, is_there: bool = False) -> bool:
        """Tell whether one more worker of a crew may have tasks.

        :param is_there: whether it has one that is idle.
        """
        if not crew.claim:
            return self._has_free_place()
        room = Room(self._resources, self._links)
        is_there = is_there or any(link.is_idle for link in crew.links)
        has_devices = is_there or room.devices_for(crew.claim) is not None
        return self.busy_places + crew.cpu <= self._size and room.fits(crew.takes) and has_devices

    def _go_on_watching(self) -> None:
        if not self._is_paused and not self._is_closed:
            self._stuck.go_on()

    def _even_out(self) -> None:
        """Take unstarted tasks from the fullest worker if another one may have them and it is worth it."""
        if not self._has_free_place():
            return
        fullest = max(self._links, key=_outstanding_count, default=None)
        if fullest is None or fullest.crew is None:
            return
        if fullest.crew.claim and not self._has_room_for(fullest.crew):
            return
        spare = len(fullest.outstanding) - 1
        if spare > 0 and spare * self._pace.duration_s > TAKE_BACK_MIN_S:
            self._take_back_from([fullest])

    def _take_back_from(self, links: Iterable[WorkerLink]) -> None:
        before = self.waiting.count
        for link in links:
            self.put_back(link.take_back())
        if self.waiting.count > before:
            self.deal()

    def _relieve(self, stuck: list[WorkerLink]) -> None:
        """Take back what waits behind a task that takes long."""
        self._take_back_from(stuck)
        self._go_on_watching()


def _outstanding_count(link: WorkerLink) -> int:
    return len(link.outstanding)
