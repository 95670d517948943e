"""What a slave tells of its workers and machine: what has changed, and to whoever knows nothing all of it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from concurrent.scheduling.slave.workerfacts import FactColumns, WorkerFacts
from concurrent.scheduling.slave.workerlink import WorkerLink
from tests.unit.scheduling.poolparts import Parts

MIB = 1 << 20


class Figures:
    """What processes and the machine use, as the test says."""

    def __init__(self) -> None:
        self.cpu_s_by_pid: dict[int, float] = {}
        self.memory_by_pid: dict[int, int] = {}
        self.machine_used_s = 0.0
        self.free = 1000 * MIB

    def process_s(self, pid: int) -> float:
        return self.cpu_s_by_pid.get(pid, 0.0)

    def machine_s(self) -> float:
        return self.machine_used_s

    def used_bytes(self, pid: int) -> int:
        return self.memory_by_pid.get(pid, 10 * MIB)

    def memory_bytes(self) -> int:
        return 4000 * MIB

    def free_bytes(self) -> int:
        return self.free


class Watched:
    """Two workers, and what is told of them each second."""

    def __init__(self) -> None:
        self.parts = Parts(2, 10.0)
        self.figures: Any = Figures()
        self.crew = self.parts.crew(self.parts.application(7))
        self.links: list[WorkerLink] = self.parts.roster.links
        self.facts = WorkerFacts(
            self.parts.loop,  # type: ignore[arg-type]
            self.links,
            times=self.figures,
            memory=self.figures,
            machine=self.figures,
        )

    def look(self, seconds: float = 1.0) -> FactColumns | None:
        self.parts.loop.now += seconds
        return self.facts.look()

    def rows(self, seconds: float = 1.0) -> dict[int, tuple[Any, ...]]:
        """Return memory, task, done, processors and seconds by process."""
        told = self.look(seconds)
        if told is None:
            return {}
        columns = (*told.counts[1:], *told.figures)
        return dict(zip(told.counts[0], zip(*columns, strict=True), strict=True))

    def machine(self) -> dict[str, Any]:
        told = self.look()
        return told.machine if told is not None else {}


@pytest.fixture
def watched() -> Iterator[Watched]:
    made = Watched()
    yield made
    made.parts.close()


def test_first_everything_is_told_and_then_nothing_while_nothing_happens(watched: Watched) -> None:
    idle = (10 * MIB, -1, 0, 0.0, 0.0)
    assert watched.rows() == {link.pid: idle for link in watched.links}
    for _ in range(12):
        assert watched.look() is None
    watched.facts.tell_all()
    assert len(watched.rows()) == 2


def test_a_task_is_told_when_it_has_run_for_a_while_and_its_end_too(watched: Watched) -> None:
    watched.look()
    watched.parts.push(watched.crew, 5)
    (link,) = (link for link in watched.links if link.outstanding)
    watched.parts.starts(link)
    assert watched.rows(0.2) == {}
    watched.figures.cpu_s_by_pid[link.pid] = 1.0
    assert watched.rows(0.8) == {link.pid: (10 * MIB, 5, 0, 1.25, 1.0)}
    watched.figures.cpu_s_by_pid[link.pid] = 2.25
    assert watched.rows() == {}
    watched.parts.finish(link)
    assert watched.rows() == {link.pid: (10 * MIB, -1, 1, 0.0, 0.0)}


def test_a_little_more_is_no_news_and_much_more_is(watched: Watched) -> None:
    watched.look()
    watched.parts.push(watched.crew, 5)
    (link,) = (link for link in watched.links if link.outstanding)
    watched.parts.starts(link)
    watched.look()
    watched.figures.memory_by_pid[link.pid] = 10 * MIB + 1000
    watched.figures.cpu_s_by_pid[link.pid] = 0.03
    assert watched.rows() == {}
    watched.figures.memory_by_pid[link.pid] = 12 * MIB
    assert watched.rows()[link.pid][0] == 12 * MIB


def test_what_an_idle_worker_takes_is_seen_a_little_later(watched: Watched) -> None:
    watched.look()
    watched.figures.memory_by_pid[watched.links[0].pid] = 99 * MIB
    told = [rows for _ in range(5) if (rows := watched.rows())]
    assert [row[0] for rows in told for row in rows.values()] == [99 * MIB]


def test_a_worker_that_has_ended_is_told_once(watched: Watched) -> None:
    watched.look()
    link = watched.links[0]
    watched.parts.end(link)
    told = watched.look()
    assert told is not None
    assert told.gone == [link.pid]
    assert watched.look() is None


def test_what_the_machine_has_is_told_when_it_changes(watched: Watched) -> None:
    first = watched.machine()
    assert first["machine_bytes"] == 4000 * MIB
    assert first["machine_used_bytes"] == 3000 * MIB
    assert first["busy"] == 0
    assert watched.machine() == {}
    watched.figures.machine_used_s = 1.5
    assert watched.machine() == {"machine_cpu": 1.5}
    watched.figures.machine_used_s = 3.01
    assert watched.machine() == {}
    watched.parts.push(watched.crew, 5)
    assert watched.machine() == {"busy": 1, "machine_cpu": 0.0}
    watched.figures.free = 500 * MIB
    assert {"machine_used_bytes": 3500 * MIB} in [watched.machine() for _ in range(5)]
