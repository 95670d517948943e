"""What a slave does with tasks: takes them, deals them out to its workers, and reports what came of them.

This room runs in the loop thread of a slave node. It owns the pool of workers, the waiting tasks and
the outcomes that are not reported. It opens no payload. It imports ``worker``, ``processes`` and
``wire``.
"""

from __future__ import annotations

__all__: list[str] = []
