"""Recorded events as bytes, and back. A pure module.

One event is one row, and its bytes are::

    crc32 of columns | crc32 of payloads | size of columns | columns | payloads, one behind the other

Columns are a msgpack array: kind, fields, spans. The checksum of the columns begins with the number of the row,
so that a row in the place of another is found. Payloads have a checksum of their own: where they are damaged,
the bookkeeping is good. A payload that is large is not among them but in a row of its own, see ``Refer``.

A row may be cut: it is told without tasks that nobody wants any more. Then spans are the offsets and counts of
those that are left.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields
from itertools import accumulate
from operator import attrgetter
from types import MappingProxyType
from typing import Any, Final, NamedTuple
from zlib import crc32

from concurrent.core.dependencies import installed_first
from concurrent.core.errors import ConcurrentError, JournalDamaged
from concurrent.scheduling.ledger import recorded
from concurrent.scheduling.ledger.jobspec import JobSpec, jobspec_from
from concurrent.scheduling.ledger.recorded import Recordable, TasksSubmitted
from concurrent.scheduling.tasks.terms import DEFAULT_TERMS, Terms, terms_from

with installed_first("msgpack"):
    import msgpack

__all__ = [
    "EMPTIED",
    "GONE",
    "KEPT",
    "KINDS",
    "KIND_BY_CLASS",
    "OWN_ROW_BYTES",
    "Numbers",
    "Told",
    "cut",
    "decode",
    "encode",
]

OWN_ROW_BYTES: Final = 64 << 10
"""From this size on a payload has a row of its own."""

INLINE_BYTES_MAX: Final = 8 << 20
SMALL_BYTES: Final = 1024
"""If the payloads of an event are more together, all that are not small have rows of their own."""

HEAD: Final = struct.Struct("<III")

KEPT, EMPTIED, GONE = 0, 1, 2
"""What becomes of a task in a row that is cut: it stays, without its payload, or not at all."""

Refer = Callable[[Any], int]
"""Gives a payload a row of its own and returns its number there; the number that it has if it has one."""

Recall = Callable[[int, int], Any]
"""Returns what stands for a payload, by the number of its row and its size; number 0 is a damaged one."""


Numbers = dict[int, tuple[int, int]]
"""Which payloads of a row have rows of their own, by place: the numbers of those rows, and their sizes."""


class Told(NamedTuple):
    """What a row is told as.

    :param events: one; several if the row is cut.
    :param spans: offsets and counts of the tasks that are left of a row that is cut; None if it is not.
    :param numbers: of payloads that have rows of their own.
    """

    events: list[Recordable]
    spans: list[list[int]] | None
    numbers: Numbers


class _Kind:
    """How one class of events is written.

    ``at`` is the place of the field with payloads, -1 if there is none.

    :param payloads: the field that is a list of payloads, or else ``payload``: that is one, or None.
    :param pack: what makes plain values of fields, by name; and ``unpack`` the other way.
    """

    def __init__(
        self,
        cls: Any,
        *,
        payloads: str = "",
        payload: str = "",
        pack: Mapping[str, Callable[[Any], Any]] = MappingProxyType({}),
        unpack: Mapping[str, Callable[[Any], Any]] = MappingProxyType({}),
    ) -> None:
        names = [field.name for field in fields(cls)]
        self.cls = cls
        self.count = len(names)
        self.has_many = bool(payloads)
        self.at = names.index(payloads or payload) if payloads or payload else -1
        self.pack = [(names.index(name), fn) for name, fn in pack.items()]
        self.unpack = [(names.index(name), fn) for name, fn in unpack.items()]
        self._read = attrgetter(*names)

    def values(self, what: Any) -> list[Any]:
        """Return the values of an event."""
        return list(self._read(what)) if self.count > 1 else [self._read(what)]


def _pack_changes(changes: Sequence[tuple[int, Terms]]) -> list[tuple[int, dict[str, Any]]]:
    return [(place, terms.as_map()) for place, terms in changes]


def _unpack_changes(plain: list[Any]) -> tuple[tuple[int, Terms], ...]:
    return tuple((place, terms_from(terms)) for place, terms in plain) if plain else ()


def _unpack_terms(plain: dict[str, Any]) -> Terms:
    return terms_from(plain) if plain else DEFAULT_TERMS


def _pack_job(job: JobSpec | None) -> dict[str, Any] | None:
    return job.as_map() if job is not None else None


def _unpack_job(plain: dict[str, Any] | None) -> JobSpec | None:
    return jobspec_from(plain) if plain is not None else None


def _tuples(rows: list[Any]) -> list[tuple[Any, ...]]:
    return list(map(tuple, rows))


KINDS: Final = {
    1: _Kind(recorded.OwnerJoined, pack={"job": _pack_job}, unpack={"job": _unpack_job}),
    2: _Kind(recorded.OwnerLeft),
    3: _Kind(recorded.SessionAttached),
    4: _Kind(recorded.JobClosed),
    5: _Kind(recorded.JobNoted, unpack={"failures": _tuples}),
    6: _Kind(recorded.CodeDefined, payload="blob"),
    7: _Kind(
        TasksSubmitted,
        payloads="payloads",
        pack={"terms": Terms.as_map, "changes": _pack_changes},
        unpack={"terms": _unpack_terms, "changes": _unpack_changes},
    ),
    8: _Kind(recorded.TasksNamed),
    9: _Kind(recorded.TasksTried),
    10: _Kind(recorded.TasksRenumbered),
    11: _Kind(recorded.TasksEnded, payloads="payloads", pack={"statuses": bytes}, unpack={"statuses": list}),
    12: _Kind(recorded.OutcomesConsumed),
    13: _Kind(recorded.SystemPushed, payload="payload"),
    14: _Kind(recorded.SystemStepped, payload="checkpoint"),
    15: _Kind(recorded.SystemEnded, payload="payload"),
    16: _Kind(recorded.SlaveJoined),
    17: _Kind(recorded.SlaveLost),
    18: _Kind(recorded.JobBegun),
    19: _Kind(recorded.JobHeld),
    20: _Kind(recorded.JobReleased),
    21: _Kind(recorded.SystemLosses, unpack={"losses": _tuples}),
    22: _Kind(recorded.TasksRetried),
    23: _Kind(recorded.SlaveDrained),
    24: _Kind(recorded.SlaveResumed),
}
"""The kinds of rows. A number is never given to another one; a field that comes later has a default."""

KIND_BY_CLASS: Final = {kind.cls: number for number, kind in KINDS.items()}


def encode(seq: int, what: Recordable, refer: Refer) -> tuple[bytes, Numbers]:
    """Return the bytes of an event, and which of its payloads have rows of their own.

    :param seq: the number of its row.
    :param refer: takes payloads that get rows of their own.
    """
    number = KIND_BY_CLASS[type(what)]
    kind = KINDS[number]
    values = kind.values(what)
    for at, pack in kind.pack:
        values[at] = pack(values[at])
    pieces: Sequence[Any] = ()
    numbers: Numbers = {}
    if (at := kind.at) >= 0:
        payloads = values[at] if kind.has_many else [] if values[at] is None else [values[at]]
        values[at], numbers, pieces = _set_aside(payloads, refer)
    return _joined(seq, [number, values, None], pieces), numbers


def decode(seq: int, body: bytes, recall: Recall) -> Told:
    """Return what a row is told as.

    :raises JournalDamaged: if the columns are not what was written.
    """
    row = _Row.read(seq, body)
    kind, values = KINDS[row.kind], row.values
    numbers: Numbers = {}
    try:
        if (at := kind.at) >= 0:
            if values[at][1]:
                numbers = {place: (number, size) for place, (number, size) in values[at][1].items()}
            payloads = row.payloads(recall)
            values[at] = payloads if kind.has_many else next(iter(payloads), None)
        for at, unpack in kind.unpack:
            if at < len(values):
                values[at] = unpack(values[at])
        event = kind.cls(*values[: kind.count])
        return Told([event] if row.spans is None else _spans_of(event, row.spans), row.spans, numbers)
    except (ArithmeticError, AttributeError, ConcurrentError, LookupError, TypeError, ValueError) as error:
        raise _damaged(seq, f"a {kind.cls.__name__} cannot be made of it: {error}") from error


def cut(seq: int, body: bytes, states: bytes) -> bytes | None:
    """Return the bytes of a row of tasks or outcomes without what is not wanted; None if that is all.

    :param states: for each task that the event had at first, one of ``KEPT``, ``EMPTIED`` and ``GONE``.
    :raises JournalDamaged: if the row, payloads included, is not what was written.
    """
    row = _Row.read(seq, body)
    if not row.is_data_good:
        raise _damaged(seq, "its payloads have another checksum")
    spans = row.spans if row.spans is not None else [[0, len(states)]]
    offsets = [offset for start, count in spans for offset in range(start, start + count)]
    at = KINDS[row.kind].at
    sizes, numbers = row.values[at]
    ends = list(accumulate(sizes))
    kept_sizes: list[int] = []
    kept_numbers: dict[int, Any] = {}
    pieces: list[memoryview] = []
    kept_offsets: list[int] = []
    for place, offset in enumerate(offsets):
        if states[offset] == GONE:
            continue
        is_kept = states[offset] == KEPT
        if is_kept and place in numbers:
            kept_numbers[len(kept_sizes)] = numbers[place]
        elif is_kept:
            pieces.append(row.data[ends[place] - sizes[place] : ends[place]])
        kept_sizes.append(sizes[place] if is_kept else 0)
        kept_offsets.append(offset)
    if not kept_offsets:
        return None
    row.values[at] = [kept_sizes, kept_numbers]
    is_whole = len(kept_offsets) == len(states)
    return _joined(seq, [row.kind, row.values, None if is_whole else _spans(kept_offsets)], pieces)


class _Row(NamedTuple):
    """The parts of a row's bytes."""

    kind: int
    values: list[Any]
    spans: list[list[int]] | None
    data: memoryview
    is_data_good: bool

    @classmethod
    def read(cls, seq: int, body: bytes) -> _Row:
        """Take bytes apart; raises JournalDamaged."""
        view = memoryview(body)
        if len(view) < HEAD.size:
            raise _damaged(seq, f"it has {len(view)} bytes only")
        columns_crc, data_crc, size = HEAD.unpack_from(view)
        columns, data = view[HEAD.size : HEAD.size + size], view[HEAD.size + size :]
        if len(columns) != size or crc32(columns, seq & 0xFFFFFFFF) != columns_crc:
            raise _damaged(seq, "its columns have another checksum")
        try:
            kind, values, spans = msgpack.unpackb(columns, strict_map_key=False)
            is_known = kind in KINDS
        except (TypeError, ValueError) as error:
            raise _damaged(seq, str(error)) from error
        if not is_known or type(values) is not list:
            raise _damaged(seq, f"there is no kind {kind!r} of rows")
        return cls(kind, values, spans, data, crc32(data) == data_crc)

    def payloads(self, recall: Recall) -> list[Any]:
        """Return the payloads."""
        sizes, numbers = self.values[KINDS[self.kind].at]
        data, payloads, start = bytes(self.data), [], 0
        if not self.is_data_good:
            payloads = [recall(0, size) if size else b"" for size in sizes]
        elif sum(sizes) != len(data):
            raise ValueError(f"the payloads have {len(data)} bytes")
        else:
            for size in sizes:
                payloads.append(data[start : start + size])
                start += size
        if numbers:
            for place, (number, size) in numbers.items():
                payloads[place] = recall(number, size)
        return payloads


def _set_aside(payloads: Sequence[Any], refer: Refer) -> tuple[Any, Numbers, Sequence[Any]]:
    """Return what stands for payloads in the columns, those with rows of their own, and the others."""
    sizes = list(map(len, payloads))
    is_much = sum(sizes) > INLINE_BYTES_MAX
    if payloads and set(map(type, payloads)) == {bytes} and not is_much and max(sizes) < OWN_ROW_BYTES:
        return [sizes, {}], {}, payloads
    numbers: Numbers = {}
    pieces: list[Any] = []
    for place, payload in enumerate(payloads):
        size = sizes[place]
        has_own = size >= OWN_ROW_BYTES or (is_much and size > SMALL_BYTES) or hasattr(payload, "load")
        if has_own:
            numbers[place] = refer(payload), size
            sizes[place] = 0
        else:
            pieces.append(getattr(payload, "buffer", payload))
    return [sizes, numbers], numbers, pieces


def _joined(seq: int, columns: list[Any], pieces: Sequence[Any]) -> bytes:
    packed = msgpack.packb(columns)
    data = b"".join(pieces)
    return b"".join((HEAD.pack(crc32(packed, seq & 0xFFFFFFFF), crc32(data), len(packed)), packed, data))


def _spans(offsets: list[int]) -> list[list[int]]:
    """Return ascending offsets as spans: where each begins and how many they are."""
    spans: list[list[int]] = []
    for offset in offsets:
        if spans and sum(spans[-1]) == offset:
            spans[-1][1] += 1
        else:
            spans.append([offset, 1])
    return spans


def _spans_of(whole: TasksSubmitted, spans: list[list[int]]) -> list[Recordable]:
    """Return the events that a cut row is told as.

    :param whole: the event, with the payloads only that are left.
    """
    told: list[Recordable] = []
    at = 0
    changes = [(0, whole.terms), *whole.changes]
    for offset, count in spans:
        before = [terms for place, terms in changes if place <= offset]
        inside = tuple((place - offset, terms) for place, terms in changes if offset < place < offset + count)
        told.append(
            TasksSubmitted(
                whole.owner,
                whole.first_id + offset,
                whole.payloads[at : at + count],
                before[-1],
                inside,
                whole.first_number + offset if whole.first_number else 0,
                whole.at,
            )
        )
        at += count
    return told


def _damaged(seq: int, problem: str) -> JournalDamaged:
    return JournalDamaged(f"row {seq} of a journal is damaged: {problem}", thing=f"row {seq}")
