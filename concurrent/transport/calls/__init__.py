"""Methods of peers: which there are, calling them, answering, and one handler for each peer.

Loop thread only, but for proxies. A handler owns its session, its open calls and what waits to leave.
It imports ``session``, ``frames`` and ``loop``, and knows no carrier.
"""

from __future__ import annotations

__all__: list[str] = []
