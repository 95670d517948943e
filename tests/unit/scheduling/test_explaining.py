"""Why a task does not run: what the ledger says of each state and of each reason, and how long that is."""

from __future__ import annotations

from typing import Any

import pytest

from concurrent.scheduling.ledger.events import (
    JobHeld,
    OwnerJoined,
    RefusedPassedOn,
    SlaveAway,
    SlaveFits,
    SlaveJoined,
    SlaveLacks,
    SlaveLost,
    TasksAssigned,
    TasksDone,
    TasksOffered,
    TasksReturned,
    TasksRunning,
    TasksSubmitted,
    TimePassed,
    WindowChanged,
)
from concurrent.scheduling.ledger.explaining import Explainer
from concurrent.scheduling.ledger.failures import Failure
from concurrent.scheduling.ledger.jobspec import JobSpec
from concurrent.scheduling.ledger.ledger import Ledger
from concurrent.scheduling.ledger.status import WaitRow
from concurrent.scheduling.tasks.claim import Claim
from concurrent.scheduling.tasks.explanation import (
    AT_SLAVE,
    BETWEEN_TRIES,
    ENDED,
    KEPT_BACK,
    NOT_THERE,
    OFFERED,
    QUEUED,
    REFUSED,
    RUNNING,
    Explanation,
    JobExplanation,
    is_task,
)
from concurrent.scheduling.tasks.outcome import DIED, FINISHED, OUT_OF_MEMORY, RETRIABLE, TIMED_OUT, Ended
from concurrent.scheduling.tasks.retry import Retry
from concurrent.scheduling.tasks.terms import Terms

GIB = 1 << 30
EPOCH = 1_790_000_000.0


class Master:
    """A ledger with one program, and its clock."""

    def __init__(self, **options: Any) -> None:
        self.ledger = Ledger(
            read_failure=lambda payload: Failure("OSError", bytes(payload).decode()), **options
        )
        self.now = 100.0
        self.ledger.apply(OwnerJoined(1, "program"))
        self.wait(0)

    def wait(self, seconds: float) -> None:
        self.now += seconds
        self.ledger.apply(TimePassed(self.now, EPOCH + self.now))

    def join(self, slave: int, *, workers: int = 4, window: int = 4, **resources: Any) -> None:
        self.ledger.apply(SlaveJoined(slave, f"slave-{slave}", workers, window, {"resources": resources}))

    def push(self, count: int = 1, *, owner: int = 1, **terms: Any) -> None:
        resources = Claim.of(terms.pop("resources", None))
        next_id = self.ledger.owners[owner].next_id
        self.ledger.apply(TasksSubmitted(owner, next_id, [b""] * count, Terms(resources=resources, **terms)))
        self.wait(0)

    def give(self, slave: int, count: int = 1) -> None:
        """Give a slave tasks without a claim."""
        self.ledger.apply(TasksAssigned(slave, count))

    def give_claimed(self, slave: int, count: int = 1) -> None:
        for lane in self.ledger.claimed_lanes:
            self.ledger.assign(slave, count, lane)

    def explain(self, number: int, trouble: str = "") -> Explanation:
        explainer = Explainer(self.ledger, EPOCH + self.now, trouble)
        return explainer.task(self.ledger.task_by_number[number])

    def why(self, number: int = 1) -> str:
        return "\n".join(self.explain(number).because)


@pytest.fixture
def master() -> Master:
    return Master()


def test_without_a_slave_it_says_that_none_has_joined(master: Master) -> None:
    master.push()
    master.wait(12)
    found = master.explain(1)
    assert (found.state, found.waits_for, found.because) == (QUEUED, "a slave", ("no slave has joined",))
    assert (found.task, found.id, found.owner, found.able, found.slaves) == (1, 0, "program", 0, 0)
    assert found.age_s == 12.0
    assert "'concurrent slave'" in found.then


def test_full_slaves_are_counted_with_what_they_hold(master: Master) -> None:
    master.join(1)
    master.join(2)
    master.push(9, name="sum")
    master.give(1, 4)
    master.give(2, 4)
    found = master.explain(9)
    assert found.because == ("2 slaves (slave-1, slave-2) have no room: 8 of 8 tasks held",)
    assert (found.waits_for, found.able, found.name) == ("room at a slave", 2, "sum")


def test_what_goes_before_it_or_takes_turns_is_said(master: Master) -> None:
    master.ledger.apply(OwnerJoined(2, "other"))
    master.push(3)
    master.push(1, name="urgent", priority=5)
    master.push(1, owner=2)
    why = master.why(3)
    assert "2 tasks of its kind go before it" in why
    assert "1 other kinds of tasks of its job" in why
    assert "1 other jobs take turns" in why
    assert "go before" not in master.why(1)


def test_what_is_not_known_of_the_scheduler_is_not_made_up(master: Master) -> None:
    master.join(1)
    master.push()
    found = master.explain(1, "the scheduler (Mine) has failed, and is asked again soon")
    assert found.waits_for == "the scheduler"
    assert found.because == ("slave-1 has room", "the scheduler (Mine) has failed, and is asked again soon")


def test_what_no_slave_offers_is_said_by_name(master: Master) -> None:
    master.join(1)
    master.join(2, gpu=1)
    master.join(3, memory=8 * GIB)
    master.push(resources={"gpu": 2, "memory": "4GiB", "cpu": 8})
    found = master.explain(1)
    assert found.able == 0
    assert found.because == (
        "cpu: needs 8, offered by 0 of 3 slaves; others have 4 at most",
        "gpu: needs 2, offered by 0 of 3 slaves; others have 1 at most",
        "memory: needs 4GiB, offered by 1 of 3 slaves",
    )
    assert found.waits_for == "a slave with enough cpu and gpu and memory"
    assert found.asks == {"resources": {"cpu": 8, "gpu": 2, "memory": 4 * GIB}}


def test_part_of_a_device_needs_a_whole_one(master: Master) -> None:
    master.join(1, licence=0.5)
    master.push(resources={"licence": 0.4})
    assert master.why() == "licence: needs 0.4, offered by 0 of 1 slaves; others have 0.5 at most"


def test_what_is_taken_of_a_resource_is_counted(master: Master) -> None:
    for number in (1, 2):
        master.join(number, gpu=2)
    master.push(5, resources={"gpu": 1})
    master.give_claimed(1, 2)
    master.give_claimed(2, 2)
    found = master.explain(5)
    assert found.because == ("gpu: needs 1, too little is free at 2 slaves (slave-1, slave-2): 4 of 4 taken",)
    assert (found.waits_for, found.able) == ("free gpu", 2)


def test_no_more_is_taken_than_there_is_though_more_was_sent(master: Master) -> None:
    master.join(1, workers=4, window=400, gpu=2)
    master.ledger.apply(TasksDone(1, [], [], [], 0.001))
    master.push(1000, resources={"gpu": 1})
    master.give_claimed(1, 1000)
    assert len(master.ledger.slaves[1].held) > 2
    because = master.explain(1000).because
    assert because[0] == "gpu: needs 1, too little is free at slave-1: 2 of 2 taken"


def test_places_that_tasks_with_claims_have_taken_are_counted(master: Master) -> None:
    master.join(1, gpu=4)
    master.push(1, resources={"gpu": 1, "cpu": 4})
    master.give_claimed(1)
    master.push(1, resources={"gpu": 1})
    assert master.why(2) == "cpu: needs 1, too little is free at slave-1: 4 of 4 taken"


def test_tokens_are_those_of_all_slaves_together() -> None:
    master = Master(tokens={"database": 2000})
    master.join(1)
    master.push(3, resources={"database": 1})
    master.give_claimed(1, 2)
    found = master.explain(3)
    assert found.because[0] == "database: needs 1, 2 of 2 are taken, at all slaves together"
    assert found.waits_for == "free database"
    master.push(1, resources={"database": 4})
    found = master.explain(4)
    assert found.because[0] == "database: needs 4, and there is 2 for all slaves together"
    assert found.waits_for == "more database than there is"


def test_who_has_had_the_tokens_for_a_while_is_named_first() -> None:
    master = Master(tokens={"database": 4000})
    master.join(1)
    master.push(5, name="write", resources={"database": 1})
    master.give_claimed(1, 4)
    master.ledger.apply(
        TasksRunning(
            1, [1, 2, 3, 4], [71, 72, 73, 74], [90.0, 60.0, 30.0, 10.0], ["", "it sleeps", "", ""], EPOCH
        )
    )
    found = Explainer(master.ledger, EPOCH).task(master.ledger.task_by_number[5])
    assert found.because[:5] == (
        "program/0 (write) has database for 90 s at slave-1",
        "program/1 (write) has database for 60 s at slave-1: it sleeps",
        "program/2 (write) has database for 30 s at slave-1",
        "and 1 task more",
        "database: needs 1, 4 of 4 are taken, at all slaves together",
    )


def test_silent_slaves_are_named_with_the_longest_silence(master: Master) -> None:
    for number in (1, 2):
        master.join(number, window=1)
    master.push(3)
    master.give(1)
    master.give(2)
    for _ in range(32):
        master.wait(1)
    master.ledger.apply(SlaveAway(1))
    master.ledger.apply(SlaveAway(2))
    why = master.why(3)
    assert "2 slaves (slave-1, slave-2) are silent for up to " in why
    held = master.explain(1)
    assert held.because[0].startswith("slave-1 is silent for ")
    assert held.slave == "slave-1"


def test_a_slave_that_wants_nothing_is_not_called_full(master: Master) -> None:
    master.join(1)
    master.ledger.apply(WindowChanged(1, 0))
    master.push()
    assert master.why() == "no tasks are wanted now by slave-1"


def test_what_a_slave_lacks_that_wants_nothing_is_said_once_for_all(master: Master) -> None:
    for number in range(1, 7):
        master.join(number)
        master.ledger.apply(WindowChanged(number, 0))
        master.ledger.apply(SlaveLacks(number, "memory" if number < 3 else f"thing {number}"))
    master.push()
    by = "no tasks are wanted now by"
    assert master.explain(1).because == (
        f"{by} 2 slaves (slave-1, slave-2): memory",
        f"{by} slave-3: thing 3",
        f"{by} slave-4: thing 4",
        f"{by} 2 slaves (slave-5, slave-6)",
    )
    assert master.ledger.slaves[1].status().lacks == "memory"
    master.ledger.apply(SlaveLacks(1, ""))
    assert master.ledger.slaves[1].status().lacks == ""
    master.ledger.apply(SlaveLacks(99, "it has left"))


def test_a_task_at_a_slave_says_what_is_before_it_there(master: Master) -> None:
    master.join(1, workers=1, window=3)
    master.push(3)
    master.give(1, 3)
    first, last = master.explain(1), master.explain(3)
    assert (first.state, first.waits_for, last.waits_for) == (AT_SLAVE, "", "a worker of slave-1")
    assert last.because == ("slave-1 has 3 tasks for 1 worker; 2 of these came before it",)


def test_a_task_that_runs_says_since_when_and_when_its_limit_ends_it(master: Master) -> None:
    master.join(1)
    master.push(timeout_s=60.0)
    master.give(1)
    master.ledger.apply(TasksRunning(1, [1], [4711], [2.0], [""], EPOCH + master.now))
    master.wait(10)
    found = master.explain(1)
    assert (found.state, found.waits_for) == (RUNNING, "")
    assert found.because == ("it has run for 12 s in process 4711",)
    assert found.then == "its run is ended in 48 s, when it has taken 60 s"


def test_between_tries_it_says_what_was_raised_and_when_it_goes_on(master: Master) -> None:
    master.join(1)
    master.push(retry=Retry(3, on=(OSError,), delay_s=5.0, jitter=0.0))
    master.give(1)
    master.ledger.apply(TasksDone(1, [1], [RETRIABLE], [b"no route"], 0.1))
    master.wait(2)
    found = master.explain(1)
    assert (found.state, found.waits_for) == (BETWEEN_TRIES, "its next try")
    assert found.because == ("it raised OSError: no route",)
    assert found.then == "it is queued again in 3.0 s: try 2 of 4"
    assert "up to 3 more tries after builtins.OSError" in found.asked


@pytest.mark.parametrize("status", [TIMED_OUT, OUT_OF_MEMORY])
def test_between_tries_it_says_which_limit_was_passed(master: Master, status: int) -> None:
    master.join(1)
    master.push(retry=Retry(3, delay_s=5.0))
    master.give(1)
    words = Ended("it ran for more than its limit of 2 s").payload()
    master.ledger.apply(TasksDone(1, [1], [status], [words], 0.1))
    found = master.explain(1)
    assert found.because == ("it ran for more than its limit of 2 s",)
    assert found.history == ("1 of 3 more tries were needed so far",)


def test_a_task_that_all_have_refused_says_so(master: Master) -> None:
    master.join(1)
    master.push()
    master.give(1)
    master.ledger.apply(TasksReturned(1, [1]))
    found = master.explain(1)
    assert (found.state, found.waits_for) == (REFUSED, "a slave that has not refused it")
    assert found.because == ("refused, or a worker died of it: slave-1",)
    assert found.history == ("1 slave has refused it, or lost a worker over it: slave-1",)


def test_deaths_of_workers_are_its_history(master: Master) -> None:
    master.join(1)
    master.join(2)
    master.push()
    master.give(1)
    master.ledger.apply(TasksDone(1, [1], [DIED], [b"it was killed by SIGSEGV\nmore"], 0.1))
    master.ledger.apply(RefusedPassedOn())
    found = master.explain(1)
    assert found.history[0] == "attempt 1 of 3 on slave-1: it was killed by SIGSEGV"
    assert found.slave == "slave-2"


def test_a_slave_that_was_lost_may_still_run_it(master: Master) -> None:
    master.join(1)
    master.push()
    master.give(1)
    master.ledger.apply(SlaveLost(1, "gone"))
    assert "may still run it: slave-1" in master.explain(1).history[0]


def test_on_the_work_queue_it_waits_for_who_takes_it(master: Master) -> None:
    master.join(1)
    master.push()
    master.ledger.apply(TasksOffered(1))
    found = master.explain(1)
    assert (found.state, found.waits_for) == (OFFERED, "a slave that takes it")


def test_tasks_of_a_held_job_wait_for_its_release() -> None:
    master = Master(is_recorded=True)
    master.ledger.apply(OwnerJoined(2, "node", JobSpec(job_id="k3f9", name="hunt", keep_s=100.0)))
    master.push(2, owner=2)
    master.ledger.apply(JobHeld(2, "it was made with Python 3.10"))
    found = master.explain(1)
    assert (found.state, found.owner) == (KEPT_BACK, "hunt")
    assert found.because == ("its job is held: it was made with Python 3.10",)
    assert "'concurrent release hunt'" in found.then
    whole = Explainer(master.ledger, 0.0).job(master.ledger.owners[2])
    assert whole.reason == "it was made with Python 3.10"


def test_by_the_number_of_its_program_an_ended_task_is_known_too(master: Master) -> None:
    master.join(1)
    master.push(2)
    master.give(1)
    master.ledger.apply(TasksDone(1, [1], [FINISHED], [b""], 0.1))
    explainer, job = Explainer(master.ledger, 0.0), master.ledger.owners[1]
    assert [explainer.of_job(job, one).state for one in (0, 1, 2)] == [ENDED, QUEUED, NOT_THERE]


def test_a_job_has_what_its_tasks_wait_for_in_groups() -> None:
    master = Master(tokens={"database": 1000})
    master.join(1, window=2)
    master.push(3, name="plain")
    master.give(1, 2)
    master.push(5, name="train", resources={"gpu": 1})
    master.push(1, name="again", retry=Retry(1, delay_s=9.0), priority=100)
    lane = next(lane for lane in master.ledger.lanes if lane.terms.name == "again")
    master.ledger.apply(WindowChanged(1, 3))
    master.ledger.assign(1, 1, lane)
    master.ledger.apply(TasksDone(1, [9], [RETRIABLE], [b""], 0.1))
    found = Explainer(master.ledger, EPOCH + master.now).job(master.ledger.owners[1])
    assert (found.open, found.at_slaves, found.left_out) == (9, 2, 0)
    assert [(one.count, one.first.name, one.first.state) for one in found.waits] == [
        (5, "train", QUEUED), (1, "plain", QUEUED), (1, "again", BETWEEN_TRIES)
    ]  # fmt: skip
    assert "5 tasks of program (train), queued, wait for a slave with enough gpu: gpu: needs 1" in str(found)


def test_what_has_waited_for_a_while_has_a_row_for_the_status(master: Master) -> None:
    master.join(1, window=1)
    master.push(2, name="plain")
    master.give(1)
    master.push(5, name="train", resources={"gpu": 1})
    assert Explainer(master.ledger, 0.0).long_waits() == ()
    for _ in range(6):
        master.wait(1)
    master.push(1, name="late")
    rows = [WaitRow.of(wait) for wait in Explainer(master.ledger, 0.0).long_waits()]
    assert [(one.count, one.name, one.owner, one.waits_for) for one in rows] == [
        (5, "train", "program", "a slave with enough gpu"), (1, "plain", "program", "room at a slave"),
    ]  # fmt: skip
    assert rows[0].because == "gpu: needs 1, offered by 0 of 1 slaves"
    assert (rows[0].age_s, rows[0].task, rows[0].id) == (6.0, 3, 2)


def test_a_slave_that_is_kept_free_for_others_is_named(master: Master) -> None:
    master.join(1, gpu=4)
    master.push(resources={"gpu": 1})
    kept = 1, Claim.of({"gpu": 4})
    found = Explainer(master.ledger, 0.0, kept_free=kept).task(master.ledger.task_by_number[1])
    assert "slave-1 is kept free for tasks with gpu=4, which others have overtaken" in found.because


def test_it_travels_as_json_and_reads_as_text(master: Master) -> None:
    master.push(name="train", priority=3, resources={"gpu": 0.5, "memory": "4GiB"}, deadline_s=90.0)
    found = master.explain(1)
    assert Explanation.from_json(found.to_json()) == found
    lines = str(found).splitlines()
    assert lines[0] == "task 0 of program (train), number 1 at the master"
    assert "asks for:   gpu=0.5, memory=4GiB; priority 3; at most 90 s from when it came to its end" in lines
    assert "waits for:  a slave" in lines
    assert "could run:  at 0 of 0 slaves" in lines
    assert "why:        no slave has joined" in lines
    whole = Explainer(master.ledger, 0.0).job(master.ledger.owners[1])
    assert JobExplanation.from_json(whole.to_json()) == whole


def test_with_ten_thousand_slaves_it_is_as_short() -> None:
    master = Master(tokens={"database": 1000})
    claim = {"gpu": 1, "memory": "2GiB", "licence": 0.5}
    for number in range(1, 10_001):
        kind = number % 4
        master.join(number, window=0 if kind == 3 else 1, memory=GIB if kind == 0 else 4 * GIB,
                    **({"gpu": 1} if kind != 1 else {}), licence=1)  # fmt: skip
    master.push(2, resources=claim)
    found = master.explain(1)
    assert found.able == 5_000
    assert len(str(found)) < 2_000
    assert len(found.because) <= 6
    master.push(500, name="other")
    whole = Explainer(master.ledger, 0.0).job(master.ledger.owners[1])
    assert len(str(whole)) < 4_000


def test_of_a_million_tasks_those_before_one_are_counted_to_a_bound(master: Master) -> None:
    master.push(20_000)
    assert "10,000 or more tasks of its kind go before it" in master.why(20_000)


@pytest.mark.parametrize(("text", "is_one"), [
    ("hunt/7", True), ("7", True), ("a/b/7", True), ("hunt", False), ("a/b", False), ("/7", False), ("", False),
    ("7/", False), ("hunt/-1", False), ("9" * 20, False),
])  # fmt: skip
def test_a_task_is_told_from_a_job_by_its_number(text: str, is_one: bool) -> None:
    assert is_task(text) is is_one


def test_what_slaves_lack_of_what_a_program_needs_is_said_of_its_own_tasks(master: Master) -> None:
    master.ledger.apply(OwnerJoined(2, "other"))
    master.push(2)
    master.push(owner=2)
    for slave in (1, 2, 3):
        master.join(slave, window=0)
        master.ledger.apply(SlaveFits(slave, 1, "program", "lacks grid_tools"))
    assert "3 slaves (slave-1, slave-2, slave-3) lacks grid_tools" in master.why(1)
    assert "grid_tools" not in master.why(3)
    master.ledger.apply(WindowChanged(2, 4))
    master.give(2)
    assert "slave-2 lacks grid_tools" in master.explain(1).because
    master.ledger.apply(SlaveFits(2, 1, "program", ""))
    assert "slave-2" not in "; ".join(master.explain(1).because[1:])
    master.ledger.apply(SlaveFits(99, 1, "program", "has left"))
