"""Recorded events as bytes and back; bytes that are not what was written are found out."""

from __future__ import annotations

import inspect
from dataclasses import fields
from typing import Any
from zlib import crc32

import msgpack
import pytest

from concurrent.core.errors import JournalDamaged
from concurrent.scheduling.ledger import recorded
from concurrent.scheduling.ledger.jobspec import JobSpec
from concurrent.scheduling.ledger.recorded import Recordable, TasksEnded, TasksSubmitted
from concurrent.scheduling.store.journal.records import HEAD, KINDS, OWN_ROW_BYTES, cut, decode, encode
from concurrent.scheduling.tasks.terms import Terms
from concurrent.transport.frames.frames import Frame

EACH = [
    recorded.OwnerJoined(1, "app", None),
    recorded.OwnerJoined(
        1,
        "app",
        JobSpec(
            "id", "name", "executor", "me", {"module": "m"}, 7.5, True, {"python": "3.11"}, 1.5, "submit:me"
        ),
    ),
    recorded.OwnerLeft(1 << 60),
    recorded.SessionAttached(1, 3, True),
    recorded.JobBegun(1, 3),
    recorded.JobClosed(1, "cancelled", 12.5),
    recorded.JobHeld(1, "another Python", True),
    recorded.JobReleased(1, "another Python"),
    recorded.JobNoted(1, 12.5, [("f", "ValueError", 3, "traceback")], 4, 5, 6),
    recorded.CodeDefined(1, 0, b"code"),
    TasksSubmitted(1, 5, [b"a", b"", b"ccc"], Terms(2, "f", -3), ((1, Terms()), (2, Terms(name="g"))), 1 << 40),
    TasksSubmitted(1, 5, []),
    recorded.TasksNamed(1, 5, ["key", "\N{SNOWMAN}"]),
    recorded.TasksTried(1, [5, 9], [b"killed", b""]),
    recorded.TasksRetried(1, [5, 9], [1, 2], [1790000000.5, 0.0]),
    recorded.TasksRenumbered(1, [5, 9], 1 << 41),
    TasksEnded(1, [7, 5], [0, 3], [b"result", b""], 12),
    recorded.OutcomesConsumed(1, 12, 6, 1, 2, 3),
    recorded.SystemPushed(2, 1, 4, 2, b"system"),
    recorded.SystemStepped(2, b"state", 5, 6),
    recorded.SystemStepped(2, None, 5, 6),
    recorded.SystemLosses(2, [(12.5, "killed", True)]),
    recorded.SystemEnded(2, 1, b"failure"),
    recorded.SlaveJoined(3, "slave", 2, 8, {"cpus": 2, "tags": ["a"]}, True),
    recorded.SlaveLost(3, "closed"),
    recorded.SlaveDrained("slave", "admin:kim", 12.5, "rack", 30.0),
    recorded.SlaveResumed("slave"),
]


class Shelf:
    """Rows of payloads in a dict; ``damaged`` has the sizes of what was told as damaged."""

    def __init__(self) -> None:
        self.payloads: dict[int, bytes] = {}
        self.damaged: list[int] = []

    def refer(self, payload: Any) -> int:
        self.payloads[len(self.payloads) + 1] = bytes(payload)
        return len(self.payloads)

    def recall(self, number: int, size_bytes: int) -> bytes:
        if not number:
            self.damaged.append(size_bytes)
            return b"damaged"
        return self.payloads[number]


def test_each_kind_of_events_has_a_number_and_an_example() -> None:
    classes = [cls for _, cls in inspect.getmembers(recorded, inspect.isclass)]
    kinds = {cls for cls in classes if cls.__module__ == recorded.__name__}
    assert {kind.cls for kind in KINDS.values()} == kinds == {type(event) for event in EACH}


@pytest.mark.parametrize("event", EACH, ids=lambda event: type(event).__name__)
def test_an_event_comes_back_as_it_was(event: Recordable) -> None:
    shelf = Shelf()
    body, numbers = encode(7, event, shelf.refer)
    told = decode(7, body, shelf.recall)
    assert told.events == [event]
    assert told.spans is None
    assert told.numbers == numbers == {}


@pytest.mark.parametrize("event", EACH, ids=lambda event: type(event).__name__)
def test_a_row_that_is_cut_short_is_found_out(event: Recordable) -> None:
    body, _ = encode(7, event, Shelf().refer)
    for size in range(len(body)):
        assert _told_or_damaged(event, body[:size]), f"{size} of {len(body)} bytes"


@pytest.mark.parametrize("event", EACH, ids=lambda event: type(event).__name__)
def test_each_flipped_bit_is_found_out(event: Recordable) -> None:
    body, _ = encode(7, event, Shelf().refer)
    for place in range(len(body)):
        for bit in range(8):
            flipped = bytearray(body)
            flipped[place] ^= 1 << bit
            assert _told_or_damaged(event, bytes(flipped)), f"bit {bit} of byte {place}"


def _told_or_damaged(event: Recordable, body: bytes) -> bool:
    """Tell whether bytes are refused, or the payloads alone are told as damaged."""
    shelf = Shelf()
    try:
        (told,) = decode(7, body, shelf.recall).events
    except JournalDamaged as error:
        return "row 7" in str(error)
    others = {"payloads", "payload", "blob", "checkpoint"}
    names = [one.name for one in fields(event) if one.name not in others]
    return all(getattr(told, name) == getattr(event, name) for name in names) and (
        bool(shelf.damaged) or not any(_payloads(event))
    )


def _payloads(event: Any) -> list[bytes]:
    one = [getattr(event, name, None) for name in ("payload", "blob", "checkpoint")]
    return [*getattr(event, "payloads", []), *one]


def test_a_row_in_the_place_of_another_is_found_out() -> None:
    body, _ = encode(7, recorded.OwnerLeft(1), Shelf().refer)
    with pytest.raises(JournalDamaged, match="row 8"):
        decode(8, body, Shelf().recall)


@pytest.mark.parametrize(
    "columns", [7, None, [[], [], None], [{}, [], None], [2, {}, None], [99, [], None], [2, []]]
)
def test_columns_of_another_form_are_found_out_though_their_checksum_is_good(columns: Any) -> None:
    packed = msgpack.packb(columns)
    row = HEAD.pack(crc32(packed, 7), 0, len(packed)) + packed
    with pytest.raises(JournalDamaged, match="row 7"):
        decode(7, row, Shelf().recall)


def test_a_large_payload_is_not_in_the_row() -> None:
    shelf, large = Shelf(), Frame(bytes(OWN_ROW_BYTES))
    body, numbers = encode(7, TasksSubmitted(1, 1, [b"a", large, b"b"]), shelf.refer)
    assert len(body) < 200
    assert numbers == {1: (1, OWN_ROW_BYTES)}
    told = decode(7, body, shelf.recall)
    assert told.events == [TasksSubmitted(1, 1, [b"a", bytes(large), b"b"])]
    assert told.numbers == numbers


def test_a_row_is_not_large_though_it_has_many_payloads() -> None:
    body, numbers = encode(7, TasksSubmitted(1, 1, [bytes(50_000)] * 1000), Shelf().refer)
    assert len(numbers) == 1000
    assert len(body) < 50_000


def test_what_is_left_of_a_cut_row_is_told_with_its_terms_and_numbers() -> None:
    shelf = Shelf()
    low, high = Terms(priority=-1), Terms(priority=1)
    payloads = [b"0", bytes(OWN_ROW_BYTES), b"2", b"3", bytes(OWN_ROW_BYTES + 1), b"5"]
    body, _ = encode(7, TasksSubmitted(1, 10, payloads, low, ((2, high), (5, low)), 100), shelf.refer)
    left = cut(7, body, bytes([2, 0, 1, 2, 0, 0]))
    assert left is not None
    assert decode(7, left, shelf.recall).events == [
        TasksSubmitted(1, 11, [payloads[1], b""], low, ((1, high),), 101),
        TasksSubmitted(1, 14, [payloads[4], b"5"], high, ((1, low),), 104),
    ]
    again = cut(7, left, bytes([3, 2, 2, 3, 2, 0]))
    assert again is not None
    assert decode(7, again, shelf.recall).events == [TasksSubmitted(1, 15, [b"5"], low, (), 105)]
    assert cut(7, again, bytes([3, 3, 3, 3, 3, 2])) is None


def test_a_row_whose_payloads_are_damaged_is_not_cut() -> None:
    body, _ = encode(7, TasksSubmitted(1, 10, [b"a", b"b"]), Shelf().refer)
    with pytest.raises(JournalDamaged, match="payloads"):
        cut(7, body[:-1] + b"x", bytes([2, 0]))


def test_a_field_that_came_later_has_its_default(monkeypatch: pytest.MonkeyPatch) -> None:
    shelf = Shelf()
    body, _ = encode(7, recorded.OutcomesConsumed(1, 12, 13, 12), shelf.refer)
    kind = KINDS[12]
    monkeypatch.setattr(kind, "values", lambda what: [what.owner, what.up_to])
    older, _ = encode(7, recorded.OutcomesConsumed(1, 12, 13, 12), shelf.refer)
    assert len(older) < len(body)
    assert decode(7, older, shelf.recall).events == [recorded.OutcomesConsumed(1, 12)]
