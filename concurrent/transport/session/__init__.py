"""What two ends of a connection say, in which order, and how nothing of it is lost or comes twice.

It is pure: bytes and events in, bytes and duties out. A handler owns each session. It imports
``frames`` alone.
"""

from __future__ import annotations

__all__: list[str] = []
