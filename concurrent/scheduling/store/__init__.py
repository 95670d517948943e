"""Where a master keeps payloads: in memory up to a budget, the rest in files.

It runs in the master's loop thread, and owns those files. Payloads are opaque here. It imports
``transport`` alone.
"""

from __future__ import annotations

__all__: list[str] = []
