"""The work queues of push/pull: the master puts tasks on one, slaves take them off.

``SocketWorkQueue`` is a socket that slaves pull from, where the carriers of the compute channel have one; with
``SessionWorkQueue`` slaves ask for tasks over their sessions. Both are lossy where a slave dies; the ledger
makes up for it: it knows what was pushed and what was reported taken. Loop thread only.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any, NamedTuple

from concurrent.core.errors import AddressError
from concurrent.scheduling.wire.workqueue import SESSION, Chunk, SendChunk, encode_chunk

if TYPE_CHECKING:
    from concurrent.scheduling.interfaces import ITaskScheduler, IWorkQueue
    from concurrent.transport.carriers.channels import ICarrierFactory, IPushSocket, SocketPlace

__all__ = ["SessionWorkQueue", "SocketWorkQueue", "WorkPlace", "usual_queue", "work_queue_of"]


class WorkPlace(NamedTuple):
    """Where a work queue may be, and with what.

    :param channel: the name of the carriers, which slaves know too.
    :param carriers: what the compute channel is made of.
    :param socket: where a socket of its own may listen.
    """

    channel: str
    carriers: ICarrierFactory
    socket: SocketPlace


def work_queue_of(scheduler: ITaskScheduler, place: WorkPlace) -> IWorkQueue:
    """Return the queue that a scheduler wants; it puts nothing on it if it does not say.

    :raises AddressError: if it cannot listen.
    """
    choose = getattr(scheduler, "work_queue", None)
    queue: IWorkQueue = SessionWorkQueue() if choose is None else choose(place)
    return queue


def usual_queue(place: WorkPlace) -> IWorkQueue:
    """Return a queue on a socket of its own if the carriers have such a thing, else one on the sessions.

    :raises AddressError: if it cannot listen.
    """
    open_push = getattr(place.carriers, "open_push", None)
    if open_push is None:
        return SessionWorkQueue()
    try:
        return SocketWorkQueue(open_push(place.socket), place.channel)
    except AddressError as error:
        raise AddressError(
            f"the work socket {error.message}",
            thing="master.work_port",
            value=place.socket.port,
            remedy="Choose another port, or 0 for any free one",
        ) from error


class SessionWorkQueue:
    """A work queue on the sessions of the slaves: each asks with ``pull``, and is sent ``run``."""

    def __init__(self) -> None:
        self._chunks: deque[Chunk] = deque()
        self._room_by_slave: dict[int, tuple[SendChunk, int]] = {}

    def put(self, chunk: Chunk) -> None:
        """Offer tasks to the slaves that asked, in the order in which they did."""
        self._chunks.append(chunk)
        self._serve()

    def description(self) -> dict[str, Any]:
        """Return that there is no socket to connect to."""
        return {"kind": SESSION}

    def pull(self, slave: int, deliver: SendChunk, room: int) -> None:
        """Note that a slave has room for so many tasks; replaces what it said before."""
        self._room_by_slave.pop(slave, None)
        if room > 0:
            self._room_by_slave[slave] = (deliver, room)
            self._serve()

    def forget(self, slave: int) -> None:
        """Give nothing more to a slave."""
        self._room_by_slave.pop(slave, None)

    def waiting_count(self) -> int:
        """Return how many chunks no slave has taken."""
        return len(self._chunks)

    def close(self) -> None:
        """Drop everything."""
        self._chunks.clear()
        self._room_by_slave.clear()

    def _serve(self) -> None:
        while self._chunks and self._room_by_slave:
            slave, (deliver, room) = next(iter(self._room_by_slave.items()))
            del self._room_by_slave[slave]
            chunk = self._chunks.popleft()
            if room > len(chunk.numbers):
                self._room_by_slave[slave] = (deliver, room - len(chunk.numbers))
            deliver(chunk)


class SocketWorkQueue:
    """A work queue on a socket of its own. Messages are specified in ``docs/protocol.md``.

    :param push: the socket, owned by the queue from now on.
    :param kind: the name of the carriers that slaves pull with.
    """

    def __init__(self, push: IPushSocket, kind: str) -> None:
        self._push = push
        self._kind = kind

    def put(self, chunk: Chunk) -> None:
        """Offer tasks to whichever slave has room in its pipe."""
        self._push.put(encode_chunk(chunk))

    def description(self) -> dict[str, Any]:
        """Return the port that slaves connect to, with which carriers, and by which key they know it."""
        told: dict[str, str] = getattr(self._push, "told", {})
        return {"kind": self._kind, "port": self._push.port, **told}

    def pull(self, slave: int, deliver: SendChunk, room: int) -> None:
        """Take this as a sign that there may be room in pipes again."""
        self._push.flush()

    def forget(self, slave: int) -> None:
        """Open the socket anew: a slave that is only frozen would go on to swallow its share.

        What was on it is offered again by the ledger; the other slaves connect again by themselves.
        """
        self._push.reopen()

    def waiting_count(self) -> int:
        """Return how many chunks are in no pipe yet."""
        return self._push.waiting_count

    def close(self) -> None:
        """Free the socket."""
        self._push.close()
