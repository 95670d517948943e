"""Where a master takes the code of programs, and gives slaves a project that they do not have."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from concurrent.apps.api import NodeType
from concurrent.scheduling.master.dispatcher import Dispatcher
from concurrent.scheduling.wire.columns import Payload
from concurrent.scheduling.wire.messages import to_master
from concurrent.transport.calls.handler import TCPHandler
from concurrent.transport.calls.methods import HasMethods, receives

__all__ = ["register_code"]


def register_code(
    server: HasMethods, dispatcher: Dispatcher, number_of: Callable[[TCPHandler, NodeType], int]
) -> None:
    """Register it with the server of the compute channel.

    :param number_of: returns the number of the registration that a session belongs to, or raises NodeError.
    """

    @receives(server, to_master.define_code)
    def define_code(handler: TCPHandler, _request: Any, index: int, blob: Payload) -> None:
        """Keep a blob of the owner's code."""
        dispatcher.define_code(number_of(handler, NodeType.application), index, blob)

    @receives(server, to_master.project_part)
    def project_part(handler: TCPHandler, _request: Any, owner: int, index: int) -> Payload:
        """Return a part of a project, of an owner whose code the slave was sent."""
        number_of(handler, NodeType.slave)
        return dispatcher.project_part(handler, owner, index)
