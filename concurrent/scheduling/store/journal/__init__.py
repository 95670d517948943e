"""The journal of a master: what was accepted, on disk, in one SQLite file with one owner.

It runs in the master: :class:`SQLiteJournal` belongs to the loop thread, the connection to a thread of its own
that writes. It owns the folder, its lock and that thread. It imports ``ledger`` for the events that it keeps,
``tasks`` for their terms, and ``transport`` for frames.
"""

from __future__ import annotations

__all__: list[str] = []
