"""Who sees a page, what its address asks for, and what the node tells that person.

Any thread of the JSON API.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from concurrent.apps.pages.elements import Element
from concurrent.apps.pages.parts import button
from concurrent.apps.status import NodeStatus
from concurrent.core.status import Status
from concurrent.transport.calls.answer import Request
from concurrent.transport.calls.methods import MethodRegistry
from concurrent.transport.security.identity import Identity
from concurrent.transport.web.contents import Query, address

__all__ = ["Viewer"]

ANSWER_TIMEOUT_S: Final = 10.0

AnyStatus = TypeVar("AnyStatus", bound=Status)


@dataclass(frozen=True)
class Viewer:
    """See the module. A view asks what it shows by the methods of the node, so nobody sees more
    than that person may ask.

    :param path: the page that is seen.
    :param query: what its address says.
    :param now: seconds since the epoch.
    :param is_local: whether it is seen on the node's own machine; others cannot follow a link to a loopback
        address.
    :param methods: those of the node.
    :param status_of_node: returns what the node is doing.
    """

    path: str
    query: Query
    now: float
    identity: Identity
    is_local: bool
    peer_ip: str
    methods: MethodRegistry
    status_of_node: Callable[[], NodeStatus]

    def may(self, method: str) -> bool:
        """Tell whether the node has a method, and this person may call it."""
        return any(one.name == method and self.identity.role in one.roles for one in self.methods)

    def ask(self, kind: type[AnyStatus], method: str, **params: Any) -> AnyStatus:
        """Return what a method of the node answers this person.

        :param kind: what it answers.
        :raises ConcurrentError: as the method does, or if this person may not call it.
        """
        request = Request(method, None, self.peer_ip, self.identity)
        answer = self.methods.dispatch(method, (request,), (), params)
        if isinstance(answer, Future):
            answer = answer.result(ANSWER_TIMEOUT_S)
        return answer if isinstance(answer, kind) else kind.from_json(answer)

    def button(self, label: str, method: str, ask: str = "", name: str = "", **params: Any) -> Element | None:
        """Return a button that calls a method; None for who may not.

        :param ask: what a person has to confirm first.
        :param name: of what it is, for those who do not see where it stands.
        """
        return button(label, method, params, ask, name) if self.may(method) else None

    def here(self, **fields: object) -> str:
        """Return the address of this page with some fields of its query changed; None takes one away."""
        return address(self.path, {**self.query, **fields})
