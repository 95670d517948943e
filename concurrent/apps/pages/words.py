"""Numbers and times as pages say them. A pure module."""

from __future__ import annotations

from concurrent.apps.columns import duration, size

__all__ = ["ago", "bytes_or_nothing", "cores", "lasting"]


def ago(at: float, now: float) -> str:
    """Return how long ago something was; nothing if it has not happened, or nobody knows."""
    return f"{duration(max(0.0, now - at))} ago" if at else ""


def lasting(since: float, now: float) -> str:
    """Return for how long something has been so; nothing if nobody knows."""
    return duration(max(0.0, now - since)) if since else ""


def cores(number: float) -> str:
    """Return how many cores are used."""
    return f"{number:.1f}"


def bytes_or_nothing(size_bytes: int) -> str:
    """Return a size; nothing if it is not known."""
    return size(size_bytes) if size_bytes else ""
