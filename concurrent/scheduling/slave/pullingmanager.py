"""A slave's side of push/pull: takes tasks from the work queue of the master itself."""

from __future__ import annotations

from concurrent.futures import Future
from typing import Any

from concurrent.core.errors import NodeError
from concurrent.core.interface import implements
from concurrent.scheduling.interfaces import ITaskManager
from concurrent.scheduling.slave.cluster import Cluster
from concurrent.scheduling.slave.taskmanager import GenericTaskManager
from concurrent.scheduling.wire.messages import to_master
from concurrent.scheduling.wire.workqueue import SESSION, Chunk, decode_chunk
from concurrent.transport.calls.handler import TCPHandler
from concurrent.transport.carriers.channels import IPullSocket, SocketPlace, carriers_named

__all__ = ["ZMQTaskManager"]


class ZMQTaskManager(GenericTaskManager):
    """Pulls tasks from the master's work queue, and runs those that are sent too. Loop thread only.

    It reports what it took, so that the master knows whose they are if this slave dies. On a compute
    channel without ZeroMQ it asks for tasks instead of pulling them.
    """

    implements(ITaskManager)

    def __init__(self) -> None:
        """There is no socket before ``joined``."""
        super().__init__()
        self._socket: IPullSocket | None = None
        self._work: tuple[str, dict[str, Any]] = "", {"kind": SESSION}
        self._asked_room = 0

    def joined(
        self, handler: TCPHandler, host: str, work: dict[str, Any], cluster: Cluster | None = None
    ) -> None:
        """Begin to pull from the work queue of a master."""
        super().joined(handler, host, work, cluster)
        self._asked_room = 0
        self._work = host, work
        if not self._drained_by:  # it may hear of that before it is answered that it has joined
            self._open_socket(handler)
        self._pull()

    def left(self) -> None:
        """Close the socket; then as for any task manager."""
        self._close_socket()
        super().left()

    def _drained(self, by: str) -> None:
        """Close the socket too while nothing more is to come."""
        super()._drained(by)
        self._close_socket()
        self._asked_room = 0
        if not by and self._handler is not None and not self._is_draining:
            self._open_socket(self._handler)
            self._pull()

    def drain(self, timeout_s: float) -> Future[None]:
        """Close the socket, so that nothing more comes, then as for any task manager."""
        self._close_socket()
        return super().drain(timeout_s)

    def close(self) -> None:
        """Close the socket and forget the master."""
        super().close()
        self._close_socket()

    def _open_socket(self, handler: TCPHandler) -> None:
        """Begin to pull, if the work queue of the master is a socket."""
        host, work = self._work
        if work["kind"] != SESSION:
            place = SocketPlace(self._loop, host, work["port"], handler.limits, handler.protection)
            self._socket = self._open_pull(place, work)

    def _open_pull(self, place: SocketPlace, work: dict[str, Any]) -> IPullSocket:
        open_pull = getattr(carriers_named(self.manager, work["kind"]), "open_pull", None)
        if open_pull is None:
            raise NodeError(
                f"the master's work queue is of the kind {work['kind']!r}, which cannot be pulled from here",
                thing="work",
                value=work,
                remedy="Have the scheduler name a task manager that can",
            )
        socket: IPullSocket = open_pull(place, lambda frames: self._took(decode_chunk(frames)), self._has_room)
        return socket

    def _close_socket(self) -> None:
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def _arrived(self, chunk: Chunk) -> None:
        """Take tasks that were sent in answer to ``pull``."""
        self._asked_room = 0
        self._took(chunk)

    def _took(self, chunk: Chunk) -> None:
        self._tell(to_master.took, chunk.numbers)
        self._run(chunk)
        self._pull()

    def _done(self, numbers: list[int], statuses: list[int], payloads: list[Any]) -> None:
        super()._done(numbers, statuses, payloads)
        self._pull()

    def _window_changed(self, window: int) -> None:
        super()._window_changed(window)
        self._pull()

    def _has_room(self) -> bool:
        """Tell whether it takes tasks now.

        What lies on its way to a socket nobody else can get. So it is taken even while all workers run tasks
        that take long, and handed back when the master asks.
        """
        window = self.pool.window if self._socket is None else self.pool.usual_window
        return not (self._is_draining or self._drained_by) and self.pool.held_count < window

    def _pull(self) -> None:
        """Take more tasks if there is room."""
        if self._handler is None or not self._has_room():
            return
        if self._socket is not None:
            self._socket.drain()
            return
        room = self.pool.window - self.pool.held_count
        if room > self._asked_room:
            self._asked_room = room
            self._tell(to_master.pull, room)
