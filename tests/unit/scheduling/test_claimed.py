"""Who gets tasks with claims, with each scheduler."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterator
from typing import Any

import pytest

from concurrent.core.component import Component
from concurrent.core.environment import Environment
from concurrent.core.interface import implements
from concurrent.scheduling import GenericTaskScheduler, ITaskScheduleStrategy, Ledger, Terms, ZMQTaskScheduler
from concurrent.scheduling.events import (
    CancelRequested,
    OwnerJoined,
    Push,
    Send,
    SlaveJoined,
    TasksDone,
    TasksSubmitted,
    TimePassed,
    WindowChanged,
)
from concurrent.scheduling.schedulers.guard import GuardedScheduler
from concurrent.scheduling.tasks.claim import Claim
from concurrent.scheduling.tasks.outcome import FINISHED

GPU = {"gpu": 1}


class FirstLast(Component):
    """Likes slaves with high numbers."""

    implements(ITaskScheduleStrategy)

    def rate(self, slave: Any) -> float:
        return float(slave.slave)


class Master:
    """A ledger and a scheduler; ``sent`` has the owners and numbers that each slave was sent, in order."""

    def __init__(self, scheduler: Any, **overrides: str) -> None:
        env = Environment(variables={}, overrides=overrides)
        env.register(FirstLast)
        self.ledger = Ledger(tokens={"database": 2000})
        self.asked_again: list[float] = []
        self.scheduler = GuardedScheduler(env[scheduler], env, self.asked_again.append, lambda: 0.0)
        self.sent: list[tuple[int, int, list[int]]] = []
        self.pushed: list[int] = []
        self.count_by_owner: Counter[int] = Counter()

    def owner(self, owner: int) -> None:
        self.ledger.apply(OwnerJoined(owner, f"owner {owner}"))

    def join(self, slave: int, *, workers: int = 2, **resources: Any) -> None:
        window = workers + (workers > 1)
        self.ledger.apply(SlaveJoined(slave, f"s{slave}", workers, window, {"resources": resources}))
        self.scheduler.slave_changed(slave)

    def push(self, count: int, owner: int = 1, *, priority: int = 0, **resources: Any) -> None:
        if owner not in self.ledger.owners:
            self.owner(owner)
        terms = Terms(priority=priority, resources=Claim.of(resources))
        self.ledger.apply(TasksSubmitted(owner, self.ledger.owners[owner].next_id, [b""] * count, terms))

    def schedule(self) -> list[tuple[int, int, list[int]]]:
        """Return what is sent now."""
        before = len(self.sent)
        for command in self.scheduler.schedule(self.ledger):
            if isinstance(command, Send):
                self.sent.append((command.slave, command.owner, command.numbers))
                self.count_by_owner[command.owner] += len(command.numbers)
            elif isinstance(command, Push):
                self.pushed += command.numbers
        return self.sent[before:]

    def done(self, slave: int, *numbers: int) -> None:
        size = len(numbers)
        self.ledger.apply(TasksDone(slave, list(numbers), [FINISHED] * size, [b""] * size))
        self.scheduler.slave_changed(slave)


@pytest.fixture(params=[GenericTaskScheduler, ZMQTaskScheduler])
def master(request: pytest.FixtureRequest) -> Master:
    return Master(request.param)


def test_a_claim_goes_only_where_it_fits(master: Master) -> None:
    master.join(1)
    master.join(2, gpu=1)
    master.push(3, **GPU)
    assert master.schedule() == [(2, 1, [1])]
    assert master.schedule() == []
    master.done(2, 1)
    assert master.schedule() == [(2, 1, [2])]


def test_what_waits_for_a_device_keeps_nothing_else_waiting(master: Master) -> None:
    master.join(1, gpu=1, memory=1 << 30)
    master.push(3, **GPU)
    master.push(1, memory="1GiB")
    assert master.schedule() == [(1, 1, [1]), (1, 1, [4])]
    master.push(1)
    master.schedule()
    assert 5 in master.pushed or any(5 in numbers for _, _, numbers in master.sent)


def test_slaves_get_equal_shares_and_idle_workers_come_first(master: Master) -> None:
    for slave in (1, 2, 3):
        master.join(slave, workers=4, memory=4 << 30)
    master.push(6, memory="1GiB")
    slaves = [slave for slave, _, numbers in master.schedule() for _ in numbers]
    assert Counter(slaves) == {1: 2, 2: 2, 3: 2}


def test_a_slave_that_joins_later_gets_what_waits_for_it(master: Master) -> None:
    master.push(1, **GPU)
    master.join(1)
    assert master.schedule() == []
    master.join(2, gpu=1)
    assert master.schedule() == [(2, 1, [1])]


def test_the_urgent_one_is_first_whatever_else_it_claims(master: Master) -> None:
    master.join(1, gpu=1, memory=1 << 30)
    master.push(2, **GPU)
    master.push(1, priority=5, gpu=1, memory="1GiB")
    assert master.schedule() == [(1, 1, [3])]


def test_owners_take_turns_whatever_they_claim(master: Master) -> None:
    master.join(1, workers=1, gpu=1, memory=1 << 30)
    master.push(50, 1, **GPU)
    master.push(50, 2, **GPU, memory="1GiB")
    for _ in range(20):
        for slave, _, numbers in master.schedule():
            master.done(slave, *numbers)
    assert master.count_by_owner == {1: 10, 2: 10}


def test_an_owner_of_weight_three_gets_three_times_as_much(master: Master) -> None:
    master.join(1, workers=1, gpu=1)
    master.push(50, 1, **GPU)
    master.push(50, 2, **GPU)
    master.ledger.owners[2].weight = 3
    for _ in range(20):
        for slave, _, numbers in master.schedule():
            master.done(slave, *numbers)
    assert master.count_by_owner == {1: 5, 2: 15}


def test_tokens_are_given_to_all_slaves_together(master: Master) -> None:
    master.join(1)
    master.join(2)
    master.push(5, database=1)
    given = master.schedule()
    assert sorted(slave for slave, _, _ in given) == [1, 2]
    assert master.schedule() == []
    master.done(*next((slave, *numbers) for slave, _, numbers in given))
    assert sum(len(numbers) for _, _, numbers in master.schedule()) == 1


def test_of_more_claims_than_are_looked_at_each_has_its_turn(master: Master) -> None:
    master.join(1, workers=4, gpu=1, memory=1 << 40)
    for size in range(1, 101):
        master.push(1, gpu=1, memory=size << 20)
    for _ in range(500):
        for slave, _, numbers in master.schedule():
            master.done(slave, *numbers)
    assert sorted(number for _, _, numbers in master.sent for number in numbers) == list(range(1, 101))


def run(master: Master, turns: int) -> Iterator[int]:
    """Have the oldest task of all end again and again; yield what it was."""
    running = deque((slave, number) for slave, _, numbers in master.sent for number in numbers)
    for _ in range(turns):
        running += [(slave, number) for slave, _, numbers in master.schedule() for number in numbers]
        if not running:
            return
        slave, number = running.popleft()
        master.done(slave, number)
        yield number


def test_what_needs_much_is_not_overtaken_for_ever(master: Master) -> None:
    for slave in (1, 2):
        master.join(slave, workers=4, memory=4 << 30)
    master.push(2000, 1, memory="1GiB")
    master.schedule()
    master.push(2, 2, memory="4GiB")
    ended = list(run(master, 1000))
    assert {2001, 2002} <= set(ended)
    assert len(ended) == 1000


def test_what_waits_for_a_device_keeps_no_slave_free_of_what_needs_none(master: Master) -> None:
    master.join(1, workers=4, gpu=1, memory=4 << 30)
    master.push(10, **GPU)
    master.push(2000, memory="1GiB")
    for _ in run(master, 1000):
        if master.ledger.claims.waiting and len(master.ledger.slaves[1].held) < 4:
            master.schedule()
            assert len(master.ledger.slaves[1].held) == 4


def test_a_slave_is_not_kept_free_for_what_was_cancelled(master: Master) -> None:
    master.join(1, workers=4, memory=4 << 30)
    master.push(2000, 1, memory="1GiB")
    master.schedule()
    master.push(1, 2, memory="4GiB")
    was_kept_free = False
    for _ in run(master, 1000):
        if len(master.ledger.slaves[1].held) == 1:
            was_kept_free = True
            master.ledger.apply(CancelRequested(2, [0]))
    assert was_kept_free
    assert master.count_by_owner == {1: 1003}


def test_what_no_slave_could_meet_keeps_no_slave_free(master: Master) -> None:
    master.join(1, gpu=2)
    master.push(4, 3, **GPU)
    master.schedule()
    master.push(1, 1, gpu=2)
    master.push(1, 2, gpu=2, wings=1)  # it is overtaken as often, by the one of owner 1, too
    master.push(1000, 3, **GPU)
    for _ in run(master, 300):
        pass
    assert master.count_by_owner[1] == 1


def test_a_slave_that_wants_nothing_more_is_kept_free_for_nobody(master: Master) -> None:
    for slave in (1, 2):
        master.join(slave, workers=4, memory=4 << 30)
    master.push(2000, 1, memory="1GiB")
    master.schedule()
    master.push(1, 2, memory="4GiB")
    first = 0
    for _ in run(master, 1000):
        kept, _claim = master.scheduler.kept_free
        if kept and not first:
            first = kept
            master.ledger.apply(WindowChanged(kept, 0))
            master.scheduler.slave_changed(kept)
    assert first
    assert master.count_by_owner[2] == 1
    assert master.scheduler.kept_free[0] == 0


def test_claims_that_no_slave_could_meet_hold_nobody_up(master: Master) -> None:
    master.join(1, gpu=1)
    for number in range(200):
        master.push(1, 1, **{f"wings-{number}": 1})
    master.ledger.apply(TimePassed(1.0))
    master.push(1, 2, **GPU)
    assert master.schedule() == [(1, 2, [201])]


def test_as_long_as_something_fits_claims_do_not_wait_for_the_next_event(master: Master) -> None:
    for slave in range(1, 101):
        master.join(slave, memory=1 << 40)
    for size in range(1, 101):
        master.push(1, memory=size << 20)
    master.schedule()
    while master.asked_again:
        assert master.asked_again.pop() == 0.0
        master.scheduler.resume()
        master.schedule()
    assert master.count_by_owner == {1: 100}


def test_a_strategy_rates_slaves_for_claims_too() -> None:
    master = Master(GenericTaskScheduler, **{"scheduling.strategy": "FirstLast"})
    for slave in (1, 2, 3):
        master.join(slave, gpu=1)
    master.push(1, **GPU)
    assert master.schedule() == [(3, 1, [1])]
