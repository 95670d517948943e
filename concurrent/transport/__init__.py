"""How bytes move: messages, sessions, carriers and the loop.

=============================== =================================================================
``NodeLoop``                    the thread that owns all state of a node
``TCPServer``, ``TCPServerZMQ`` listen for peers on plain TCP or ZeroMQ
``TCPClient``, ``ZMQClient``    keep a session with such a server, whatever happens to the network
``TCPHandler``                  one peer: ``cast``, ``call``, ``proxy``
``TCPSocket``                   messages over one connected socket
``IByteChannel``                the bytes below them; ``SocketChannel`` is the plain one
``ICarrierFactory``             makes servers and clients: ``TCPCarrierFactory``, ``ZMQCarrierFactory``
``JSONService``, ``JSONClient`` the JSON API over HTTP
``tcpremote``, ``jsonremote``   register a function as a method that peers may call
``Direction``, ``receives``     declare messages once for both ends, and take them
``Frame``, ``as_payload``       large buffers that travel without copies
``Limits``                      what a peer may send and how long it may take
=============================== =================================================================

The names are imported when they are first used, so that a worker process that needs frames only
does not load network libraries.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from concurrent.core.lazy import lazy_names

if TYPE_CHECKING:
    from concurrent.transport.calls.declaration import Direction
    from concurrent.transport.calls.handler import TCPHandler
    from concurrent.transport.calls.methods import MethodRegistry, jsonremote, receives, tcpremote
    from concurrent.transport.calls.proxy import RemoteProxy
    from concurrent.transport.carriers.bytechannel import IByteChannel, SocketChannel
    from concurrent.transport.carriers.channels import ICarrierFactory, TCPCarrierFactory, ZMQCarrierFactory
    from concurrent.transport.carriers.tcp import TCPClient, TCPServer
    from concurrent.transport.carriers.tcpsocket import TCPSocket
    from concurrent.transport.carriers.zeromq import TCPServerZMQ, ZMQClient
    from concurrent.transport.frames.frames import Frame, as_payload
    from concurrent.transport.loop.loop import NodeLoop
    from concurrent.transport.session.limits import Limits
    from concurrent.transport.web.httpstream import HTTPLimits
    from concurrent.transport.web.jsonclient import JSONClient
    from concurrent.transport.web.service import JSONService

_MODULE_BY_NAME = {
    "Direction": "calls.declaration",
    "Frame": "frames.frames",
    "HTTPLimits": "web.httpstream",
    "IByteChannel": "carriers.bytechannel",
    "ICarrierFactory": "carriers.channels",
    "JSONClient": "web.jsonclient",
    "JSONService": "web.service",
    "Limits": "session.limits",
    "MethodRegistry": "calls.methods",
    "NodeLoop": "loop.loop",
    "RemoteProxy": "calls.proxy",
    "SocketChannel": "carriers.bytechannel",
    "TCPCarrierFactory": "carriers.channels",
    "TCPClient": "carriers.tcp",
    "TCPHandler": "calls.handler",
    "TCPServer": "carriers.tcp",
    "TCPServerZMQ": "carriers.zeromq",
    "TCPSocket": "carriers.tcpsocket",
    "ZMQCarrierFactory": "carriers.channels",
    "ZMQClient": "carriers.zeromq",
    "as_payload": "frames.frames",
    "jsonremote": "calls.methods",
    "receives": "calls.methods",
    "tcpremote": "calls.methods",
}

__all__ = [
    "Direction",
    "Frame",
    "HTTPLimits",
    "IByteChannel",
    "ICarrierFactory",
    "JSONClient",
    "JSONService",
    "Limits",
    "MethodRegistry",
    "NodeLoop",
    "RemoteProxy",
    "SocketChannel",
    "TCPCarrierFactory",
    "TCPClient",
    "TCPHandler",
    "TCPServer",
    "TCPServerZMQ",
    "TCPSocket",
    "ZMQCarrierFactory",
    "ZMQClient",
    "as_payload",
    "jsonremote",
    "receives",
    "tcpremote",
]

__getattr__, __dir__ = lazy_names(__name__, _MODULE_BY_NAME)
