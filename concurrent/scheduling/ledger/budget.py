"""What a master may keep: how much memory tasks and outcomes take, and whether owners may push more. Pure.

Payloads are in memory up to a budget and then in files. The store (``store/payloads.py``) does that, and events
say what it has. The bookkeeping alone may have half of the budget.
"""

from __future__ import annotations

from collections.abc import Sized
from typing import Final

from concurrent.scheduling.ledger.events import StoreChanged

__all__ = ["OUTCOME_BYTES", "TASK_BYTES", "Budget"]

TASK_BYTES: Final = 512
"""What a task costs in memory besides its payload."""

OUTCOME_BYTES: Final = 128
"""What an outcome costs in memory besides its payload until its owner has consumed it."""


class Budget:
    """See the module.

    ``open_bytes`` are payloads of tasks without an outcome, ``outcome_bytes`` those of outcomes that were not
    consumed, and ``outcome_count`` is how many of these the ledger has.

    :param tasks: the tasks without an outcome.
    :param memory_bytes_max: above this much payload and bookkeeping, payloads go to files.
    :param disk_bytes_max: how many bytes of payloads may be in files.
    """

    def __init__(self, tasks: Sized, memory_bytes_max: int, disk_bytes_max: int) -> None:
        self.open_bytes = 0
        self.outcome_bytes = 0
        self.outcome_count = 0
        self.store = StoreChanged()
        self._tasks = tasks
        self._memory_bytes_max = memory_bytes_max
        self._bookkeeping_bytes_max = memory_bytes_max // 2
        self._disk_bytes_max = disk_bytes_max

    @property
    def has_room(self) -> bool:
        """Whether owners may push more."""
        if self.store.problem and (self.store.is_vital or self.is_memory_full):
            return False
        return (
            TASK_BYTES * len(self._tasks) + OUTCOME_BYTES * self.outcome_count <= self._bookkeeping_bytes_max
            and self.store.stored_bytes <= self._disk_bytes_max
        )

    @property
    def is_memory_full(self) -> bool:
        """Whether payloads should go to files from now on."""
        payload_bytes = self.open_bytes + self.outcome_bytes - self.store.stored_bytes
        bookkeeping_bytes = TASK_BYTES * len(self._tasks) + OUTCOME_BYTES * self.outcome_count
        return payload_bytes + bookkeeping_bytes > self._memory_bytes_max

    def what_is_short(self) -> str:
        """Return why owners may not push more, by name and figure; nothing if they may."""
        if self.has_room:
            return ""
        budget = f"master.memory_bytes_max = {self._memory_bytes_max}"
        store = self.store
        if store.problem and store.is_vital:
            return store.problem
        if store.stored_bytes > self._disk_bytes_max:
            return (
                f"the master has {store.stored_bytes} bytes in files in {store.place}, and "
                f"master.disk_bytes_max = {self._disk_bytes_max}"
            )
        if store.problem:
            return f"the master cannot write to {store.place}: {store.problem}; its memory is full ({budget})"
        waiting = self.outcome_count
        outcomes = f" and {waiting} outcomes that applications do not take" if waiting else ""
        has = f"{len(self._tasks)} unfinished tasks{outcomes}"
        return f"the master has {has}, and half of {budget} is for keeping count of them"
