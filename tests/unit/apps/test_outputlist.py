"""What the tasks of a job have printed: all of it, a part at a time, and what is new since the last look."""

from __future__ import annotations

from concurrent.futures import Future
from types import SimpleNamespace
from typing import Any, cast

import pytest

from concurrent.apps.observed import OutputsList
from concurrent.apps.outputlist import OutputLister
from concurrent.core.errors import JobUnknown
from concurrent.scheduling.ledger.events import TasksRunning
from concurrent.scheduling.master.dispatcher import Dispatcher
from concurrent.scheduling.master.newsdesk import NewsDesk
from concurrent.scheduling.tasks.outcome import FAILED, FINISHED
from concurrent.scheduling.tasks.terms import Terms
from concurrent.transport.security.identity import Identity
from concurrent.transport.security.roles import Role
from tests.unit.apps.watched import Watched

JOB, OTHER, SLAVE = 1, 2, 9
SAY = Terms(name="say")
ANN, BOB = Identity(Role.SUBMIT, "ann"), Identity(Role.SUBMIT, "bob")


class Printing:
    """A master with a job whose tasks print; ``asked`` are answers of its slave that are still to come."""

    def __init__(self) -> None:
        self.master = Watched()
        self.master.join(JOB, "ann")
        self.master.join(OTHER, "bob")
        self.master.add_slave(SLAVE, workers=1, window=1000)
        self.asked: list[Future[str]] = []
        sessions = SimpleNamespace(slaves={SLAVE: self}, owners={})
        self.news = NewsDesk(self.master.ledger, cast("Any", sessions), cast("Any", None))

    def call(self, _method: Any, _number: int) -> Future[str]:
        self.asked.append(Future())
        return self.asked[-1]

    def print_and_end(self, *texts: str) -> None:
        self.master.push(JOB, len(texts), SAY)
        numbers = self.master.give(SLAVE, len(texts), JOB, SAY)[-len(texts) :]
        self.news.printed(SLAVE, numbers, list(texts))
        outcomes = [
            (number, FAILED if "bad" in text else FINISHED, b"")
            for number, text in zip(numbers, texts, strict=True)
        ]
        self.master.report(SLAVE, *outcomes)

    def run_one(self) -> None:
        self.master.push(JOB, 1, SAY)
        (number,) = self.master.give(SLAVE, 1, JOB, SAY)
        self.master.apply(TasksRunning(SLAVE, [number], [7], [5.0], [""], self.master.at))

    def ask(
        self, job: str = "ann", who: Identity = ANN, after: int = 0, limit: int = 100, offset: int = 0
    ) -> Future[OutputsList]:
        dispatcher = SimpleNamespace(**{**vars(self.master.dispatcher), "news": self.news})
        lister = OutputLister(cast("Dispatcher", dispatcher), who, self.master.at)
        return lister.part(job, after, limit, offset)


@pytest.fixture
def job() -> Printing:
    return Printing()


def test_all_that_is_kept_is_had_in_parts_with_what_the_tasks_are(job: Printing) -> None:
    texts = [f"line {number}{' bad' * (number == 3)}" for number in range(250)]
    job.print_and_end(*texts)
    parts = [job.ask(offset=offset).result(0) for offset in (0, 100, 200)]
    assert [row.output for part in parts for row in part.items] == texts
    assert [(part.total, part.left_out, part.after, part.open) for part in parts] == [
        (250, 150, 250, 0), (250, 50, 250, 0), (250, 0, 250, 0),
    ]  # fmt: skip
    assert [(row.task, row.name, row.state) for row in parts[0].items[2:4]] == [
        ("ann/2", "say", "finished"),
        ("ann/3", "say", "failed"),
    ]


def test_what_runs_comes_last_and_is_waited_for(job: Printing) -> None:
    job.print_and_end("done")
    job.run_one()
    answer = job.ask()
    assert not answer.done()
    job.asked[0].set_result("so far")
    found = answer.result(0)
    assert [(row.task, row.state, row.output) for row in found.items] == [
        ("ann/0", "finished", "done"),
        ("ann/1", "running", "so far"),
    ]
    assert found.open == 1


def test_who_looks_again_gets_what_is_new(job: Printing) -> None:
    job.print_and_end("one", "two")
    seen = job.ask().result(0).after
    assert job.ask(after=seen).result(0).items == ()
    job.print_and_end("three")
    assert [row.output for row in job.ask(after=seen).result(0).items] == ["three"]
    assert len(job.ask(after=99).result(0).items) == 3  # another master counts anew


def test_another_job_is_unknown_and_what_was_meant_is_said(job: Printing) -> None:
    with pytest.raises(JobUnknown, match="Did you mean ann"):
        job.ask("anm")
    with pytest.raises(JobUnknown) as refused:
        job.ask("ann", BOB)
    assert "ann" not in (refused.value.remedy or "")
