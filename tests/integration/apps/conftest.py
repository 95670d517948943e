"""Fixtures: masters, and what stands for them and for their peers."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from concurrent.apps import MasterNode
from concurrent.core import Environment
from concurrent.transport.loop.loop import NodeLoop
from tests.integration.apps.durable import MakeMaster, MakePeerAt
from tests.integration.apps.fakemaster import Master
from tests.integration.apps.peers import MakePeer, Peer


@pytest.fixture
def fake_master() -> Iterator[Master]:
    loop = NodeLoop("master-loop")
    loop.start()
    made = Master(loop)
    yield made
    made.stop()
    loop.stop()


@pytest.fixture
def master(request: pytest.FixtureRequest) -> Iterator[MasterNode]:
    """A master on TCP, for which slaves are gone soon; a test may name its scheduler as the parameter."""
    options = {"master.port": "0", "transport.channel": "tcp", "transport.return_s": "2"}
    if hasattr(request, "param"):
        options["scheduling.scheduler"] = request.param
    env = Environment(overrides=options, variables={})
    node = env[MasterNode]
    node.start()
    yield node
    node.stop()


@pytest.fixture
def open_master() -> Iterator[MasterNode]:
    """A master that nothing protects, for peers that know the bare protocol only."""
    options = {"master.port": "0", "transport.channel": "tcp", "transport.allow_insecure": "true"}
    node = Environment(overrides=options, variables={})[MasterNode]
    node.start()
    yield node
    node.stop()


@pytest.fixture
def peer(loop: NodeLoop, master: MasterNode) -> Iterator[MakePeer]:
    peers: list[Peer] = []

    def make(node_id: str, **options: Any) -> Peer:
        peers.append(Peer(loop, master, node_id, **options))
        return peers[-1]

    yield make
    for one in peers:
        one.client.stop()


@pytest.fixture
def make_master(tmp_path: Path) -> Iterator[MakeMaster]:
    """Make masters that use the journal of a folder of the test; a test may stop them itself."""
    nodes: list[MasterNode] = []

    def make(folder: str = "journal", classes: tuple[type, ...] = (), **options: str) -> MasterNode:
        overrides = {"master.port": "0", "transport.channel": "tcp", "journal.folder": str(tmp_path / folder)}
        overrides |= {name.replace("__", "."): text for name, text in options.items()}
        env = Environment(overrides=overrides, variables={})
        env.register(*classes)
        node = env[MasterNode]
        nodes.append(node)
        node.start()
        return node

    yield make
    for node in nodes:
        node.stop()


@pytest.fixture
def peer_at(loop: NodeLoop) -> Iterator[MakePeerAt]:
    """Make peers of masters."""
    peers: list[Peer] = []

    def make(master: MasterNode, node_id: str, **options: Any) -> Peer:
        peers.append(Peer(loop, master, node_id, **options))
        return peers[-1]

    yield make
    for one in peers:
        one.client.stop()
