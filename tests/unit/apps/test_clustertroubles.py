"""What is wrong with a cluster, the most serious first, to whom it is told, and what is to be typed."""

from __future__ import annotations

import shlex

import pytest

from concurrent.apps.clustertroubles import OF_KIND_MAX, troubles_of
from concurrent.apps.status import NodeRow
from concurrent.apps.troublelist import TroubleRow, TroublesList
from concurrent.scheduling.ledger.events import JobHeld, SlaveAway, SlaveLacks, TasksRunning
from concurrent.scheduling.ledger.jobspec import JobSpec
from concurrent.scheduling.tasks.outcome import DIED, FAILED, FINISHED, RETRIABLE
from concurrent.scheduling.tasks.retry import Retry
from concurrent.scheduling.tasks.terms import Terms
from concurrent.scheduling.wire.failure import dumps_failure
from concurrent.transport.security.identity import THIS_USER, Identity
from concurrent.transport.security.roles import Role
from tests.unit.apps.watched import BEGUN_AT, Watched

OWNER, SLAVE, OTHER = 1, 9, 10
LOOK = Terms(name="look")
SECRET = "a secret"
OBSERVER = Identity(Role.OBSERVE, "wall")


@pytest.fixture
def master() -> Watched:
    master = Watched(is_recorded=True, tokens={"database": 1000})
    master.join(OWNER, "application-1", JobSpec(job_id="j", name="hunt", keep_s=100.0))
    return master


def found(master: Watched, *lost: NodeRow, who: Identity = THIS_USER) -> TroublesList:
    return troubles_of(master.dispatcher, lost, master.at).shown_to(who)


def the_one(master: Watched, kind: str, *lost: NodeRow) -> TroubleRow:
    (row,) = (row for row in found(master, *lost).items if row.kind == kind)
    return row


def failure(text: str) -> bytes:
    return dumps_failure(ValueError(text), None, "")


def fail(master: Watched, slave: int, count: int, terms: Terms, text: str = "no") -> None:
    master.push(OWNER, count, terms)
    for number in master.give(slave, count, OWNER, terms):
        master.report(slave, (number, FAILED, failure(text)))


def test_nothing_is_wrong_with_a_cluster_that_is_well(master: Watched) -> None:
    master.add_slave(SLAVE)
    master.push(OWNER, 5, LOOK)
    master.give(SLAVE, 3, OWNER, LOOK)
    assert found(master) == TroublesList((), 0, 0)
    assert not troubles_of(master.dispatcher, (), master.at).is_stuck


def test_a_slave_that_was_lost_is_told_for_an_hour_with_what_starts_it_again(master: Watched) -> None:
    lost = NodeRow("slave-attic-7", "slave", "10.0.0.7", 0, "gone", 7, BEGUN_AT, "cut", {"name": "the attic"})
    row = the_one(master, "lost", lost)
    assert row.words == "slave-attic-7 was lost 0.0 s ago: cut"
    assert "10.0.0.7" in row.remedy
    assert row.command == "concurrent slave --name 'the attic'"
    assert row.page == "/workers?find=slave-attic-7"
    master.pass_time(3500.0)
    assert the_one(master, "lost", lost).words == "slave-attic-7 was lost 58 min ago: cut"
    master.pass_time(200.0)
    assert not found(master, lost).total


def test_a_slave_that_lacks_what_a_program_needs_is_told(master: Watched) -> None:
    master.add_slave(SLAVE)
    master.ledger.slaves[SLAVE].misfits[OWNER] = ("hunt", "has no numpy")
    row = the_one(master, "unfit")
    assert row.words == f"slave-{SLAVE} has no numpy, for hunt"
    assert row.page == f"/workers?find=slave-{SLAVE}"


def test_what_no_slave_has_comes_before_what_is_taken(master: Watched) -> None:
    master.add_slave(SLAVE)
    write = Terms(name="write", resources={"database": 1})  # type: ignore[arg-type]
    master.push(OWNER, 3, write)
    master.give(SLAVE, 1, OWNER, write)
    master.push(OWNER, 1, Terms(name="draw", resources={"gpu": 1}))  # type: ignore[arg-type]
    master.apply(TasksRunning(SLAVE, [1], [4711], [90.0], [""], master.at))
    for _ in range(6):
        master.pass_time(1.0)
    infeasible, taken = (row for row in found(master).items if row.kind == "waiting")
    assert infeasible.words.startswith(
        "1 task (draw of hunt) waiting for a slave with enough gpu, for 6.0 s: gpu"
    )
    assert infeasible.command == "concurrent explain hunt/3"
    assert infeasible.page == "/task?task=hunt%2F3"
    assert "2 tasks (write of hunt) waiting for free database" in taken.words
    assert f"hunt/0 (write) has database for 96 s at slave-{SLAVE}" in taken.words, "who has it is named"
    assert troubles_of(master.dispatcher, (), master.at).is_stuck


def test_a_task_of_which_something_is_told_is_named_with_what_it_says(master: Watched) -> None:
    master.add_slave(SLAVE)
    master.push(OWNER, 1, LOOK)
    numbers = master.give(SLAVE, 1, OWNER, LOOK)
    master.said[numbers[0]] = SECRET
    master.apply(TasksRunning(SLAVE, numbers, [7], [90.0], ["it uses no processor"], master.at))
    row = the_one(master, "running")
    assert row.words == f"look (hunt/0, at slave-{SLAVE} for 90 s): it uses no processor"
    assert (row.says, row.command) == (SECRET, "concurrent logs hunt/0")
    assert SECRET not in str(found(master, who=OBSERVER))


def test_failures_say_how_many_of_how_many_and_whether_all_were_at_one_place(master: Watched) -> None:
    master.add_slave(SLAVE)
    master.add_slave(OTHER)
    fail(master, SLAVE, 3, LOOK, SECRET)
    master.push(OWNER, 2, LOOK)
    for number in master.give(OTHER, 1, OWNER, LOOK):
        master.report(OTHER, (number, FINISHED, b""))
    row = the_one(master, "failed")
    assert row.words == f"3 of 4 tasks failed (look of hunt), all at slave-{SLAVE}: ValueError"
    assert (row.says, row.command) == (SECRET, "concurrent logs hunt/2")
    assert row.page == "/failures?find=look"
    assert SECRET not in str(found(master, who=OBSERVER))


def test_failures_are_told_as_long_as_tasks_of_their_job_are_open_and_a_while_after(master: Watched) -> None:
    master.add_slave(SLAVE)
    fail(master, SLAVE, 1, LOOK)
    master.push(OWNER, 1, Terms(name="draw"))
    master.pass_time(86400.0)
    assert the_one(master, "failed").words == "1 task failed (look of hunt): ValueError"
    for number in master.give(SLAVE, 1, OWNER, Terms(name="draw")):
        master.report(SLAVE, (number, FINISHED, b""))
    assert not found(master).total


def test_of_workers_that_died_the_last_evidence_is_told(master: Watched) -> None:
    master.add_slave(SLAVE)
    master.push(OWNER, 1, LOOK)
    (number,) = master.give(SLAVE, 1, OWNER, LOOK)
    for process in (71, 72, 73):
        if not master.ledger.slaves[SLAVE].held:
            master.give(SLAVE, 1, OWNER, LOOK)
        words = f"worker {process} was killed by SIGSEGV; its last output:\nFatal error"
        master.report(SLAVE, (number, DIED, words.encode()))
    row = the_one(master, "failed")
    assert "WorkerDied" in row.words
    assert row.says == f"attempt 3 of 3 on slave-{SLAVE}: worker 73 was killed by SIGSEGV"


def test_who_waits_long_for_a_next_try_is_told_and_tries_that_come_soon_are_not(master: Watched) -> None:
    master.add_slave(SLAVE)
    for task_id, delay_s in enumerate((1.0, 3600.0)):
        again = Terms(name="find", retry=Retry(3, delay_s=delay_s, jitter=0.0))
        master.push(OWNER, 1, again)
        (number,) = master.give(SLAVE, 1, OWNER, again)
        master.report(SLAVE, (number, RETRIABLE, failure(SECRET)))
        assert found(master).total == task_id
    row = the_one(master, "between tries")
    assert row.words == "1 task (find of hunt) failed, to be tried again: try 2 of 4 begins in 60 min"
    assert (row.says, row.command) == (f"it raised ValueError: {SECRET}", "concurrent retry hunt/1")
    assert [row.says for row in found(master, who=OBSERVER).items] == [""]


def test_the_most_serious_comes_first_and_no_kind_hides_the_others(master: Watched) -> None:
    fail_at = 100
    for number in range(fail_at, fail_at + 30):
        master.add_slave(number)
        master.apply(SlaveLacks(number, "its disk is full"))
    master.trouble = "the scheduler raised"
    for number in range(30):
        fail(master, fail_at, number % 2 + 1, Terms(name=f"f{number}"))
    master.push(OWNER, 3, LOOK)
    master.give(fail_at + 1, 3, OWNER, LOOK)
    master.apply(SlaveAway(fail_at + 1))
    master.apply(JobHeld(OWNER, "made with Python 3.9"))
    troubles = found(master)
    kinds = [row.kind for row in troubles.items]
    assert list(dict.fromkeys(kinds)) == ["scheduler", "silent", "short", "held", "failed"]
    assert max(map(kinds.count, kinds)) == OF_KIND_MAX
    assert troubles.total == 1 + 1 + 30 + 1 + 30
    assert troubles.left_out == troubles.total - len(kinds)
    assert "2 tasks failed" in next(row.words for row in troubles.items if row.kind == "failed")
    words = [row.words for row in troubles.items]
    assert "job hunt is held: made with Python 3.9" in words
    assert f"slave-{fail_at + 1} is silent, with 3 tasks" in words
    assert "concurrent release hunt" in [row.command for row in troubles.items]


def test_what_is_to_be_typed_says_where_the_master_is_if_that_was_typed() -> None:
    row = TroubleRow("failed", "it failed", "", "read it", "concurrent logs -- '-odd name/7'", "/")
    assert row.typed(None) == row.command
    typed = row.typed("rack:8750")
    assert shlex.split(typed) == ["concurrent", "logs", "-m", "rack:8750", "--", "-odd name/7"]
    assert TroubleRow("a", "b", "", "", "concurrent status", "").typed("x:1") == "concurrent status -m x:1"
