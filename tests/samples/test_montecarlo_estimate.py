"""The Monte Carlo sample in one process: random streams, order of results, honest errors."""

from __future__ import annotations

import math
import random

import pytest

from concurrent.apps.samples.montecarlo.estimate import STREAMS_MIN, Estimate
from concurrent.apps.samples.montecarlo.shield import Shield, generator
from concurrent.apps.samples.montecarlo.tasks import Plan, ShieldSystem, StreamTask
from concurrent.scheduling import InProcessMaster

THIN = Shield(1.0, 0.5)
PLAN = Plan(THIN, seed=1, particles=20, goal=0.03, ahead=4, streams_max=1000)


def run(plan: Plan, *, order: random.Random | None = None) -> Estimate:
    """Do it without a cluster; with an order, several streams at a time finish in a random one."""
    estimate = Estimate(plan.particles, plan.goal)
    waiting: list[int] = []
    following = iter(range(plan.streams_max))
    while not estimate.is_good:
        while len(waiting) < plan.ahead:
            waiting.append(next(following))
        stream = waiting.pop(order.randrange(len(waiting)) if order else 0)
        estimate.take(stream, StreamTask(plan, stream)())
    return estimate


def found(estimate: Estimate) -> tuple[int, int, float, float]:
    return estimate.streams, estimate.through, estimate.share, estimate.error


@pytest.mark.parametrize("ahead", [1, 3, 8, 100])
def test_neither_how_many_run_at_a_time_nor_their_order_changes_a_bit(ahead: int) -> None:
    expected = found(run(PLAN))
    assert expected[0] > STREAMS_MIN
    for seed in range(5):
        assert found(run(PLAN._replace(ahead=ahead), order=random.Random(seed))) == expected


@pytest.mark.parametrize("ahead", [1, 7])
def test_the_task_system_finds_what_one_process_finds(ahead: int) -> None:
    assert found(InProcessMaster().run(ShieldSystem(PLAN._replace(ahead=ahead)))) == found(run(PLAN))


def test_a_result_that_comes_twice_counts_once() -> None:
    once, twice = Estimate(10, 1e-9), Estimate(10, 1e-9)
    for stream in range(40):
        once.take(stream, stream % 7)
        for _ in range(2):
            twice.take(stream, stream % 7)
    assert found(twice) == found(once)


def test_the_errors_are_honest_against_the_known_value() -> None:
    """Of 400 experiments with a seed each, 95% should have the known value within 1.96 standard errors."""
    exact, inside = THIN.exact(), 0
    offsets = []
    for seed in range(400):
        estimate = run(PLAN._replace(seed=seed))
        offsets.append((estimate.share - exact) / estimate.error)
        inside += abs(offsets[-1]) < 1.96
    assert 0.92 < inside / 400 < 0.975
    assert abs(sum(offsets) / 400) < 4 / math.sqrt(400)


def test_the_scatter_of_the_streams_is_that_of_independent_particles() -> None:
    estimate = run(PLAN._replace(goal=0.01))
    share = estimate.share
    binomial = math.sqrt(share * (1 - share) / (estimate.streams * estimate.particles))
    assert estimate.error == pytest.approx(binomial, rel=0.2)


@pytest.mark.parametrize(
    ("shield", "exact"),
    [
        (Shield(2.0, 0.0), math.exp(-2.0)),  # nothing scatters: the law of Lambert and Beer
        (Shield(3.0, 0.999999), 1 / (1 + 3.0 / 2)),  # hardly anything absorbs: diffusion
    ],
)
def test_the_known_value_has_its_limits(shield: Shield, exact: float) -> None:
    assert shield.exact() == pytest.approx(exact, rel=1e-4)


def test_streams_of_all_seeds_have_nothing_in_common() -> None:
    drawn = [generator(seed, stream).getrandbits(64) for seed in range(4) for stream in range(500)]
    assert len(set(drawn)) == len(drawn)
    assert generator(2, 3).getrandbits(64) == generator(2, 3).getrandbits(64)


def test_it_ends_at_the_most_streams_with_the_goal_not_reached() -> None:
    estimate: Estimate = InProcessMaster().run(ShieldSystem(PLAN._replace(goal=1e-4, streams_max=40)))
    assert estimate.streams == 40
    assert not estimate.is_good


def test_an_estimate_of_nothing_that_got_through_is_never_good() -> None:
    estimate = Estimate(10, 0.5)
    for stream in range(100):
        estimate.take(stream, 0)
    assert not estimate.is_good
    assert estimate.share == 0.0


def test_an_error_of_a_stream_ends_the_system() -> None:
    system, master = ShieldSystem(PLAN), InProcessMaster()
    with pytest.raises(ArithmeticError):
        system.task_finished(master, StreamTask(PLAN, 0), 0, ArithmeticError())
