"""Outcomes that a master may not have got."""

from __future__ import annotations

import pytest

from concurrent.scheduling.slave.unconfirmed import KEPT_BYTES_MAX, Outcomes, Unconfirmed
from concurrent.scheduling.tasks.outcome import CANCELLED, DIED, FAILED, FINISHED
from concurrent.transport.frames.frames import Frame


def of(*numbers: int, payload: bytes | Frame = b"") -> Outcomes:
    return Outcomes([*numbers], [FINISHED] * len(numbers), [payload] * len(numbers))


MIXED = Outcomes([1, 2, 3, 4], [FINISHED, DIED, CANCELLED, FAILED], [b"a", b"b", b"c", b"d"])


def test_what_was_confirmed_is_not_kept() -> None:
    unconfirmed = Unconfirmed()
    for message in (3, 5, 9):
        unconfirmed.sent(of(message), message, with_large=False)
    unconfirmed.confirm(5)
    assert unconfirmed.take() == [of(9)]
    assert unconfirmed.take() == []


def test_what_was_never_sent_is_kept_but_for_what_the_master_cancelled() -> None:
    unconfirmed = Unconfirmed()
    unconfirmed.keep(MIXED)
    unconfirmed.keep(Outcomes([5], [CANCELLED], [b""]))
    unconfirmed.confirm(1000)
    assert unconfirmed.take() == [Outcomes([1, 2, 4], [FINISHED, DIED, FAILED], [b"a", b"b", b"d"])]


def test_a_death_that_was_sent_is_not_charged_twice() -> None:
    unconfirmed = Unconfirmed()
    unconfirmed.sent(MIXED, 1, with_large=False)
    unconfirmed.sent(Outcomes([5], [DIED], [b"e"]), 2, with_large=False)
    assert unconfirmed.take() == [Outcomes([1, 4], [FINISHED, FAILED], [b"a", b"d"])]


@pytest.mark.parametrize("is_wanted", [True, False])
def test_what_lies_in_the_memory_of_the_workers_is_kept_if_it_is_wanted(*, is_wanted: bool) -> None:
    unconfirmed = Unconfirmed()
    large = of(1, payload=Frame(bytes(100)))
    unconfirmed.sent(large, 1, with_large=is_wanted)
    assert unconfirmed.take() == ([large] if is_wanted else [])


def test_it_says_when_there_is_too_much_and_drops_nothing() -> None:
    unconfirmed = Unconfirmed()
    third = bytes(KEPT_BYTES_MAX // 3)
    unconfirmed.sent(of(1, payload=third), 1, with_large=True)
    unconfirmed.keep(of(2, payload=third))
    assert not unconfirmed.is_full
    unconfirmed.keep(of(3, payload=third))
    assert unconfirmed.is_full
    unconfirmed.confirm(1)
    assert not unconfirmed.is_full
    assert [outcomes.numbers for outcomes in unconfirmed.take()] == [[2], [3]]
    assert not unconfirmed.is_full
