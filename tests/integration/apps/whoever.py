"""What a master answers to identities that a test makes up; nothing has to prove who it is."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from typing import Any

from concurrent.apps import MasterNode
from concurrent.apps.jobwish import JobAnswer, JobWish, answer_from
from concurrent.core.status import Status
from concurrent.transport.calls.answer import Request
from concurrent.transport.calls.handler import TCPHandler
from concurrent.transport.security.identity import Identity
from concurrent.transport.security.roles import Role
from tests.integration.apps.peers import TIMEOUT_S, Peer

MakePeerAt = Callable[..., Peer]

CLUSTER = "office"


def member(role: Role, name: str, serial: str = "") -> Identity:
    """Return a member of the cluster of these tests."""
    return Identity(role, name, CLUSTER, serial or name.encode().hex())


def ask_as(master: MasterNode, identity: Identity, method: str, *args: Any, **kwargs: Any) -> Any:
    """Return what a method of the JSON API answers an identity."""
    request = Request(method, 1, "127.0.0.1", identity)
    answer = master.api_service_v1.methods.dispatch(method, (request,), args, kwargs)
    result = answer.result(TIMEOUT_S) if isinstance(answer, Future) else answer
    return result.to_json() if isinstance(result, Status) else result


def handler_of(master: MasterNode, peer: Peer) -> TCPHandler:
    """Return the master's end of a session."""
    (found,) = (one for one in master.compute_server.handlers if one.node_id == peer.node_id)
    return found


def peer_as(make: MakePeerAt, master: MasterNode, identity: Identity, node_id: str, **options: Any) -> Peer:
    """Return a peer that the master takes for somebody."""
    peer = make(master, node_id, **options)
    handler_of(master, peer).identity = identity
    return peer


def register_as(master: MasterNode, peer: Peer, kind: str, **data: Any) -> Any:
    """Register a peer as who the master takes it for."""
    identity = handler_of(master, peer).identity
    return ask_as(master, identity, f"register_{kind}", node_id=peer.node_id, port=0, data=data)


def attach_as(master: MasterNode, peer: Peer, **wish: Any) -> JobAnswer:
    """Register a peer as who the master takes it for, and attach it to a job."""
    register_as(master, peer, "application")
    return answer_from(peer.call("attach_job", peer.node_id, JobWish(**wish).as_map()))
