"""The journal of a master in SQLite. Loop thread; see ``writer.py`` for the one that writes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final, cast
from zlib import crc32

from concurrent.core.component import Component
from concurrent.core.errors import JournalDamaged, JournalError
from concurrent.core.interface import implements
from concurrent.scheduling.interfaces import IJournal
from concurrent.scheduling.ledger.recorded import (
    Recordable,
    TasksEnded,
    TasksNamed,
)
from concurrent.scheduling.store.journal.folder import damaged
from concurrent.scheduling.store.journal.live import Live
from concurrent.scheduling.store.journal.place import JournalFigures, JournalPlace, JournalStart
from concurrent.scheduling.store.journal.records import KIND_BY_CLASS, Told, decode, encode
from concurrent.scheduling.store.journal.stored import Shelf, StoredPayload
from concurrent.scheduling.store.journal.writer import Batch, Writer
from concurrent.transport.frames.frames import Frame

__all__ = ["SQLiteJournal"]

STORED_BYTES_MIN: Final = 1024
"""Smaller payloads stay in memory: what stands for them there would not be much smaller."""


class SQLiteJournal(Component):
    """See the module and :class:`IJournal`."""

    implements(IJournal)

    def open(
        self,
        place: JournalPlace,
        on_committed: Callable[[int], object],
        on_failed: Callable[[JournalError], object],
    ) -> JournalStart:
        """See the interface."""
        self._place = place
        self._on_committed = on_committed
        self._live = Live()
        self._batch = Batch()
        self._unwritten: dict[int, Batch] = {}
        self._last_batch = 0
        self._is_open = True
        self._writer = Writer(place, self._written, on_failed)
        self._shelf = Shelf(lambda number: cast(bytes, self._writer.read("payload", number)))
        start = self._writer.open()
        self._payload_number: int
        self._seq, self._payload_number = self._writer.read("last_numbers")
        return start

    def replay(self) -> Iterator[Recordable]:
        """See the interface."""
        left = self._writer.read("left_owners")
        seq = count = total = 0
        while rows := self._writer.read("rows", seq):
            for seq, owner, body in rows:
                told = self._decode(seq, body)
                count += 1
                total += seq
                self._live.note(seq, len(body), told)
                if owner not in left:
                    yield from told.events
        if self._writer.read("counted") != (count, total):
            raise damaged(self._place.folder, f"it has {count} rows, and not all that were written")

    def append(self, what: Recordable) -> None:
        """See the interface."""
        self._seq += 1
        body, numbers = encode(self._seq, what, self._refer)
        owner = getattr(what, "owner", 0)
        self._batch.rows.append((self._seq, KIND_BY_CLASS[type(what)], owner, body))
        self._live.note(self._seq, len(body), Told([what], None, numbers))

    def commit(self) -> int:
        """See the interface."""
        return self._hand_over() if self._batch.rows else 0

    def put(self, payload: bytes | Frame) -> bytes | Frame | StoredPayload:
        """See the interface."""
        if len(payload) < STORED_BYTES_MIN:
            return payload
        return StoredPayload(self._shelf, len(payload), data=payload)

    def tasks(self, owner: int, ids: Sequence[int]) -> list[Any]:
        """See the interface."""
        job = self._live.jobs.get(owner)
        found: dict[int, Any] = {}
        for told in self._told(job.task_rows(ids)) if job is not None else ():
            found.update(enumerate(told.payloads, told.first_id))
        return [found.get(task_id, b"") for task_id in ids]

    def outcomes(self, owner: int, first: int, count: int) -> TasksEnded:
        """See the interface."""
        job = self._live.jobs.get(owner)
        ended = TasksEnded(owner, [], [], [], first)
        for told in self._told(job.outcome_rows(first, count)) if job is not None else ():
            part = slice(max(0, first - told.first_outcome), max(0, first + count - told.first_outcome))
            if not ended.ids:
                ended.first_outcome = told.first_outcome + part.start
            ended.ids += told.ids[part]
            ended.statuses += told.statuses[part]
            ended.payloads += told.payloads[part]
        return ended

    def keys(self, owner: int, first_id: int, count: int) -> TasksNamed:
        """See the interface."""
        job = self._live.jobs.get(owner)
        key_by_id: dict[int, str] = {}
        for told in self._told(job.key_rows(first_id, count)) if job is not None else ():
            key_by_id.update(enumerate(told.keys, told.first_id))
        ids = range(first_id, first_id + count)
        last = max((task_id for task_id in ids if task_id in key_by_id), default=first_id - 1)
        return TasksNamed(owner, first_id, [key_by_id.get(one, "") for one in range(first_id, last + 1)])

    def problem(self) -> str:
        """See the interface."""
        return self._writer.space.problem

    def probe(self) -> None:
        """See the interface."""
        self._writer.look_again()

    def figures(self) -> JournalFigures:
        """See the interface."""
        live = self._live
        used_bytes = self._writer.space.used_bytes
        return JournalFigures(used_bytes, live.wanted_bytes, self._shelf.stored_bytes, len(self._unwritten))

    def close(self) -> None:
        """See the interface."""
        self.commit()
        self._is_open = False
        self._writer.close()

    def _hand_over(self) -> int:
        batch = self._batch
        self._last_batch += 1
        batch.number = self._last_batch
        batch.changes = self._live.changes()
        self._unwritten[batch.number] = batch
        self._batch = Batch()
        self._writer.hand_over(batch)
        return batch.number

    def _refer(self, payload: Any) -> int:
        """Return the number of the row of a payload, which it gets now if it has none."""
        data: Any = payload
        if isinstance(payload, StoredPayload):
            if payload.number:
                return payload.number
            data = payload.data
        self._payload_number = number = self._payload_number + 1
        if isinstance(payload, StoredPayload):
            payload.number = number
            self._batch.stored.append(payload)
        buffer = data.buffer if isinstance(data, Frame) else data
        self._batch.payloads.append((number, crc32(buffer), buffer))
        return number

    def _recall(self, number: int, size_bytes: int) -> StoredPayload:
        return StoredPayload(self._shelf, size_bytes, number=number)

    def _written(self, batches: list[Batch]) -> None:
        for batch in batches:
            del self._unwritten[batch.number]
            for stored in batch.stored:
                stored.written()
        self._on_committed(batches[-1].number)
        if self._live.has_more and not self._unwritten and self._is_open:  # though nothing more may come
            self._hand_over()

    def _told(self, rows: list[int]) -> Iterator[Any]:
        """Return what rows are told as, on disk or not; all of them are read at once."""
        body_by_seq = {
            row[0]: row[3] for batch in (self._batch, *self._unwritten.values()) for row in batch.rows
        }
        on_disk = [seq for seq in rows if seq not in body_by_seq]
        if on_disk:
            body_by_seq.update(self._writer.read("bodies", on_disk))
        for seq in rows:
            if seq in body_by_seq:
                yield from self._decode(seq, body_by_seq[seq]).events

    def _decode(self, seq: int, body: bytes) -> Told:
        try:
            return decode(seq, body, self._recall)
        except JournalDamaged as error:
            raise damaged(self._place.folder, error.message) from error
