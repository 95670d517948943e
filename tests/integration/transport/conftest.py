"""Fixtures: loops, servers and clients of each carrier, over TLS too, and a proxy between them."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from functools import partial

import pytest

from concurrent.transport.carriers.tcp import TCPClient, TCPServer
from concurrent.transport.carriers.zeromq import TCPServerZMQ, ZMQClient
from concurrent.transport.loop.loop import NodeLoop
from concurrent.transport.session.limits import Limits
from tests.integration.transport.tls_channel import tls_channels
from tests.integration.transport.transport_nodes import Carriers, CuttingProxy


@pytest.fixture
def loops() -> Iterator[tuple[NodeLoop, NodeLoop]]:
    before = set(threading.enumerate())
    pair = (NodeLoop("server-loop"), NodeLoop("client-loop"))
    for loop in pair:
        loop.start()
    yield pair
    for loop in pair:
        loop.stop()
    assert set(threading.enumerate()) <= before


@pytest.fixture(params=["tcp", "tls", "zeromq"])
def carriers(
    request: pytest.FixtureRequest,
    loops: tuple[NodeLoop, NodeLoop],
    proxy_to: Callable[[int], CuttingProxy],  # stopped after the nodes
) -> Iterator[Carriers]:
    over_tls = (
        partial(TCPServer, make_channel=tls_channels(is_server=True)),
        partial(TCPClient, make_channel=tls_channels(is_server=False)),
    )
    makers = {"tcp": (TCPServer, TCPClient), "tls": over_tls, "zeromq": (TCPServerZMQ, ZMQClient)}
    made = Carriers(*makers[request.param], loops)
    yield made
    made.stop()


@pytest.fixture
def proxy_to() -> Iterator[Callable[[int], CuttingProxy]]:
    loop = NodeLoop("proxy-loop")
    loop.start()
    proxies: list[CuttingProxy] = []

    def make(port: int) -> CuttingProxy:
        proxies.append(CuttingProxy(loop, port))
        return proxies[-1]

    yield make
    for proxy in proxies:
        proxy.stop()
    loop.stop()


@pytest.fixture
def quick_limits() -> Limits:
    """Limits that notice silence within a test's time."""
    return Limits(heartbeat_s=0.1, silence_s=0.5, resume_s=0.5, hello_timeout_s=0.5)
