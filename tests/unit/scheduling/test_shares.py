"""Which application may have how many places of a pool."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from concurrent.scheduling.slave.shares import CREDIT_S, DEVICE_SLICE_S, SLICE_S, Share, divide


def divided(size: int, *claims: tuple[float, int, int]) -> list[int]:
    """Return who may have how many places; a claim is: used, wanted, places."""
    made = [Share(*claim) for claim in claims]
    divide(size, made)
    return [claim.places for claim in made]


def test_who_is_alone_may_have_every_place_that_it_can_use() -> None:
    assert divided(4, (9.0, 4, 0)) == [4]
    assert divided(4, (9.0, 3, 1)) == [3]


def test_free_places_go_to_who_has_fewest_or_has_used_least() -> None:
    assert divided(2, (1.0, 2, 1), (1.005, 2, 0)) == [1, 1]
    assert divided(1, (1.005, 1, 0), (1.0, 1, 0)) == [0, 1]


def test_who_needs_no_more_leaves_its_place_to_others() -> None:
    assert divided(2, (1.0, 1, 1), (5.0, 2, 0)) == [1, 1]
    assert divided(2, (1.0, 0, 1), (1.0, 2, 1)) == [0, 2]


def test_nobody_has_two_places_more_than_another_that_could_use_them() -> None:
    assert divided(4, (1.0, 4, 4), (1.0, 4, 0)) == [2, 2]
    assert divided(4, (1.0, 4, 4), (1.0, 1, 0)) == [3, 1]


def test_a_place_does_not_go_to_and_fro() -> None:
    assert divided(1, (1.0 + SLICE_S / 2, 1, 1), (1.0, 1, 0)) == [1, 0]
    assert divided(3, (1.0 + SLICE_S / 2, 3, 2), (1.0, 3, 1)) == [2, 1]
    assert divided(2, (1.0 + SLICE_S / 2, 2, 1), (1.0, 2, 1)) == [1, 1]


def test_an_odd_place_changes_hands_after_a_slice() -> None:
    assert divided(1, (1.0 + 2 * SLICE_S, 1, 1), (1.0, 1, 0)) == [0, 1]
    assert divided(3, (1.0 + 2 * SLICE_S, 3, 2), (1.0, 3, 1)) == [1, 2]


def test_who_was_away_gets_first_what_it_did_not_use_but_no_more_than_a_credit() -> None:
    size = 4
    assert divided(size, (9.0, size, size), (0.0, size, 0)) == [0, size]
    flood, job = Share(9.0, size, size), Share(0.0, size, 0)
    divide(size, [flood, job])
    assert job.used_s == pytest.approx(9.0 - size * CREDIT_S)
    job.used_s += size * CREDIT_S / 2
    divide(size, [flood, job])
    assert (flood.places, job.places) == (0, size)
    job.used_s = flood.used_s
    divide(size, [flood, job])
    assert (flood.places, job.places) == (2, 2)


@given(
    st.integers(1, 6),
    st.lists(st.tuples(st.floats(0, 1), st.integers(0, 6), st.integers(0, 6)), min_size=1, max_size=5),
)
def test_no_place_is_lost_and_none_is_given_twice(size: int, wishes: list[tuple[float, int, int]]) -> None:
    left, claims = size, []
    for used_s, wanted, places in wishes:
        claims.append(Share(used_s, min(size, wanted), min(left, places)))
        left -= claims[-1].places
    divide(size, claims)
    assert all(0 <= claim.places <= claim.wanted for claim in claims)
    assert sum(claim.places for claim in claims) == min(size, sum(claim.wanted for claim in claims))
    settled = [claim.places for claim in claims]
    divide(size, claims)
    assert [claim.places for claim in claims] == settled


@pytest.mark.parametrize(("size", "programs"), [(1, 2), (1, 5), (2, 3), (2, 4), (3, 2), (4, 3)])
def test_floods_get_equal_time_in_slices(size: int, programs: int) -> None:
    """Simulates tasks of a millisecond, as many as can be."""
    claims = [Share(0.0, size, 0) for _ in range(programs)]
    had = [0] * programs
    changes = 0
    before = [0] * programs
    for _ in range(3000):
        divide(size, claims)
        now = [claim.places for claim in claims]
        changes += now != before
        before = now
        for index, claim in enumerate(claims):
            had[index] += claim.places
            claim.used_s += claim.places * 0.001
    assert max(had) - min(had) <= 100 * size, had
    assert changes <= 3000 / (SLICE_S / 0.001) * size, changes


def test_places_go_by_weight() -> None:
    shares = [Share(1.0, 4, 0, weight=3.0), Share(1.0, 4, 0)]
    divide(4, shares)
    assert [share.places for share in shares] == [3, 1]
    shares = [Share(1.0, 4, 0, weight=3.0), Share(1.0, 4, 4)]
    divide(4, shares)
    assert [share.places for share in shares] == [3, 1]


def test_who_takes_several_places_gets_all_or_nothing() -> None:
    wide, plain = Share(1.0, 4, 0, unit=4), Share(1.0, 4, 4)
    divide(4, [wide, plain])
    assert (wide.places, plain.places) == (0, 4)
    plain.used_s += 2 * SLICE_S
    divide(4, [wide, plain])
    assert (wide.places, plain.places) == (4, 0)
    wide.used_s += 4 * SLICE_S
    divide(4, [wide, plain])
    assert (wide.places, plain.places) == (0, 4)


def test_several_crews_give_way_to_who_takes_several_places() -> None:
    wide, one, other = Share(0.0, 4, 0, unit=4), Share(1.0, 4, 2), Share(1.0, 4, 2)
    divide(4, [wide, one, other])
    assert (wide.places, one.places, other.places) == (4, 0, 0)


def test_what_else_a_task_takes_bounds_its_places() -> None:
    gpu, plain = Share(1.0, 4, 0, takes={"gpu": 1000}), Share(1.0, 4, 0)
    divide(4, [gpu, plain], {"gpu": 1000})
    assert (gpu.places, plain.places) == (1, 3)


def test_a_device_changes_hands_after_a_longer_slice() -> None:
    takes = {"gpu": 1000}

    def divided_device(used_s: float) -> list[int]:
        shares = [Share(used_s, 1, 1, takes=takes), Share(1.0, 1, 0, takes=takes)]
        divide(4, shares, takes)
        return [share.places for share in shares]

    assert divided_device(1.0 + DEVICE_SLICE_S / 2) == [1, 0]
    assert divided_device(1.0 + DEVICE_SLICE_S) == [0, 1]


def test_who_needs_a_place_only_waits_no_longer_beside_devices() -> None:
    gpu, plain = Share(1.0 + 2 * SLICE_S, 1, 1, takes={"gpu": 1000}), Share(1.0, 1, 0)
    divide(1, [gpu, plain], {"gpu": 1000})
    assert (gpu.places, plain.places) == (0, 1)


TAKES: list[dict[str, int]] = [{}, {"gpu": 500}, {"gpu": 1000, "memory": 30}, {"memory": 70}]


@given(
    st.integers(1, 6),
    st.lists(
        st.tuples(
            st.floats(0, 1),
            st.integers(0, 6),
            st.integers(0, 6),
            st.sampled_from([1.0, 0.5, 3.0]),
            st.integers(1, 3),
            st.sampled_from(TAKES),
        ),
        min_size=1,
        max_size=5,
    ),
)
def test_nothing_is_given_twice_whatever_tasks_take(
    size: int, wishes: list[tuple[float, int, int, float, int, dict[str, int]]]
) -> None:
    totals = {"gpu": 2000, "memory": 100}
    left, amounts, shares = size, dict(totals), []
    for used_s, wanted, places, weight, unit, takes in wishes:
        count = min(places, left) // unit
        count = min([count, *(amounts[name] // units for name, units in takes.items())])
        for name, units in takes.items():
            amounts[name] -= count * units
        left -= count * unit
        shares.append(Share(used_s, min(size, wanted), count * unit, weight, unit, takes))
    divide(size, shares, totals)
    assert sum(share.places for share in shares) <= size
    for share in shares:
        assert 0 <= share.places <= share.wanted
        assert share.places % share.unit == 0
    for name, total in totals.items():
        assert sum(one.takes.get(name, 0) * (one.places // one.unit) for one in shares) <= total
    for share in shares:  # nothing lies idle that somebody could use
        is_free = all(
            sum(one.takes.get(name, 0) * (one.places // one.unit) for one in shares) + units <= totals[name]
            for name, units in share.takes.items()
        )
        has_places = sum(one.places for one in shares) + share.unit <= size
        assert not (is_free and has_places and share.places + share.unit <= share.wanted)
    settled = [share.places for share in shares]
    divide(size, shares, totals)
    assert [share.places for share in shares] == settled


@pytest.mark.parametrize("takes", TAKES)
@pytest.mark.parametrize("unit", [1, 2, 4])
def test_floods_of_all_kinds_get_equal_time(unit: int, takes: dict[str, int]) -> None:
    """Simulates tasks of five milliseconds; those of one crew take several places, or something else."""
    size, totals = 4, {"gpu": 1000, "memory": 70}
    shares = [Share(0.0, 4, 0, unit=unit, takes=takes), Share(0.0, 4, 0, takes=takes), Share(0.0, 4, 0)]
    had = [0.0] * len(shares)
    for _ in range(6_000):
        divide(size, shares, totals)
        for index, share in enumerate(shares):
            had[index] += share.places * 0.005
            share.used_s += share.places * 0.005
    assert min(had) > 0.1 * max(had), had
