"""How many sessions a server has room for, and how many of them one address may have."""

from __future__ import annotations

from typing import Any

import pytest

from concurrent.transport.calls.handler import TCPHandler
from concurrent.transport.calls.methods import tcpremote
from concurrent.transport.carriers.tcp import TCPClient, TCPServer
from concurrent.transport.loop.loop import NodeLoop
from concurrent.transport.session.limits import Limits
from tests.integration.transport.raw_peer import RawPeer
from tests.integration.transport.transport_nodes import WAIT_S, Carriers, wait_for_problem


def test_there_is_a_limit_to_sessions(carriers: Carriers) -> None:
    server = carriers.serve(limits=Limits(sessions_max=1))
    first = carriers.connect(server.port, "first")
    second = carriers.new_client(server.port, "second")
    second.start()
    wait_for_problem(second, "all that is allowed")
    first.stop()
    assert second.wait_open(WAIT_S).is_open


def test_there_is_a_limit_to_the_sessions_of_one_address(carriers: Carriers) -> None:
    server = carriers.serve(limits=Limits(sessions_per_address_max=2))
    first, _ = carriers.connect(server.port, "first"), carriers.connect(server.port, "second")
    third = carriers.new_client(server.port, "third")
    third.start()
    wait_for_problem(third, r"127\.0\.0\.1 has 2 sessions, which is all that one address may have")
    first.stop()
    assert third.wait_open(WAIT_S).is_open


def test_whoever_opens_sessions_and_uses_none_loses_the_oldest_and_keeps_nobody_out(carriers: Carriers) -> None:
    limits = Limits(unbound_per_address_max=2, sessions_per_address_max=4)
    server = carriers.serve(limits=limits, bind_timeout_s=60.0)

    @tcpremote(server)
    def register(handler: TCPHandler, request: Any) -> None:
        handler.context = "registered"

    first = carriers.connect(server.port, "real-1").handler
    first.call("register").result(WAIT_S)
    idlers = [carriers.connect(server.port, f"idle-{number}") for number in range(8)]
    assert {handler.node_id for handler in server.handlers} >= {"real-1"}
    for one in idlers:
        one.stop(0.5)
    for number in (2, 3, 4):
        handler = carriers.connect(server.port, f"real-{number}").handler
        handler.call("register").result(WAIT_S)
    assert len(server.handlers) == 4


@pytest.mark.parametrize("limit", ["sessions_max", "sessions_per_address_max"])
def test_sessions_that_nobody_uses_keep_no_others_out_though_there_is_no_more_room(
    loops: tuple[NodeLoop, NodeLoop], limit: str
) -> None:
    tcp = Carriers(TCPServer, TCPClient, loops)
    server = tcp.serve(limits=Limits(**{limit: 3}), bind_timeout_s=60.0)

    @tcpremote(server)
    def register(handler: TCPHandler, request: Any) -> None:
        handler.context = "registered"

    idlers = [RawPeer(server.port, f"idle-{number}") for number in range(3)]  # which do not come back
    for idler in idlers:
        idler.greet()
    for number in range(3):
        tcp.connect(server.port, f"real-{number}").handler.call("register").result(WAIT_S)
    late = tcp.new_client(server.port, "late")
    late.start()
    wait_for_problem(late, "all that")
    tcp.stop()
    assert [idler.end()[0] for idler in idlers] == ["full"] * 3
    for idler in idlers:
        idler.sock.close()
