"""The applications that a pool knows, by their numbers. Loop thread only."""

from __future__ import annotations

from collections.abc import Collection

from concurrent.scheduling.processes.launcher import Launcher
from concurrent.scheduling.slave.crew import Crew
from concurrent.scheduling.slave.roster import Roster
from concurrent.scheduling.worker.sharedmemory import ArgumentMemory
from concurrent.transport.frames.blocks import new_block

__all__ = ["Crews"]


class Crews:
    """See the module.

    :param launcher: ends what the tasks of an application have left running.
    :param roster: ends its workers.
    :param size: how many workers may have tasks at once.
    """

    def __init__(self, launcher: Launcher, roster: Roster, size: int) -> None:
        self._launcher = launcher
        self._roster = roster
        self._size = size
        self._crew_by_owner: dict[int, Crew] = {}
        self._is_closed = False

    def of(self, owner: int) -> Crew:
        """Return an application, which is known from now on."""
        crew = self._crew_by_owner.get(owner)
        if crew is None:
            crew = self._crew_by_owner[owner] = Crew(owner, self._new_memory)
        return crew

    def _new_memory(self) -> ArgumentMemory:
        return ArgumentMemory(self._size)

    def new_block(self, owner: int, size_bytes: int) -> memoryview:
        """Return memory for a large argument, see :meth:`.WorkerPool.new_block`."""
        return new_block(size_bytes) if self._is_closed else self.of(owner).memory.new_block(size_bytes)

    def forget(self, owner: int) -> None:
        """Drop an application, and end its workers and what else it has left behind."""
        crew = self._crew_by_owner.pop(owner, None)
        if crew is not None:
            self._launcher.sweep(owner, is_last=not self._crew_by_owner)  # first, so that it is named
            self._roster.dismiss(crew)
            crew.let_go()

    @property
    def owners(self) -> set[int]:
        """The numbers of those that are known."""
        return set(self._crew_by_owner)

    def forget_unused(self, owners: Collection[int]) -> None:
        """Do so with those of them that have no task here."""
        known = self._crew_by_owner
        for owner in owners:
            if owner in known and not known[owner].open_count:
                self.forget(owner)

    def close(self) -> None:
        """Free the memory for arguments as soon as nobody reads it; no more is made."""
        self._is_closed = True
        for crew in self._crew_by_owner.values():
            crew.let_go()
