"""What a peer may do. A pure module; ``docs/design/17-security.md`` has the table."""

from __future__ import annotations

from collections.abc import Iterable
from enum import Enum
from typing import Final

from concurrent.core.errors import ConfigurationError

__all__ = ["DEFAULT_ROLES", "OBSERVERS", "SUBMITTERS", "Role", "in_order", "roles_of"]


class Role(str, Enum):
    """One role; its value is what certificates, tokens and people call it."""

    ADMIN = "admin"
    """Everything."""
    SUBMIT = "submit"
    """Have tasks run, and see to its own jobs."""
    OBSERVE = "observe"
    """See pages, status and statistics."""
    SLAVE = "slave"
    """Run tasks."""
    MASTER = "master"
    """Be the master of nodes."""

    def __str__(self) -> str:
        """Return the value, whatever the version of Python."""
        return self.value


DEFAULT_ROLES: Final = frozenset({Role.ADMIN, Role.MASTER})
"""Who may call a method that says nothing of roles; whoever holds the keys of a master is an admin too."""

OBSERVERS: Final = frozenset({*DEFAULT_ROLES, Role.SUBMIT, Role.OBSERVE})
"""Who may see what a cluster does."""

SUBMITTERS: Final = frozenset({*DEFAULT_ROLES, Role.SUBMIT})
"""Who may have tasks run."""


_ORDER: Final = (Role.OBSERVE, Role.SUBMIT, Role.SLAVE, Role.ADMIN, Role.MASTER)


def in_order(roles: Iterable[Role]) -> list[Role]:
    """Return roles, first the one that somebody should ask for who needs any of them."""
    return sorted(roles, key=_ORDER.index)


def roles_of(roles: Iterable[Role | str] | None) -> frozenset[Role]:
    """Return who may call what was declared with ``roles``: those, and whoever may call everything.

    :param roles: roles or their names; None: nobody else.
    :raises ConfigurationError: if there is no role of that name.
    """
    if isinstance(roles, str):
        roles = (roles,)
    try:
        return DEFAULT_ROLES.union(map(Role, roles or ()))
    except ValueError as error:
        raise ConfigurationError(
            f"there is no role {str(error).split(' is not')[0]}",
            thing="roles",
            remedy=f"Use {', '.join(Role)}",
        ) from None
