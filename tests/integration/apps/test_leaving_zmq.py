"""A master of ZeroMQ that stops while its slaves leave: nothing fails, whoever is faster."""

from __future__ import annotations

import logging

import pytest

from concurrent.apps import MasterNode
from concurrent.core import Environment
from concurrent.transport.carriers.zeromq import ZMQClient
from concurrent.transport.loop.loop import NodeLoop
from concurrent.transport.security.place import Place
from tests.integration.apps import peers
from tests.integration.apps.peers import Peer
from tests.system.cluster import wait_until


@pytest.mark.parametrize("when", ["before its place is gone", "when its place is gone"])
def test_a_slave_leaves_a_master_that_stops(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, when: str
) -> None:
    options = {"master.port": "0", "transport.channel": "zmq", "scheduling.scheduler": "ZMQTaskScheduler"}
    master = Environment(overrides=options, variables={})[MasterNode]
    monkeypatch.setattr(peers, "TCPClient", ZMQClient)
    loop = NodeLoop("peers")
    loop.start()
    slaves: list[Peer] = []
    remove = Place.remove

    def leave() -> None:
        for slave in slaves:
            slave.client.stop()
        wait_until(lambda: not master.compute_server.handlers, "it is gone")

    def removed(place: Place) -> None:
        if when.startswith("before"):
            leave()
        remove(place)
        if when.startswith("when"):
            leave()

    monkeypatch.setattr(Place, "remove", removed)
    with caplog.at_level(logging.WARNING, "concurrent"):
        master.start()
        try:
            slaves.append(Peer(loop, master, "slave-1"))
            slaves[0].join("slave", workers=1, window=5)
            slaves[0].call("pull", 5)
        finally:
            master.stop()
            loop.stop()
    assert not slaves[0].handler.is_open
    assert [one for one in caplog.records if one.levelno >= logging.ERROR] == []
