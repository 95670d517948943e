"""Fixtures: loops, servers and clients of each carrier, over TLS too, and a proxy between them."""

from __future__ import annotations

import tempfile
import threading
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest

from concurrent.transport.carriers.tcp import TCPClient, TCPServer
from concurrent.transport.carriers.zeromq import TCPServerZMQ, ZMQClient
from concurrent.transport.loop.loop import NodeLoop
from concurrent.transport.security.place import Place
from concurrent.transport.security.protection import Protection
from concurrent.transport.security.roles import Role
from concurrent.transport.session.limits import Limits
from tests.integration.transport.cluster_keys import TestCluster
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


@pytest.fixture(scope="session")
def cluster() -> TestCluster:
    """A cluster whose authority signs what a test asks for."""
    return TestCluster()


@pytest.fixture(scope="session")
def tls(cluster: TestCluster) -> tuple[Protection, Protection]:
    """The protections of a master and of an admin, without a place."""
    return (
        Protection(tls=cluster.keys(Role.MASTER, "head")),
        Protection(tls=cluster.keys(Role.ADMIN, "arm")),
    )


@pytest.fixture
def place() -> Iterator[Place]:
    """The place of a server, in a folder whose path is short enough."""
    with tempfile.TemporaryDirectory(prefix="cc") as folder:
        place = Place(Path(folder, "run", "1"))
        place.make()
        yield place


@pytest.fixture(params=["tcp", "tls", "zeromq"])
def carriers(
    request: pytest.FixtureRequest,
    loops: tuple[NodeLoop, NodeLoop],
    proxy_to: Callable[[int], CuttingProxy],  # stopped after the nodes
    tls: tuple[Protection, Protection],
) -> Iterator[Carriers]:
    makers = {
        "tcp": (TCPServer, TCPClient),
        "tls": (partial(TCPServer, protection=tls[0]), partial(TCPClient, protection=tls[1])),
        "zeromq": (TCPServerZMQ, ZMQClient),
    }
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
