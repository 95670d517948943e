"""How many cores there are."""

from __future__ import annotations

from concurrent.core.process.machine import Machine

__all__ = ["core_count"]


def core_count() -> int:
    """Return how many cores this process may use; a limit of its container or service counts."""
    return Machine().cpus()
