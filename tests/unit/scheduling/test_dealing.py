"""Workers, and which task goes to which of them, with the test in the place of the workers."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from concurrent.scheduling.slave.crew import Item
from concurrent.scheduling.slave.roster import SURPLUS_MIN, SURPLUS_S
from concurrent.scheduling.slave.workerstates import WorkerState
from concurrent.scheduling.tasks.runterms import USUAL
from tests.unit.scheduling.poolparts import Parts, numbers
from tests.unit.scheduling.slave_parts import new_crew


@pytest.fixture
def parts() -> Iterator[Parts]:
    made = Parts(2, task_s=0.001)
    yield made
    made.close()


def test_as_many_workers_are_ready_as_tasks_may_run(parts: Parts) -> None:
    assert [link.state for link in parts.roster.links] == [WorkerState.READY] * 2


def test_one_application_has_all_workers_and_each_gets_its_part(parts: Parts) -> None:
    crew = new_crew(1)
    parts.push(crew, *range(10))
    assert parts.busy(crew) == [[0, 1, 2, 3, 4], [5, 6, 7, 8, 9]]
    assert len(parts.roster.links) == 2


def test_the_end_of_a_worker_that_had_no_task_is_told(parts: Parts, caplog: pytest.LogCaptureFixture) -> None:
    link = parts.roster.links[0]
    parts.end(link, code=7)
    assert caplog.messages[0] == f"worker {link.pid} ended with exit code 7 without a task"


def test_a_task_alone_goes_to_a_worker_that_its_application_has(parts: Parts) -> None:
    crew = new_crew(1)
    for number in range(3):
        parts.push(crew, number)
        (link,) = crew.links
        parts.starts(link)
        parts.finish(link)


def test_a_newcomer_takes_no_worker_of_another_application_but_a_place(parts: Parts) -> None:
    old, new = new_crew(1), new_crew(2)
    parts.push(old, *range(10))
    for link in old.links:
        parts.starts(link)
    parts.push(new, 100, 101)
    assert parts.busy(new) == []  # what runs is not interrupted
    assert all(len(held) <= 5 for held in parts.busy(old))
    waiting = [link for link in old.links if len(link.outstanding) == 1]
    parts.finish(waiting[0])
    assert parts.busy(new)[0][0] == 100
    assert all(link.crew is old for link in old.links)
    assert all(link.crew is new for link in new.links)


def test_no_more_workers_have_tasks_than_may(parts: Parts) -> None:
    crews = [new_crew(number) for number in range(5)]
    for number, crew in enumerate(crews):
        parts.push(crew, number * 10, number * 10 + 1)
    assert sum(bool(link.outstanding) for link in parts.roster.links) == 2


def test_an_application_that_comes_back_finds_its_worker(parts: Parts) -> None:
    one, other = new_crew(1), new_crew(2)
    for _ in range(3):
        for crew in (one, other):
            parts.push(crew, 1)
            parts.starts(crew.links[0])
            parts.finish(crew.links[0])
    assert len(one.links) == len(other.links) == 1


def test_the_worker_that_was_idle_for_longest_makes_room(parts: Parts) -> None:
    crews = [new_crew(number) for number in range(12)]
    for crew in crews:
        parts.loop.go_on(1.0)
        parts.push(crew, 1)
        parts.starts(crew.links[0])
        parts.finish(crew.links[0])
        for link in list(parts.roster.links):
            if link.state is WorkerState.LEAVING:
                parts.end(link)
    assert len(parts.roster.links) <= 2 + SURPLUS_MIN
    assert not crews[0].links
    assert crews[-1].links


def test_workers_that_nobody_needs_end_after_a_while(parts: Parts) -> None:
    crews = [new_crew(number) for number in range(4)]
    for crew in crews:
        parts.push(crew, 1)
        parts.starts(crew.links[0])
        parts.finish(crew.links[0])
    parts.loop.go_on(SURPLUS_S / 2)
    assert sum(not link.is_leaving for link in parts.roster.links) > 2
    for _ in range(3):
        parts.loop.go_on(SURPLUS_S + 1)
    assert sum(not link.is_leaving for link in parts.roster.links) == 2


def test_a_worker_that_was_started_ahead_for_nobody_ends_after_a_while() -> None:
    parts = Parts(1, task_s=0.001)
    one, other = new_crew(1), new_crew(2)
    parts.push(one, 1)
    (link,) = one.links
    parts.starts(link)
    parts.finish(link)
    parts.roster.leaving(link)
    parts.push(other, 2)  # while the worker of another one is still about
    parts.loop.go_on(0.0)
    assert sum(not link.is_leaving for link in parts.roster.links) == 2
    for _ in range(2):
        parts.loop.go_on(SURPLUS_S + 1)
    assert sum(not link.is_leaving for link in parts.roster.links) == 1
    parts.close()


def test_an_application_alone_has_no_surplus(parts: Parts) -> None:
    crew = new_crew(1)
    for _ in range(3):
        parts.push(crew, *range(10))
        for link in crew.links:
            for _ in list(link.outstanding):
                parts.starts(link)
            parts.finish(link, len(link.outstanding))
    assert len(parts.roster.links) == 2
    assert not parts.loop.timers or all(timer.at > parts.loop.now for timer in parts.loop.timers)


def test_a_worker_that_cannot_be_started_is_started_later() -> None:
    parts = Parts(1, task_s=0.001)
    one, other = new_crew(1), new_crew(2)
    parts.push(one, 1)
    parts.starts(one.links[0])
    parts.finish(one.links[0])
    parts.launcher.refuses = True
    parts.push(other, 2)
    assert parts.busy(other) == []
    parts.launcher.refuses = False
    parts.dealer.deal()
    assert parts.busy(other) == []  # there is a pause first
    parts.loop.go_on(60.0)
    parts.dealer.deal()
    assert parts.busy(other) == [[2]]
    parts.close()


def test_an_idle_worker_makes_room_when_no_other_can_be_started() -> None:
    parts = Parts(1, task_s=0.001)
    crews = [new_crew(number) for number in range(3)]
    for crew in crews[:2]:
        parts.push(crew, 1)
        parts.starts(crew.links[0])
        parts.finish(crew.links[0])
        parts.loop.go_on(1.0)
    parts.launcher.refuses = True
    (ready,) = (link for link in parts.roster.links if link.crew is None)
    parts.end(ready)
    parts.push(crews[2], 2)
    (leaving,) = (link for link in parts.roster.links if link.is_leaving)
    assert leaving.crew is crews[0]
    parts.launcher.refuses = False
    parts.end(leaving)
    parts.dealer.deal()
    assert parts.busy(crews[2]) == [[2]]  # without a pause
    parts.close()


def test_workers_for_a_newcomer_that_die_at_once_are_started_with_pauses(parts: Parts) -> None:
    one, other = new_crew(1), new_crew(2)
    for _ in range(2):  # who has two workers that live
        parts.push(one, 1, 2)
        for link in one.links:
            parts.starts(link)
            parts.finish(link)
    parts.push(other, 3)
    for _ in range(50):
        for link in list(other.links):
            parts.end(link, 1)
        parts.dealer.deal()
    assert len(parts.launcher.children) < 10
    parts.loop.go_on(60.0)
    parts.dealer.deal()
    assert parts.busy(other) == [[3]]


def test_a_suspect_runs_alone_at_a_worker_of_its_own_application(parts: Parts) -> None:
    one, other = new_crew(1), new_crew(2)
    parts.dealer.suspects.went_down([7], patience=1)
    parts.push(other, 100)
    parts.push(one, 7, 8, 9)
    (alone,) = (link for link in one.links if 7 in numbers(link))
    assert numbers(alone) == [7]
    assert [100] in parts.busy(other)


def test_a_place_that_is_free_at_once_goes_to_who_gets_it(parts: Parts) -> None:
    one, other = new_crew(1), new_crew(2)
    for crew in (one, other):  # both have workers that have done something
        parts.push(crew, 1, 2)
        for link in crew.links:
            parts.starts(link)
            parts.finish(link)
    parts.push(one, *range(10, 30))
    other.used_s = one.used_s - 1.0
    parts.push(other, 100)  # nothing was started by then, so no result will say that a place is free
    assert parts.busy(other) == [[100]]


def test_a_worker_that_is_only_starting_keeps_what_it_has() -> None:
    parts = Parts(1, task_s=0.001)
    one, other = new_crew(1), new_crew(2)
    one.used_s = 1.0
    parts.push(one, 1, 2)
    other.open_count = 1  # no newcomer
    parts.push(other, 100)
    assert parts.busy(one) == [[1, 2]]
    (link,) = one.links
    parts.starts(link)
    parts.finish(link)
    assert parts.busy(one) == []
    assert parts.busy(other) == [[100]]
    parts.close()


def test_a_suspect_gets_a_place_beside_a_flood() -> None:
    parts = Parts(1, task_s=0.001)
    flood, one = new_crew(1), new_crew(2)
    parts.push(flood, *range(50))
    (link,) = flood.links
    parts.starts(link)
    parts.finish(link)
    parts.dealer.suspects.went_down([100], patience=1)
    flood.used_s = 1.0
    parts.push(one, 100)
    for _ in range(len(link.outstanding)):
        if parts.starts(link) is not None:
            parts.finish(link)
    assert parts.busy(one) == [[100]]
    parts.close()


def test_a_suspect_waits_for_no_worker_that_may_never_be_done(parts: Parts) -> None:
    crew = new_crew(1)
    parts.push(crew, 0)
    hung = crew.links[0]
    parts.starts(hung)
    parts.push(crew, *range(1, 20))
    other = crew.links[1]
    parts.dealer.put_back(hung.take_back())
    parts.dealer.suspects.went_down([100], patience=1)
    parts.push(crew, 100)
    assert len(hung.outstanding) == 1  # fewer than the other one has
    for number in range(20, 60):  # work that goes on coming is not before it
        parts.push(crew, number)
        if numbers(other) == [100]:
            break
        parts.starts(other)
        parts.finish(other)
    assert numbers(other) == [100]
    assert numbers(hung) == [0]


@pytest.mark.parametrize("size", [1, 2])
def test_what_a_dead_worker_had_not_started_goes_to_others(size: int) -> None:
    parts = Parts(size, task_s=0.001)
    crew = new_crew(1)
    parts.push(crew, *range(4))
    link = crew.links[0]
    first = parts.starts(link)
    parts.end(link, -9)
    assert parts.charged == [first]
    assert parts.blame.count == 1
    parts.dealer.deal()
    held = [number for numbers_ in parts.busy(crew) for number in numbers_]
    assert sorted([*held, *(item[0] for item in parts.dealer.waiting)]) == [1, 2, 3]
    parts.close()


def test_nobody_is_blamed_once_everything_is_killed(parts: Parts) -> None:
    crew = new_crew(1)
    parts.push(crew, 1)
    parts.starts(crew.links[0])
    parts.blame.excuse()
    parts.end(crew.links[0], -9)
    assert parts.charged == []
    assert [item[0] for item in parts.dealer.take_all()] == [1]


def test_the_newest_tasks_that_have_not_started_can_be_taken(parts: Parts) -> None:
    crew = new_crew(1)
    parts.push(crew, *range(10))
    for link in crew.links:
        parts.starts(link)
    taken: list[Item] = parts.dealer.take_newest(20)
    assert sorted(item[0] for item in taken) == [1, 2, 3, 4, 6, 7, 8, 9]


def test_a_worker_runs_no_more_tasks_than_it_may() -> None:
    parts = Parts(1, task_s=0.001, tasks_per_worker=2)
    crew = new_crew(1)
    parts.push(crew, *range(5))
    (link,) = crew.links
    assert numbers(link) == [0, 1]
    for _ in range(2):
        parts.starts(link)
    parts.finish(link)
    assert numbers(link) == [1]
    parts.close()


def test_a_dealer_that_is_closed_deals_no_more(parts: Parts) -> None:
    crew = new_crew(1)
    parts.push(crew, *range(10))
    for link in crew.links:
        parts.starts(link)
    parts.dealer.close()
    parts.push(crew, 77)
    assert parts.busy(crew) == [[0], [5]]
    assert len(parts.dealer.take_all()) == 9


def test_a_roster_that_is_closed_starts_nothing(parts: Parts) -> None:
    parts.roster.close()
    assert parts.roster.worker_for(new_crew(1)) is None
    for link in list(parts.roster.links):
        parts.end(link)
    assert parts.roster.links == []


def test_what_begins_anew_is_the_first_task_of_a_new_worker(parts: Parts) -> None:
    crew = new_crew(1)
    parts.push(crew, 1)
    (used,) = crew.links
    parts.starts(used)
    parts.finish(used)
    crew.open_count += 1
    parts.dealer.held_count += 1
    parts.dealer.begin_anew([(7, b"", crew, USUAL)])
    assert parts.dealer.unstarted_numbers() == [7]
    parts.dealer.deal()
    (link,) = (link for link in crew.links if link.outstanding)
    assert link is not used
    assert (numbers(link), link.done_count) == ([7], 0)
    parts.dealer.put_back(link.take_back())  # it had not started: it is still the first of a new one
    parts.dealer.deal()
    assert not used.outstanding


def test_what_begins_anew_gets_a_place_beside_a_flood_of_its_own_crew() -> None:
    parts = Parts(1, task_s=0.001)
    crew = new_crew(1)
    parts.push(crew, *range(2000))
    (used,) = crew.links
    parts.starts(used)
    held_count = len(used.outstanding)
    parts.dealer.begin_anew([(9999, b"", crew, USUAL)])
    crew.open_count += 1
    parts.dealer.held_count += 1
    parts.dealer.deal()
    for _ in range(held_count - 1):
        parts.finish(used)
        parts.starts(used)
    parts.finish(used)
    assert [held[0] for held in parts.busy(crew)] == [9999]
    parts.close()


def test_what_is_to_begin_anew_can_be_taken_out(parts: Parts) -> None:
    crew = new_crew(1)
    parts.dealer.begin_anew([(number, b"", crew, USUAL) for number in (7, 8)])
    assert [item[0] for item in parts.dealer.remove({8})] == [8]
    assert [item[0] for item in parts.dealer.take_all()] == [7]
    assert parts.dealer.unstarted_numbers() == []
