"""Whose trust has ended: sessions with it end, at whichever end of them it is."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable

import pytest

from concurrent.core.errors import NotAllowed
from concurrent.transport.carriers.tcp import TCPServer
from concurrent.transport.security.protection import Protection
from tests.integration.transport.protected_ends import Ends, serial_of
from tests.integration.transport.transport_nodes import WAIT_S, CuttingProxy, wait_until_refused

Protections = tuple[Protection, Protection]


@pytest.mark.parametrize("is_revoked_at", ["server", "client"])
def test_who_was_revoked_is_refused(ends: Ends, tls: Protections, is_revoked_at: str) -> None:
    head, arm = (Protection(tls=each.tls) for each in tls)
    if is_revoked_at == "server":
        head.trust.revoke([serial_of(arm)])
    else:
        arm.trust.revoke([serial_of(head)])
    server = ends.serve(head)
    assert "has been revoked" in ends.refusal(server.port, arm)


@pytest.mark.parametrize("is_cut", [False, True])
def test_the_session_of_a_member_ends_when_it_is_revoked(
    ends: Ends, tls: Protections, proxy_to: Callable[[int], CuttingProxy], is_cut: bool
) -> None:
    head, arm = (Protection(tls=each.tls) for each in tls)
    server = ends.serve(head)
    proxy = proxy_to(server.port)
    ended: queue.Queue[str] = queue.Queue()
    server.on_lost = lambda handler, reason: ended.put(reason)
    client = ends.client(proxy.port, arm)
    client.wait_open(WAIT_S)
    if is_cut:
        cut = threading.Event()
        server.on_cut = lambda handler, is_silent: cut.set()
        proxy.refuse(True)
        assert cut.wait(WAIT_S)
    bystander = ends.client(server.port, Protection(tls=head.tls), "bystander").wait_open(WAIT_S)
    ends.loops[0].post(head.trust.revoke, [serial_of(arm)])
    assert "has been revoked" in ended.get(timeout=WAIT_S)
    proxy.refuse(False)
    with pytest.raises(NotAllowed, match="has been revoked"):
        wait_until_refused(client)
    assert [handler.node_id for handler in server.handlers] == ["bystander"]
    assert bystander.call("who").result(WAIT_S)[2] == serial_of(head)


@pytest.mark.parametrize("is_cut", [False, True])
def test_a_client_leaves_a_server_that_is_revoked_and_both_ends_say_so(
    ends: Ends, tls: Protections, proxy_to: Callable[[int], CuttingProxy], is_cut: bool
) -> None:
    head, arm = (Protection(tls=each.tls) for each in tls)
    server = ends.serve(head)
    proxy = proxy_to(server.port)
    left: queue.Queue[str] = queue.Queue()
    told: queue.Queue[str] = queue.Queue()
    server.on_lost = lambda handler, reason: told.put(reason)
    client = ends.client(proxy.port, arm)
    client.on_lost = lambda handler, reason: left.put(reason)
    client.wait_open(WAIT_S)
    if is_cut:
        cut = threading.Event()
        client.on_cut = lambda handler, is_silent: cut.set()
        proxy.refuse(True)
        assert cut.wait(WAIT_S)
    ends.loops[1].post(arm.trust.revoke, [serial_of(head)])
    assert "master" in (said := left.get(timeout=WAIT_S))
    assert "has been revoked" in said
    if not is_cut:
        assert "has been revoked" in told.get(timeout=WAIT_S)
    proxy.refuse(False)
    with pytest.raises(NotAllowed, match="has been revoked"):
        wait_until_refused(client)


def test_a_server_that_is_revoked_before_it_answers_gets_no_session(
    ends: Ends, tls: Protections, monkeypatch: pytest.MonkeyPatch
) -> None:
    head, arm = (Protection(tls=each.tls) for each in tls)
    server = ends.serve(head)

    def revoke_first(_server: TCPServer) -> tuple[str, ...]:
        """Do so at the last moment: when the server looks up what it says in its answer."""
        ends.loops[1].call(arm.trust.revoke, [serial_of(head)], timeout_s=WAIT_S)
        return ()

    monkeypatch.setattr(TCPServer, "features", property(revoke_first))
    assert "has been revoked" in ends.refusal(server.port, arm)
