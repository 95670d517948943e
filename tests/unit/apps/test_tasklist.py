"""Lists of tasks and of functions: in their order, in pages, with what is left out, whatever there is."""

from __future__ import annotations

from typing import Any

import pytest

from concurrent.apps.failurelist import failures_for
from concurrent.apps.observed import STATES, TasksList
from concurrent.apps.progresslist import progress_of
from concurrent.apps.tasklist import TaskLister, checked_filter
from concurrent.scheduling.ledger.events import CancelRequested, TasksRunning
from concurrent.scheduling.ledger.jobspec import JobSpec
from concurrent.scheduling.tasks.outcome import FAILED, FINISHED, RETRIABLE
from concurrent.scheduling.tasks.retry import Retry
from concurrent.scheduling.tasks.terms import Terms
from concurrent.scheduling.telemetry.workerbook import WorkerRow
from concurrent.transport.security.identity import Identity
from concurrent.transport.security.roles import Role
from tests.unit.apps.watched import Watched

A, B, SLAVE = 1, 2, 9
LOOK, FIND = Terms(name="look"), Terms(name="find", retry=Retry.of(3))
ANN = Identity(Role.SUBMIT, "ann")
WINDOW = Identity(Role.OBSERVE, "window")


@pytest.fixture
def master() -> Watched:
    """Return a master with a job in which tasks are in each state, and another one."""
    master = Watched(is_recorded=True)
    master.join(A, "ann", JobSpec(job_id="j-1", name="hunt", keep_s=100.0))
    master.join(B, "bob")
    master.add_slave(SLAVE, workers=1)
    master.push(A, 4, LOOK)  # 0 finished, 1 failed, 2 runs, 3 waits at the slave
    master.push(A, 1, FIND)  # 4 is tried again
    master.push(A, 3, LOOK)  # 5 and 6 wait, 7 is cancelled
    master.push(B, 2, LOOK)
    numbers = master.give(SLAVE, 4, A, LOOK) + master.give(SLAVE, 1, A, FIND)[-1:]
    master.report(SLAVE, (numbers[0], FINISHED, b""), (numbers[1], FAILED, b""), (numbers[4], RETRIABLE, b""))
    master.apply(CancelRequested(A, [7]))
    return master


def listed(master: Watched, identity: Identity = ANN, **wanted: Any) -> TasksList:
    asked = {"state": "", "function": "", "job": "", "limit": 100, "offset": 0, "failed": False, **wanted}
    return TaskLister(master.dispatcher, identity, master.at).list(checked_filter(**asked))


def rows(found: TasksList) -> list[tuple[str, int, str]]:
    return [(one.job, one.id, one.state) for one in found.items]


EVERYTHING = [
    ("hunt", 2, "running"),
    ("hunt", 1, "failed"),
    ("hunt", 4, "between tries"),
    ("bob", 1, "waiting"),
    ("bob", 0, "waiting"),
    ("hunt", 6, "waiting"),
    ("hunt", 5, "waiting"),
    ("hunt", 3, "waiting"),
    ("hunt", 7, "cancelled"),
    ("hunt", 0, "finished"),
]


def test_tasks_come_by_state_and_the_newest_first(master: Watched) -> None:
    found = listed(master)
    assert rows(found) == EVERYTHING
    assert (found.total, found.left_out, found.known) == (10, 0, 10)


@pytest.mark.parametrize("limit", [1, 3, 4, 10])
def test_pages_are_the_list_in_pieces(master: Watched, limit: int) -> None:
    pages = [listed(master, limit=limit, offset=offset) for offset in range(0, 10, limit)]
    assert [row for page in pages for row in rows(page)] == EVERYTHING
    assert all(page.total == 10 for page in pages)
    assert [page.left_out for page in pages] == [max(0, 10 - limit - at) for at in range(0, 10, limit)]
    assert listed(master, offset=99).items == ()


@pytest.mark.parametrize("state", STATES)
def test_a_state_alone_can_be_had(master: Watched, state: str) -> None:
    expected = [row for row in EVERYTHING if row[2] == state]
    found = listed(master, state=state)
    assert rows(found) == expected
    assert found.total == len(expected)


def test_a_job_is_named_by_name_or_id_and_a_function_by_its_name(master: Watched) -> None:
    assert rows(listed(master, job="hunt")) == [row for row in EVERYTHING if row[0] == "hunt"]
    assert rows(listed(master, job="j-1")) == rows(listed(master, job="hunt"))
    assert rows(listed(master, function="find")) == [("hunt", 4, "between tries")]
    assert rows(listed(master, job="bob", function="find")) == []


def test_of_finished_tasks_that_are_not_remembered_it_is_said_how_many(master: Watched) -> None:
    for _ in range(3):
        master.push(B, 800, LOOK)
        numbers = master.give(SLAVE, 802, B, LOOK)[-800:]
        master.report(SLAVE, *((number, FINISHED, b"") for number in numbers))
    found = listed(master, state="finished", limit=1000, offset=1000)
    assert found.total == 2401
    assert found.known == 1600
    assert len(found.items) == 600
    assert found.left_out == 801


def test_what_runs_is_told_with_its_worker_and_since_when(master: Watched) -> None:
    (row,) = listed(master, state="running").items
    assert (row.slave, row.worker, row.since_at) == ("slave-9", 0, 0.0)
    facts = master.observatory.workers
    facts.join(SLAVE, workers=1)
    facts.take(SLAVE, [WorkerRow(7, 0.5, 1, row.task, 2.0, 3)], (), {}, master.at)
    (row,) = listed(master, state="running").items
    assert (row.worker, row.since_at) == (7, master.at - 2.0)
    master.apply(TasksRunning(SLAVE, [row.task], [8], [5.0], [""], master.at))
    (row,) = listed(master, state="running").items
    assert (row.worker, row.since_at) == (8, pytest.approx(master.at - 5.0))


def test_of_what_ended_it_is_told_how_long_it_ran_and_where_if_a_slave_has_told(master: Watched) -> None:
    (row,) = listed(master, state="running").items
    master.apply(TasksRunning(SLAVE, [row.task], [8], [5.0], [""], master.at))
    master.pass_time(1.0)
    master.report(SLAVE, (row.task, FINISHED, b""))
    ended = listed(master, state="finished").items
    assert [(one.id, one.slave, one.worker, one.run_s) for one in ended] == [
        (2, "slave-9", 8, pytest.approx(6.0)),
        (0, "slave-9", 0, 0.0),
    ]


def test_what_tasks_say_is_for_who_may_touch_their_job(master: Watched) -> None:
    (row,) = listed(master, state="running").items
    master.said[row.task] = "half of it"
    assert listed(master, state="running").items[0].words == "half of it"
    (seen,) = listed(master, WINDOW, state="running").items
    assert (seen.words, seen.is_yours) == ("", False)
    assert [one.is_yours for one in listed(master, state="waiting", job="bob").items] == [False, False]


def test_of_many_functions_those_with_open_tasks_are_listed_and_all_are_counted(master: Watched) -> None:
    for number in range(300):
        master.push(B, 1, Terms(name=f"f{number}"))
    found = progress_of(master.dispatcher)
    assert (len(found.items), found.total, found.left_out) == (100, 303, 203)
    assert found.items[0].counts.open
    assert found.counts.total == 310


def test_of_one_job_progress_and_failures_are_told_however_many_others_there_are(master: Watched) -> None:
    for number in range(300):
        master.push(B, 1, Terms(name=f"f{number}"))
    for name in ("hunt", "j-1"):
        found = progress_of(master.dispatcher, name)
        assert ({row.function for row in found.items}, found.left_out) == ({"look", "find"}, 0)
        assert (found.counts.finished, found.counts.failed, found.counts.total) == (1, 1, 8)
        assert [row.job for row in failures_for(master.dispatcher, ANN, name).items] == ["hunt", "hunt"]
    assert not failures_for(master.dispatcher, ANN, "bob").total
    assert not progress_of(master.dispatcher, "nobody").total


def test_jobs_that_are_called_the_same_are_told_apart_by_their_ids(master: Watched) -> None:
    master.join(3, "eve", JobSpec(job_id="j-3", name="hunt", keep_s=100.0))
    master.push(3, 1, LOOK)
    assert {one.owner: one.job for one in listed(master).items} == {A: "j-1", B: "bob", 3: "j-3"}
    assert len(listed(master, job="hunt").items) == 9
    assert len(listed(master, job="j-3").items) == 1
    tasks = {task for group in failures_for(master.dispatcher, ANN).items for task in group.tasks}
    assert tasks == {"j-1/1", "j-1/4"}
