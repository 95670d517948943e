"""What happens to tasks when its time has come, and what becomes superfluous before."""

from __future__ import annotations

import pytest

from concurrent.scheduling import Ledger, Terms
from concurrent.scheduling.events import (
    CancelRequested,
    OwnerJoined,
    OwnerLeft,
    SlaveJoined,
    TasksDone,
    TasksSubmitted,
    TimePassed,
)
from concurrent.scheduling.ledger.alarms import Alarm, Alarms
from concurrent.scheduling.ledger.timetable import TIDY_COUNT_MIN, Timetable
from concurrent.scheduling.tasks.outcome import FINISHED, RETRIABLE
from concurrent.scheduling.tasks.retry import Retry

DAY_S = 86400.0


def test_what_became_superfluous_is_dropped_before_its_time() -> None:
    wanted: set[int] = set()
    timetable: Timetable[int] = Timetable(Alarms(), Alarm.RETRIES, wanted.__contains__)
    for number in range(20 * TIDY_COUNT_MIN):
        wanted.add(number)
        timetable.add(number, DAY_S - number)
        assert timetable.due(0.0, 0.0) == []
        assert len(timetable) <= TIDY_COUNT_MIN + 1
        if number % 100:  # one of a hundred is wanted for long
            wanted.remove(number)
    assert set(timetable.due(2 * DAY_S, 0.0)) >= wanted


def test_what_is_wanted_comes_in_its_order_however_much_was_dropped() -> None:
    wanted = set(range(0, 5 * TIDY_COUNT_MIN, 2))
    timetable: Timetable[int] = Timetable(Alarms(), Alarm.RETRIES, wanted.__contains__)
    for number in range(5 * TIDY_COUNT_MIN):
        timetable.add(number, DAY_S - number)
    assert timetable.due(0.0, 0.0) == []
    assert timetable.due(DAY_S, 0.0) == sorted(wanted, reverse=True)


@pytest.mark.parametrize("how", ["finished", "cancelled", "left"])
@pytest.mark.parametrize("kind", ["deadline", "retry"])
def test_tasks_that_have_ended_wait_for_no_deadline_and_no_try(how: str, kind: str) -> None:
    ledger = Ledger()
    ledger.apply(SlaveJoined(1, "slave", workers=2, window=2))
    terms = Terms(deadline_s=DAY_S) if kind == "deadline" else Terms(retry=Retry(3, delay_s=DAY_S))
    places = ledger.places
    timetable = (places.deadlines if kind == "deadline" else places.retries)._times
    for turn in range(3 * TIDY_COUNT_MIN):
        owner = turn + 1 if how == "left" else 1
        if owner not in ledger.owners:
            ledger.apply(OwnerJoined(owner, "program"))
        ledger.apply(TasksSubmitted(owner, ledger.owners[owner].next_id, [b"task"], terms))
        (number,) = ledger.task_by_number
        ledger.assign(1, 1)
        if kind == "retry":
            ledger.apply(TasksDone(1, [number], [RETRIABLE], [b"no"]))
        if how == "left":
            ledger.apply(OwnerLeft(owner))
        elif how == "cancelled" or kind == "retry":
            ledger.apply(CancelRequested(owner, [ledger.owners[owner].next_id - 1]))
        else:
            ledger.apply(TasksDone(1, [number], [FINISHED], [b"result"]))
        ledger.apply(TimePassed(turn / 100))
        assert not ledger.task_by_number
        assert len(timetable) <= TIDY_COUNT_MIN + 1
