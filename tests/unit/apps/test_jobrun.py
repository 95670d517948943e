"""What an application does about its job: when callbacks run, what is to come, and whether the job goes on."""

from __future__ import annotations

from dataclasses import replace

import pytest

from concurrent.apps.jobrun import JobRun
from concurrent.apps.jobwish import JobAnswer, JobWish
from concurrent.core.errors import NodeError
from concurrent.core.items import Host

NEW = JobAnswer(job="k3f9", name="hunt", durability="host", next_id=1)
BEGUN = replace(NEW, is_new=False, has_begun=True, next_id=11, consumed_to=4)


class Client:
    """A connection to a master that has answered."""

    def __init__(self, answer: JobAnswer) -> None:
        self._answer = answer

    def attached(self) -> JobAnswer:
        return self._answer


class Run(JobRun):
    """One that has joined; ``said`` is what a person was told, ``inbox`` what may run."""

    def __init__(self, answer: JobAnswer, *, is_detached: bool = False) -> None:
        self.said: list[str] = []
        self.inbox: list[str] = []
        super().__init__(
            JobWish(name="hunt"), Host("cray", 8750), is_detached=is_detached, tell=self.said.append
        )
        self.join(Client(answer))

    def come(self, *names: str) -> None:
        for name in names:
            self.put(self.inbox.append, name)


def test_of_a_new_job_nothing_is_owed_and_nobody_is_told_anything() -> None:
    run = Run(NEW)
    assert (run.owed, run.said) == (0, [])


def test_nothing_runs_before_the_job_has_begun_and_then_all_in_order() -> None:
    run = Run(NEW)
    run.come("a", "b")
    assert run.inbox == []
    run.release()
    run.come("c")
    assert run.inbox == ["a", "b", "c"]


def test_of_one_that_is_detached_nothing_runs_ever() -> None:
    run = Run(NEW, is_detached=True)
    run.come("a")
    run.release()
    assert run.inbox == []


def test_of_a_job_that_has_begun_all_is_owed_that_was_not_taken() -> None:
    run = Run(BEGUN)
    assert run.owed == 6
    assert run.said == ["job hunt goes on: 4 of 10 results were taken before"]


def test_of_one_that_pushed_task_systems_only_no_task_is_owed() -> None:
    assert Run(replace(BEGUN, next_id=0, consumed_to=0)).owed == 0


def test_of_one_that_has_ended_it_is_not_said_that_it_goes_on() -> None:
    assert Run(replace(BEGUN, state="ended")).said == ["job hunt has ended: 4 of 10 results were taken before"]


def test_of_a_task_system_it_is_said_that_its_result_is_to_come() -> None:
    run = Run(replace(BEGUN, next_id=0, consumed_to=0, systems=[1]))
    assert run.said == ["job hunt goes on: the result of its task system is to come"]


def test_what_a_longer_push_has_left_over_is_owed_and_said_by_number() -> None:
    run = Run(replace(BEGUN, has_begun=False, consumed_to=0))
    run.begun(3)
    assert run.owed == 3
    assert "had pushed 3 tasks more than this one" in run.said[-1]
    run.begun(0)
    assert len(run.said) == 2


def test_a_first_push_that_was_cut_is_said_and_nothing_is_owed() -> None:
    run = Run(replace(BEGUN, has_begun=False, consumed_to=0))
    assert run.owed == 0
    (line,) = run.said
    assert "was cut after 10 tasks" in line


def test_a_job_that_is_held_says_why() -> None:
    assert "made with Python 3.10" in Run(replace(BEGUN, state="held", reason="made with Python 3.10")).said[-1]


def test_a_master_that_keeps_nothing_is_refused_with_what_to_type() -> None:
    with pytest.raises(NodeError, match="cray:8750 keeps no journal") as caught:
        Run(replace(NEW, durability="none"))
    assert "concurrent master" in caught.value.remedy


def test_a_job_goes_on_unless_it_is_refused() -> None:
    assert Run(NEW).goes_on
