"""The master's hand for payloads: moves them to files when the memory is full, and loads them from there.

Loop thread only.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from concurrent.scheduling.ledger.budget import Budget
from concurrent.scheduling.ledger.events import Event, ProbeStore, StoreChanged
from concurrent.scheduling.store.payloads import PayloadStore

__all__ = ["Storage"]


class Storage:
    """See the module.

    :param budget: says whether the memory is full.
    :param apply: takes an event to the ledger: what the files have.
    :param folder: where the files are; None for the system's folder for temporary files.
    """

    def __init__(self, budget: Budget, apply: Callable[[Event], object], folder: Path | None) -> None:
        self._budget = budget
        self._apply = apply
        self._store = PayloadStore(folder)

    @property
    def stored_bytes(self) -> int:
        """How many bytes are in files."""
        return self._store.stored_bytes

    def kept(self, payloads: list[Any]) -> list[Any]:
        """Return what stands for payloads from now on: themselves, unless the memory is full."""
        if self._store.stored_bytes != self._budget.store.stored_bytes:
            self.note()
        if not self._budget.is_memory_full:
            return payloads
        kept = [self._store.put(one) for one in payloads]
        self.note()
        return kept

    def loaded(self, payloads: list[Any]) -> list[Any]:
        """Return payloads as they travel, those in files too.

        :raises OSError: if a file cannot be read.
        """
        return list(map(self._store.load, payloads)) if self._store.stored_bytes else payloads

    def note(self) -> None:
        """Tell the ledger if the files have not what they had."""
        store, known = self._store, self._budget.store
        if store.stored_bytes != known.stored_bytes or store.problem != known.problem:
            self._tell()

    def probe(self, _command: ProbeStore) -> None:
        """Find out whether files can be written again, if that has failed, and tell the ledger."""
        if self._store.has_failed:
            self._store.probe()
        self._tell()

    def _tell(self) -> None:
        store = self._store
        self._apply(StoreChanged(store.stored_bytes, store.problem, store.place))

    def close(self) -> None:
        """Free the files."""
        self._store.close()
