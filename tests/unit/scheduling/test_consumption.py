"""What an owner says of the outcomes that it has consumed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from concurrent.core.errors import LoopClosed
from concurrent.scheduling.owner.consumption import CONSUMED_BYTES, CONSUMED_COUNT, Consumption
from concurrent.scheduling.wire.courier import Courier
from concurrent.transport.calls.declaration import Message


class Loop:
    """Calls at once what is posted, and what is to be called later when it is told to."""

    def __init__(self) -> None:
        self.later: list[Callable[[], object]] = []

    def post(self, call: Callable[[], object]) -> None:
        call()

    def call_later(self, _delay_s: float, call: Callable[[], object]) -> None:
        self.later.append(call)

    def pass_time(self) -> None:
        calls, self.later = self.later, []
        for call in calls:
            call()


class Master:
    def __init__(self, *features: str) -> None:
        self.features = features
        self.told: list[tuple[str, int]] = []

    def peer_has(self, feature: str) -> bool:
        return feature in self.features

    def cast(self, message: Message, value: int) -> None:
        self.told.append((message.name, value))


@pytest.fixture
def loop() -> Any:
    return Loop()


@pytest.fixture
def consumption(loop: Any) -> Consumption:
    return Consumption(loop, Courier(loop))


@pytest.fixture
def master(consumption: Consumption) -> Any:
    master: Any = Master("consumed_to")
    consumption.begin(master)
    return master


def come(consumption: Consumption, count: int, given_back: int | None = None) -> None:
    consumption.arrived(count)
    consumption.given_back(count if given_back is None else given_back)


def test_a_master_that_knows_numbers_is_told_first_that_they_are_named(master: Any) -> None:
    assert master.told == [("consumed_to", 0)]


def test_it_is_told_before_long_up_to_which_outcome_all_were_consumed(
    consumption: Consumption, loop: Any, master: Any
) -> None:
    come(consumption, 3)
    come(consumption, 2)
    consumption.consumed(10, 3)
    consumption.consumed(10, 1)
    assert len(loop.later) == 1
    loop.pass_time()
    assert master.told[1:] == [("consumed_to", 4)]
    consumption.consumed(10, 1)
    loop.pass_time()
    assert master.told[2:] == [("consumed_to", 5)]


@pytest.mark.parametrize(("size_bytes", "count"), [(CONSUMED_BYTES, 1), (1, CONSUMED_COUNT)])
def test_it_is_told_of_much_at_once(consumption: Consumption, master: Any, size_bytes: int, count: int) -> None:
    come(consumption, count)
    consumption.consumed(size_bytes, count)
    assert master.told[1:] == [("consumed_to", count)]


def test_what_is_not_given_back_counts_with_what_came_before(
    consumption: Consumption, loop: Any, master: Any
) -> None:
    come(consumption, 2, given_back=0)
    come(consumption, 3, given_back=1)
    come(consumption, 1, given_back=0)
    consumption.consumed(1, 1)
    loop.pass_time()
    assert master.told[1:] == [("consumed_to", 6)]


def test_what_the_master_did_not_send_is_not_counted(consumption: Consumption, loop: Any, master: Any) -> None:
    consumption.given_back(2)  # cancelled before they were sent
    come(consumption, 1)
    consumption.consumed(0, 2)
    loop.pass_time()
    assert master.told[1:] == []
    consumption.consumed(1, 1)
    loop.pass_time()
    assert master.told[1:] == [("consumed_to", 1)]


def test_numbers_begin_again_with_each_registration(consumption: Consumption, loop: Any, master: Any) -> None:
    come(consumption, 4)
    consumption.end()
    consumption.consumed(1, 1)
    later: Any = Master("consumed_to")
    consumption.begin(later)
    come(consumption, 1)
    consumption.consumed(1, 3)
    loop.pass_time()
    assert later.told == [("consumed_to", 0)]
    consumption.consumed(1, 1)
    loop.pass_time()
    assert later.told[1:] == [("consumed_to", 1)]
    assert master.told == [("consumed_to", 0)]


def test_numbers_go_on_where_the_master_says_and_what_comes_again_counts_with_what_waits(
    consumption: Consumption, loop: Any, master: Any
) -> None:
    come(consumption, 4)
    consumption.end()
    later: Any = Master("consumed_to")
    consumption.begin(later, 2)
    come(consumption, 2, given_back=0)
    consumption.consumed(1, 3)
    loop.pass_time()
    assert later.told == [("consumed_to", 2)]
    come(consumption, 1)
    consumption.consumed(1, 1)
    loop.pass_time()
    assert later.told[1:] == [("consumed_to", 4)]
    consumption.consumed(1, 1)
    loop.pass_time()
    assert later.told[2:] == [("consumed_to", 5)]


def test_a_master_that_knows_no_numbers_is_told_how_many_bytes(consumption: Consumption, loop: Any) -> None:
    older: Any = Master()
    consumption.begin(older)
    come(consumption, 2 * CONSUMED_COUNT)
    consumption.consumed(CONSUMED_BYTES - 1, 2 * CONSUMED_COUNT - 1)
    assert (older.told, loop.later) == ([], [])
    consumption.consumed(1, 1)
    assert older.told == [("consumed", CONSUMED_BYTES)]


def test_nobody_is_told_when_the_loop_has_ended(
    consumption: Consumption, loop: Any, master: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_call: Callable[[], object]) -> None:
        raise LoopClosed("the loop is closed", thing="post")

    come(consumption, 1)
    monkeypatch.setattr(loop, "post", refuse)
    consumption.consumed(CONSUMED_BYTES, 1)
    assert master.told == [("consumed_to", 0)]


def test_a_part_of_what_came_together_is_told_too(consumption: Consumption, master: Master, loop: Loop) -> None:
    consumption.arrived(10)
    consumption.given_back(10)
    consumption.consumed(0, 3)
    loop.pass_time()
    consumption.consumed(0, 7)
    loop.pass_time()
    assert master.told == [("consumed_to", 0), ("consumed_to", 3), ("consumed_to", 10)]


def test_no_part_is_told_of_what_was_not_all_given_back(
    consumption: Consumption, master: Master, loop: Loop
) -> None:
    consumption.arrived(10)
    consumption.given_back(9)
    consumption.consumed(0, 3)
    loop.pass_time()
    assert master.told == [("consumed_to", 0)]
    consumption.consumed(0, 6)
    loop.pass_time()
    assert master.told[-1] == ("consumed_to", 10)
