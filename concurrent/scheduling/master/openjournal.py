"""The journal of a master while it is open: which it is, what it was, and who is told what becomes of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from concurrent.core.errors import JournalError
from concurrent.scheduling.interfaces import IJournal
from concurrent.scheduling.master.status import JournalStatus
from concurrent.scheduling.store.journal.place import JournalPlace, JournalStart

__all__ = ["OpenJournal"]

EPOCH_BITS: Final = 40
"""An epoch has this many bits for the numbers that it gives."""


class OpenJournal:
    """See the module. Loop thread only.

    ``on_committed`` is called with the number of each commit, and ``on_failed`` once if nothing can be kept any
    more; whoever wants to know sets them. ``start`` says what the journal was.

    :param store: a journal that is not open.
    :raises JournalError: if it cannot be opened.
    """

    def __init__(self, store: IJournal, place: JournalPlace) -> None:
        self.on_committed: Callable[[int], object] = lambda _number: None
        self.on_failed: Callable[[JournalError], object] = lambda _error: None
        self.store = store
        self.place = place
        self.start: JournalStart = store.open(
            place, lambda number: self.on_committed(number), lambda error: self.on_failed(error)
        )

    @property
    def first_number(self) -> int:
        """The first number of a task, an owner or a slave in this epoch; no other epoch gives it."""
        return self.start.epoch << EPOCH_BITS | 1

    def status(self) -> JournalStatus:
        """Return what the journal is doing."""
        figures = self.store.figures()
        return JournalStatus(
            folder=str(self.place.folder),
            durability=self.place.durability,
            cluster=self.start.cluster_id,
            epoch=self.start.epoch,
            used_bytes=figures.used_bytes,
            wanted_bytes=figures.wanted_bytes,
            unwritten=figures.unwritten_count,
            problem=self.store.problem(),
        )

    def close(self) -> None:
        """Keep what was appended, and free the folder."""
        self.store.close()
