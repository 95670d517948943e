"""Who may reach a node: which hosts it may listen on.

It is pure, and imports nothing else of ``transport``.
"""

from __future__ import annotations

__all__: list[str] = []
