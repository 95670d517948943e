"""The interfaces of this package: what a plug-in may put in the place of each part."""

from __future__ import annotations

from typing import TYPE_CHECKING

from concurrent.core.component import Interface

if TYPE_CHECKING:
    from concurrent.scheduling.events import Command
    from concurrent.scheduling.ledger import Ledger, SlaveRecord

__all__ = ["ITaskScheduleStrategy", "ITaskScheduler"]


class ITaskScheduler(Interface):
    """Decides, at the master, which queued task goes to which slave. Loop thread only."""

    def schedule(self, ledger: Ledger) -> list[Command]:  # type: ignore[empty-body]
        """Give away what can be given away now and return the commands for it."""

    def slave_changed(self, slave: int) -> None:
        """Note that the room of a slave may have grown: it joined, finished tasks or asked for more."""

    def manager_name(self) -> str:  # type: ignore[empty-body]
        """Return the class name of the task manager that slaves have to use."""


class ITaskScheduleStrategy(Interface):
    """Rates slaves for the generic scheduler. Loop thread only; must be a pure function."""

    def rate(self, slave: SlaveRecord) -> float:  # type: ignore[empty-body]
        """Return how good it would be to give the next task to ``slave``; the highest gets it."""
