"""What the master tells the host of a task system, besides what it tells all owners. Pure."""

from __future__ import annotations

from concurrent.scheduling.wire.columns import Payload
from concurrent.scheduling.wire.messages.directions import TO_SYSTEM

__all__ = ["host_system"]


@TO_SYSTEM.call()
def host_system(system_id: int, code: list[Payload], payload: Payload) -> None:
    """Host a task system that needs that code."""
