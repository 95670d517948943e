"""When it is noticed that a worker makes no progress, and what follows."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from concurrent.scheduling.slave.pace import Pace
from concurrent.scheduling.slave.stuck import LOOK_MAX_S, STANDING_S, STUCK_S, STUCK_TASKS, StuckWatch
from tests.unit.scheduling.slave_parts import StillLoop


class Link:
    """A worker with some tasks, that gets on or not."""

    def __init__(self, outstanding: int) -> None:
        self.outstanding = [None] * outstanding
        self.done_count = 1
        self.progress_at = 0.0
        self.gets_on = False
        self.held_taken_count = 0

    def note_progress(self, now: float) -> bool:
        if self.gets_on:
            self.progress_at = now
        return self.gets_on

    def take_held(self) -> None:
        self.held_taken_count += 1


class Watched:
    """Workers and who watches them."""

    def __init__(self, *links: Link, task_s: float = 0.001) -> None:
        self.loop = StillLoop()
        self.links = links
        self.stuck: list[Sequence[Link]] = []
        self.has_free_place = False
        pace = Pace()
        pace.duration_s = task_s
        for link in links:
            link.progress_at = self.loop.now
        self.watch = StuckWatch(
            self.loop,  # type: ignore[arg-type]
            links,  # type: ignore[arg-type]
            pace,
            self.stuck.append,  # type: ignore[arg-type]
            lambda: self.has_free_place,
        )
        self.watch.go_on()


def test_a_worker_that_gets_on_keeps_what_it_has() -> None:
    busy = Link(5)
    busy.gets_on = True
    watched = Watched(busy)
    watched.loop.go_on(1.0)
    assert (watched.stuck, busy.held_taken_count) == ([[]], 0)


def test_what_a_standing_worker_holds_back_is_taken_and_what_waits_behind_it() -> None:
    standing, busy = Link(2), Link(2)
    busy.gets_on = True
    watched = Watched(standing, busy)
    watched.loop.go_on(2 * STUCK_S)
    assert watched.stuck == [[standing]]
    assert (standing.held_taken_count, busy.held_taken_count) == (1, 0)


def test_nothing_can_be_held_back_by_a_worker_with_one_task() -> None:
    watched = Watched(Link(1))
    assert not watched.loop.timers


@pytest.mark.parametrize("has_free_place", [True, False])
def test_where_tasks_take_long_what_is_held_back_is_taken_soon_all_the_same(has_free_place: bool) -> None:
    standing, task_s = Link(2), 10.0
    watched = Watched(standing, task_s=task_s)
    watched.has_free_place = has_free_place
    watched.loop.go_on(LOOK_MAX_S)
    assert standing.held_taken_count == 1
    assert watched.stuck == [[standing] if has_free_place else []]
    watched.watch.go_on()
    watched.loop.go_on(STUCK_TASKS * task_s)
    assert watched.stuck[-1] == [standing]


def test_workers_that_run_a_task_for_long_are_counted() -> None:
    standing, busy, idle = Link(1), Link(1), Link(0)
    watched = Watched(standing, busy, idle)
    watched.loop.now += STANDING_S / 2
    assert watched.watch.standing_count == 0
    busy.progress_at = watched.loop.now
    watched.loop.now += STANDING_S
    busy.progress_at = watched.loop.now
    assert watched.watch.standing_count == 1


def test_a_task_that_takes_no_longer_than_others_is_not_long() -> None:
    watched = Watched(Link(1), task_s=10.0)
    watched.loop.now += 30.0
    assert watched.watch.standing_count == 0
    watched.loop.now += 11.0
    assert watched.watch.standing_count == 1
