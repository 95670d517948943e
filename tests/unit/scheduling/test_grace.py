"""How workers are ended: asked first, and killed when their time is over."""

from __future__ import annotations

import pytest

from concurrent.scheduling.slave.grace import Grace
from tests.unit.scheduling.slave_parts import StillLoop


class Worker:
    """Notes when it is asked to end, and when it is killed."""

    def __init__(self, loop: StillLoop) -> None:
        self.heard: list[tuple[str, float]] = []
        self._loop = loop

    def ask_to_end(self) -> None:
        self.heard.append(("asked", self._loop.now))

    def kill(self) -> None:
        self.heard.append(("killed", self._loop.now))


@pytest.fixture
def loop() -> StillLoop:
    return StillLoop()


@pytest.fixture
def worker(loop: StillLoop) -> Worker:
    return Worker(loop)


@pytest.fixture
def grace(loop: StillLoop) -> Grace:
    return Grace(loop)  # type: ignore[arg-type]


def test_a_worker_is_asked_and_killed_when_its_time_is_over(
    loop: StillLoop, grace: Grace, worker: Worker
) -> None:
    grace.end(worker, 2.0)  # type: ignore[arg-type]
    loop.go_on(1.9)
    assert worker.heard == [("asked", 100.0)]
    loop.go_on(0.2)
    assert [what for what, _ in worker.heard] == ["asked", "killed"]
    loop.go_on(9.0)
    assert len(worker.heard) == 2


def test_without_a_grace_it_is_killed_at_once(loop: StillLoop, grace: Grace, worker: Worker) -> None:
    grace.end(worker, 0.0)  # type: ignore[arg-type]
    assert worker.heard == [("killed", 100.0)]


@pytest.mark.parametrize(("more_s", "killed_at"), [(0.0, 101.0), (0.5, 101.5), (60.0, 110.0)])
def test_of_two_graces_the_one_counts_that_is_over_first(
    loop: StillLoop, grace: Grace, worker: Worker, more_s: float, killed_at: float
) -> None:
    grace.end(worker, 10.0)  # type: ignore[arg-type]
    loop.go_on(1.0)
    grace.end(worker, more_s)  # type: ignore[arg-type]
    for _ in range(100):
        loop.go_on(0.5)
    assert worker.heard == [("asked", 100.0), ("killed", killed_at)]


def test_one_that_has_ended_is_not_killed(loop: StillLoop, grace: Grace, worker: Worker) -> None:
    grace.end(worker, 2.0)  # type: ignore[arg-type]
    grace.forget(worker)  # type: ignore[arg-type]
    loop.go_on(3.0)
    assert worker.heard == [("asked", 100.0)]
