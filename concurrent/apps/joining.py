"""The methods by which nodes join a master: first at its JSON API, then at its compute channel."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from concurrent.apps.api import NodeType
from concurrent.apps.jobwish import wish_from
from concurrent.apps.messages import JOIN_BY_TYPE, attach_job
from concurrent.core.errors import InvalidArguments
from concurrent.transport.calls.answer import Request
from concurrent.transport.calls.declaration import Call
from concurrent.transport.calls.handler import TCPHandler
from concurrent.transport.calls.methods import jsonremote, receives

if TYPE_CHECKING:
    from concurrent.apps.master import MasterNode

__all__ = ["register_joining"]


def register_joining(master: MasterNode) -> None:
    """Register the methods by which nodes join, as far as a derived master has none of its own.

    Those that it has are for the same roles.
    """
    for node_type, message in JOIN_BY_TYPE.items():
        if message.name not in master.api_service_v1.methods:
            _register_json(master, message.name, node_type)
        if message.name not in master.compute_server.methods:
            _register_tcp(master, message, node_type)
        for owner in (master.api_service_v1, master.compute_server):
            owner.methods.allow(message.name, message.roles)
    _register_attaching(master)


def _register_json(master: MasterNode, name: str, node_type: NodeType) -> None:
    @jsonremote(master.api_service_v1, name=name)
    def register(request: Request, node_id: str, port: int, data: dict[str, Any]) -> dict[str, Any]:
        """Register a node; answers where the compute channel is."""
        if request.call_id is None:
            raise InvalidArguments(
                f"{name} must be a call with an id: its answer says where to go on",
                thing=name,
                remedy="Send it with an id",
            )
        master.stats.add_avg(name)
        identity = request.identity
        return master.register_node(node_id, request.peer_ip, port, data, node_type, identity=identity)


def _register_tcp(master: MasterNode, message: Call[[str], int], node_type: NodeType) -> None:
    @receives(master.compute_server, message)
    def register(handler: TCPHandler, request: Any, node_id: str) -> Any:
        """Bind the session to a node that has registered; answers its number."""
        master.stats.add_avg(f"{message.name}_tcp")
        number = master.register_node_tcp(handler, request, node_id, node_type)
        return master.dispatcher.slaves.answer_to(number) if node_type is NodeType.slave else number


def _register_attaching(master: MasterNode) -> None:
    @receives(master.compute_server, attach_job)
    def attach(handler: TCPHandler, _request: Any, node_id: str, wish: dict[str, Any]) -> Any:
        """Bind the session to a job of an application that has registered; answers what it is."""
        wanted = wish_from(wish)
        master.stats.add_avg("attach_job")
        return master.attach_job(handler, node_id, wanted)
