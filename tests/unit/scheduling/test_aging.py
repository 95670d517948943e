"""Priorities count as waiting: what is urgent goes first, and nothing is left behind for ever."""

from __future__ import annotations

from concurrent.scheduling.ledger.arrivals import LOOKS_MAX, Arrivals
from concurrent.scheduling.ledger.events import OwnerJoined, SlaveJoined, TasksSubmitted, TimePassed
from concurrent.scheduling.ledger.ledger import Ledger
from concurrent.scheduling.tasks.terms import POINT_S, Terms


def new_ledger() -> Ledger:
    ledger = Ledger()
    ledger.apply(OwnerJoined(1, "program"))
    ledger.apply(SlaveJoined(1, "slave", workers=1, window=1))
    return ledger


def submit(ledger: Ledger, now: float, priority: int) -> None:
    ledger.apply(TimePassed(now))
    ledger.apply(TasksSubmitted(1, ledger.owners[1].next_id, [b"task"], Terms(priority=priority)))


def order(ledger: Ledger) -> list[int]:
    """Return the tasks as they are given away, by their ids."""
    found: list[int] = []
    while sends := ledger.assign(1, 1):
        found += [number - 1 for send in sends for number in send.numbers]  # type: ignore[union-attr]
    return found


def test_the_higher_priority_goes_first() -> None:
    ledger = new_ledger()
    for priority in (0, -100, 100, 1):
        submit(ledger, 50.0, priority)
    assert order(ledger) == [2, 3, 0, 1]


def test_what_has_waited_for_long_enough_goes_before_what_is_more_urgent() -> None:
    ledger = new_ledger()
    submit(ledger, 100.0, 0)
    submit(ledger, 100.0 + 2 * POINT_S - 1, 2)
    submit(ledger, 100.0 + 2 * POINT_S + 1, 2)
    assert order(ledger) == [1, 0, 2]


def test_equal_priorities_go_in_their_order_whatever_else_waits() -> None:
    ledger = new_ledger()
    for number in range(6):
        submit(ledger, 100.0 + 50 * number, 0)
    assert order(ledger) == list(range(6))


def test_a_number_tells_when_a_task_came() -> None:
    arrivals = Arrivals()
    arrivals.look(1, 10.0)
    arrivals.look(5, 11.0)
    arrivals.look(5, 12.0)
    arrivals.look(9, 13.0)
    assert [arrivals.of(number) for number in (0, 1, 4, 5, 8, 9, 1000)] == [
        0,
        10.0,
        10.0,
        12.0,
        12.0,
        13.0,
        13.0,
    ]


def test_not_more_looks_are_remembered_than_may() -> None:
    arrivals = Arrivals()
    for number in range(1, 3 * LOOKS_MAX):
        arrivals.look(number, float(number))
    assert arrivals.of(3 * LOOKS_MAX - 1) == 3 * LOOKS_MAX - 1
    assert 0 < arrivals.of(1) < 3 * LOOKS_MAX
