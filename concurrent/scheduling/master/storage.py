"""The master's hand for payloads: moves them to a disk when the memory is full, and loads them from there.

They are in files without a name, or in the journal if there is one. Loop thread only.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from concurrent.scheduling.interfaces import IJournal
from concurrent.scheduling.ledger.budget import Budget
from concurrent.scheduling.ledger.events import Event, ProbeStore, StoreChanged

__all__ = ["IStore", "JournalStore", "Storage", "loaded"]


class IStore(Protocol):
    """Where payloads are that are not in memory.

    ``problem`` says why it cannot take any now, ``place`` where it is.
    """

    @property
    def stored_bytes(self) -> int:
        """How many bytes it has instead of the memory."""

    @property
    def problem(self) -> str:
        """Why nothing can be written now; nothing if it can."""

    @property
    def place(self) -> str:
        """Its folder."""

    def put(self, payload: Any) -> Any:
        """Return what stands for a payload from now on, be it the payload itself."""

    def loaded(self, payloads: list[Any]) -> list[Any]:
        """Return payloads as they travel; raises OSError if one cannot be read."""

    def probe(self) -> None:
        """Find out whether it can be written again."""

    def close(self) -> None:
        """Free what it has."""


class JournalStore:
    """The journal as a store. It is closed by whoever opened it.

    :param place: its folder.
    """

    def __init__(self, journal: IJournal, place: str) -> None:
        self.place = place
        self._journal = journal

    @property
    def stored_bytes(self) -> int:
        """How many bytes it has instead of the memory."""
        return self._journal.figures().stored_bytes

    @property
    def problem(self) -> str:
        """Why no new work can be taken now, by name and figure; nothing if it can."""
        return self._journal.problem()

    def put(self, payload: Any) -> Any:
        """Return what stands for a payload and leaves the memory once the journal has kept it."""
        return self._journal.put(payload)

    def loaded(self, payloads: list[Any]) -> list[Any]:
        """Return payloads as they travel; raises OSError if one cannot be read."""
        if any(hasattr(kind, "load") for kind in set(map(type, payloads))):
            return list(map(loaded, payloads))
        return payloads

    def probe(self) -> None:
        """Look again whether there is room."""
        self._journal.probe()

    def close(self) -> None:
        """Do nothing."""


class Storage:
    """See the module. ``loaded`` returns payloads as they travel; it raises OSError if one cannot be read.

    :param budget: says whether the memory is full.
    :param apply: takes an event to the ledger: what the store has.
    :param store: where payloads go then.
    :param is_vital: whether nothing may be accepted while the store cannot be written.
    """

    def __init__(
        self, budget: Budget, apply: Callable[[Event], object], store: IStore, *, is_vital: bool = False
    ) -> None:
        self._budget = budget
        self._apply = apply
        self._store = store
        self.loaded = store.loaded
        self._is_vital = is_vital

    @property
    def stored_bytes(self) -> int:
        """How many bytes are on the disk instead of in memory."""
        return self._store.stored_bytes

    def kept(self, payloads: list[Any]) -> list[Any]:
        """Return what stands for payloads from now on: themselves, unless the memory is full."""
        if self._is_vital or self._store.stored_bytes != self._budget.store.stored_bytes:
            self.note()
        if not self._budget.is_memory_full:
            return payloads
        kept = [self._store.put(one) for one in payloads]
        self.note()
        return kept

    def note(self) -> None:
        """Tell the ledger if the store has not what it had."""
        store, known = self._store, self._budget.store
        if store.stored_bytes != known.stored_bytes or store.problem != known.problem:
            self._tell()

    def probe(self, _command: ProbeStore) -> None:
        """Find out whether the store can be written again, if that has failed, and tell the ledger."""
        if self._store.problem:
            self._store.probe()
        self._tell()

    def _tell(self) -> None:
        store = self._store
        self._apply(StoreChanged(store.stored_bytes, store.problem, store.place, self._is_vital))

    def close(self) -> None:
        """Free the files."""
        self._store.close()


def loaded(payload: Any) -> Any:
    """Return a payload as it travels; raises OSError if it is in the journal alone and cannot be read."""
    return payload.load() if hasattr(payload, "load") else payload
