"""The applications that a pool knows, by their numbers. Loop thread only."""

from __future__ import annotations

from collections.abc import Callable

from concurrent.scheduling.processes.launcher import Launcher
from concurrent.scheduling.slave.crew import Application, Crew
from concurrent.scheduling.slave.resources import Resources
from concurrent.scheduling.slave.roster import Roster
from concurrent.scheduling.tasks.runterms import RunTerms
from concurrent.scheduling.worker.sharedmemory import ArgumentMemory
from concurrent.transport.frames.blocks import new_block

__all__ = ["Crews"]


class Crews:
    """See the module.

    :param launcher: ends what the tasks of an application have left running.
    :param roster: ends its workers.
    :param size: how many workers may have tasks at once.
    :param resources: what there is for claims.
    :param clock: returns the time.
    """

    def __init__(
        self,
        launcher: Launcher,
        roster: Roster,
        size: int,
        resources: Resources,
        clock: Callable[[], float],
    ) -> None:
        self._launcher = launcher
        self._roster = roster
        self._size = size
        self._resources = resources
        self._clock = clock
        self._app_by_owner: dict[int, Application] = {}
        self._is_closed = False

    def of(self, owner: int) -> Application:
        """Return an application, which is known from now on."""
        app = self._app_by_owner.get(owner)
        if app is None:
            app = self._app_by_owner[owner] = Application(owner, self._new_memory, self._clock)
        return app

    def crew_for(self, owner: int, terms: RunTerms) -> Crew:
        """Return the crew of an application that runs tasks with these terms."""
        app = self.of(owner)
        app.weight = terms.weight
        claim = self._resources.within(terms.resources)
        if terms.priority:
            app.rank()
        return app.crew(claim, self._resources)

    def _new_memory(self) -> ArgumentMemory:
        return ArgumentMemory(self._size)

    def new_block(self, owner: int, size_bytes: int) -> memoryview:
        """Return memory for a large argument, see :meth:`.WorkerPool.new_block`."""
        return new_block(size_bytes) if self._is_closed else self.of(owner).memory.new_block(size_bytes)

    def forget(self, owner: int) -> None:
        """Drop an application, and end its workers and what else it has left behind."""
        app = self._app_by_owner.pop(owner, None)
        if app is not None:
            launcher = app.launcher or self._launcher
            others = (other.launcher or self._launcher for other in self._app_by_owner.values())
            launcher.sweep(owner, is_last=launcher not in others)  # first, so that it is named
            for crew in app.crews.values():
                self._roster.dismiss(crew)
            app.let_go()

    @property
    def owners(self) -> set[int]:
        """The numbers of those that are known."""
        return set(self._app_by_owner)

    @property
    def busy_owners(self) -> set[int]:
        """The numbers of those of them that have a task here."""
        return {owner for owner, app in self._app_by_owner.items() if app.open_count}

    def close(self) -> None:
        """Free the memory for arguments as soon as nobody reads it; no more is made."""
        self._is_closed = True
        for app in self._app_by_owner.values():
            app.let_go()
