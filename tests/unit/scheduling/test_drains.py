"""Slaves that are drained: they get nothing, hand back what has not begun, and may end what runs."""

from __future__ import annotations

from typing import Any

import pytest

from concurrent.scheduling.ledger.events import (
    AskBack,
    CancelRun,
    Command,
    OwnerJoined,
    Record,
    Recordable,
    Send,
    SlaveAway,
    SlaveBack,
    SlaveDrained,
    SlaveHolding,
    SlaveJoined,
    SlaveLost,
    SlaveResumed,
    TasksDone,
    TasksOffered,
    TasksReturned,
    TasksSubmitted,
    TasksTaken,
    TellDrained,
    TimePassed,
    WindowChanged,
)
from concurrent.scheduling.ledger.explaining import Explainer
from concurrent.scheduling.ledger.ledger import Ledger
from concurrent.scheduling.schedulers.claimed import ClaimScheduler
from concurrent.scheduling.schedulers.defaults import default_part
from concurrent.scheduling.schedulers.generic import GenericTaskScheduler
from concurrent.scheduling.schedulers.pushpull import ZMQTaskScheduler
from concurrent.scheduling.schedulers.strategies import GenericTaskScheduleStrategy
from concurrent.scheduling.tasks.claim import Claim
from concurrent.scheduling.tasks.outcome import CANCELLED, FINISHED
from concurrent.scheduling.tasks.terms import Terms

EPOCH = 1_790_000_000.0
RACK, DESK = 1, 2


@pytest.fixture
def ledger() -> Ledger:
    ledger = Ledger()
    ledger.apply(TimePassed(100.0, EPOCH))
    ledger.apply(OwnerJoined(9, "program"))
    join(ledger, RACK, "slave-rack")
    join(ledger, DESK, "slave-desk")
    return ledger


def join(ledger: Ledger, number: int, name: str, given: str = "") -> list[Command]:
    return ledger.apply(SlaveJoined(number, name, 2, 10, {"name": given}))


def submit(ledger: Ledger, count: int, terms: Terms | None = None) -> None:
    first = ledger.owners[9].next_id
    payloads: list[Any] = [b"x"] * count
    ledger.apply(TasksSubmitted(9, first, payloads, *([] if terms is None else [terms])))


def drained(name: str = "slave-rack", ends_at: float = 0.0) -> SlaveDrained:
    return SlaveDrained(name, "admin:kim", EPOCH, ends_at=ends_at)


def of_kind(commands: list[Command], kind: type) -> list[Any]:
    return [one for one in commands if isinstance(one, kind)]


def ended(commands: list[Command]) -> dict[int, list[int]]:
    return {one.slave: one.numbers for one in of_kind(commands, CancelRun)}


def test_it_is_told_and_asked_for_what_it_has_not_begun(ledger: Ledger) -> None:
    submit(ledger, 5)
    ledger.assign(RACK, 5)
    assert ledger.apply(drained()) == [TellDrained(RACK, "admin:kim"), AskBack(RACK, 5)]
    assert ledger.window_total == 10
    ledger.apply(TasksReturned(RACK, [3, 4, 5]))
    row = ledger.slaves[RACK].status()
    assert (row.drain, row.drained_by, row.drained_at, row.held) == ("draining", "admin:kim", EPOCH, 2)
    assert row.refused == 0
    ledger.apply(TasksDone(RACK, [1, 2], [FINISHED] * 2, [b""] * 2))
    assert ledger.slaves[RACK].status().drain == "drained"
    assert [send.numbers for send in of_kind(ledger.assign(DESK, 9), Send)] == [[3, 4, 5]]


def test_it_wants_nothing_whatever_it_says_until_it_is_resumed(ledger: Ledger) -> None:
    ledger.apply(drained())
    ledger.apply(WindowChanged(RACK, 7))
    ledger.apply(SlaveAway(RACK))
    ledger.apply(SlaveBack(RACK))
    assert ledger.slaves[RACK].window == 0
    assert ledger.apply(SlaveResumed("slave-rack")) == [TellDrained(RACK, "")]
    assert (ledger.slaves[RACK].window, ledger.window_total) == (7, 17)
    assert ledger.slaves[RACK].status().drain == ""
    assert ledger.apply(SlaveResumed("slave-rack")) == []


def test_a_silent_one_that_is_resumed_gets_nothing_before_it_is_heard(ledger: Ledger) -> None:
    ledger.apply(drained())
    ledger.apply(SlaveAway(RACK))
    ledger.apply(SlaveResumed("slave-rack"))
    assert ledger.slaves[RACK].window == 0
    ledger.apply(SlaveBack(RACK))
    assert ledger.slaves[RACK].window == 10


def test_the_generic_scheduler_gives_it_nothing(ledger: Ledger) -> None:
    scheduler: Any = default_part(GenericTaskScheduler, GenericTaskScheduleStrategy)
    for slave in (RACK, DESK):
        scheduler.slave_changed(slave)
    ledger.apply(drained())
    scheduler.slave_changed(RACK)
    submit(ledger, 30)
    assert {one.slave for one in of_kind(scheduler.schedule(ledger), Send)} == {DESK}


def test_nothing_is_offered_for_it(ledger: Ledger) -> None:
    scheduler: Any = default_part(ZMQTaskScheduler)
    ledger.apply(drained())
    submit(ledger, 30)
    assert sum(len(one.numbers) for one in scheduler.schedule(ledger)) == 15
    ledger.apply(drained("slave-desk"))
    assert scheduler.schedule(ledger) == []


def test_tasks_with_claims_do_not_go_there_either(ledger: Ledger) -> None:
    guarded: Any = default_part(GenericTaskScheduler, GenericTaskScheduleStrategy)
    claimed = ClaimScheduler(guarded.rating)
    ledger.apply(drained())
    submit(ledger, 4, Terms(resources=Claim.of({"cpu": 2})))
    assert {one.slave for one in claimed.schedule(ledger)} == {DESK}


def test_what_it_takes_from_the_queue_all_the_same_goes_to_others(ledger: Ledger) -> None:
    submit(ledger, 3)
    ledger.apply(TasksOffered(2))
    commands = ledger.apply(drained())
    assert not ledger.pushed, "it may lie in the pipe of the slave"
    assert of_kind(commands, TellDrained)
    assert ended(ledger.apply(TasksTaken(RACK, [1, 2]))) == {RACK: [1, 2]}
    ledger.apply(TasksOffered(1))
    (number,) = ledger.pushed
    assert ended(ledger.apply(TasksTaken(RACK, [number]))) == {RACK: [number]}
    assert (len(ledger.slaves[RACK].held), ledger.queued_count) == (0, 3)
    ledger.apply(TasksDone(RACK, [number], [CANCELLED], [b""]))
    assert len(ledger.task_by_number) == 3


def test_what_still_runs_when_its_time_is_over_begins_again_elsewhere(ledger: Ledger) -> None:
    submit(ledger, 1)
    ledger.assign(RACK, 1)
    ledger.apply(drained(ends_at=EPOCH + 30))
    assert ledger.apply(TimePassed(129.0, EPOCH + 29)) == []
    assert ended(ledger.apply(TimePassed(130.5, EPOCH + 30.5))) == {RACK: [1]}
    assert ledger.slaves[RACK].status().drain == "drained"
    (send,) = of_kind(ledger.assign(DESK, 9), Send)
    task = ledger.task_by_number[send.numbers[0]]
    assert (task.client_id, task.tries, task.evidence) == (0, 0, ())
    assert ledger.apply(TasksDone(RACK, [1], [CANCELLED], [b""])) == []


def test_who_is_resumed_before_keeps_what_it_runs(ledger: Ledger) -> None:
    submit(ledger, 1)
    ledger.assign(RACK, 1)
    ledger.apply(drained(ends_at=EPOCH + 30))
    ledger.apply(SlaveResumed("slave-rack"))
    assert ledger.apply(TimePassed(130.5, EPOCH + 30.5)) == []
    assert list(ledger.slaves[RACK].held) == [1]


def test_one_that_comes_back_is_drained_still(ledger: Ledger) -> None:
    ledger.apply(drained())
    ledger.apply(SlaveLost(RACK, "its host went down"))
    assert join(ledger, 3, "slave-rack") == [TellDrained(3, "admin:kim")]
    assert ledger.slaves[3].status().drain == "drained"
    assert ledger.apply(SlaveResumed("slave-rack")) == [TellDrained(3, "")]


def test_one_that_starts_again_under_its_given_name_is_drained_too() -> None:
    ledger = Ledger(is_recorded=True)
    join(ledger, 1, "slave-box-11", "box")
    join(ledger, 2, "slave-box-22", "box")
    ledger.apply(drained("slave-box-11"))
    assert ledger.slaves[2].status().drain == "", "the other one of that name was not meant"
    ledger.apply(SlaveLost(1, "ended"))
    commands = join(ledger, 3, "slave-box-33", "box")
    assert of_kind(commands, TellDrained) == [TellDrained(3, "admin:kim")]
    assert [one.what for one in of_kind(commands, Record)] == [
        SlaveDrained("slave-box-33", "admin:kim", EPOCH, "box"),
        SlaveResumed("slave-box-11"),
    ]
    join(ledger, 4, "slave-box-44", "box")
    assert ledger.slaves[4].status().drain == ""


def test_another_one_of_its_name_that_comes_back_while_it_is_away_is_not_taken_for_it() -> None:
    ledger = Ledger()
    join(ledger, 1, "slave-box-11", "box")
    join(ledger, 2, "slave-box-22", "box")
    ledger.apply(drained("slave-box-11"))
    join(ledger, 3, "slave-box-33", "box")
    for number in (1, 2, 3):
        ledger.apply(SlaveLost(number, "cut off"))
    join(ledger, 4, "slave-box-22", "box")
    join(ledger, 5, "slave-box-33", "box")
    assert [slave.status().drain for slave in ledger.slaves.values()] == ["", ""]
    join(ledger, 6, "slave-box-66", "box")
    assert ledger.slaves[6].status().drain == "drained"
    for number in (4, 6):
        ledger.apply(SlaveLost(number, "cut off"))
    join(ledger, 7, "slave-box-22", "box")
    assert ledger.slaves[7].status().drain == ""


def test_after_a_restart_only_a_new_one_of_its_name_is_taken_for_it() -> None:
    kept: list[Recordable] = [
        SlaveJoined(1, "slave-box-11", 0, 0, returns=True),
        SlaveJoined(2, "slave-box-22", 0, 0, returns=True),
        SlaveDrained("slave-box-11", "admin:kim", EPOCH, "box"),
    ]
    ledger = Ledger(is_recorded=True)
    ledger.restore(kept)
    join(ledger, 5, "slave-box-22", "box")
    join(ledger, 6, "slave-box-66", "box")
    assert [slave.status().drain for slave in ledger.slaves.values()] == ["", ""], "the drained one is awaited"
    join(ledger, 7, "slave-box-11", "box")
    assert ledger.slaves[7].status().drain == "drained"
    ledger.apply(SlaveHolding(7, [], []))
    ledger.apply(SlaveLost(7, "ended"))
    join(ledger, 8, "slave-box-88", "box")
    assert ledger.slaves[8].status().drain == "drained"


def test_a_journal_keeps_it() -> None:
    ledger = Ledger(is_recorded=True)
    join(ledger, 1, "slave-rack", "rack")
    join(ledger, 2, "slave-desk")
    rows: list[Recordable] = []
    for event in (drained(ends_at=EPOCH + 30), drained("slave-desk"), SlaveResumed("slave-desk")):
        rows += [one.what for one in of_kind(ledger.apply(event), Record)]
    after = Ledger(is_recorded=True)
    after.restore(rows)
    join(after, 5, "slave-rack", "rack")
    join(after, 6, "slave-desk")
    rack, desk = after.slaves[5].status(), after.slaves[6].status()
    assert (rack.drain, rack.drained_by, rack.drain_ends_at) == ("drained", "admin:kim", EPOCH + 30)
    assert desk.drain == ""


def test_of_many_that_are_away_the_oldest_are_forgotten() -> None:
    ledger = Ledger(is_recorded=True)
    join(ledger, 1, "slave-here")
    ledger.apply(drained("slave-here"))
    commands: list[Command] = []
    for number in range(1002):
        commands += ledger.apply(drained(f"slave-{number}"))
    forgotten = [one.what for one in of_kind(commands, Record) if isinstance(one.what, SlaveResumed)]
    assert forgotten == [SlaveResumed("slave-0"), SlaveResumed("slave-1")]
    assert ledger.slaves[1].status().drain == "drained"


def test_an_explanation_says_who_has_drained_them(ledger: Ledger) -> None:
    submit(ledger, 1)
    ledger.assign(RACK, 1)
    ledger.apply(drained(ends_at=EPOCH + 30))
    ledger.apply(SlaveDrained("slave-desk", "admin:eva", EPOCH))
    submit(ledger, 1)
    runs, waits = (Explainer(ledger, EPOCH + 10).task(ledger.task_by_number[one]) for one in (1, 2))
    assert runs.because[0] == "slave-rack is drained by admin:kim: what has begun there may end"
    assert waits.because == (
        "slave-rack is drained by admin:kim",
        "slave-desk is drained by admin:eva",
    )
    assert waits.waits_for == "a slave that is not drained"
    assert waits.then == "'concurrent resume slave-rack' lets that one take tasks again"
