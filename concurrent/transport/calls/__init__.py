"""Methods of peers: which there are, calling them, answering, and one handler for each peer.

Loop thread only, but for casts and calls, which any thread may make of a handler or proxy. A handler owns
its session, its open calls and what waits to leave. It imports ``session``, ``frames``, ``loop`` and
``security``, and knows no carrier.
"""

from __future__ import annotations

__all__: list[str] = []
