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
from concurrent.core.rarely import RareLine, RareTexts
from concurrent.transport.carriers.channels import SocketPlace
from concurrent.transport.carriers.server import NO_PORT
from concurrent.transport.carriers.zmqdoors import Doors, Listening, route_in_place, route_to_port
from concurrent.transport.carriers.zmqsockets import Context, Socket, accept_parts, make_socket, receive_parts
from concurrent.transport.frames.frames import Buffer

with installed_first("zmq"):
    import zmq

__all__ = ["PullSocket", "PushSocket"]

PIPE_MESSAGES: Final = 4
"""How many messages may lie in the pipe of one who pulls: a slow one must not collect many."""

SOCKET_NAME: Final = "work"
"""What the socket is called in a place."""

log = get_log(__name__)


class PushSocket:
    """See :class:`.IPushSocket`. Those in the place and those at the port take turns.

    :raises AddressError: if the address cannot be listened on.
    :raises ConfigurationError: if a stranger would come in.
    """

    def __init__(self, place: SocketPlace) -> None:
        loop, host, port, limits, protection = place
        self._loop = loop
        self._messages: deque[Sequence[Buffer]] = deque()
        options: dict[int, int] = {zmq.SNDHWM: PIPE_MESSAGES, zmq.IMMEDIATE: 1}
        listening = Listening(zmq.PUSH, SOCKET_NAME, host, port, limits, options)
        self._strangers = RareTexts()
        self._doors = Doors(loop, listening, protection, self._say_refused)
        self.port = self._doors.port
        self.told = protection.told if protection is not None and self.port != NO_PORT else {}
        """What those who pull have to be told of its keys."""
        self._sockets = deque(door.socket for door in self._doors)
        self._watch()

    @property
    def waiting_count(self) -> int:
        """How many messages are in no pipe yet."""
        return len(self._messages)

    def put(self, frames: Sequence[Buffer]) -> None:
        """Offer a message to whoever has room in its pipe."""
        self._messages.append(frames)
        self.flush()

    def flush(self) -> None:
        """Fill the pipes that have room."""
        messages = self._messages
        while messages and (socket := self._next_with_room()) is not None:
            try:
                socket.send_multipart(messages[0], zmq.NOBLOCK, copy=False)
            except zmq.Again:
                continue
            messages.popleft()

    def reopen(self) -> None:
        """Listen anew: a pipe that nobody empties would go on to swallow its share. Not once it is closed."""
        if not self._sockets:
            return
        self._unwatch()
        self._messages.clear()
        self._sockets = deque(door.open_anew() for door in self._doors)
        self._watch()

    def close(self) -> None:
        """Free the sockets; what is offered from now on is lost."""
        self._unwatch()
        self._sockets.clear()
        self._messages.clear()
        self._doors.close()
        self._doors.context.term()

    def _say_refused(self, address: str, error: ProtocolError) -> None:
        if self._strangers.is_due(f"{address}: {error}", self._loop.time()):
            log.warning("%s may not pull tasks: %s", address, error)

    def _next_with_room(self) -> Socket | None:
        sockets = self._sockets
        for _ in range(len(sockets)):
            socket = sockets[0]
            sockets.rotate()
            # Reading EVENTS also re-arms the descriptor, which signals changes only.
            if int(socket.getsockopt(zmq.EVENTS)) & zmq.POLLOUT:
                return socket
        return None

    def _watch(self) -> None:
        for socket in self._sockets:
            self._loop.add_reader(socket.fileno(), self.flush)

    def _unwatch(self) -> None:
        for socket in self._sockets:
            self._loop.remove_reader(socket.fileno())


class PullSocket:
    """See :class:`.IPullSocket`. A message that exceeds the limits is dropped, and a line is logged.

    :param take: called with the frames of each message.
    :param has_room: asked before each.
    :param context: outlives the socket, for one that closes while others encrypt may take the process along.
    :raises NotAllowed: if there is no key with which the other end can be known.
    """

    def __init__(
        self,
        place: SocketPlace,
        take: Callable[[list[Buffer]], object],
        has_room: Callable[[], bool],
        context: Context,
    ) -> None:
        loop, host, port, limits, protection = place
        route = route_in_place(protection, SOCKET_NAME) or route_to_port(host, port, protection)
        self._place = place
        self._take = take
        self._has_room = has_room
        self._refused_line = RareLine()
        self._socket = make_socket(context, zmq.PULL, host, limits)
        self._socket.setsockopt(zmq.RCVHWM, 1)
        route.connect(self._socket)
        self._fd = self._socket.getsockopt(zmq.FD)
        loop.add_reader(self._fd, self.drain)
        loop.call_soon(self.drain)

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
        self._socket.close(linger=0)
