"""Large buffers that travel beside a message, and the memory that they are received into.

Any thread of any process may use it; it owns nothing, and what it allocates belongs to whoever asked.
It imports nothing else of ``transport``.
"""

from __future__ import annotations

from concurrent.transport.frames.frames import Frame, as_payload

__all__ = ["Frame", "as_payload"]
