"""What somebody types who has no key that is needed: the same words wherever it is said. A pure module."""

from __future__ import annotations

from typing import Final

__all__ = ["HERE", "THERE", "how_to_join"]

HERE: Final = "here"
THERE: Final = "on the machine that was refused"


def how_to_join(role: str = "ROLE", where: str = HERE) -> str:
    """Return how a machine becomes a member of a cluster, as the remedy of an error.

    :param role: what it has to be invited as.
    :param where: the machine that has to join, as an adverb.
    """
    return (
        f"Run 'concurrent keys invite {role}' on the master's machine, and what that prints "
        f"(concurrent join LINE) {where}"
    )
