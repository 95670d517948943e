"""Sockets of ZeroMQ beside the sessions: one that shares messages out, and those that pull them.

They have the limits of the sessions, but neither numbers nor acknowledgements: who uses them must be able to
lose what lies in a pipe.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from typing import Final

from concurrent.core.dependencies import installed_first
from concurrent.core.errors import ProtocolError
from concurrent.core.loggers import get_log
from concurrent.core.rarely import RareLine
from concurrent.transport.carriers.channels import SocketPlace
from concurrent.transport.carriers.endpoint import cannot_listen
from concurrent.transport.carriers.zeromq import accept_parts, bind_all, endpoint_to, make_socket, receive_parts
from concurrent.transport.frames.frames import Buffer

with installed_first("zmq"):
    import zmq

__all__ = ["PullSocket", "PushSocket"]

PIPE_MESSAGES: Final = 4
"""How many messages may lie in the pipe of one who pulls: a slow one must not collect many."""

log = get_log(__name__)


class PushSocket:
    """See :class:`.IPushSocket`.

    :raises AddressError: if the address cannot be listened on.
    """

    def __init__(self, place: SocketPlace) -> None:
        self.port = place.port
        self._place = place
        self._messages: deque[Sequence[Buffer]] = deque()
        self._open()

    @property
    def waiting_count(self) -> int:
        """How many messages are in no pipe yet."""
        return len(self._messages)

    def _open(self) -> None:
        loop, host, _, limits, protection = self._place
        self._context = zmq.Context()
        self._socket = make_socket(self._context, zmq.PUSH, host, limits)
        self._socket.setsockopt(zmq.SNDHWM, PIPE_MESSAGES)
        self._socket.setsockopt(zmq.IMMEDIATE, 1)
        try:
            self.port = bind_all(self._socket, host, self.port, protection, "work")
        except zmq.ZMQError as error:
            self._context.destroy(0)
            raise cannot_listen(f"{host}:{self.port}", self.port, error.errno) from error
        self._fd = self._socket.getsockopt(zmq.FD)
        loop.add_reader(self._fd, self.flush)

    def put(self, frames: Sequence[Buffer]) -> None:
        """Offer a message to whoever has room in its pipe."""
        self._messages.append(frames)
        self.flush()

    def flush(self) -> None:
        """Fill the pipes that have room."""
        messages = self._messages
        # Reading EVENTS also re-arms the descriptor, which signals changes only.
        while messages and int(self._socket.getsockopt(zmq.EVENTS)) & zmq.POLLOUT:
            try:
                self._socket.send_multipart(messages[0], zmq.NOBLOCK, copy=False)
            except zmq.Again:
                return
            messages.popleft()

    def reopen(self) -> None:
        """Bind the port anew: a pipe that nobody empties would go on to swallow its share."""
        self.close()
        self._open()

    def close(self) -> None:
        """Free the socket."""
        self._place.loop.remove_reader(self._fd)
        self._messages.clear()
        self._context.destroy(0)


class PullSocket:
    """See :class:`.IPullSocket`. A message that exceeds the limits is dropped, and a line is logged.

    :param take: called with the frames of each message.
    :param has_room: asked before each.
    """

    def __init__(
        self, place: SocketPlace, take: Callable[[list[Buffer]], object], has_room: Callable[[], bool]
    ) -> None:
        self._place = place
        self._take = take
        self._has_room = has_room
        self._refused_line = RareLine()
        self._context = zmq.Context()
        self._socket = make_socket(self._context, zmq.PULL, place.host, place.limits)
        self._socket.setsockopt(zmq.RCVHWM, 1)
        self._socket.connect(endpoint_to(place.host, place.port, place.protection, "work"))
        self._fd = self._socket.getsockopt(zmq.FD)
        place.loop.add_reader(self._fd, self.drain)
        place.loop.call_soon(self.drain)

    def drain(self) -> None:
        """Take messages while there are any and there is room for them."""
        socket = self._socket
        while not socket.closed and int(socket.getsockopt(zmq.EVENTS)) & zmq.POLLIN:
            if not self._has_room():
                return
            try:
                self._take(accept_parts(receive_parts(socket), self._place.limits))
            except zmq.Again:
                return
            except ProtocolError as error:
                suffix = self._refused_line.suffix(self._place.loop.time())
                if suffix is not None:
                    log.warning("a message from %s:%d is dropped: %s%s", *self._place[1:3], error, suffix)

    def close(self) -> None:
        """Free the socket; what lies in the pipe is dropped."""
        self._place.loop.remove_reader(self._fd)
        self._context.destroy(0)
