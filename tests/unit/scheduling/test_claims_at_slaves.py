"""What runs with what at a slave: claims, devices, places of several processors, weights and priorities."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from concurrent.scheduling.slave.crew import Crew
from concurrent.scheduling.slave.gpus import Gpus
from concurrent.scheduling.slave.offer import Offer, offer_of
from concurrent.scheduling.slave.shares import DEVICE_SLICE_S
from concurrent.scheduling.tasks.claim import UNIT
from concurrent.scheduling.tasks.runterms import RunTerms
from tests.unit.scheduling.poolparts import Parts, numbers

MIB = 1 << 20
LONG_S = 10.0
"""Tasks of this length are given one at a time."""

MakeParts = Callable[..., Parts]


def offered(gpus: int = 0, **units: int) -> Offer:
    return offer_of({"gpu": gpus * UNIT, **units}, Gpus(tuple(f"GPU-{one}" for one in range(gpus))), 0)


@pytest.fixture
def make_parts() -> Iterator[MakeParts]:
    made: list[Parts] = []

    def make(size: int, task_s: float = LONG_S, **offer: int) -> Parts:
        made.append(Parts(size, task_s, offer=offered(**offer)))
        return made[-1]

    yield make
    for parts in made:
        parts.close()


def devices(crew: Crew) -> list[Any]:
    """Return the devices of each worker that has tasks."""
    return sorted(link.devices for link in crew.links if link.outstanding)


def test_no_more_tasks_run_than_there_are_devices(make_parts: MakeParts) -> None:
    parts = make_parts(4, gpus=2)
    crew = parts.crew(parts.application(1), gpu=1)
    parts.push(crew, *range(5))
    assert devices(crew) == [(0,), (1,)]
    assert parts.busy(crew) == [[0], [1]]
    parts.finish_running(crew)
    assert devices(crew) == [(0,), (1,)]


def test_what_needs_no_device_runs_beside_what_waits_for_one(make_parts: MakeParts) -> None:
    parts = make_parts(4, gpus=1)
    app = parts.application(1)
    gpu, plain = parts.crew(app, gpu=1), parts.crew(app)
    parts.push(gpu, 0, 1, 2)
    parts.push(plain, 10, 11, 12)
    assert parts.busy(gpu) == [[0]]
    assert parts.busy(plain) == [[10], [11], [12]]


def test_a_worker_serves_one_claim(make_parts: MakeParts) -> None:
    parts = make_parts(2, gpus=2)
    app = parts.application(1)
    plain, gpu = parts.crew(app), parts.crew(app, gpu=1)
    parts.push(plain, 1)
    (link,) = plain.links
    parts.starts(link)
    parts.finish(link)
    parts.push(gpu, 2)
    assert link.crew is plain
    (own,) = gpu.links
    assert own.crew is gpu
    assert numbers(own) == [2]


def test_parts_of_devices_are_packed(make_parts: MakeParts) -> None:
    parts = make_parts(8, gpus=2)
    app = parts.application(1)
    half, whole = parts.crew(app, gpu=0.5), parts.crew(app, gpu=1)
    parts.push(half, 0, 1)
    parts.push(whole, 10)
    assert devices(half) == [(0,), (0,)]
    assert devices(whole) == [(1,)]


def test_two_fifths_fit_twice_on_each_device(make_parts: MakeParts) -> None:
    parts = make_parts(8, gpus=2)
    crew = parts.crew(parts.application(1), gpu=0.4)
    parts.push(crew, *range(8))
    assert devices(crew) == [(0,), (0,), (1,), (1,)]


def test_a_device_is_free_when_the_idle_worker_of_another_crew_has_ended(make_parts: MakeParts) -> None:
    parts = make_parts(4, gpus=1)
    one, other = (parts.crew(parts.application(owner), gpu=1) for owner in (1, 2))
    parts.push(one, 1)
    (link,) = one.links
    parts.starts(link)
    parts.finish(link)
    parts.push(other, 2)
    assert link.is_leaving
    assert parts.busy(other) == []
    parts.end_leaving()
    assert devices(other) == [(0,)]


def test_an_idle_worker_is_used_again_and_keeps_its_device(make_parts: MakeParts) -> None:
    parts = make_parts(4, gpus=2)
    crew = parts.crew(parts.application(1), gpu=1)
    for number in range(3):
        parts.push(crew, number)
        (link,) = crew.links
        assert link.devices == (0,)
        parts.starts(link)
        parts.finish(link)


def test_whole_devices_wait_for_parts_in_their_turn(make_parts: MakeParts) -> None:
    parts = make_parts(8, gpus=1)
    part, whole = parts.crew(parts.application(1), gpu=0.5), parts.crew(parts.application(2), gpu=1)
    parts.push(part, *range(100))
    parts.push(whole, 1000)
    for _ in range(20):
        if parts.busy(whole):
            break
        parts.finish_running(part, DEVICE_SLICE_S)
        parts.end_leaving()
    assert parts.busy(whole) == [[1000]]


@pytest.mark.parametrize("task_s", [LONG_S, 0.01])
def test_parts_on_several_devices_make_room_for_a_whole_one(make_parts: MakeParts, task_s: float) -> None:
    parts = make_parts(8, task_s, gpus=2)
    one, other = parts.application(1), parts.application(2)
    part, whole = parts.crew(one, gpu=0.5), parts.crew(other, gpu=1)
    parts.push(part, 0, 1, 2, 3)
    assert devices(part) == [(0,), (0,), (1,), (1,)]
    for number in (0, 2):  # one part of each device is in use from now on
        (link,) = (link for link in part.links if numbers(link) == [number])
        parts.starts(link)
        parts.finish(link)
        parts.roster.leaving(link)
    parts.end_leaving()
    parts.push(whole, 1000)
    for number in range(100, 2000, 100):
        if parts.busy(whole):
            break
        parts.push(part, *range(number, number + 50))
        parts.finish_running(part, 0.01)
        parts.end_leaving()
    assert parts.busy(whole) == [[1000]]
    assert parts.busy(part)


def test_a_task_of_several_processors_takes_as_many_places(make_parts: MakeParts) -> None:
    parts = make_parts(4)
    app = parts.application(1)
    wide, plain = parts.crew(app, cpu=3), parts.crew(app)
    parts.push(wide, 1, 2)
    parts.push(plain, 10, 11)
    assert parts.busy(wide) == [[1]]
    assert parts.busy(plain) == [[10]]


def test_a_task_of_several_processors_is_not_overtaken_for_ever(make_parts: MakeParts) -> None:
    parts = make_parts(4)
    app = parts.application(1)
    wide, plain = parts.crew(app, cpu=4), parts.crew(app)
    parts.push(plain, *range(100))
    parts.push(wide, 1000)
    for _ in range(20):
        if parts.busy(wide):
            break
        parts.finish_running(plain, 0.1)
    assert parts.busy(wide) == [[1000]]
    assert parts.busy(plain) == []


def test_amounts_are_taken_while_a_worker_has_tasks(make_parts: MakeParts) -> None:
    parts = make_parts(4, licence=UNIT, memory=1000 * MIB)
    app = parts.application(1)
    licence = parts.crew(app, licence=1)
    small, large = parts.crew(app, memory=400 * MIB), parts.crew(app, memory=700 * MIB)
    parts.push(licence, 1, 2)
    assert parts.busy(licence) == [[1]]
    parts.push(small, 10)
    parts.push(large, 20)
    assert parts.busy(small) == [[10]]
    assert parts.busy(large) == []
    (link,) = (one for one in small.links if one.outstanding)
    parts.starts(link)
    parts.finish(link)
    assert parts.busy(large) == [[20]]


@pytest.mark.parametrize("claim", [{"licence": 1}, {"cpu": 2}, {"gpu": 1}])
def test_who_has_a_right_to_what_still_runs_waits_for_its_end(
    make_parts: MakeParts, claim: dict[str, int]
) -> None:
    parts = make_parts(3, gpus=1, licence=UNIT)
    one, other = (parts.crew(parts.application(owner), **claim) for owner in (1, 2))
    for crew in (other, one):
        parts.push(crew, 1)
        parts.end_leaving()
        parts.finish_running(crew)
    parts.push(one, 2, 3)
    parts.finish_running(one, 5.0)
    (link,) = (one for one in one.links if one.outstanding)
    parts.starts(link)
    parts.push(other, 4)
    assert parts.busy(one) == [[3]]
    assert parts.busy(other) == []
    parts.finish(link)
    parts.end_leaving()
    assert parts.busy(other) == [[4]]


def test_what_is_not_offered_here_and_what_is_too_much_does_not_stop_a_task(make_parts: MakeParts) -> None:
    parts = make_parts(2, gpus=1)
    crew = parts.crew(parts.application(1), database=1, gpu=3, cpu=8)
    parts.push(crew, 1)
    assert devices(crew) == [(0,)]


def test_short_tasks_with_a_claim_are_given_ahead(make_parts: MakeParts) -> None:
    parts = make_parts(2, task_s=0.001, licence=UNIT)
    crew = parts.crew(parts.application(1), licence=1)
    parts.push(crew, *range(20))
    (held,) = parts.busy(crew)
    assert len(held) > 10
    (link,) = crew.links
    parts.starts(link)
    parts.dealer.deal()
    assert parts.busy(crew) == [held]  # the free place is of no use to them
    assert link.can_take_back  # as nothing was taken back in vain


def test_places_go_by_weight(make_parts: MakeParts) -> None:
    parts = make_parts(4)
    light, heavy = parts.crew(parts.application(1)), parts.crew(parts.application(2, weight=3))
    parts.push(light, *range(100))
    parts.push(heavy, *range(1000, 1100))
    for _ in range(4):
        parts.finish_running(light)
        parts.finish_running(heavy)
    assert len(parts.busy(heavy)) == 3
    assert len(parts.busy(light)) == 1


def test_the_higher_priority_begins_first(make_parts: MakeParts) -> None:
    parts = make_parts(1)
    crew = parts.crew(parts.application(1))
    parts.push(crew, 1, 2, 3)
    parts.push(crew, 10, 11, terms=RunTerms(priority=5))
    parts.push(crew, 20, terms=RunTerms(priority=7))
    begun = []
    for _ in range(6):
        begun += parts.finish_running(crew)
    assert begun == [1, 20, 10, 11, 2, 3]


def test_what_waits_at_a_worker_is_overtaken_too(make_parts: MakeParts) -> None:
    parts = make_parts(1, task_s=0.01)
    crew = parts.crew(parts.application(1))
    parts.push(crew, *range(10))
    (link,) = crew.links
    assert len(link.outstanding) > 2
    parts.starts(link)
    parts.push(crew, 100, terms=RunTerms(priority=1))
    assert numbers(link)[:2] == [0, 100]


def test_the_crew_of_higher_priority_has_the_places_first(make_parts: MakeParts) -> None:
    parts = make_parts(2, memory=1000 * MIB)
    app = parts.application(1)
    plain, urgent = parts.crew(app), parts.crew(app, memory=100 * MIB)
    parts.push(plain, *range(10))
    parts.push(urgent, *range(100, 110), terms=RunTerms(priority=5))
    parts.finish_running(plain)
    assert len(parts.busy(urgent)) == 2
    assert parts.busy(plain) == []


@pytest.mark.parametrize("claim", [{"licence": 1}, {"cpu": 3}, {"gpu": 1}])
def test_a_suspect_waits_for_what_it_takes(make_parts: MakeParts, claim: dict[str, int]) -> None:
    parts = make_parts(4, gpus=1, licence=UNIT)
    one, other = (parts.crew(parts.application(owner), **claim) for owner in (1, 2))
    parts.dealer.suspects.went_down([7], patience=1)
    parts.push(one, 1)
    parts.push(other, 7)
    assert parts.busy(other) == []
    parts.finish_running(one)
    parts.end_leaving()
    assert parts.busy(other) == [[7]]


def test_an_application_may_ask_for_something_else_with_each_task(make_parts: MakeParts) -> None:
    parts = make_parts(2, memory=1_000_000 * MIB)
    app = parts.application(1)
    for number in range(1, 500):
        parts.push(parts.crew(app, memory=number * MIB), number)
    begun = []
    while parts.dealer.held_count:
        for crew in list(app.crews.values()):
            begun += parts.finish_running(crew)
        parts.end_leaving()
        assert len(parts.roster.links) <= 10
    assert sorted(begun) == list(range(1, 500))
    parts.crew(app, memory=1000 * MIB)
    assert len(app.crews) < 20
