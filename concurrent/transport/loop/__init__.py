"""The thread that owns all state of a node, and what its sockets need besides.

It imports nothing else of ``transport``.
"""

from __future__ import annotations

__all__: list[str] = []
