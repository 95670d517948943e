"""Which application may have how many places of a pool."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from concurrent.scheduling.slave.shares import CREDIT_S, SLICE_S, Claim, divide


def divided(size: int, *claims: tuple[float, int, int]) -> list[int]:
    """Return who may have how many places; a claim is: used, wanted, places."""
    made = [Claim(*claim) for claim in claims]
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
    flood, job = Claim(9.0, size, size), Claim(0.0, size, 0)
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
        claims.append(Claim(used_s, min(size, wanted), min(left, places)))
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
    claims = [Claim(0.0, size, 0) for _ in range(programs)]
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
