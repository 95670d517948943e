"""What a ledger has, in figures: for pages and programs. A pure module."""

from __future__ import annotations

from operator import attrgetter
from typing import TYPE_CHECKING, Any

from concurrent.core.rows import chosen_rows

if TYPE_CHECKING:
    from concurrent.scheduling.ledger.ledger import Ledger

__all__ = ["summary"]


def summary(ledger: Ledger) -> dict[str, Any]:
    """Return counts and a bounded part of lists, as plain values that may be read by any thread."""
    return {
        "accepted": ledger.accepted_count,
        "queued": ledger.queued_count,
        "pushed": len(ledger.pushed),
        "refused": ledger.refusals.waiting_count,
        "open": len(ledger.task_by_number),
        "open_bytes": ledger.open_bytes,
        "dropped_late": ledger.dropped_count,
        "slave_count": len(ledger.slaves),
        "owner_count": len(ledger.owners),
        "slaves": [one.describe() for one in chosen_rows(ledger.slaves.values(), attrgetter("rank"))],
        "owners": [one.describe() for one in chosen_rows(ledger.owners.values(), attrgetter("rank"))],
    }
