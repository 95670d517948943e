"""The compute channel: which kinds of carriers there are, and who makes the servers and clients of each.

A master has carriers by an option, and tells its nodes their name. A short name stands for a component of the
framework; the carriers of a plug-in are named by their class.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Protocol, cast

from concurrent.core.component import Component, ComponentManager
from concurrent.core.errors import ConfigurationError
from concurrent.core.interface import IClosing, Interface, implements, interfaces_of, optional
from concurrent.transport.frames.frames import Buffer
from concurrent.transport.loop.loop import NodeLoop
from concurrent.transport.security.protection import CurveKeys, Protection
from concurrent.transport.session.limits import Limits

if TYPE_CHECKING:
    from concurrent.transport.carriers.client import SessionClient
    from concurrent.transport.carriers.server import SessionServer

__all__ = [
    "CHANNELS",
    "ICarrierFactory",
    "IPullSocket",
    "IPushSocket",
    "SocketPlace",
    "TCPCarrierFactory",
    "ZMQCarrierFactory",
    "carriers_named",
    "with_keys",
]

CHANNELS: Final = {"tcp": "TCPCarrierFactory", "zmq": "ZMQCarrierFactory"}
"""What the short names stand for."""


class SocketPlace(NamedTuple):
    """Where a socket beside the sessions listens or connects to, and what it accepts.

    ``port`` may be 0 where it listens: any free one. Without a ``protection`` its peers may be anybody.
    """

    loop: NodeLoop
    host: str
    port: int
    limits: Limits
    protection: Protection | None


class IPushSocket(Protocol):
    """Gives each message to one of those who pull, whoever has room first. Loop thread only."""

    port: int

    @property
    def waiting_count(self) -> int:
        """How many messages nobody has room for yet."""

    def put(self, frames: Sequence[Buffer]) -> None:
        """Offer a message."""

    def flush(self) -> None:
        """See whether somebody has room now."""

    def reopen(self) -> None:
        """Drop what is offered, and begin anew with those who connect again at the same port."""

    def close(self) -> None:
        """Free the socket; what is offered is dropped."""


class IPullSocket(Protocol):
    """Takes messages while there is room for them. Loop thread only."""

    def drain(self) -> None:
        """Take what there is and there is room for."""

    def close(self) -> None:
        """Free the socket; what it has not taken is dropped."""


class ICarrierFactory(Interface):
    """Makes what a compute channel consists of; whoever asks for a thing owns it."""

    def make_server(  # type: ignore[empty-body]
        self, loop: NodeLoop, host: str, port: int, **options: Any
    ) -> SessionServer:
        """Return a server that is not started. Any thread.

        :param options: the keyword arguments of :class:`concurrent.transport.carriers.server.SessionServer`.
        """

    def make_client(  # type: ignore[empty-body]
        self, loop: NodeLoop, host: str, port: int, **options: Any
    ) -> SessionClient:
        """Return a client that is not started. Any thread.

        :param options: the keyword arguments of :class:`concurrent.transport.carriers.client.SessionClient`.
        """

    @optional
    def open_push(self, place: SocketPlace) -> IPushSocket:  # type: ignore[empty-body]
        """Return a socket that listens and shares what is put into it. Loop thread only.

        Carriers without this method, or the next one, have no work queue of their own.

        :raises AddressError: if the address cannot be listened on.
        """

    @optional
    def open_pull(  # type: ignore[empty-body]
        self,
        place: SocketPlace,
        take: Callable[[list[Buffer]], object],
        has_room: Callable[[], bool],
    ) -> IPullSocket:
        """Return a socket that connects to one of ``open_push``. Loop thread only.

        :param take: called with the frames of each message; a ProtocolError that it raises is logged.
        :param has_room: asked before each.
        """

    @optional
    def new_keys(self) -> CurveKeys:  # type: ignore[empty-body]
        """Return keys of one node, if TLS does not protect these carriers. Any thread.

        The public one is told when nodes register, over the JSON API.
        """


class TCPCarrierFactory(Component):
    """Plain TCP, which has fewer threads on the way of a message."""

    implements(ICarrierFactory)

    def make_server(self, loop: NodeLoop, host: str, port: int, **options: Any) -> SessionServer:
        """Return a :class:`.TCPServer`."""
        from concurrent.transport.carriers.tcp import TCPServer

        return TCPServer(loop, host, port, **options)

    def make_client(self, loop: NodeLoop, host: str, port: int, **options: Any) -> SessionClient:
        """Return a :class:`.TCPClient`."""
        from concurrent.transport.carriers.tcp import TCPClient

        return TCPClient(loop, host, port, **options)


class ZMQCarrierFactory(Component):
    """ZeroMQ, which is loaded when it is used."""

    implements(ICarrierFactory, IClosing)

    def __init__(self) -> None:
        """There is no context before something is pulled."""
        super().__init__()
        self._pulling: Any = None

    def make_server(self, loop: NodeLoop, host: str, port: int, **options: Any) -> SessionServer:
        """Return a :class:`.TCPServerZMQ`."""
        from concurrent.transport.carriers.zeromq import TCPServerZMQ

        return TCPServerZMQ(loop, host, port, **options)

    def make_client(self, loop: NodeLoop, host: str, port: int, **options: Any) -> SessionClient:
        """Return a :class:`.ZMQClient`."""
        from concurrent.transport.carriers.zeromq import ZMQClient

        return ZMQClient(loop, host, port, **options)

    def open_push(self, place: SocketPlace) -> IPushSocket:
        """Return a :class:`.PushSocket`."""
        from concurrent.transport.carriers.pipeline import PushSocket

        protection = place.protection
        if protection is not None:  # the channel itself may be another one, which needs no such keys
            protection = with_keys(self, protection)
        return PushSocket(place._replace(protection=protection))

    def open_pull(
        self,
        place: SocketPlace,
        take: Callable[[list[Buffer]], object],
        has_room: Callable[[], bool],
    ) -> IPullSocket:
        """Return a :class:`.PullSocket`."""
        from concurrent.transport.carriers.pipeline import PullSocket
        from concurrent.transport.carriers.zmqsockets import new_context

        if self._pulling is None:
            self._pulling = new_context()
        return PullSocket(place, take, has_room, self._pulling)

    def new_keys(self) -> CurveKeys:
        """Return a pair of keys for CURVE, which encrypts what TLS cannot."""
        from concurrent.transport.carriers.curve import new_curve_keys

        return new_curve_keys()

    def close(self) -> None:
        """Free what all sockets that pull have in common."""
        if self._pulling is not None:
            self._pulling.destroy(0)


def with_keys(carriers: object, protection: Protection) -> Protection:
    """Return a protection with the keys that carriers need besides those for TLS, where there is TLS."""
    new_keys = getattr(carriers, "new_keys", None)
    if new_keys is None or protection.tls is None or protection.curve is not None:
        return protection
    return replace(protection, curve=new_keys())


def carriers_named(manager: ComponentManager, name: str) -> ICarrierFactory:
    """Return the component for carriers that an option, or a master, names. The thread of the manager.

    :raises ConfigurationError: if there is none of that name, or more than one.
    """
    named = [cls for cls in manager.classes_named(CHANNELS.get(name, name)) if manager.is_enabled(cls)]
    fitting = [cls for cls in named if ICarrierFactory in interfaces_of(cls)]
    if len(fitting) != 1:
        plugged = [cls.__name__ for cls in manager.classes_of(ICarrierFactory)]
        known = [*CHANNELS, *(each for each in plugged if each not in CHANNELS.values())]
        raise ConfigurationError(
            f"there is no compute channel {name!r}",
            thing="transport.channel",
            value=name,
            remedy=f"Use one of {', '.join(known)}, or load the plug-in that has it, at each node",
        )
    return cast(ICarrierFactory, manager[fitting[0]])
