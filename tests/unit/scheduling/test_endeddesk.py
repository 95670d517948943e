"""What a master remembers of how tasks ended: counts by function, groups of failures, the latest tasks."""

from __future__ import annotations

import tracemalloc
from typing import Any

import pytest

from concurrent.scheduling.ledger.counts import OutcomeCounts
from concurrent.scheduling.ledger.events import (
    CancelRequested,
    OwnerJoined,
    OwnerLeft,
    SlaveJoined,
    TasksDone,
    TasksSubmitted,
)
from concurrent.scheduling.ledger.ledger import Ledger
from concurrent.scheduling.ledger.watching import KEPT_COUNT
from concurrent.scheduling.master.endeddesk import LABELS_MAX, NAMES_MAX, OTHER, UNCOUNTED_MAX, EndedDesk
from concurrent.scheduling.master.failurewords import read_failure
from concurrent.scheduling.tasks.outcome import DIED, FAILED, FINISHED, RETRIABLE, TIMED_OUT, Ended
from concurrent.scheduling.tasks.retry import Retry
from concurrent.scheduling.tasks.terms import Terms
from concurrent.scheduling.telemetry.endedtasks import LISTED_MIN, EndedTask, EndedTasks
from concurrent.scheduling.telemetry.failuregroups import GROUPS_MAX, Failed, FailureGroups, cut_exception
from concurrent.scheduling.telemetry.failuretexts import BYTES_MAX, FailureTexts
from concurrent.scheduling.telemetry.jobmark import JobMark
from concurrent.scheduling.telemetry.rates import SPAN_S, Rate
from concurrent.scheduling.wire.failure import dumps_failure

OWNER, SLAVE = 1, 9
JOB = JobMark(OWNER, "hunt", "submit:ann")


class Master:
    """A ledger with a job and a slave, and a desk that watches it."""

    def __init__(self, *, kept_count: int = KEPT_COUNT) -> None:
        self.at = 1000.0
        self.ledger = Ledger(memory_bytes_max=1 << 20, read_failure=read_failure)
        maker_of, clock = (lambda job: f"submit:{job.name}"), lambda: self.at
        self.desk = EndedDesk(self.ledger, maker_of, clock, kept_count=kept_count)
        self.ledger.jobs.watcher = self.desk
        self.ledger.apply(OwnerJoined(OWNER, "hunt"))
        self.ledger.apply(SlaveJoined(SLAVE, "slave-1", workers=2, window=1 << 20))

    def work(self, *parts: tuple[Terms, int, Any], task_s: float = 0.0) -> None:
        """Have tasks end together, each with its terms, status and payload; tasks took so long lately."""
        for terms, _status, _payload in parts:
            self.ledger.apply(TasksSubmitted(OWNER, self.ledger.owners[OWNER].next_id, [b"task"], terms))
            self.ledger.assign(SLAVE, 1, self.ledger.owners[OWNER].lanes.lane(terms))
        numbers = list(self.ledger.slaves[SLAVE].held)
        _, statuses, payloads = zip(*parts, strict=True)
        self.ledger.apply(TasksDone(SLAVE, numbers, list(statuses), list(payloads), task_s, at=self.at))

    def unfinished(self) -> list[EndedTask]:
        return list(self.desk.tasks.unfinished())


@pytest.fixture
def master() -> Master:
    return Master()


def failure(error: Exception, output: str = "") -> bytes:
    try:
        raise error
    except type(error) as raised:
        return dumps_failure(raised, None, output, "slave-1, process 7")


def of(name: str, **asked: Any) -> Terms:
    return Terms(name=name, **asked)


def test_tasks_are_counted_by_function_whatever_ends_together(master: Master) -> None:
    look, find = of("look"), of("find")
    master.work((look, FINISHED, b"1"), (look, FINISHED, b"2"))
    master.work((look, FINISHED, b"3"), (find, FAILED, failure(ValueError("no"))), (find, FINISHED, b"4"))
    master.ledger.apply(TasksSubmitted(OWNER, 100, [b"task"] * 2, look))
    master.ledger.apply(CancelRequested(OWNER, [100, 101]))
    expected = {"look": OutcomeCounts(3, 0, 2), "find": OutcomeCounts(1, 1, 0)}
    assert master.desk.counts_by_job == {OWNER: expected}
    assert master.desk.totals == expected
    assert [task.id for task in master.desk.tasks.finished()] == [4, 2, 1, 0]
    assert [task.name for task in master.desk.tasks.finished()] == ["find", "look", "look", "look"]
    assert [(one.id, one.name, one.exception) for one in master.unfinished()] == [
        (101, "look", ""),
        (100, "look", ""),
        (3, "find", "ValueError"),
    ]


def test_failures_have_the_words_of_the_last_one(master: Master) -> None:
    find = of("find")
    for text in ("first", "second"):
        master.at += 1
        master.work((find, FAILED, failure(ValueError(text), f"printed {text}")))
    (group,) = master.desk.failures.rows()
    assert (group.job.name, group.job.maker) == ("hunt", "submit:hunt")
    assert (group.name, group.exception, group.count) == ("find", "ValueError", 2)
    assert (group.first_at, group.last_at) == (1001.0, 1002.0)
    assert (group.slaves, list(group.tasks)) == (["slave-1"], [0, 1])
    assert "ValueError: second" in group.text
    assert "slave-1, process 7" in group.text
    assert group.output == "printed second"
    assert master.unfinished()[0].words == "ValueError: second"


def test_each_way_to_fail_is_a_kind_of_its_own(master: Master) -> None:
    once = of("find", attempts_max=1)
    master.work((once, DIED, b"killed by signal 9"))
    master.work((once, TIMED_OUT, Ended("it ran for more than 1 s", "slave-1", "tick").payload()))
    master.work((once, FAILED, b"nobody can read this"))
    kinds = {group.exception: group for group in master.desk.failures.rows()}
    assert set(kinds) == {"WorkerDied", "TaskTimeout", ""}
    assert "killed by signal 9" in kinds["WorkerDied"].text
    assert (kinds["TaskTimeout"].text, kinds["TaskTimeout"].output) == (
        "slave-1\nit ran for more than 1 s",
        "tick",
    )
    assert master.desk.deaths == 1


def test_tries_that_are_not_the_last_are_counted_apart(master: Master) -> None:
    master.work((of("find", retry=Retry.of(3)), RETRIABLE, failure(ValueError("no"))))
    master.work((of("find", attempts_max=3), DIED, b"killed by signal 9"))
    counts = {group.exception: (group.count, group.tried_again) for group in master.desk.failures.rows()}
    assert counts == {"ValueError": (0, 1), "WorkerDied": (0, 1)}
    assert (master.desk.tries, master.desk.deaths) == (2, 1)
    assert master.unfinished() == []


def test_failures_stay_when_their_job_is_gone(master: Master) -> None:
    master.work((of("find"), FAILED, failure(ValueError("no"))))
    master.ledger.apply(OwnerLeft(OWNER))
    assert [group.count for group in master.desk.failures.rows()] == [1]
    for owner in range(100, 400):
        master.ledger.apply(OwnerJoined(owner, f"application-{owner}"))
        master.desk.mark_of(master.ledger.owners[owner])
        master.ledger.apply(OwnerLeft(owner))
    assert len(master.desk.counts_by_job) < 200


def test_functions_beyond_a_number_are_not_told_apart(master: Master) -> None:
    for number in range(NAMES_MAX + 50):
        master.work((of(f"f{number}"), FINISHED, b""))
    by_name = master.desk.counts_by_job[OWNER]
    assert len(by_name) == NAMES_MAX + 1
    assert by_name[""].finished == 50
    totals = master.desk.totals
    assert len(totals) == LABELS_MAX + 1
    assert totals[OTHER].finished == NAMES_MAX + 50 - LABELS_MAX


def test_the_most_frequent_kinds_of_failures_are_told_apart() -> None:
    groups = FailureGroups()

    def fail(name: str, at: float) -> None:
        groups.note(JOB, Failed(at, 1, name, "ValueError", "slave-1", "text", ""))

    for _ in range(2):
        fail("often", 1.0)
    for number in range(3 * GROUPS_MAX):
        fail(f"once {number}", 2.0 + number)
    rows = groups.rows()
    assert len(rows) <= GROUPS_MAX + 1
    assert rows[0].name == f"once {3 * GROUPS_MAX - 1}"
    assert next(row for row in rows if row.name == "often").count == 2
    assert rows[-1].exception == ""
    assert sum(row.count for row in rows) == 2 + 3 * GROUPS_MAX


def test_fifty_thousand_failures_of_as_many_kinds_take_less_than_ten_megabytes() -> None:
    groups, tasks, texts = FailureGroups(), EndedTasks(KEPT_COUNT), FailureTexts()
    wide = "\N{GRINNING FACE}"
    tracemalloc.start()
    for number in range(50_000):
        exception = cut_exception(f"{number}{wide * 1000}")
        text = f"{wide * 2000}{number}"
        where = f"slave-{number}"
        groups.note(JOB, Failed(1.0, number, f"{number}".ljust(100), exception, where, text, text))
        said = texts.add(where, f"  {text}\n{text}", text)
        tasks.add(EndedTask(JOB, number, "find", FAILED, where, 1.0, 0.5, 0, 0, exception, said))
    taken, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert taken < 10e6
    assert sum(row.count for row in groups.rows()) == 50_000


TRACEBACK = "Traceback (most recent call last):\n" + 8 * '  File "hunt.py", line 7, in look\n    return bird\n'


def test_each_of_ten_thousand_failures_keeps_its_own_message_and_its_traceback() -> None:
    texts = FailureTexts()
    said = [
        texts.add(f"slave-{number % 9}", f"{TRACEBACK}ValueError: bird {number}\n", f"bird {number}")
        for number in range(20_000)
    ]
    assert texts.size_bytes <= BYTES_MAX
    assert all(
        one.text == f"slave-{n % 9}\n{TRACEBACK}ValueError: bird {n}\n"
        for n, one in enumerate(said[-9000:], 11_000)
    )
    assert [one.text for one in said[:5000]] == [""] * 5000
    assert said[0].words == "bird 0"


@pytest.mark.parametrize("text", ["", "killed", "no\nindent", "a\n  b\nmessage\nof two lines", "a\n  b"])
def test_a_failure_says_what_it_said(text: str) -> None:
    texts = FailureTexts()
    assert texts.add("", text, "").text == text
    assert texts.add("slave-1", text, "").text == f"slave-1\n{text}"


def test_each_failure_of_a_kind_has_its_own_traceback(master: Master) -> None:
    for text in ("first", "second"):
        master.work((of("find"), FAILED, failure(ValueError(text))))
    said = [one.text for one in master.unfinished()]
    assert ["ValueError: second" in said[0], "ValueError: first" in said[1]] == [True, True]
    assert all("slave-1, process 7" in one and "Traceback" in one for one in said)


def test_what_ended_tells_how_long_such_tasks_took_at_its_slave(master: Master) -> None:
    master.work((of("find"), FINISHED, b""), task_s=0.25)
    master.work((of("find"), FAILED, failure(ValueError("no"))), task_s=0.5)
    assert [one.usual_s for one in master.desk.tasks.finished()] == [0.25]
    assert [one.usual_s for one in master.unfinished()] == [0.5]


def test_words_of_peers_are_cut(master: Master) -> None:
    error = type("E" * 1000, (Exception,), {})("x" * 10_000)
    master.work((of("find"), FAILED, failure(error, "o" * 10_000)))
    (group,) = master.desk.failures.rows()
    assert max(map(len, (group.text, group.output))) <= 4000
    (task,) = master.unfinished()
    assert len(task.exception) < 100
    assert len(task.words) < 200


def test_of_tasks_that_ended_the_latest_are_kept() -> None:
    ended = EndedTasks(10)
    for number in range(15):
        ended.add(EndedTask(JOB, number, "find", FAILED, "slave-1", 1.0))
    assert next(ended.unfinished()).id == 14
    assert sum(1 for _ in ended.unfinished()) == 10
    assert ended.find(OWNER, 4) is None
    assert ended.find(OWNER, 7) is not None
    assert ended.find(OWNER + 1, 7) is None


def test_of_finished_tasks_whole_batches_are_kept_and_the_latest_are_listed() -> None:
    master = Master(kept_count=2 * LISTED_MIN)
    look = of("look")
    for _ in range(6):
        master.work(*[(look, FINISHED, b"")] * (LISTED_MIN // 2))
    ids = [task.id for task in master.desk.tasks.finished()]
    assert ids == list(range(3 * LISTED_MIN - 1, 2 * LISTED_MIN - 1, -1))
    assert master.desk.tasks.find(OWNER, LISTED_MIN) is not None
    assert master.desk.tasks.find(OWNER, LISTED_MIN - 1) is None


def test_the_finished_stay_whatever_fails_after_them() -> None:
    master = Master(kept_count=3)
    master.work((of("look"), FINISHED, b""), (of("find"), FAILED, b""), (of("look"), FINISHED, b""))
    master.work(*[(of("find"), FAILED, b"")] * 10)
    assert [task.id for task in master.desk.tasks.finished()] == [2, 0]
    assert [task.id for task in master.unfinished()] == [12, 11, 10]
    last = master.desk.ending(OWNER, 2)
    assert last is not None
    assert (last.status, last.outcome, last.slave, last.at) == (FINISHED, 3, "slave-1", 1000.0)


def test_reports_are_counted_together_and_all_are_when_somebody_asks(master: Master) -> None:
    for _ in range(UNCOUNTED_MAX + 1):
        master.work((of("look"), FINISHED, b""))
    assert master.desk.rate.count(1000.0) == UNCOUNTED_MAX + 1
    assert master.desk.total().finished == UNCOUNTED_MAX + 1
    assert master.desk.counts_by_job[OWNER]["look"].finished == UNCOUNTED_MAX + 1


def test_a_rate_is_that_of_the_last_seconds() -> None:
    rate = Rate(100.5)
    assert rate.per_s(100.5) == 0.0
    for second in range(20):
        rate.note(101.0 + second, 30)
    assert rate.per_s(120.0) == pytest.approx(30.0, rel=0.11)
    assert rate.count(120.0 + SPAN_S + 2) == 0
    young = Rate(100.0)
    young.note(101.0, 50)
    assert young.per_s(102.0) == pytest.approx(25.0)
