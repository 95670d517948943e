"""What a pool has for claims, and what a worker is told."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from concurrent.scheduling.slave.gpus import VARIABLES, Gpus
from concurrent.scheduling.slave.offer import Offer
from concurrent.scheduling.slave.resources import THREADS, Resources, Room, chosen_devices
from concurrent.scheduling.tasks.claim import NO_CLAIM, UNIT, Claim

MIB = 1 << 20
OFFER = Offer({"gpu": 2 * UNIT, "licence": UNIT, "memory": 1000 * MIB}, Gpus(("GPU-a", "GPU-b"), VARIABLES[:1]))


def resources() -> Resources:
    return Resources(OFFER, 4)


def worker(has_tasks: bool, *devices: int, **asked: Any) -> Any:
    claim = Claim.of(asked)
    crew = SimpleNamespace(claim=claim, takes=resources().takes(claim))
    return SimpleNamespace(crew=crew, outstanding=[1] * has_tasks, devices=devices)


def test_a_claim_counts_as_far_as_it_is_offered() -> None:
    asked = Claim.of({"cpu": 9, "database": 1, "gpu": 3, "memory": 400 * MIB})
    assert resources().within(asked).as_map() == {"cpu": 4, "gpu": 2, "memory": 400 * MIB}
    assert resources().within(NO_CLAIM) == NO_CLAIM


def test_a_part_takes_what_no_equal_one_can_have() -> None:
    assert resources().takes(Claim.of({"gpu": 0.4, "cpu": 2})) == {"gpu": 500}
    assert resources().takes(Claim.of({"gpu": 2})) == {"gpu": 2 * UNIT}


def test_a_worker_is_told_its_devices_and_its_threads() -> None:
    own, others = resources().environment(Claim.of({"gpu": 1, "cpu": 3}), (1,))
    assert own == {"CUDA_VISIBLE_DEVICES": "GPU-b"}
    assert others == dict.fromkeys(THREADS, "3")
    own, others = resources().environment(Claim.of({"memory": 5 * MIB}), ())
    assert own == {}
    assert set(others.values()) == {"1"}
    assert resources().environment(NO_CLAIM, ()) == ({}, {})


def test_amounts_are_taken_by_workers_that_have_tasks() -> None:
    room = Room(
        resources(), [worker(True, licence=1), worker(False, memory=700 * MIB), worker(True, memory=300 * MIB)]
    )
    assert not room.fits({"licence": UNIT})
    assert room.fits({"memory": 700 * MIB})
    room.take({"memory": 1})
    assert not room.fits({"memory": 700 * MIB})


def test_devices_are_taken_by_workers_that_are_there() -> None:
    idle = worker(False, 0, gpu=1)
    room = Room(resources(), [idle, worker(True, 1, gpu=0.5)])
    assert room.devices_for(Claim.of({"gpu": 1})) is None
    assert room.devices_for(Claim.of({"gpu": 0.5})) == (1,)
    assert room.devices_for(Claim.of({"gpu": 0.5})) is None
    assert room.devices_for(Claim.of({"memory": MIB})) == ()


def test_devices_are_freed_where_least_runs() -> None:
    def freed(asked: float, *workers: Any) -> set[int]:
        return Room(resources(), workers).devices_to_free(Claim.of({"gpu": asked}), workers)

    idle, part, other = worker(False, 0, gpu=1), worker(True, 1, gpu=0.5), worker(True, 0, gpu=0.25)
    assert freed(1, idle, part) == {0}
    assert freed(1, worker(False, 1, gpu=0.5), worker(True, 0, gpu=0.5)) == {1}
    assert freed(1, part, other) == {0}
    assert freed(2, part, other) == {0, 1}
    assert freed(0.8, part, other) == {0}


@pytest.mark.parametrize(
    ("free", "asked", "chosen"),
    [
        ((), 0, ()),
        ((1000, 1000), 1000, (0,)),
        ((500, 1000), 1000, (1,)),
        ((1000, 1000), 2000, (0, 1)),
        ((1000, 999), 2000, None),
        ((1000, 400), 400, (1,)),
        ((1000, 300), 400, (0,)),
        ((300, 300), 400, None),
    ],
)
def test_parts_go_where_parts_are(free: tuple[int, ...], asked: int, chosen: tuple[int, ...] | None) -> None:
    assert chosen_devices(free, asked) == chosen
