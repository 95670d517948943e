"""Outcomes that a master may not have got."""

from __future__ import annotations

from concurrent.scheduling.slave.unconfirmed import KEPT_BYTES_MAX, Outcomes, Unconfirmed
from concurrent.scheduling.tasks.outcome import CANCELLED, DIED, FAILED, FINISHED
from concurrent.transport.frames.frames import Frame


def of(*numbers: int, payload: bytes | Frame = b"") -> Outcomes:
    return Outcomes([*numbers], [FINISHED] * len(numbers), [payload] * len(numbers))


def test_what_was_acknowledged_is_not_kept() -> None:
    unconfirmed = Unconfirmed()
    for message in (3, 5, 9):
        unconfirmed.sent(of(message), message)
    unconfirmed.confirm(5)
    assert unconfirmed.take() == [of(9)]
    assert unconfirmed.take() == []


def test_only_outcomes_of_their_own_are_kept_for_a_master_that_is_away() -> None:
    unconfirmed = Unconfirmed()
    unconfirmed.keep(Outcomes([1, 2, 3, 4], [FINISHED, DIED, CANCELLED, FAILED], [b"a", b"b", b"c", b"d"]))
    unconfirmed.keep(Outcomes([5], [DIED], [b"e"]))
    unconfirmed.confirm(1000)
    assert unconfirmed.take() == [Outcomes([1, 4], [FINISHED, FAILED], [b"a", b"d"])]


def test_what_is_under_way_holds_no_memory_of_the_workers() -> None:
    unconfirmed = Unconfirmed()
    unconfirmed.sent(of(1, payload=Frame(bytes(100))), 1)
    assert unconfirmed.take() == []


def test_the_oldest_are_dropped_when_there_are_too_many() -> None:
    unconfirmed = Unconfirmed()
    for number in range(5):
        unconfirmed.keep(of(number, payload=bytes(KEPT_BYTES_MAX // 3)))
    assert [outcomes.numbers for outcomes in unconfirmed.take()] == [[3], [4]]
