"""What the master tells the host of a task system, besides what it tells all owners. Pure."""

from __future__ import annotations

from concurrent.scheduling.wire.columns import Payload
from concurrent.scheduling.wire.messages.directions import TO_SYSTEM

__all__ = ["host_system", "orphans", "take_over"]


@TO_SYSTEM.cast()
def take_over(job: str, next_id: int, consumed_to: int, known_to: int, checkpoint: Payload) -> None:
    """Go on with the task system that comes next, and tell how far it is.

    Its tasks are numbered from ``next_id`` on. Outcomes come behind ``consumed_to``, where the checkpoint
    was made; it is empty if the system begins. A former host may have had outcomes up to ``known_to``.
    """


@TO_SYSTEM.cast()
def orphans(ids: list[int], payloads: list[Payload]) -> None:
    """Know what a former host of the task system that comes next had pushed since its checkpoint."""


@TO_SYSTEM.call()
def host_system(system_id: int, code: list[Payload], payload: Payload) -> None:
    """Host a task system that needs that code."""
