"""Where a master keeps what it has accepted: a journal on disk, and payloads beyond its memory in files.

It runs in the master's loop thread, but for the thread that writes the journal, and owns these files. Payloads
are opaque here. It imports ``ledger`` for the events that it keeps, ``tasks`` for their terms, ``transport``.
"""

from __future__ import annotations

__all__: list[str] = []
