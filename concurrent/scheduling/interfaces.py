"""The interfaces of this package: what a plug-in may put in the place of each part."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any, Protocol

from concurrent.core.interface import Interface, came_later, optional

if TYPE_CHECKING:
    from concurrent.core.errors import JournalError
    from concurrent.scheduling.ledger.events import Command
    from concurrent.scheduling.ledger.ledger import Ledger
    from concurrent.scheduling.ledger.recorded import Recordable, TasksEnded, TasksNamed
    from concurrent.scheduling.ledger.records import SlaveRecord
    from concurrent.scheduling.pickling.coding import Codec
    from concurrent.scheduling.processes.launcher import Launcher
    from concurrent.scheduling.schedulers.workqueues import WorkPlace
    from concurrent.scheduling.slave.cluster import Cluster
    from concurrent.scheduling.slave.offer import Offer
    from concurrent.scheduling.store.journal.place import JournalFigures, JournalPlace, JournalStart
    from concurrent.scheduling.tasks.terms import Terms
    from concurrent.scheduling.wire.workqueue import Chunk, SendChunk
    from concurrent.transport.calls.handler import TCPHandler
    from concurrent.transport.carriers.client import SessionClient
    from concurrent.transport.loop.loop import NodeLoop

__all__ = ["IJournal", "IPickler", "ITaskManager", "ITaskScheduleStrategy", "ITaskScheduler", "IWorkQueue"]


class ITaskScheduler(Interface):
    """Decides, at the master, how many tasks of which lane go to which slave. Loop thread only.

    It must not wait for anything. One that fails is asked again, later each time, and replaced by the
    framework's own after five failures in a row; see ``docs/plugins.md`` for what it may read.
    """

    def schedule(self, ledger: Ledger) -> list[Command]:  # type: ignore[empty-body]
        """Give away what can be given away now and return the commands for it, in order.

        The commands are those that ``ledger.assign``, ``offer`` and ``let_in`` return, and ``AskBack`` for a
        slave for which ``ledger.ask_back`` returned True. What the ledger has given away is carried out even
        if this raises.
        """

    def slave_changed(self, slave: int) -> None:
        """Note that a slave joined, finished tasks, handed some back, asked for more, or is lost."""

    def manager_name(self) -> str:  # type: ignore[empty-body]
        """Return the class name of the task manager that slaves have to use."""

    @optional
    def work_queue(self, place: WorkPlace) -> IWorkQueue:  # type: ignore[empty-body]
        """Return the queue for what ``ledger.offer`` gives; asked once, before slaves join. Loop thread.

        A scheduler that offers nothing need not have this method. One on a socket of its own describes it to
        the task manager that it names. The one of ``ZMQTaskScheduler`` is had by deriving from that.

        :raises AddressError: if it cannot listen.
        """


class IWorkQueue(Protocol):
    """The master's end of a queue that slaves take tasks from, in chunks. Loop thread only.

    It is no component: a scheduler makes it. What it loses is offered again; what it gives twice runs once, for
    slaves report what they took.
    """

    def put(self, chunk: Chunk) -> None:
        """Offer tasks to whichever slave takes them first."""

    def description(self) -> dict[str, Any]:
        """Return plain values: what a slave's task manager has to know to take tasks, and its ``kind``.

        Asked once, before slaves join.
        """

    def pull(self, slave: int, deliver: SendChunk, room: int) -> None:
        """Note that a slave has room for so many tasks.

        :param deliver: sends tasks to it over its session.
        """

    def forget(self, slave: int) -> None:
        """Give nothing more to a slave."""

    def waiting_count(self) -> int:
        """Return how many chunks no slave has taken."""

    def close(self) -> None:
        """Free the queue; what is on it is dropped."""


class ITaskScheduleStrategy(Interface):
    """Rates slaves for the generic scheduler. Loop thread only; must be a pure function.

    A slave whose rating fails, or is no finite number, comes last; after five failures in a row the framework's
    own strategy takes over.
    """

    @came_later("terms")
    def rate(self, slave: SlaveRecord, terms: Terms) -> float:  # type: ignore[empty-body]
        """Return how good it would be to give the next task to ``slave``; the highest gets it.

        Slaves with an idle worker come before the others, and equal ones in the order of their load.

        :param slave: with what it says of itself as ``slave.data``.
        :param terms: what the task asks for. A strategy that does not care may have ``slave`` alone.
        """

    @optional
    def weighs_load(self) -> bool:  # type: ignore[empty-body]
        """Return whether the rating contains how much a slave holds; then it alone decides. Asked once.

        Without this method idle workers come first.
        """


class ITaskManager(Interface):
    """Has a slave's tasks run: takes them from the master and sends outcomes back. Loop thread only.

    The order of calls is ``open``, then ``joined`` and ``left`` in turns, then ``drain`` and ``close``.
    """

    @came_later("offer")
    def open(self, loop: NodeLoop, launcher: Launcher, workers: int, offer: Offer) -> None:
        """Start so many worker processes.

        :param offer: what tasks can ask for here besides a place, as the slave tells its master. A manager
            that gives no GPU to one task alone may do without.
        """

    def register_methods(self, endpoint: SessionClient) -> None:
        """Register what the master calls, with the client of a compute channel that has not started."""

    def window(self) -> int:  # type: ignore[empty-body]
        """Return how many tasks the slave wants to hold now."""

    @came_later("cluster")
    def joined(self, handler: TCPHandler, host: str, work: dict[str, Any], cluster: Cluster) -> None:
        """Begin to serve a master, or go on with one of the same cluster after ``left``.

        :param host: the address of the master.
        :param work: the master's description of its work queue.
        :param cluster: what it said of itself. A manager that keeps nothing for it may do without.
        """

    def left(self) -> None:
        """Go on without the master, whose session has ended; it may come back, or another one come."""

    def drain(self, timeout_s: float) -> Future[None]:  # type: ignore[empty-body]
        """Take nothing more, hand back what has not started, and finish what runs.

        :returns: done when all that is left to say has been said to the master.
        """

    def close(self) -> None:
        """Free what is not a worker process; those end with the launcher."""

    def snapshot(self) -> dict[str, Any]:  # type: ignore[empty-body]
        """Return what the slave is doing, as plain values."""


class IPickler(Interface):
    """Decides, at an application or executor, how the data of its tasks and of their results become bytes.

    Functions and classes, and all else that can be called, travel as the code of the program does.
    """

    def codec(self) -> Codec | None:
        """Return two functions that travel to the workers, or None for pickle alone. Asked once."""


class IJournal(Interface):
    """Keeps what a master has accepted where it outlives the process. Loop thread only.

    What is appended between two commits is one transaction: all of it is kept or nothing. What no restart needs
    any more it forgets by itself, see :class:`~concurrent.scheduling.ledger.recorded.Recordable`.
    A payload is ``bytes``, a frame, or what has ``load()`` and a length.
    """

    def open(  # type: ignore[empty-body]
        self,
        place: JournalPlace,
        on_committed: Callable[[int], object],
        on_failed: Callable[[JournalError], object],
    ) -> JournalStart:
        """Open the journal of a folder, and begin a new epoch.

        No process that is forked later may have it open.

        :param on_committed: called on the loop with the number of the last commit that is kept.
        :param on_failed: called on the loop, once, if it cannot keep anything any more: the master has to end.
        :raises JournalError: if it is in use, damaged, or of a newer format.
        """

    def replay(self) -> Iterator[Recordable]:  # type: ignore[empty-body]
        """Return what was kept, in its order, all of it before anything is appended.

        :raises JournalDamaged: if the bookkeeping is not what was written. A payload that is not says so when
            it is loaded.
        """

    def append(self, what: Recordable) -> None:
        """Have something kept with the next commit."""

    def commit(self) -> int:  # type: ignore[empty-body]
        """Begin to keep what was appended since the last commit; returns its number, 0 if it was nothing."""

    def put(self, payload: Any) -> Any:
        """Return what stands for a payload and has it in memory only until it is kept with an event."""

    def tasks(self, owner: int, ids: Sequence[int]) -> list[Any]:  # type: ignore[empty-body]
        """Return the payloads of tasks, empty ones if they are not kept any more. May wait for the disk."""

    def outcomes(self, owner: int, first: int, count: int) -> TasksEnded:  # type: ignore[empty-body]
        """Return so many outcomes from a delivery number on, as far as they are kept. May wait for the disk."""

    def keys(self, owner: int, first_id: int, count: int) -> TasksNamed:  # type: ignore[empty-body]
        """Return the keys of so many tasks, up to the last that has one. May wait for the disk."""

    def problem(self) -> str:  # type: ignore[empty-body]
        """Return why no new work may be taken now, by name and figure; nothing if it may."""

    def probe(self) -> None:
        """Look again whether there is room; ``problem`` says so soon."""

    def figures(self) -> JournalFigures:  # type: ignore[empty-body]
        """Return how large it is."""

    def close(self) -> None:
        """Keep what was appended, and free the folder."""
