"""Who is told how tasks end, to remember it for people. Pure: the ledger does not wait for them, nor look."""

from __future__ import annotations

from typing import Any, Protocol

from concurrent.scheduling.ledger.latelyended import Where
from concurrent.scheduling.ledger.records import JobRecord, TaskRecord

__all__ = ["IWatcher"]


class IWatcher(Protocol):
    """See the module. It is called once for what ends together, and must not change what it is given."""

    def ended(
        self,
        job: JobRecord,
        tasks: list[TaskRecord],
        statuses: list[int],
        payloads: list[Any],
        where: Where,
    ) -> None:
        """Know how tasks of a job have ended, and where and when that was, if a slave said so."""

    def tried(self, tries: list[tuple[TaskRecord, int, Any]]) -> None:
        """Know of tries of tasks, with status and payload, that were not the last ones."""
