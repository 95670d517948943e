"""The kinds of nodes, and which of them tell others something. Pure."""

from __future__ import annotations

from typing import Final

from concurrent.transport.calls.declaration import Direction

__all__ = [
    "FROM_ALL",
    "FROM_APPLICATION",
    "FROM_OWNER",
    "FROM_SLAVE",
    "FROM_SYSTEM",
    "TO_APPLICATION",
    "TO_OWNER",
    "TO_SLAVE",
    "TO_SYSTEM",
]

APPLICATION: Final = "application"
MASTER: Final = "master"
SLAVE: Final = "slave"
SYSTEM: Final = "system"
"""The host of a task system, which owns tasks as an application does."""

FROM_ALL: Final = Direction((APPLICATION, SYSTEM, SLAVE), (MASTER,))
FROM_APPLICATION: Final = Direction((APPLICATION,), (MASTER,))
FROM_OWNER: Final = Direction((APPLICATION, SYSTEM), (MASTER,))
FROM_SLAVE: Final = Direction((SLAVE,), (MASTER,))
FROM_SYSTEM: Final = Direction((SYSTEM,), (MASTER,))
TO_APPLICATION: Final = Direction((MASTER,), (APPLICATION,))
TO_OWNER: Final = Direction((MASTER,), (APPLICATION, SYSTEM))
TO_SLAVE: Final = Direction((MASTER,), (SLAVE,))
TO_SYSTEM: Final = Direction((MASTER,), (SYSTEM,))
