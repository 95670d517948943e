"""What a turn of the loop brings leads to commands at once; the scheduler is asked when all of it has come."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from concurrent.core.environment import Environment
from concurrent.scheduling.ledger.events import (
    Accept,
    Deliver,
    OwnerJoined,
    Send,
    SlaveJoined,
    TasksDone,
    TasksReturned,
    TasksSubmitted,
)
from concurrent.scheduling.ledger.ledger import Ledger
from concurrent.scheduling.master.turns import Turns
from concurrent.scheduling.schedulers.generic import GenericTaskScheduler
from concurrent.scheduling.tasks.outcome import FINISHED

OWNER, SLAVE, OTHER = 1, 2, 3


class Rig:
    """Turns whose hands note what they carry out; the test ends each turn of the loop."""

    def __init__(self) -> None:
        self.env = Environment(variables={})
        self.done: list[Any] = []
        self.deferred: list[Any] = []
        self.timers: list[Any] = []
        loop: Any = SimpleNamespace(
            time=lambda: 0.0,
            defer=self.deferred.append,
            call_later=lambda _delay_s, fn: self.timers.append(fn),
        )
        self.scheduler = self.env[GenericTaskScheduler]
        self.turns = Turns(loop, Ledger(), self.scheduler, self.env)
        hands = dict.fromkeys((Accept, Deliver, Send), self.done.append)
        self.turns.begin(hands, [lambda: self.done.append("first"), lambda: self.done.append("second")])

    def end_turn(self) -> list[Any]:
        """End a turn, and return what was done since the last one."""
        deferred = self.deferred[:]
        self.deferred.clear()
        for fn in deferred:
            fn()
        done = self.done[:]
        self.done.clear()
        return done

    def join(self, slave: int) -> None:
        self.turns.apply(SlaveJoined(slave, f"slave-{slave}", 1, 5))
        self.turns.scheduler.slave_changed(slave)


@pytest.fixture
def rig() -> Rig:
    rig = Rig()
    rig.turns.apply(OwnerJoined(OWNER, "application"))
    rig.join(SLAVE)
    rig.end_turn()
    return rig


def kinds(done: list[Any]) -> list[Any]:
    return [one if isinstance(one, str) else type(one) for one in done]


def test_the_scheduler_is_asked_once_for_all_of_a_turn(rig: Rig) -> None:
    rig.turns.apply(TasksSubmitted(OWNER, 1, [b"a"]))
    rig.turns.apply(TasksSubmitted(OWNER, 2, [b"b"]))
    assert kinds(rig.done) == [Accept, Accept]
    done = rig.end_turn()
    assert [payload for one in done if type(one) is Send for payload in one.payloads] == [b"a", b"b"]
    assert done[-2:] == ["first", "second"]


def test_what_ends_a_turn_comes_behind_its_commands(rig: Rig) -> None:
    rig.turns.apply(TasksSubmitted(OWNER, 1, [b"a"]))
    (number,) = rig.end_turn()[1].numbers
    rig.turns.apply(TasksDone(SLAVE, [number], [FINISHED], [b"A"], 0.1))
    assert kinds(rig.end_turn()) == [Deliver, "first", "second"]


def test_a_turn_without_news_is_none(rig: Rig) -> None:
    assert rig.end_turn() == []
    rig.turns.want()
    rig.turns.want()
    assert rig.end_turn() == ["first", "second"]


def test_what_a_slave_hands_back_goes_to_another_one(rig: Rig) -> None:
    rig.turns.apply(TasksSubmitted(OWNER, 1, [b"a"]))
    (number,) = rig.end_turn()[1].numbers
    rig.join(OTHER)
    rig.turns.apply(TasksReturned(SLAVE, [number]))
    rig.turns.scheduler.slave_changed(SLAVE)
    sent = [one for one in rig.end_turn() if type(one) is Send]
    assert [(one.slave, one.payloads) for one in sent] == [(OTHER, [b"a"])]


def test_a_scheduler_that_fails_is_asked_again(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_ledger: Ledger) -> list[Any]:
        raise ValueError("no")

    with monkeypatch.context() as patch:
        patch.setattr(rig.scheduler, "schedule", fail)
        rig.turns.apply(TasksSubmitted(OWNER, 1, [b"a"]))
        assert kinds(rig.end_turn()) == [Accept, "first", "second"]
    for fn in rig.timers:
        fn()
    assert kinds(rig.end_turn()) == [Send, "first", "second"]
