"""The compute channel of a node: the same server and client, on ZeroMQ or on plain TCP."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from concurrent.core.errors import ConfigurationError

if TYPE_CHECKING:
    from concurrent.transport.carriers.client import SessionClient
    from concurrent.transport.carriers.server import SessionServer
    from concurrent.transport.loop.loop import NodeLoop

__all__ = ["CHANNELS", "make_client", "make_server"]

CHANNELS: Final = ("zmq", "tcp")


def make_server(channel: str, loop: NodeLoop, host: str, port: int, **options: Any) -> SessionServer:
    """Return a server of the channel, not started yet. Any thread.

    :param channel: one of :data:`CHANNELS`.
    :param options: the keyword arguments of :class:`concurrent.transport.carriers.server.SessionServer`.
    :raises ConfigurationError: if there is no such channel.
    """
    if channel == "tcp":
        from concurrent.transport.carriers.tcp import TCPServer

        return TCPServer(loop, host, port, **options)
    _check(channel)
    from concurrent.transport.carriers.zeromq import TCPServerZMQ

    return TCPServerZMQ(loop, host, port, **options)


def make_client(channel: str, loop: NodeLoop, host: str, port: int, **options: Any) -> SessionClient:
    """Return a client of the channel, not started yet. Any thread.

    :param channel: one of :data:`CHANNELS`.
    :param options: the keyword arguments of :class:`concurrent.transport.carriers.client.SessionClient`.
    :raises ConfigurationError: if there is no such channel.
    """
    if channel == "tcp":
        from concurrent.transport.carriers.tcp import TCPClient

        return TCPClient(loop, host, port, **options)
    _check(channel)
    from concurrent.transport.carriers.zeromq import ZMQClient

    return ZMQClient(loop, host, port, **options)


def _check(channel: str) -> None:
    if channel != "zmq":
        raise ConfigurationError(
            f"there is no compute channel {channel!r}",
            thing="transport.channel",
            value=channel,
            remedy=f"Use one of {', '.join(CHANNELS)}",
        )
