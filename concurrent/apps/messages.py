"""The messages by which nodes join a master, once they have registered with its JSON API. Pure.

One more tells them whom to trust no more.

An application joins by ``attach_job`` where the answer of the JSON API says that the master has ``jobs``, else
by ``register_application``.
"""

from __future__ import annotations

from typing import Any, Final

from concurrent.apps.api import NodeType
from concurrent.scheduling.wire.messages.directions import FROM_APPLICATION, FROM_SLAVE, TO_NODE
from concurrent.transport.calls.declaration import Call

__all__ = [
    "JOIN_BY_TYPE",
    "REVOKED",
    "attach_job",
    "register_application",
    "register_slave",
    "revoked",
]

REVOKED: Final = "revoked"
"""The feature of nodes that trust nobody whom their master does not trust."""


@FROM_SLAVE.call()
def register_slave(node_id: str) -> int:
    """Bind the session to a slave that has registered; return the number of its registration."""
    raise NotImplementedError


@FROM_APPLICATION.call()
def register_application(node_id: str) -> int:
    """Bind the session to an application that has registered; return the number of its registration."""
    raise NotImplementedError


@FROM_APPLICATION.call()
def attach_job(node_id: str, wish: dict[str, Any]) -> dict[str, Any]:
    """Bind the session to a job of an application that has registered; the maps are those of ``jobwish.py``."""
    raise NotImplementedError


@TO_NODE.cast(feature=REVOKED)
def revoked(serials: list[str]) -> None:
    """Trust nobody any more whose certificate or token has one of these numbers."""


JOIN_BY_TYPE: Final[dict[NodeType, Call[[str], int]]] = {
    NodeType.slave: register_slave,
    NodeType.application: register_application,
}
"""How a node of each kind joins; the JSON API has a method of the same name."""
