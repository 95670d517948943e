"""One application at a pool, and its crews: the workers and the waiting tasks for each claim.

A worker serves one application from its first task on. What that does to its process (modules, environment,
folder, signal handlers, open files, threads) is met by its own tasks only, and so is its memory. And it serves
one claim, for a process is told its devices and its threads once, before any code of the application runs.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Final

from concurrent.core.errors import SchedulingError
from concurrent.scheduling.processes.cgroups import Group
from concurrent.scheduling.processes.launcher import Launcher
from concurrent.scheduling.slave.ranked import RankedTasks
from concurrent.scheduling.slave.resources import NO_RESOURCES, Resources
from concurrent.scheduling.tasks.claim import NO_CLAIM, Claim
from concurrent.scheduling.tasks.runterms import RunTerms, shown_task
from concurrent.scheduling.worker.sharedmemory import ArgumentMemory
from concurrent.transport.frames.frames import Frame

if TYPE_CHECKING:
    from concurrent.scheduling.slave.workerlink import WorkerLink

__all__ = ["Application", "Crew", "Item"]

CREWS_MAX: Final = 32
"""When an application has so many, those that are idle are forgotten."""


class Application:
    """What all crews of an application have in common. Loop thread only.

    :param owner: its number.
    :param new_memory: makes what its workers, and no others, read large arguments from.
    :param clock: returns the time.

    ``weight`` is how much of the pool it shall have, compared with others. ``crews`` has those that it has, by
    their claims. ``is_ranked`` tells whether its tasks differ in priority. ``launcher`` starts its workers, if
    they are of an environment of its own.
    """

    __slots__ = (
        "_clock", "_memory", "_new_memory", "blobs", "crews", "is_ranked", "launcher", "owner", "weight",
    )  # fmt: skip

    def __init__(
        self, owner: int, new_memory: Callable[[], ArgumentMemory], clock: Callable[[], float]
    ) -> None:
        self.owner = owner
        self._new_memory = new_memory
        self._clock = clock
        self._memory: ArgumentMemory | None = None
        self.blobs: list[bytes] = []
        self.weight = 1
        self.crews: dict[Claim, Crew] = {}
        self.is_ranked = False
        self.launcher: Launcher | None = None

    @property
    def memory(self) -> ArgumentMemory:
        """The memory for large arguments, made when it is first asked for."""
        if self._memory is None:
            self._memory = self._new_memory()
        return self._memory

    @property
    def open_count(self) -> int:
        """How many of its tasks are in the pool."""
        return sum(crew.open_count for crew in self.crews.values())

    @property
    def is_idle(self) -> bool:
        """Whether it has neither tasks nor workers here."""
        return all(crew.is_idle for crew in self.crews.values())

    def crew(self, claim: Claim = NO_CLAIM, resources: Resources = NO_RESOURCES) -> Crew:
        """Return the crew for a claim, which is there from now on.

        :param resources: what there is for it.
        """
        crew = self.crews.get(claim)
        if crew is None:
            if len(self.crews) >= CREWS_MAX:
                self.crews = {one: crew for one, crew in self.crews.items() if not crew.is_idle}
            crew = self.crews[claim] = Crew(self, claim, resources)
            if self.is_ranked:
                crew.rank(self._clock)
        return crew

    def rank(self) -> None:
        """Have the tasks with the higher priority come first from now on."""
        if not self.is_ranked:
            self.is_ranked = True
            for crew in self.crews.values():
                crew.rank(self._clock)

    def let_go(self) -> None:
        """Have the memory for large arguments freed with the last one who uses it; new one can be asked for."""
        memory, self._memory = self._memory, None
        if memory is not None:
            memory.close()

    def define(self, index: int, blob: bytes) -> None:
        """Keep a blob of the application's code; blobs come in the order of their indices.

        :raises SchedulingError: if one is missing before it.
        """
        if index > len(self.blobs):
            raise SchedulingError(
                f"blob {index} of application {self.owner} came before blob {len(self.blobs)}",
                thing=f"application {self.owner}",
                value=index,
            )
        if index == len(self.blobs):
            self.blobs.append(bytes(blob))


class Crew:
    """See the module. Loop thread only. Made by :meth:`Application.crew`.

    ``links`` has its workers, but for those that are leaving. ``cpu`` is how many places each of them takes,
    ``takes`` what else; ``memory`` is how many bytes a task may have, 0 if it does not say. ``used_s`` is the
    time of places that counts for its share (``shares.py``): a second of a worker counts ``rate`` seconds.
    ``open_count`` tells how many of its tasks are in the pool.
    """

    __slots__ = (
        "_resources", "app", "claim", "cpu", "links", "memory", "open_count", "owner", "rate", "takes",
        "used_s", "waiting",
    )  # fmt: skip

    def __init__(self, app: Application, claim: Claim, resources: Resources) -> None:
        self.app = app
        self.owner = app.owner
        self.claim = claim
        self.cpu = claim.cpu
        self.memory = claim.memory
        self.takes = resources.takes(claim)
        self._resources = resources
        self.links: list[WorkerLink] = []
        self.waiting: deque[Item] | RankedTasks = deque()
        self.open_count = 0
        self.used_s = 0.0
        self.rate = float(self.cpu)

    @property
    def is_idle(self) -> bool:
        """Whether it has neither tasks nor workers."""
        return not self.links and not self.open_count

    def environment(self, devices: Sequence[int]) -> tuple[dict[str, str], dict[str, str]]:
        """Return the variables of a worker with these devices, see :meth:`.Resources.environment`."""
        return self._resources.environment(self.claim, devices)

    def new_group(self) -> Group | None:
        """Return the control group of a new worker, see :meth:`.Resources.new_group`."""
        return self._resources.new_group(self.claim)

    def rank(self, clock: Callable[[], float]) -> None:
        """Have the tasks with the higher priority come first from now on.

        :param clock: returns the time.
        """
        self.waiting = RankedTasks(clock, self.waiting)


Item = tuple[int, "bytes | Frame", Crew, RunTerms]
"""A task: its number, its payload, the crew that it belongs to, and what it asks for.

A plain tuple, for one is made for each task: one with names takes ten times as long to make.
"""


def shown_item(item: Item) -> str:
    """Return what a log calls a task."""
    return shown_task(item[0], item[3])
