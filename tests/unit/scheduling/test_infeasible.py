"""Tasks that claim what no slave could ever meet: their owners are told, and if that is wanted they fail."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from concurrent.scheduling import Ledger, Terms
from concurrent.scheduling.events import (
    Command,
    FailInfeasible,
    OwnerJoined,
    SlaveJoined,
    SlaveLost,
    TasksFailed,
    TasksReturned,
    TasksSubmitted,
    TellInfeasible,
    TimePassed,
)
from concurrent.scheduling.ledger.infeasible import FAIL_S, TOLD_MAX, shortfall
from concurrent.scheduling.ledger.records import SlaveRecord
from concurrent.scheduling.tasks.claim import Claim

GIB = 1 << 30


class Master:
    """A ledger under a clock."""

    def __init__(self, **limits: Any) -> None:
        self.ledger = Ledger(**limits)
        self.now = 100.0
        self.ledger.apply(OwnerJoined(1, "app"))
        self.ledger.apply(OwnerJoined(2, "other"))

    def join(self, slave: int, **resources: Any) -> None:
        self.ledger.apply(SlaveJoined(slave, f"s{slave}", 4, 5, {"resources": resources}))

    def push(self, count: int = 1, owner: int = 1, **resources: Any) -> None:
        terms = Terms(resources=Claim.of(resources))
        first = self.ledger.owners[owner].next_id
        self.ledger.apply(TasksSubmitted(owner, first, [b""] * count, terms))

    def told(self, after_s: float = 0.0) -> list[Command]:
        """Return what is told when so much time has passed."""
        found: list[Command] = []
        end = self.now + after_s
        while self.now <= end:
            commands = self.ledger.apply(TimePassed(self.now))
            for one in commands:
                if isinstance(one, FailInfeasible):
                    self.ledger.apply(TasksFailed(one.numbers, [b"why"] * len(one.numbers)))
            found += [one for one in commands if isinstance(one, (TellInfeasible, FailInfeasible))]
            self.now += 1.0
        return found


@pytest.fixture
def master() -> Master:
    return Master()


def test_the_owner_is_told_at_once_and_once(master: Master) -> None:
    master.join(1)
    master.push(3, gpu=1)
    assert master.ledger.deadline == 0.0
    assert master.told() == [TellInfeasible(1, 3, "gpu=1: no slave has any", fails=False)]
    master.push(2, gpu=1)
    assert master.told(60.0) == []
    master.push(2, owner=2, gpu=1)
    (told,) = master.told()
    assert (told.owner, told.count) == (2, 2)


def test_nobody_is_told_of_what_a_slave_could_meet_though_it_is_busy(master: Master) -> None:
    master.join(1, gpu=1)
    master.push(50, gpu=1)
    assert master.told(60.0) == []


def test_nobody_is_told_while_no_slave_has_joined(master: Master) -> None:
    master.push(1, gpu=1)
    assert master.told(60.0) == []
    master.join(1)
    assert len(master.told(2.0)) == 1


def test_one_slave_has_to_have_all(master: Master) -> None:
    master.join(1, gpu=1)
    master.join(2, licence=1)
    master.push(1, gpu=1, licence=1)
    (told,) = master.told()
    assert told.why.startswith("gpu=1")
    assert told.why.endswith("some slaves have one part of it and some another, none has all")


def test_owners_are_told_again_when_the_last_slave_is_lost_that_could(master: Master) -> None:
    master.join(1, gpu=1)
    master.join(2)
    master.push(5, gpu=1)
    assert master.told(5.0) == []
    master.ledger.apply(SlaveLost(1, "gone"))
    assert len(master.told(5.0)) == 1
    master.join(3, gpu=1)
    assert master.told(5.0) == []
    master.ledger.apply(SlaveLost(3, "gone"))
    assert len(master.told(5.0)) == 1


def test_tasks_fail_after_a_while_where_a_master_is_set_to_that() -> None:
    master = Master(fails_infeasible=True)
    master.join(1)
    master.push(2, gpu=1)
    master.push(1)
    (told,) = master.told()
    assert told.fails
    assert master.told(FAIL_S - 5.0) == []
    (failed,) = master.told(6.0)
    assert failed == FailInfeasible([1, 2], "gpu=1: no slave has any")
    assert (master.ledger.status().open, master.told(60.0)) == (1, [])


def test_a_slave_that_joins_in_time_saves_them() -> None:
    master = Master(fails_infeasible=True)
    master.join(1)
    master.push(2, gpu=1)
    assert len(master.told(FAIL_S / 2)) == 1
    master.join(2, gpu=1)
    assert master.told(3 * FAIL_S) == []


def test_more_tokens_than_there_are_is_told_too() -> None:
    master = Master(tokens={"database": 2000})
    master.join(1)
    master.push(1, database=2)
    assert master.told() == []
    master.push(1, database=3)
    (told,) = master.told()
    assert told.why == "database=3: there is 2 in all"


def test_what_was_refused_by_the_only_slave_that_could_is_told_when_that_is_lost(master: Master) -> None:
    master.join(1, gpu=1)
    master.join(2)
    master.push(1, gpu=1)
    (lane,) = master.ledger.claimed_lanes
    master.ledger.assign(1, 1, lane)
    master.ledger.apply(TasksReturned(1, [1]))
    master.ledger.apply(SlaveLost(1, "gone"))
    master.ledger.pass_on()
    assert len(master.told(5.0)) == 1


def test_of_many_claims_an_owner_is_told_some_each_second(master: Master) -> None:
    master.join(1)
    for number in range(3 * TOLD_MAX):
        master.push(1, **{f"wings-{number}": 1})
    master.push(1, owner=2, wings=1)
    assert Counter(one.owner for one in master.told()) == {1: TOLD_MAX, 2: 1}
    assert Counter(one.owner for one in master.told(10.0)) == {1: 2 * TOLD_MAX}


def test_what_is_known_to_be_impossible_is_asked_of_new_slaves_only(
    master: Master, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[int] = []
    could = SlaveRecord.could
    monkeypatch.setattr(SlaveRecord, "could", lambda slave, one: asked.append(slave.slave) or could(slave, one))
    for slave in range(1, 11):
        master.join(slave, **{"gpu" if slave % 2 else "licence": 1})
    master.push(1, gpu=1, licence=1)
    master.push(1, wings=1)
    assert len(master.told()) == 2
    asked.clear()
    assert master.told(10.0) == []
    assert asked == []
    master.join(11, gpu=1)
    assert master.told(10.0) == []
    assert set(asked) == {11}


def test_who_pushes_again_what_has_failed_is_told_again() -> None:
    master = Master(fails_infeasible=True)
    master.join(1)
    for _ in range(2):
        master.push(1, gpu=1)
        told, failed = master.told(FAIL_S + 2.0)
        assert (type(told), type(failed)) == (TellInfeasible, FailInfeasible)


@pytest.mark.parametrize(
    ("claim", "words"),
    [
        ({"gpu": 0.5}, "gpu=0.5: no slave has any"),
        ({"memory": 9 * GIB}, "memory=9GiB: the most that a slave has is 8GiB"),
        ({"gpus": 1}, "gpus=1: no slave has any (did you mean gpu?)"),
        ({"cpus": 1}, "cpus=1: no slave has any (did you mean cpu?)"),
        ({"num_gpus": 1}, "num_gpus=1: no slave has any (did you mean gpu?)"),
        ({"license": 1}, "license=1: no slave has any (did you mean licence?)"),
        ({"connections": 1}, "connections=1: no slave has any (did you mean connection?)"),
        ({"tpu": 1}, "tpu=1: no slave has any"),
        ({"cpu": 5}, "cpu=5: the most that a slave has is 4"),
        ({"cpu": 5, "gpu": 1}, "cpu=5: the most that a slave has is 4; gpu=1: no slave has any"),
    ],
)
def test_what_is_missing_is_said_in_words(master: Master, claim: dict[str, Any], words: str) -> None:
    master.join(1, memory=8 * GIB, licence=1)
    assert shortfall(Claim.of(claim), master.ledger.slaves, {"connection": 1000}) == words
