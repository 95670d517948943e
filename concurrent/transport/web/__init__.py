"""The JSON API: its server, its client and the documents that describe it.

The server has threads of its own, which it owns together with its sockets; each client has one, in
which its calls are made. It imports ``calls``, ``session``, ``loop`` and ``security``, and no carrier.
"""

from __future__ import annotations

__all__: list[str] = []
