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
from concurrent.transport.security.keyfolder import KeyFolder
from concurrent.transport.security.newkeys import make_cluster
from concurrent.transport.security.place import Place
from concurrent.transport.security.protection import Protection
from concurrent.transport.security.roles import Role
from concurrent.transport.session.limits import Limits
from tests.clusterkeys import join
from tests.integration.transport.protected_ends import Ends
from tests.integration.transport.transport_nodes import (
    Carriers,
    CurveCluster,
    CuttingProxy,
    PlacesByPort,
    ServerInPlace,
    ZMQServerInPlace,
    client_of_place,
)


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
def cluster(tmp_path_factory: pytest.TempPathFactory) -> KeyFolder:
    """The keys of a master."""
    return make_cluster(tmp_path_factory.mktemp("master") / "keys", "office")


@pytest.fixture(scope="session")
def member(cluster: KeyFolder, tmp_path_factory: pytest.TempPathFactory) -> Callable[[Role, str], Protection]:
    """Makes the protection of another machine that has joined; there is no place in it."""

    def make(role: Role, name: str) -> Protection:
        keys = join(cluster, tmp_path_factory.mktemp(name) / "keys", role, name)
        return Protection(tls=keys.tls(role))

    return make


@pytest.fixture(scope="session")
def tls(cluster: KeyFolder, member: Callable[[Role, str], Protection]) -> tuple[Protection, Protection]:
    """The protections of a master and of an admin, without a place."""
    return Protection(tls=cluster.tls(Role.MASTER)), member(Role.ADMIN, "arm")


@pytest.fixture
def place(places: PlacesByPort) -> Place:
    """The place of a server."""
    place = places.of(places.free_port())
    place.make()
    return place


@pytest.fixture(params=["tcp", "unix", "tls", "zeromq", "ipc", "curve"])
def carriers(
    request: pytest.FixtureRequest,
    loops: tuple[NodeLoop, NodeLoop],
    proxy_to: Callable[[int], CuttingProxy],  # stopped after the nodes
    tls: tuple[Protection, Protection],
    places: PlacesByPort,
    curve: CurveCluster,
) -> Iterator[Carriers]:
    makers = {
        "tcp": (TCPServer, TCPClient),
        "unix": (partial(ServerInPlace, places), partial(client_of_place, places, TCPClient)),
        "tls": (partial(TCPServer, protection=tls[0]), partial(TCPClient, protection=tls[1])),
        "zeromq": (TCPServerZMQ, ZMQClient),
        "ipc": (partial(ZMQServerInPlace, places), partial(client_of_place, places, ZMQClient)),
        "curve": (curve.make_server, curve.make_client),
    }
    made = Carriers(*makers[request.param], loops)
    yield made
    made.stop()


@pytest.fixture
def curve() -> CurveCluster:
    """A server of CURVE and its clients."""
    return CurveCluster()


@pytest.fixture
def places() -> Iterator[PlacesByPort]:
    """Places in a folder whose path is short enough for sockets."""
    with tempfile.TemporaryDirectory(prefix="cc") as folder:
        yield PlacesByPort(Path(folder))


@pytest.fixture
def proxy_to(places: PlacesByPort) -> Iterator[Callable[[int], CuttingProxy]]:
    loop = NodeLoop("proxy-loop")
    loop.start()
    proxies: list[CuttingProxy] = []

    def make(port: int) -> CuttingProxy:
        proxies.append(CuttingProxy(loop, port, places))
        return proxies[-1]

    yield make
    for proxy in proxies:
        proxy.stop()
    loop.stop()


@pytest.fixture
def quick_limits() -> Limits:
    """Limits that notice silence within a test's time."""
    return Limits(heartbeat_s=0.1, silence_s=0.5, resume_s=0.5, hello_timeout_s=0.5)


@pytest.fixture
def ends(loops: tuple[NodeLoop, NodeLoop]) -> Iterator[Ends]:
    made = Ends(loops)
    yield made
    for one in reversed(made.made):
        one.stop(2.0)
