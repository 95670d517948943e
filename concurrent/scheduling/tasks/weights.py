"""What a task counts for where it waits. A pure module."""

from __future__ import annotations

from typing import Final

__all__ = ["OVERHEAD_BYTES"]

OVERHEAD_BYTES: Final = 256
"""What a task counts for besides its payload, where it waits."""
