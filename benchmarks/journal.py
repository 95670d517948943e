"""What the journal of a master costs, alone: ``python -m benchmarks.journal``.

Tasks of 100 bytes are kept, ended and consumed with so many in an event, each event as a transaction of its
own, a few of which may be under way. Then a million open tasks are told again; and three million pass through
while one stays open. Processor time is that of all threads.
"""

from __future__ import annotations

import argparse
import os
import queue
import shutil
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from concurrent.core.component import ComponentManager
from concurrent.scheduling.ledger.jobspec import JobSpec
from concurrent.scheduling.ledger.recorded import (
    OutcomesConsumed,
    OwnerJoined,
    TasksEnded,
    TasksSubmitted,
)
from concurrent.scheduling.store.journal.journal import SQLiteJournal
from concurrent.scheduling.store.journal.place import LEVELS, JournalPlace

__all__ = ["main"]

PAYLOAD_BYTES = 100
UNDER_WAY_MAX = 10
CONSUMED_EACH = 4000
"""So many outcomes an owner consumes at a time."""


class _Journal:
    """A journal in a folder, and the loop that it posts to."""

    def __init__(self, folder: Path, durability: str) -> None:
        self._posts: queue.SimpleQueue[tuple[Callable[..., object], tuple[Any, ...]]] = queue.SimpleQueue()
        self._committed = self._last = 0
        manager = ComponentManager()
        manager.register(SQLiteJournal)
        self.store = manager[SQLiteJournal]
        place = JournalPlace(folder, lambda fn, *args: self._posts.put((fn, args)), durability)
        self.store.open(place, self._on_committed, print)
        self.told_count = sum(len(getattr(event, "payloads", ())) for event in self.store.replay())

    def _on_committed(self, number: int) -> None:
        self._committed = number

    def keep(self, event: Any) -> None:
        """Keep an event; return when few are under way."""
        self.store.append(event)
        self._last = self.store.commit()
        self._wait_for(self._last - UNDER_WAY_MAX)

    def close(self) -> None:
        """Wait until everything is kept."""
        self._wait_for(self._last)
        self.store.close()

    def _wait_for(self, number: int) -> None:
        while self._committed < number:
            fn, args = self._posts.get()
            fn(*args)


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, and print a line for each figure."""
    parser = argparse.ArgumentParser(prog="benchmarks.journal", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a twentieth of everything")
    parser.add_argument("--folder", type=Path, help="a folder on the disk to measure")
    args = parser.parse_args(arguments)
    share = 20 if args.quick else 1
    folder = Path(tempfile.mkdtemp(dir=args.folder))
    try:
        for level in LEVELS:
            for count in (1, 50, 500, 5000):
                _measure_cost(folder / f"{level}-{count}", level, count, min(1_000_000, 4000 * count) // share)
        for count in (5000, 50, 1):
            _measure_start(folder / f"open-{count}", count, 1_000_000 // share)
        _measure_disk(folder / "disk", 3_000_000 // share)
    finally:
        shutil.rmtree(folder)


def _measure_cost(folder: Path, level: str, each: int, total: int) -> None:
    journal = _Journal(folder, level)
    journal.keep(OwnerJoined(1, "benchmark", JobSpec("benchmark")))
    elapsed, used = time.perf_counter(), time.process_time()
    _pass_through(journal, each, total)
    journal.close()
    elapsed, used = time.perf_counter() - elapsed, time.process_time() - used
    print(
        f"{level}, {each} tasks an event: {used / total * 1e6:.2f} us of processor time and "
        f"{elapsed / total * 1e6:.2f} us a task",
        flush=True,
    )


def _pass_through(
    journal: _Journal, each: int, total: int, open_count: int = 0, look: Callable[[], object] = int
) -> None:
    """Submit, end and consume tasks; the first few stay open.

    :param look: called whenever tasks were consumed.
    """
    consumed = 0
    payloads = [os.urandom(PAYLOAD_BYTES)] * each
    for first in range(1, total + 1, each):
        journal.keep(TasksSubmitted(1, first, payloads, first_number=first))
        ids = list(range(max(first, open_count + 1), first + each))
        ended_to = first + each - 1 - open_count
        first_outcome = ended_to - len(ids) + 1
        journal.keep(TasksEnded(1, ids, [0] * len(ids), payloads[: len(ids)], first_outcome))
        if ended_to - consumed >= CONSUMED_EACH:
            consumed = ended_to
            journal.keep(OutcomesConsumed(1, ended_to, first + each, ended_to))
            look()


def _measure_start(folder: Path, each: int, total: int) -> None:
    journal = _Journal(folder, "process")
    journal.keep(OwnerJoined(1, "benchmark", JobSpec("benchmark")))
    payloads = [os.urandom(PAYLOAD_BYTES)] * each
    for first in range(1, total + 1, each):
        journal.keep(TasksSubmitted(1, first, payloads, first_number=first))
    journal.close()
    elapsed, used = time.perf_counter(), time.process_time()
    journal = _Journal(folder, "process")
    elapsed, used = time.perf_counter() - elapsed, time.process_time() - used
    assert journal.told_count == total
    journal.close()
    print(
        f"{total:,} open tasks, {each} an event: told again in {elapsed:.2f} s, {used:.2f} s of processor time",
        flush=True,
    )


def _measure_disk(folder: Path, total: int) -> None:
    journal = _Journal(folder, "host")
    journal.keep(OwnerJoined(1, "benchmark", JobSpec("benchmark")))
    sizes: list[int] = []

    def look() -> None:
        sizes.append(sum(file.stat().st_size for file in folder.iterdir()))

    _pass_through(journal, 1000, total, 1, look)
    wanted_bytes = journal.store.figures().wanted_bytes
    journal.close()
    print(
        f"{total:,} tasks pass and one stays open: at most {max(sizes) / 2**20:.0f} MiB on the disk, "
        f"of which {wanted_bytes} bytes are wanted"
    )


if __name__ == "__main__":
    main()
