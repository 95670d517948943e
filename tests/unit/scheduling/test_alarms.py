"""When the ledger wants to know the time, and what it looks at then."""

from __future__ import annotations

from math import inf
from typing import Any

import pytest

from concurrent.scheduling.ledger.acceptance import Acceptance
from concurrent.scheduling.ledger.alarms import Alarm, Alarms
from concurrent.scheduling.ledger.budget import Budget
from concurrent.scheduling.ledger.events import (
    CheckQueue,
    OwnerJoined,
    ProbeStore,
    Push,
    RefusedByAll,
    Send,
    SlaveJoined,
    StoreChanged,
    TasksReturned,
    TasksSubmitted,
    TasksTaken,
    TellHeld,
    TimePassed,
)
from concurrent.scheduling.ledger.ledger import Ledger
from concurrent.scheduling.ledger.shortage import AGAIN_S, FIRST_S, Shortage
from concurrent.scheduling.master.ticker import Ticker


@pytest.fixture
def alarms() -> Alarms:
    return Alarms()


@pytest.fixture
def ledger() -> Ledger:
    ledger = Ledger()
    ledger.apply(OwnerJoined(1, "first"))
    ledger.apply(SlaveJoined(1, "left", workers=1, window=2))
    ledger.apply(TimePassed(100.0))
    return ledger


def test_an_alarm_rings_once_when_its_time_has_come(alarms: Alarms) -> None:
    assert alarms.deadline == inf
    alarms.set(Alarm.QUEUE, 2.0)
    assert alarms.deadline == 0.0
    assert list(alarms.ring(10.0)) == []
    assert alarms.deadline == 12.0
    assert list(alarms.ring(11.9)) == []
    assert list(alarms.ring(12.0)) == [Alarm.QUEUE]
    assert list(alarms.ring(99.0)) == []
    assert alarms.deadline == inf


def test_an_alarm_that_is_set_already_stays_as_it_is(alarms: Alarms) -> None:
    alarms.set(Alarm.QUEUE, 1.0)
    list(alarms.ring(0.5))
    alarms.set(Alarm.QUEUE, 9.0)
    assert alarms.deadline == 1.5
    assert list(alarms.ring(1.5)) == [Alarm.QUEUE]


def test_what_is_set_while_alarms_ring_is_set_at_that_time(alarms: Alarms) -> None:
    alarms.set(Alarm.SILENCE, 0.0)
    for alarm in alarms.ring(5.0):
        alarms.set(alarm, 1.0)
    assert alarms.deadline == 6.0


def test_what_idle_slaves_do_not_take_is_asked_after_a_second(ledger: Ledger) -> None:
    ledger.apply(TasksSubmitted(1, 0, [b"a", b"b"]))
    assert ledger.offer(1) == [Push(1, [1], [b"a"])]
    assert ledger.deadline == 0.0
    assert ledger.apply(TimePassed(100.5)) == []
    assert ledger.deadline == 101.0
    assert ledger.apply(TimePassed(101.4)) == []
    assert ledger.apply(TimePassed(101.5)) == [CheckQueue()]
    ledger.offer(1)
    ledger.apply(TasksTaken(1, [1]))
    assert CheckQueue() not in ledger.apply(TimePassed(102.5))


def test_what_all_refuse_is_offered_again_later_each_time(ledger: Ledger) -> None:
    ledger.apply(TasksSubmitted(1, 7, [b"a"]))
    ledger.assign(1, 1)
    now, delays = 200.0, []
    for _ in range(8):
        ledger.apply(TasksReturned(1, [1]))
        ledger.pass_on()
        ledger.apply(TimePassed(now))
        since = now
        said: list[Any] = []
        while not said:
            now += 0.5
            said = ledger.apply(TimePassed(now))
        assert [type(one) for one in said] == [RefusedByAll]
        assert (said[0].owners, said[0].counts, said[0].has_lost_workers) == ([1], [1], False)
        delays.append(now - since)
        assert ledger.assign(1, 1) == [Send(1, 1, [1], [b"a"])]
    assert delays == [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 60.0, 60.0]


def test_owners_that_wait_are_told_why_until_there_is_room(alarms: Alarms) -> None:
    acceptance, budget = Acceptance(), Budget([], 1 << 20, 1000)
    shortage = Shortage(alarms, acceptance, budget)
    acceptance.add(1, 9, 1, 100)
    shortage.note()
    list(alarms.ring(0.0))
    assert alarms.deadline == FIRST_S
    budget.store = StoreChanged(2000, "", "/tmp")
    assert shortage.store_changed() == []
    assert list(alarms.ring(FIRST_S)) == [Alarm.SHORTAGE]
    assert shortage.look() == [ProbeStore()]
    shortage.note()
    (told,) = shortage.store_changed()
    assert told == TellHeld([1], budget.what_is_short(), is_news=True)
    assert shortage.reason == told.reason
    list(alarms.ring(FIRST_S))
    assert alarms.deadline == FIRST_S + AGAIN_S
    shortage.look()
    assert shortage.store_changed() == [TellHeld([1], told.reason, is_news=False)]
    assert list(acceptance.take(is_kept=False)) == [(1, 9)]
    shortage.look()
    assert shortage.store_changed() == [TellHeld([], "", is_news=True)]
    shortage.look()
    assert shortage.store_changed() == []


class Loop:
    """A loop whose time goes on when it is told to."""

    def __init__(self) -> None:
        self.now = 50.0
        self.timers: list[Timer] = []

    def time(self) -> float:
        return self.now

    def call_later(self, delay_s: float, call: Any) -> Timer:
        self.timers.append(Timer(self.now + delay_s, call))
        return self.timers[-1]

    def run_until(self, now: float) -> None:
        self.now = now
        timers, self.timers = self.timers, []
        for timer in timers:
            if not timer.is_cancelled and timer.at <= now:
                timer.call()
            elif not timer.is_cancelled:
                self.timers.append(timer)


class Timer:
    def __init__(self, at: float, call: Any) -> None:
        self.at = at
        self.call = call
        self.is_cancelled = False

    def cancel(self) -> None:
        self.is_cancelled = True


def test_the_ledger_is_told_the_time_when_it_wants_to_know_and_not_else(alarms: Alarms) -> None:
    loop: Any = Loop()
    told: list[float] = []

    def apply(event: TimePassed) -> None:
        told.append(event.now)
        list(alarms.ring(event.now))

    ticker = Ticker(loop, alarms, apply, lambda _now: None)
    alarms.set(Alarm.QUEUE, 3.0)
    ticker.look()
    loop.run_until(50.0)
    assert told == [50.0]
    alarms.set(Alarm.SHORTAGE, 1.0)
    ticker.look()
    loop.run_until(50.5)
    assert told == [50.0, 50.5]
    loop.run_until(51.0)
    assert len(told) == 2
    loop.run_until(51.5)
    loop.run_until(53.0)
    assert told[2:] == [51.5, 53.0]
    alarms.set(Alarm.QUEUE, 1.0)
    ticker.look()
    ticker.close()
    loop.run_until(99.0)
    assert len(told) == 4


def test_figures_are_taken_each_second_until_the_clock_is_closed(alarms: Alarms) -> None:
    loop: Any = Loop()
    taken: list[float] = []
    ticker = Ticker(loop, alarms, lambda _event: None, taken.append)
    for second in range(51, 54):
        loop.run_until(second)
    assert len(taken) == 3
    ticker.close()
    loop.run_until(99.0)
    assert len(taken) == 3
