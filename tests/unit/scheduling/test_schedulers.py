"""Both schedulers on the real ledger: who gets what."""

from collections import Counter

import pytest

from concurrent.core.component import Component
from concurrent.core.environment import Environment
from concurrent.core.errors import ConfigurationError
from concurrent.core.interface import implements
from concurrent.scheduling.interfaces import ITaskScheduleStrategy
from concurrent.scheduling.ledger.events import (
    AskBack,
    OwnerJoined,
    Push,
    Send,
    SlaveJoined,
    SlaveLost,
    TasksDone,
    TasksReturned,
    TasksSubmitted,
    TasksTaken,
)
from concurrent.scheduling.ledger.ledger import Ledger
from concurrent.scheduling.schedulers.generic import GenericTaskScheduler
from concurrent.scheduling.schedulers.pushpull import ZMQTaskScheduler
from concurrent.scheduling.tasks.outcome import FINISHED
from concurrent.scheduling.tasks.terms import Terms


def make(cls, **overrides: str):
    env = Environment(variables={}, overrides=overrides)
    env.register(LastFirst, Fitting)
    return env[cls]


@pytest.fixture
def ledger() -> Ledger:
    ledger = Ledger()
    ledger.apply(OwnerJoined(1, "app"))
    return ledger


@pytest.fixture
def generic() -> GenericTaskScheduler:
    return make(GenericTaskScheduler)


def join(ledger: Ledger, scheduler, slave: int, *, workers: int, window: int) -> None:
    ledger.apply(SlaveJoined(slave, f"s{slave}", workers, window))
    scheduler.slave_changed(slave)


def test_few_tasks_go_to_idle_workers_before_any_waits_behind_another(ledger, generic) -> None:
    for slave in (1, 2, 3):
        join(ledger, generic, slave, workers=2, window=50)
    ledger.apply(TasksSubmitted(1, 0, [b""] * 6))
    sent = Counter()
    for command in generic.schedule(ledger):
        assert isinstance(command, Send)
        sent[command.slave] += len(command.numbers)
    assert sent == {1: 2, 2: 2, 3: 2}


def test_slaves_that_come_and_go_while_there_is_no_task_take_no_memory_without_end(ledger, generic) -> None:
    for slave in range(1000):
        join(ledger, generic, slave, workers=2, window=50)
        generic.schedule(ledger)
        ledger.apply(SlaveLost(slave, "gone"))
        generic.slave_changed(slave)
        generic.schedule(ledger)
    assert len(generic._changed) < 10


def test_no_slave_gets_more_than_its_window(ledger, generic) -> None:
    join(ledger, generic, 1, workers=2, window=5)
    ledger.apply(TasksSubmitted(1, 0, [b""] * 100))
    generic.schedule(ledger)
    assert len(ledger.slaves[1].held) == 5
    assert generic.schedule(ledger) == []
    ledger.apply(TasksDone(1, [1, 2], [FINISHED] * 2, [b""] * 2))
    generic.slave_changed(1)
    generic.schedule(ledger)
    assert len(ledger.slaves[1].held) == 5


def test_an_idle_slave_gets_what_a_full_one_has_not_started(ledger, generic) -> None:
    join(ledger, generic, 1, workers=1, window=10)
    ledger.apply(TasksSubmitted(1, 0, [b""] * 5))
    generic.schedule(ledger)
    join(ledger, generic, 2, workers=1, window=10)
    assert generic.schedule(ledger) == [AskBack(1, 2)]
    assert generic.schedule(ledger) == []
    ledger.apply(TasksReturned(1, [5, 4]))
    generic.schedule(ledger)
    assert [len(ledger.slaves[slave].held) for slave in (1, 2)] == [3, 2]


def test_a_newcomer_gets_in_when_another_owner_has_filled_the_slaves(ledger, generic) -> None:
    join(ledger, generic, 1, workers=1, window=10)
    ledger.apply(TasksSubmitted(1, 0, [b""] * 100))
    generic.schedule(ledger)
    ledger.apply(OwnerJoined(2, "newcomer"))
    ledger.apply(TasksSubmitted(2, 0, [b""] * 100))
    (send,) = generic.schedule(ledger)
    assert (send.slave, send.owner, len(send.numbers)) == (1, 2, 5)
    assert generic.schedule(ledger) == []


def test_every_task_finishes_on_slaves_of_mixed_windows(ledger, generic) -> None:
    for slave in range(1, 21):
        join(ledger, generic, slave, workers=slave % 4 + 1, window=slave)
    ledger.apply(TasksSubmitted(1, 0, [b""] * 5000))
    finished = 0
    while ledger.task_by_number:
        commands = generic.schedule(ledger)
        assert commands, "tasks are queued and slaves have room, but nothing is sent"
        for command in commands:
            if isinstance(command, Send):
                count = len(command.numbers)
                done = TasksDone(command.slave, command.numbers, [FINISHED] * count, [b""] * count)
                finished += sum(len(deliver.ids) for deliver in ledger.apply(done))
                generic.slave_changed(command.slave)
    assert finished == 5000


def test_push_pull_keeps_to_its_credit(ledger) -> None:
    scheduler = make(ZMQTaskScheduler)
    join(ledger, scheduler, 1, workers=2, window=10)
    ledger.apply(TasksSubmitted(1, 0, [b""] * 100))
    (push,) = scheduler.schedule(ledger)
    assert isinstance(push, Push)
    assert len(push.numbers) == 15
    assert scheduler.schedule(ledger) == []
    ledger.apply(TasksTaken(1, push.numbers))
    assert scheduler.schedule(ledger) == []
    ledger.apply(TasksDone(1, [1], [FINISHED], [b""]))
    assert [command.numbers for command in scheduler.schedule(ledger)] == [[16]]


def test_push_pull_waits_while_there_is_no_slave(ledger) -> None:
    ledger.apply(TasksSubmitted(1, 0, [b""]))
    assert make(ZMQTaskScheduler).schedule(ledger) == []


class LastFirst(Component):
    """Prefers the slave with the highest number."""

    implements(ITaskScheduleStrategy)

    def rate(self, slave):
        return float(slave.slave)


def test_a_plugged_in_strategy_decides(ledger) -> None:
    scheduler = make(GenericTaskScheduler, **{"scheduling.strategy": "LastFirst"})
    for slave in (1, 2, 3):
        join(ledger, scheduler, slave, workers=1, window=1)
    ledger.apply(TasksSubmitted(1, 0, [b""]))
    (send,) = scheduler.schedule(ledger)
    assert send.slave == 3


class Fitting(Component):
    """Prefers slaves that say they have what the task is named after, and counts how often it is asked."""

    implements(ITaskScheduleStrategy)

    def __init__(self):
        self.asked = Counter()

    def rate(self, slave, terms):
        self.asked[terms.name] += 1
        return float(slave.data.get("has") == terms.name)


@pytest.fixture
def fitting() -> GenericTaskScheduler:
    return make(GenericTaskScheduler, **{"scheduling.strategy": "Fitting"})


def join_with(ledger: Ledger, scheduler, slave: int, has: str, *, window: int = 3) -> None:
    ledger.apply(SlaveJoined(slave, f"s{slave}", 3, window, {"has": has}))
    scheduler.slave_changed(slave)


def submit_named(ledger: Ledger, *names: str, count: int = 1) -> None:
    for name in names:
        first = ledger.owners[1].next_id
        ledger.apply(TasksSubmitted(1, first, [b""] * count, Terms(name=name)))


def held_names(ledger: Ledger, slave: int) -> list[str]:
    return sorted(task.terms.name for task in ledger.slaves[slave].held.values())


def test_a_strategy_sends_tasks_to_slaves_that_have_what_they_ask_for(ledger, fitting) -> None:
    join_with(ledger, fitting, 1, "gpu")
    join_with(ledger, fitting, 2, "disk")
    submit_named(ledger, "gpu", "disk", "gpu", "disk", "gpu", "disk")
    fitting.schedule(ledger)
    assert held_names(ledger, 1) == ["gpu"] * 3
    assert held_names(ledger, 2) == ["disk"] * 3


def test_a_rating_is_a_wish_and_full_slaves_are_passed_over(ledger, fitting) -> None:
    join_with(ledger, fitting, 1, "gpu")
    join_with(ledger, fitting, 2, "disk")
    submit_named(ledger, "gpu", count=10)
    fitting.schedule(ledger)
    assert held_names(ledger, 1) == held_names(ledger, 2) == ["gpu"] * 3
    assert ledger.queued_count == 4


def test_slaves_that_report_or_are_lost_are_ranked_anew_for_all_terms(ledger, fitting) -> None:
    join_with(ledger, fitting, 1, "gpu")
    join_with(ledger, fitting, 2, "disk")
    submit_named(ledger, "gpu", "disk", "gpu", "disk", count=3)
    fitting.schedule(ledger)
    ledger.apply(SlaveLost(1, "gone"))
    fitting.slave_changed(1)
    join_with(ledger, fitting, 3, "gpu", window=6)
    fitting.schedule(ledger)
    assert held_names(ledger, 3).count("gpu") >= 3
    done = list(ledger.slaves[2].held)
    ledger.apply(TasksDone(2, done, [FINISHED] * 3, [b""] * 3))
    fitting.slave_changed(2)
    fitting.schedule(ledger)
    assert held_names(ledger, 2) == ["disk"] * 3


def test_names_without_end_are_scheduled_and_forgotten(ledger, fitting) -> None:
    for slave in range(1, 5):
        join_with(ledger, fitting, slave, "gpu", window=50)
    submit_named(ledger, *map(str, range(100)))
    fitting.schedule(ledger)
    assert ledger.queued_count == 0
    asked = fitting.strategy.asked
    assert len(asked) == 100
    assert max(asked.values()) < 100


def test_a_strategy_that_is_not_there_is_named_beside_those_that_are() -> None:
    with pytest.raises(ConfigurationError, match=r"'Nobody'.*GenericTaskScheduleStrategy"):
        make(GenericTaskScheduler, **{"scheduling.strategy": "Nobody"})
