"""The kinds of nodes, which of them tell others something, and the roles that their keys have for it. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from concurrent.transport.calls.declaration import Direction
from concurrent.transport.security.roles import Role

__all__ = [
    "FROM_ALL",
    "FROM_APPLICATION",
    "FROM_OWNER",
    "FROM_SLAVE",
    "FROM_SYSTEM",
    "TO_APPLICATION",
    "TO_NODE",
    "TO_OWNER",
    "TO_SLAVE",
    "TO_SYSTEM",
]

APPLICATION: Final = "application"
MASTER: Final = "master"
SLAVE: Final = "slave"
SYSTEM: Final = "system"
"""The host of a task system, which owns tasks as an application does."""

_ROLE_BY_KIND: Final[Mapping[str, Role]] = {
    APPLICATION: Role.SUBMIT,
    MASTER: Role.MASTER,
    SLAVE: Role.SLAVE,
    SYSTEM: Role.ADMIN,  # it is a child of the master, and of the same user
}


def _direction(senders: tuple[str, ...], receivers: tuple[str, ...]) -> Direction:
    return Direction(senders, receivers, map(_ROLE_BY_KIND.__getitem__, senders))


FROM_ALL: Final = _direction((APPLICATION, SYSTEM, SLAVE), (MASTER,))
FROM_APPLICATION: Final = _direction((APPLICATION,), (MASTER,))
FROM_OWNER: Final = _direction((APPLICATION, SYSTEM), (MASTER,))
FROM_SLAVE: Final = _direction((SLAVE,), (MASTER,))
FROM_SYSTEM: Final = _direction((SYSTEM,), (MASTER,))
TO_NODE: Final = _direction((MASTER,), (APPLICATION, SLAVE))
TO_APPLICATION: Final = _direction((MASTER,), (APPLICATION,))
TO_OWNER: Final = _direction((MASTER,), (APPLICATION, SYSTEM))
TO_SLAVE: Final = _direction((MASTER,), (SLAVE,))
TO_SYSTEM: Final = _direction((MASTER,), (SYSTEM,))
