"""The boundary to the work queue, which a plug-in may have made: what it raises is noted. A pure module.

What it has lost by that is offered again, as is what lies in the pipe of a slave that died.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from concurrent.core.component import ComponentManager
from concurrent.scheduling.interfaces import IWorkQueue
from concurrent.scheduling.schedulers.workqueues import SessionWorkQueue, SocketWorkQueue
from concurrent.scheduling.wire.workqueue import Chunk, SendChunk

__all__ = ["GuardedQueue", "guarded"]

OWN: Final[tuple[type, ...]] = (SessionWorkQueue, SocketWorkQueue)

ACTION: Final = "what it does not give to slaves is offered again"


def guarded(queue: IWorkQueue, manager: ComponentManager) -> IWorkQueue:
    """Return a queue whose methods raise nothing; the framework's own are that already.

    :param manager: knows its name, and where its failures are noted.
    """
    return queue if type(queue) in OWN else GuardedQueue(queue, manager)


class GuardedQueue:
    """See the module, and :class:`.IWorkQueue`. Loop thread only."""

    def __init__(self, queue: IWorkQueue, manager: ComponentManager) -> None:
        self._queue = queue
        self._name = manager.name_of(type(queue))
        self._troubles = manager.troubles

    def put(self, chunk: Chunk) -> None:
        """Offer tasks."""
        self._attempt("put", lambda: self._queue.put(chunk))

    def description(self) -> dict[str, Any]:
        """Return what slaves are told; the master calls this of the queue itself, before there are any."""
        return self._queue.description()

    def pull(self, slave: int, deliver: SendChunk, room: int) -> None:
        """Note that a slave has room."""
        self._attempt("pull", lambda: self._queue.pull(slave, deliver, room))

    def forget(self, slave: int) -> None:
        """Give nothing more to a slave."""
        self._attempt("forget", lambda: self._queue.forget(slave))

    def waiting_count(self) -> int:
        """Return how many chunks no slave has taken; 0 if that is not known, so that they are offered again."""
        count = self._attempt("waiting_count", lambda: self._queue.waiting_count())
        return count if type(count) is int else 0

    def close(self) -> None:
        """Free the queue."""
        self._attempt("close", lambda: self._queue.close())

    def _attempt(self, rule: str, call: Callable[[], Any]) -> Any:
        try:
            return call()
        except BaseException as error:  # boundary: a plug-in; no signal arrives in the loop's thread
            self._troubles.note(self._name, rule, error, action=ACTION)
            return None
