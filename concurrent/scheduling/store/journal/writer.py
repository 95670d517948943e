"""Writes the journal: one thread, whose is the connection, and what the loop thread hands over to it.

What comes while a transaction is under way is the next one, all of it together. One for which the disk has no
room is tried again; after any other failure nothing is written, and so nothing acknowledged, any more.
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final, TypeVar

from concurrent.core.callthread import CallThread
from concurrent.core.errors import ConcurrentError, JournalError, LoopClosed
from concurrent.core.loggers import get_log
from concurrent.scheduling.store.journal.database import Database
from concurrent.scheduling.store.journal.folder import Folder
from concurrent.scheduling.store.journal.jobrows import Changes
from concurrent.scheduling.store.journal.place import JournalPlace, JournalStart
from concurrent.scheduling.store.journal.records import cut
from concurrent.scheduling.store.journal.space import Space
from concurrent.scheduling.store.journal.stored import StoredPayload
from concurrent.transport.loop.loop import run_call

__all__ = ["Batch", "Writer"]

T = TypeVar("T")

TIDY_BYTES: Final = 1 << 20
TIDY_COUNT: Final = 100
"""After so much, or so many transactions, the files are kept small, and the room on the disk is looked at."""

log = get_log(__name__)


@dataclass(slots=True)
class Batch:
    """What one turn of the loop has written: all of it or nothing.

    :param number: of the batch; they count from 1.
    :param rows: number, kind, owner and bytes of each row.
    :param payloads: number, checksum and bytes of each payload with a row of its own.
    :param stored: what stands for such payloads, and needs not have them in memory afterwards.
    """

    number: int = 0
    rows: list[tuple[int, int, int, bytes]] = field(default_factory=list)
    payloads: list[tuple[int, int, Any]] = field(default_factory=list)
    stored: list[StoredPayload] = field(default_factory=list)
    changes: Changes = field(default_factory=Changes)

    @property
    def size_bytes(self) -> int:
        """How large what it adds is."""
        return sum(len(row[3]) for row in self.rows) + sum(len(row[2]) for row in self.payloads)


class Writer:
    """See the module. Its methods are for the loop thread.

    :param place: where the journal is; ``place.post`` has the loop make the calls below.
    :param on_written: called with the batches of a transaction that was committed.
    :param on_failed: called once, when nothing will be written any more.
    """

    def __init__(
        self,
        place: JournalPlace,
        on_written: Callable[[list[Batch]], object],
        on_failed: Callable[[JournalError], object],
    ) -> None:
        self.space = Space(place)
        self._place = place
        self._on_written = on_written
        self._on_failed = on_failed
        self._thread = CallThread("concurrent-journal")
        self._batches: deque[Batch] = deque()
        self._has_failed = False
        self._is_closed = False
        self._written_bytes = 0  # these two since it was tidied
        self._written_count = 0
        self._folder: Folder
        self._database: Database

    def open(self) -> JournalStart:
        """Lock the folder, open the database and begin an epoch.

        :raises JournalError: if one of these fails.
        """
        self._folder = Folder(self._place.folder, allow_network=self._place.allow_network)
        self._thread.start()
        try:
            return self.call(self._open)
        except ConcurrentError:
            self._end()
            raise

    def hand_over(self, batch: Batch) -> None:
        """Have a batch written, at once if none is under way; nothing happens once it is closed."""
        if self._is_closed:
            return
        self._batches.append(batch)
        self._thread.put(self._write)

    def look_again(self) -> None:
        """Try again to write what there was no room for, and see how much there is."""
        if self._is_closed:
            return
        self._thread.put(self._look_again)

    def call(self, fn: Callable[..., T], *args: Any) -> T:
        """Return what a function returns, or raise what it raises, in the thread; ``database`` is there."""
        future: Future[T] = Future()
        self._thread.put(partial(run_call, future, partial(fn, *args)))
        return future.result()

    def read(self, name: str, *args: Any) -> Any:
        """Return what a method of the database returns, by its name."""
        return self.call(lambda: getattr(self._database, name)(*args))

    def close(self) -> None:
        """Write what was handed over, and end the thread."""
        self._is_closed = True
        self._thread.put(self._close)
        self._end()

    def _end(self) -> None:
        self._thread.end()
        self._thread.join()
        self._folder.close()

    def _open(self) -> JournalStart:
        self._database = database = self._opened()
        self._folder.immortal.append(database.connection)
        start = self._begun()
        self._folder.sign(start.epoch)
        self.space.look(database)
        return start

    def _opened(self) -> Database:
        return self._with_reserve(lambda: Database(self._folder.database, self._place.durability))

    def _begun(self) -> JournalStart:
        try:
            return self._with_reserve(partial(self._database.begin_epoch, self._folder.last_epoch))
        except JournalError:
            self._database.abandon()
            raise

    def _with_reserve(self, fn: Callable[[], T]) -> T:
        """Return what a function returns; if the disk is too full for it, once more without the reserve."""
        try:
            return fn()
        except JournalError as error:
            cause = error.__cause__
            if cause is None or not self.space.is_full(cause) or not self.space.use_reserve():
                raise
        return fn()

    def _write(self) -> None:
        """Write what has been handed over by now; a call that finds nothing comes after one that wrote it."""
        if self._has_failed:
            self._batches.clear()
        if not self._batches:
            return
        batches = [self._batches.popleft() for _ in range(len(self._batches))]
        try:
            self._database.begin()
            for batch in batches:
                self._write_batch(batch)
            self._database.commit()
        except BaseException as error:  # boundary: whatever it is, nothing is acknowledged that was not written
            self._not_written(batches, error)
            return
        self._post(self._on_written, batches)
        self._written_count += 1
        self._written_bytes += sum(batch.size_bytes for batch in batches)
        is_much = self._written_bytes >= TIDY_BYTES or self._written_count >= TIDY_COUNT
        if is_much or self.space.problem:
            self._attempt(self._tidy)

    def _write_batch(self, batch: Batch) -> None:
        database = self._database
        database.write(batch.rows, batch.payloads)
        for seq, states in batch.changes.cuts:
            body = database.row(seq)
            if body is not None and (left := cut(seq, body, states)) is not None:
                database.replace(seq, left)
        database.delete(batch.changes.rows, batch.changes.payloads)

    def _not_written(self, batches: list[Batch], error: BaseException) -> None:
        """Take a failed transaction back, and try it again when there is room; else give up for good."""
        try:
            self._database.roll_back()
        except sqlite3.Error as failed:
            error = failed
        if not self.space.is_full(error):
            self._fail(error)
            return
        self._batches.extendleft(reversed(batches))
        if self.space.use_reserve():
            self._thread.put(self._write)

    def _tidy(self) -> None:
        """Between transactions: keep the files small, and see how much room there is."""
        self._written_bytes = self._written_count = 0
        self._database.move_log()
        if self._database.give_back():
            self._thread.put(self._tidy_more)
        self.space.look(self._database)

    def _tidy_more(self) -> None:
        if not self._is_closed and not self._has_failed:
            self._attempt(self._tidy)

    def _look_again(self) -> None:
        self._write()
        if not self._batches and not self._has_failed:
            self._attempt(self._tidy)

    def _attempt(self, fn: Callable[[], object]) -> None:
        try:
            fn()
        except BaseException as error:  # boundary: a disk that fails here fails for what comes, too
            if not self.space.is_full(error):
                self._fail(error)

    def _fail(self, error: BaseException) -> None:
        if self._has_failed:
            return
        self._has_failed = True
        failure = JournalError(
            f"the journal {self._place.folder} cannot be written: {error}",
            thing=str(self._place.folder),
            remedy="Nothing was acknowledged since. See to the disk, then start the master again",
        )
        log.critical("%s", failure, exc_info=error if not isinstance(error, (sqlite3.Error, OSError)) else None)
        self._post(self._on_failed, failure)

    def _post(self, fn: Callable[..., object], *args: Any) -> None:
        with contextlib.suppress(LoopClosed):  # nobody waits for it any more
            self._place.post(fn, *args)

    def _close(self) -> None:
        self._write()
        if self._has_failed or self._batches:
            self._database.abandon()
        else:
            self._attempt(self._database.close)
        self.space.close()
