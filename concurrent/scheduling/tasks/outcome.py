"""How one attempt at a task ended: the status numbers that slaves report and owners receive.

A pure module. The number says what the payload beside it is.
"""

from __future__ import annotations

__all__ = ["CANCELLED", "DIED", "FAILED", "FINISHED", "STATUSES"]

FINISHED = 0
"""The payload is the pickled result."""
FAILED = 1
"""The task raised; the payload is a pickled failure (see ``failure.py``)."""
DIED = 2
"""The worker process died; the payload is the evidence of each attempt as UTF-8 text, separated by NUL."""
CANCELLED = 3
"""The task was cancelled; the payload is empty."""

STATUSES = frozenset({FINISHED, FAILED, DIED, CANCELLED})
