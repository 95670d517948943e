"""What a master may keep: payloads in memory up to a budget, then in files; and whether owners may push more.

Loop thread only.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

from concurrent.scheduling.ledger.ledger import Ledger
from concurrent.scheduling.master.delivery import Delivery
from concurrent.scheduling.store.payloads import PayloadStore

__all__ = ["Budget"]

TASK_BYTES: Final = 512
"""What a task costs in memory besides its payload."""

OUTCOME_BYTES: Final = 128
"""What an outcome costs in memory besides its payload while its owner does not take it."""


class Budget:
    """See the module.

    :param memory_bytes_max: above this much payload and bookkeeping, payloads go to files; the bookkeeping
        alone may have half of it.
    :param disk_bytes_max: how many bytes of payloads may be in files.
    :param folder: where the files are; None for the system's folder for temporary files.
    """

    def __init__(self, ledger: Ledger, memory_bytes_max: int, disk_bytes_max: int, folder: Path | None) -> None:
        self.delivery: Delivery
        """Where outcomes wait; it loads them from here."""
        self._ledger = ledger
        self._memory_bytes_max = memory_bytes_max
        self._disk_bytes_max = disk_bytes_max
        self._store = PayloadStore(folder)

    @property
    def stored_bytes(self) -> int:
        """How many bytes are in files."""
        return self._store.stored_bytes

    @property
    def has_room(self) -> bool:
        """Whether owners may push more."""
        store = self._store
        if store.problem and self._is_memory_full:
            return False
        return (
            self._bookkeeping_bytes <= self._memory_bytes_max // 2
            and store.stored_bytes <= self._disk_bytes_max
        )

    def what_is_short(self) -> str:
        """Return why owners may not push more, by name and figure; nothing if they may."""
        if self.has_room:
            return ""
        budget = f"master.memory_bytes_max = {self._memory_bytes_max}"
        store = self._store
        if store.stored_bytes > self._disk_bytes_max:
            return (
                f"the master has {store.stored_bytes} bytes in files in {store.place}, and "
                f"master.disk_bytes_max = {self._disk_bytes_max}"
            )
        if store.has_failed:
            return f"the master cannot write to {store.place}: {store.problem}; its memory is full ({budget})"
        count = len(self._ledger.task_by_number)
        waiting = self.delivery.waiting_count
        outcomes = f" and {waiting} outcomes that applications do not take" if waiting else ""
        has = f"{count} unfinished tasks{outcomes}"
        return f"the master has {has}, and half of {budget} is for keeping count of them"

    def probe(self) -> None:
        """Find out whether files can be written again, if that has failed."""
        if self._store.has_failed:
            self._store.probe()

    def kept(self, payloads: list[Any]) -> list[Any]:
        """Return what stands for payloads from now on: themselves, unless the memory is full."""
        return [self._store.put(one) for one in payloads] if self._is_memory_full else payloads

    def loaded(self, payloads: list[Any]) -> list[Any]:
        """Return payloads as they travel, those in files too.

        :raises OSError: if a file cannot be read.
        """
        if not self._store.stored_bytes:
            return payloads
        return list(map(self._store.load, payloads))

    def close(self) -> None:
        """Free the files."""
        self._store.close()

    @property
    def _is_memory_full(self) -> bool:
        """Whether payloads should go to files from now on."""
        ledger = self._ledger
        used = ledger.open_bytes + self.delivery.waiting_bytes - self._store.stored_bytes
        return used + self._bookkeeping_bytes > self._memory_bytes_max

    @property
    def _bookkeeping_bytes(self) -> int:
        """What the master has in memory besides payloads."""
        return TASK_BYTES * len(self._ledger.task_by_number) + OUTCOME_BYTES * self.delivery.waiting_count
