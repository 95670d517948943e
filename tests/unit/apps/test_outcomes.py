"""An application's callbacks run for each outcome, and it knows when nothing is left."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from concurrent.apps.callbacks import Callbacks
from concurrent.apps.jobrun import JobRun
from concurrent.apps.jobwish import JobWish
from concurrent.apps.outcomes import Outcomes
from concurrent.core.items import Host
from concurrent.scheduling.owner.results import Outcome
from concurrent.scheduling.tasks.outcome import CANCELLED, FINISHED
from concurrent.scheduling.tasks.task import Task


class App(Callbacks):
    """Notes what it is told; ends itself after some tasks if the test says so."""

    def __init__(self) -> None:
        self.outcomes = Outcomes(self)
        self.told: list[Any] = []
        self.ends_after = 100

    def task_finished(self, task: Task, result: Any, error: BaseException | None) -> None:
        self.told.append(result if error is None else type(error).__name__)
        self.outcomes.is_over = len(self.told) == self.ends_after

    def work_finished(self, result: Any, task_system: Any) -> None:
        self.told.append((result, task_system))


class Rig:
    """An application with a client that has pushed some tasks, and maybe a job."""

    def __init__(self, pushed_count: int, job: JobRun | None = None) -> None:
        self.app = App()
        self.heard: list[Any] = []
        self.dealt_with: list[Outcome] = []
        code = SimpleNamespace(loads_payload=bytes.decode)
        tasks = SimpleNamespace(code=code, pushed_count=pushed_count)
        client: Any = SimpleNamespace(tasks=tasks, heard_of_system=self.heard.append)
        inbox: Any = SimpleNamespace(dealt_with=self.dealt_with.append)
        self.outcomes = self.app.outcomes
        self.outcomes.begin(client, inbox, job)


def finished(*results: bytes) -> list[Outcome]:
    return [Outcome(Task(), FINISHED, result) for result in results]


@pytest.fixture
def job() -> JobRun:
    return JobRun(JobWish(), Host("127.0.0.1", 8080))


def test_all_is_done_when_each_task_had_its_callback() -> None:
    rig = Rig(2)
    rig.outcomes.deliver(finished(b"a"))
    assert not rig.outcomes.is_done
    rig.outcomes.deliver([Outcome(Task(), CANCELLED, b"")])
    assert rig.outcomes.is_done
    assert rig.app.told == ["a", "TaskCancelled"]


def test_a_task_system_that_goes_on_is_not_done() -> None:
    rig = Rig(0)
    rig.outcomes.open_systems += 1
    assert not rig.outcomes.is_done
    rig.outcomes.deliver_system(Outcome("the system", FINISHED, b"42"))
    assert rig.outcomes.is_done
    assert rig.app.told == [("42", "the system")]
    assert rig.heard == ["the system"]


def test_once_it_is_over_no_callback_runs() -> None:
    rig = Rig(3)
    rig.app.ends_after = 2
    rig.outcomes.deliver(finished(b"a", b"b", b"c"))
    assert rig.app.told == ["a", "b"]


def test_of_a_job_just_those_are_dealt_with_whose_callbacks_have_run(job: JobRun) -> None:
    rig = Rig(3, job)
    rig.app.ends_after = 2
    outcomes = finished(b"a", b"b", b"c")
    rig.outcomes.deliver(outcomes)
    assert rig.dealt_with == outcomes[:2]


def test_a_job_is_done_when_nothing_of_former_programs_is_owed(job: JobRun) -> None:
    rig = Rig(1, job)
    job.owed = 1
    rig.outcomes.deliver(finished(b"a"))
    assert not rig.outcomes.is_done
    job.took_former(0)
    assert rig.outcomes.is_done
