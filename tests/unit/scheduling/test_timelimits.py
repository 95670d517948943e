"""When a task that runs has had its time."""

from __future__ import annotations

from typing import Any

import pytest

from concurrent.scheduling.slave.timelimits import LINES_PER_S, PAUSE_S, TimeLimits
from concurrent.scheduling.slave.verdict import Verdict
from concurrent.scheduling.tasks.outcome import TIMED_OUT
from concurrent.scheduling.tasks.runterms import USUAL, RunTerms
from tests.unit.scheduling.slave_parts import StillLoop


class Worker:
    """Runs what it is told to."""

    def __init__(self) -> None:
        self.is_doomed = False
        self.is_amid_result = False
        self.unread: list[int] = []
        self._running: tuple[Any, ...] | None = None

    def run(self, number: int, limit_s: float | None) -> None:
        self._running = number, b"", None, USUAL if limit_s is None else RunTerms(timeout_s=limit_s)

    def running_item(self) -> Any:
        return self._running

    def read_what_came(self) -> None:
        if self._running is not None and self._running[0] in self.unread:
            self._running = None


class Limits:
    """Two workers, and what was found to be over its limit."""

    def __init__(self) -> None:
        self.loop = StillLoop()
        self.workers = [Worker(), Worker()]
        self.over: list[tuple[Worker, int, Verdict]] = []
        self.limits = TimeLimits(self.loop, lambda *over: self.over.append(over))  # type: ignore[arg-type]

    def look(self) -> None:
        running = {worker: worker.running_item() for worker in self.workers if worker.running_item()}
        self.limits.look(running)  # type: ignore[arg-type]

    def look_for(self, seconds: float) -> None:
        """Look every fifth of a second."""
        for _ in range(round(seconds / 0.2)):
            self.look()
            self.loop.go_on(0.2)


@pytest.fixture
def limits() -> Limits:
    return Limits()


def test_a_task_is_over_its_limit_when_it_was_seen_to_run_for_so_long(limits: Limits) -> None:
    limits.workers[0].run(7, 1.0)
    limits.look_for(0.8)
    assert not limits.over
    limits.look_for(0.4)
    ((worker, number, verdict),) = limits.over
    assert (worker, number, verdict.status) == (limits.workers[0], 7, TIMED_OUT)
    assert "limit of 1 s" in verdict.reason


def test_its_time_does_not_wait_for_the_next_look(limits: Limits) -> None:
    limits.workers[0].run(7, 0.05)
    limits.look()
    limits.loop.go_on(0.06)
    assert [number for _, number, _ in limits.over] == [7]


def test_each_task_of_a_worker_has_its_own_time_and_some_have_none(limits: Limits) -> None:
    first, second = limits.workers
    second.run(1, None)
    for number in range(10, 15):
        first.run(number, 1.0)
        limits.look_for(0.8)
    assert not limits.over
    first.run(15, 9.0)
    limits.look_for(8.0)
    assert not limits.over
    limits.look_for(2.0)
    assert [number for _, number, _ in limits.over] == [15]


def test_a_task_whose_result_has_come_but_was_not_read_is_not_over(limits: Limits) -> None:
    limits.workers[0].run(7, 1.0)
    limits.look_for(0.8)
    limits.workers[0].unread.append(7)
    limits.look_for(2.0)
    assert not limits.over


def test_a_worker_that_is_sending_its_result_is_waited_for(limits: Limits) -> None:
    worker = limits.workers[0]
    worker.run(7, 1.0)
    worker.is_amid_result = True
    limits.look_for(3.0)
    assert not limits.over
    worker.is_amid_result = False
    limits.look_for(2 * PAUSE_S)
    assert [number for _, number, _ in limits.over] == [7]


def test_a_worker_that_is_being_ended_is_left_alone(limits: Limits) -> None:
    limits.workers[0].run(7, 1.0)
    limits.look_for(0.8)
    limits.workers[0].is_doomed = True
    limits.look_for(2.0)
    assert not limits.over


def test_nothing_is_ended_after_the_stop(limits: Limits) -> None:
    limits.workers[0].run(7, 1.0)
    limits.look_for(0.8)
    limits.limits.stop()
    limits.loop.go_on(9.0)
    assert not limits.over


def test_of_many_tasks_that_are_ended_few_have_a_line_of_their_own(
    limits: Limits, caplog: pytest.LogCaptureFixture
) -> None:
    limits.workers = [type(limits.workers[0])() for _ in range(50)]
    for number, worker in enumerate(limits.workers):
        worker.run(number, 1.0)
    limits.look_for(1.5)
    assert len(limits.over) == 50
    assert len(caplog.records) == LINES_PER_S
    assert "task 0 has run for more than 1 s and is ended" in caplog.text
