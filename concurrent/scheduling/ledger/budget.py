"""What a master may keep: how much memory tasks and outcomes take, and whether owners may push more. Pure.

Payloads are in memory up to a budget and then in files. The store (``store/payloads.py``) does that, and events
say what it has. The bookkeeping alone may have half of the budget.

Jobs that are kept are accounted for by themselves: their tasks may have to wait for days, and whoever pushes
them wants to leave. They do not wait for others, and others do not wait for them.
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
    consumed, and ``outcome_count`` is how many of these the ledger has. ``kept_count`` is how many of the tasks
    are of jobs that are kept.

    :param tasks: the tasks without an outcome.
    :param memory_bytes_max: above this much payload and bookkeeping, payloads go to files.
    :param disk_bytes_max: how many bytes of payloads may be in files.
    :param kept_bytes_max: how much memory there may be for tasks of jobs that are kept, and for all payloads.
    """

    def __init__(
        self, tasks: Sized, memory_bytes_max: int, disk_bytes_max: int, kept_bytes_max: int = 1 << 30
    ) -> None:
        self.open_bytes = 0
        self.outcome_bytes = 0
        self.outcome_count = 0
        self.kept_count = 0
        self.store = StoreChanged()
        self._tasks = tasks
        self._memory_bytes_max = memory_bytes_max
        self._bookkeeping_bytes_max = memory_bytes_max // 2
        self._disk_bytes_max = disk_bytes_max
        self._kept_bytes_max = kept_bytes_max

    def has_room(self, *, is_kept: bool = False) -> bool:
        """Return whether owners may push more.

        :param is_kept: those of jobs that are kept, or the others.
        """
        store = self.store
        if store.problem and (store.is_vital or self.is_memory_full):
            return False
        if store.stored_bytes > self._disk_bytes_max:
            return False
        if is_kept:
            return self._kept_bytes <= self._kept_bytes_max
        return self._bookkeeping_bytes <= self._bookkeeping_bytes_max

    @property
    def is_memory_full(self) -> bool:
        """Whether payloads should go to files from now on."""
        return self._payload_bytes + self._bookkeeping_bytes > self._memory_bytes_max

    @property
    def _payload_bytes(self) -> int:
        return self.open_bytes + self.outcome_bytes - self.store.stored_bytes

    @property
    def _bookkeeping_bytes(self) -> int:
        return TASK_BYTES * (len(self._tasks) - self.kept_count) + OUTCOME_BYTES * self.outcome_count

    @property
    def _kept_bytes(self) -> int:
        return TASK_BYTES * self.kept_count + self._payload_bytes

    def what_is_short(self, *, is_kept: bool = False) -> str:
        """Return why owners may not push more, by name and figure; nothing if they may.

        :param is_kept: those of jobs that are kept, or the others.
        """
        if self.has_room(is_kept=is_kept):
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
        if is_kept:
            return (
                f"the master has {self.kept_count} unfinished tasks of jobs, which take {self._kept_bytes} "
                f"bytes of its memory, and job.memory_bytes_max = {self._kept_bytes_max}: raise that in the "
                "configuration of the master, or have each task do more"
            )
        waiting = self.outcome_count
        outcomes = f" and {waiting} outcomes that applications do not take" if waiting else ""
        has = f"{len(self._tasks) - self.kept_count} unfinished tasks{outcomes}"
        return f"the master has {has}, and half of {budget} is for keeping count of them"
