"""What moves messages between nodes: TCP and ZeroMQ, their servers and clients.

Loop thread only; other threads make, start and stop endpoints. An endpoint owns its carriers, their
sockets and its handlers. It imports ``calls`` and what is below that, and ``security``.
"""

from __future__ import annotations

__all__: list[str] = []
