"""The shared work queue of push/pull: the master puts tasks on it, slaves take them off.

On the ZeroMQ channel it is a PUSH socket that the slaves' PULL sockets connect to. On the TCP channel
the slaves ask for tasks over their sessions. Both are lossy where a slave dies, which the ledger makes
good: it knows what was pushed and what was reported taken. Loop thread only.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, Protocol

from concurrent.core.dependencies import installed_first
from concurrent.core.errors import AddressError, MalformedMessage
from concurrent.transport.frames.frames import Frame
from concurrent.transport.loop.loop import NodeLoop

with installed_first("msgpack"):
    import msgpack

with installed_first("zmq"):
    import zmq

__all__ = ["Chunk", "IWorkQueue", "PullSocket", "PushSocket", "SessionWorkQueue"]

PIPE_CHUNKS = 4
"""How many chunks may lie in the pipe of one slave: a slow one must not collect many."""


class Chunk(NamedTuple):
    """Tasks of one owner that are taken together."""

    owner: int
    code_count: int
    numbers: list[int]
    payloads: list[bytes | Frame]


Deliver = Callable[[Chunk], None]
"""Sends tasks to one slave."""


class IWorkQueue(Protocol):
    """The master's end."""

    def put(self, chunk: Chunk) -> None:
        """Offer tasks to whichever slave takes them first."""

    def description(self) -> dict[str, Any]:
        """Return what a slave has to know to take tasks."""

    def pull(self, slave: int, deliver: Deliver, room: int) -> None:
        """Take note that a slave has room for so many tasks."""

    def forget(self, slave: int) -> None:
        """Give nothing more to a slave."""

    def waiting_count(self) -> int:
        """Return how many chunks no slave has taken."""

    def close(self) -> None:
        """Free the queue; what is on it is dropped."""


class SessionWorkQueue:
    """A work queue on the sessions of the slaves: each asks with ``pull``, and is sent ``run``."""

    def __init__(self) -> None:
        self._chunks: deque[Chunk] = deque()
        self._room_by_slave: dict[int, tuple[Deliver, int]] = {}

    def put(self, chunk: Chunk) -> None:
        """Offer tasks to the slaves that asked, in the order in which they did."""
        self._chunks.append(chunk)
        self._serve()

    def description(self) -> dict[str, Any]:
        """Return that there is no socket to connect to."""
        return {"kind": "session"}

    def pull(self, slave: int, deliver: Deliver, room: int) -> None:
        """Take note that a slave has room for so many tasks; replaces what it said before."""
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


class PushSocket:
    """The master's end of a work queue on ZeroMQ. Messages are specified in ``docs/protocol.md``.

    :param host: the address to listen on.
    :param port: the port; 0 for any.
    :raises AddressError: if that cannot be listened on.
    """

    def __init__(self, loop: NodeLoop, host: str, port: int = 0) -> None:
        self.port = port
        self._loop = loop
        self._host = host
        self._chunks: deque[list[Any]] = deque()
        self._open()

    def _open(self) -> None:
        self._context = zmq.Context()
        self._socket = self._context.socket(zmq.PUSH)
        self._socket.setsockopt(zmq.LINGER, 0)
        self._socket.setsockopt(zmq.SNDHWM, PIPE_CHUNKS)
        self._socket.setsockopt(zmq.IMMEDIATE, 1)
        self._socket.setsockopt(zmq.IPV6, int(":" in self._host))
        shown = f"[{self._host}]" if ":" in self._host else self._host
        try:
            self._socket.bind(f"tcp://{shown}:{self.port or '*'}")
        except zmq.ZMQError as error:
            self._context.destroy(0)
            raise AddressError(
                f"the work socket cannot listen on {shown}:{self.port}: {error.strerror}",
                thing="master.work_port",
                value=self.port,
                remedy="Choose another port, or 0 for any free one",
            ) from error
        endpoint = self._socket.getsockopt(zmq.LAST_ENDPOINT)
        assert isinstance(endpoint, bytes)
        self.port = int(endpoint.decode().rpartition(":")[2])
        self._fd = self._socket.getsockopt(zmq.FD)
        self._loop.add_reader(self._fd, self._flush)

    def put(self, chunk: Chunk) -> None:
        """Offer tasks to whichever slave has room in its pipe."""
        self._chunks.append(encode_chunk(chunk))
        self._flush()

    def description(self) -> dict[str, Any]:
        """Return the port that slaves connect to."""
        return {"kind": "zmq", "port": self.port}

    def pull(self, slave: int, deliver: Deliver, room: int) -> None:
        """Take this as a sign that there may be room in pipes again."""
        self._flush()

    def forget(self, slave: int) -> None:
        """Open the socket anew: one that is only frozen would go on to swallow its share.

        What was on it is offered again by the ledger; the other slaves connect again by themselves.
        """
        self.close()
        self._open()

    def waiting_count(self) -> int:
        """Return how many chunks are in no pipe yet."""
        return len(self._chunks)

    def close(self) -> None:
        """Free the socket."""
        self._loop.remove_reader(self._fd)
        self._chunks.clear()
        self._context.destroy(0)

    def _flush(self) -> None:
        chunks = self._chunks
        # Reading EVENTS also re-arms the descriptor, which signals changes only.
        while chunks and int(self._socket.getsockopt(zmq.EVENTS)) & zmq.POLLOUT:
            try:
                self._socket.send_multipart(chunks[0], zmq.NOBLOCK, copy=False)
            except zmq.Again:
                return
            chunks.popleft()


class PullSocket:
    """A slave's end of a work queue on ZeroMQ: calls ``take`` for each chunk while ``has_room``.

    :param take: called with each chunk.
    :param has_room: asked before each.
    """

    def __init__(
        self,
        loop: NodeLoop,
        host: str,
        port: int,
        take: Callable[[Chunk], None],
        has_room: Callable[[], bool],
    ) -> None:
        self._loop = loop
        self._take = take
        self._has_room = has_room
        self._context = zmq.Context()
        self._socket = self._context.socket(zmq.PULL)
        self._socket.setsockopt(zmq.LINGER, 0)
        self._socket.setsockopt(zmq.RCVHWM, 1)
        self._socket.setsockopt(zmq.IPV6, int(":" in host))
        self._socket.connect(f"tcp://[{host}]:{port}" if ":" in host else f"tcp://{host}:{port}")
        self._fd = self._socket.getsockopt(zmq.FD)
        loop.add_reader(self._fd, self.drain)
        loop.call_soon(self.drain)

    def drain(self) -> None:
        """Take chunks while there are any and there is room for them."""
        socket = self._socket
        while not socket.closed and int(socket.getsockopt(zmq.EVENTS)) & zmq.POLLIN:
            if not self._has_room():
                return
            try:
                frames = socket.recv_multipart(zmq.NOBLOCK, copy=False)
            except zmq.Again:
                return
            self._take(decode_chunk([frame.buffer for frame in frames]))

    def close(self) -> None:
        """Free the socket; what lies in the pipe is dropped."""
        self._loop.remove_reader(self._fd)
        self._context.destroy(0)


def encode_chunk(chunk: Chunk) -> list[Any]:
    """Return the message of a chunk: a msgpack header, and a frame for each large payload."""
    frames: list[Any] = []
    inline: list[bytes | None] = []
    for payload in chunk.payloads:
        if type(payload) is Frame:
            inline.append(None)
            frames.append(payload.buffer)
        else:
            inline.append(payload)  # type: ignore[arg-type]
    return [msgpack.packb([chunk.owner, chunk.code_count, chunk.numbers, inline]), *frames]


def decode_chunk(message: Sequence[Any]) -> Chunk:
    """Return the chunk of a message; large payloads are views of what was received.

    :raises MalformedMessage: if it is none.
    """
    try:
        owner, code_count, numbers, inline = msgpack.unpackb(message[0])
        frames = iter(message[1:])
        payloads = [Frame(next(frames)) if payload is None else payload for payload in inline]
        chunk = Chunk(int(owner), int(code_count), list(map(int, numbers)), payloads)
    except (ValueError, TypeError, StopIteration, IndexError, msgpack.UnpackException) as error:
        raise MalformedMessage("a message on the work socket is not a chunk of tasks") from error
    if len(chunk.numbers) != len(chunk.payloads):
        raise MalformedMessage("a chunk of tasks has columns of different lengths")
    return chunk
