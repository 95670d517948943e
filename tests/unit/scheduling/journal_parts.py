"""A journal with a loop that runs when the test says so, and events to keep."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from concurrent.core.component import ComponentManager
from concurrent.core.errors import JournalError
from concurrent.scheduling.ledger.jobspec import JobSpec
from concurrent.scheduling.ledger.recorded import (
    OutcomesConsumed,
    OwnerJoined,
    Recordable,
    TasksEnded,
    TasksSubmitted,
)
from concurrent.scheduling.store.journal.journal import SQLiteJournal
from concurrent.scheduling.store.journal.place import JournalPlace

__all__ = ["OpenJournal", "consumed", "ended", "joined", "submitted"]

WAIT_S = 30.0


class OpenJournal:
    """A journal that is open; ``told`` is what it had, ``committed`` the last number, ``failures`` its errors.

    :param options: of the place.
    """

    def __init__(self, folder: Path, **options: Any) -> None:
        self.posts: queue.SimpleQueue[tuple[Callable[..., object], tuple[Any, ...]]] = queue.SimpleQueue()
        self.committed = 0
        self.failures: list[Exception] = []
        manager = ComponentManager()
        manager.register(SQLiteJournal)
        self.journal = manager[SQLiteJournal]
        self.start = self.journal.open(
            JournalPlace(folder, lambda fn, *args: self.posts.put((fn, args)), **options),
            self._on_committed,
            self.failures.append,
        )
        try:
            self.told = list(self.journal.replay())
        except JournalError:
            self.journal.close()
            raise

    def __enter__(self) -> OpenJournal:
        return self

    def __exit__(self, *_error: object) -> None:
        self.journal.close()

    def keep(self, *events: Recordable) -> None:
        """Append events as one transaction, and wait until it is kept."""
        for event in events:
            self.journal.append(event)
        self.wait_for(self.journal.commit())

    def wait_for(self, number: int) -> None:
        """Run the loop until a commit is kept, or the journal has failed."""
        while self.committed < number and not self.failures:
            self.turn()

    def wait_until(self, is_so: Callable[[], bool]) -> None:
        """Have the writer look again until something is so."""
        until = time.monotonic() + WAIT_S
        while not is_so():
            assert time.monotonic() < until
            while not self.posts.empty():
                self.turn()
            self.journal.probe()
            threading.Event().wait(0.005)

    def turn(self) -> None:
        """Run one call that was posted."""
        fn, args = self.posts.get(timeout=WAIT_S)
        fn(*args)

    def _on_committed(self, number: int) -> None:
        self.committed = number


def joined(owner: int = 1, *, keep_s: float = 0.0, keeps_results: bool = False) -> OwnerJoined:
    """Return the beginning of a job."""
    return OwnerJoined(owner, "app", JobSpec(f"job-{owner}", keep_s=keep_s, keeps_results=keeps_results))


def submitted(first_id: int, *payloads: Any, owner: int = 1) -> TasksSubmitted:
    """Return tasks."""
    return TasksSubmitted(owner, first_id, list(payloads), first_number=1000 + first_id)


def ended(first_outcome: int, *ids: int, owner: int = 1, payload: Any = b"result") -> TasksEnded:
    """Return the outcomes of tasks that are finished."""
    return TasksEnded(owner, list(ids), [0] * len(ids), [payload] * len(ids), first_outcome)


def consumed(up_to: int, owner: int = 1) -> OutcomesConsumed:
    """Return that outcomes were consumed."""
    return OutcomesConsumed(owner, up_to, next_id=up_to + 1, finished=up_to)
