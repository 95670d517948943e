"""Which tasks of a lost process are adopted by what is pushed again."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from concurrent.scheduling.owner.orphans import ASIDE_BYTES_MAX, OVERHEAD_BYTES, Orphans


@pytest.fixture
def orphans() -> Orphans[bytes, str]:
    return Orphans(lambda payload: payload[:1])


def test_what_is_pushed_again_alike_adopts_the_task(orphans: Orphans[bytes, str]) -> None:
    orphans.add([7, 8], [b"a", b"b"])
    assert (8 in orphans, len(orphans)) == (True, 2)
    assert orphans.adopt(b"b") == 8
    assert (8 in orphans, len(orphans)) == (False, 1)
    assert orphans.adopt(b"b") is None
    assert orphans.adopt(b"c") is None


def test_equal_ones_are_adopted_once_each_the_oldest_first(orphans: Orphans[bytes, str]) -> None:
    orphans.add([3, 4], [b"a", b"a"])
    orphans.add([5], [b"a"])
    assert [orphans.adopt(b"a") for _ in range(4)] == [3, 4, 5, None]


def test_the_outcome_of_a_task_waits_for_its_adoption(orphans: Orphans[bytes, str]) -> None:
    orphans.add([1, 2], [b"a", b"b"])
    orphans.put_aside(1, "done", 10)
    assert orphans.adopt(b"a") == 1
    assert (orphans.take_aside(1), orphans.take_aside(1)) == ("done", None)
    assert orphans.take_aside(2) is None


def test_those_that_are_given_up_and_may_still_run_are_named(orphans: Orphans[bytes, str]) -> None:
    orphans.add([1, 2, 3], [b"a", b"b", b"c"])
    orphans.put_aside(2, "done", 10)
    orphans.adopt(b"c")
    assert orphans.give_up() == [1]
    assert len(orphans) == 0
    assert orphans.adopt(b"a") is None
    assert orphans.give_up() == []


def test_the_oldest_of_too_many_outcomes_is_given_up(orphans: Orphans[bytes, str]) -> None:
    orphans.add([1, 2, 3], [b"a", b"a", b"b"])
    half = ASIDE_BYTES_MAX // 2 - OVERHEAD_BYTES
    orphans.put_aside(1, "first", half)
    orphans.put_aside(2, "second", half)
    orphans.put_aside(3, "third", half)
    assert (1 in orphans, 2 in orphans) == (False, True)
    assert (orphans.take_aside(1), orphans.adopt(b"a"), orphans.adopt(b"a")) == (None, 2, None)


def test_one_outcome_is_kept_however_large(orphans: Orphans[bytes, str]) -> None:
    orphans.add([1], [b"a"])
    orphans.put_aside(1, "large", 2 * ASIDE_BYTES_MAX)
    assert orphans.take_aside(1) == "large"


@given(st.lists(st.sampled_from([b"a", b"b", b"c"])), st.lists(st.sampled_from([b"a", b"b", b"c", b"d"])))
def test_what_is_adopted_is_what_both_pushed(before: list[bytes], after: list[bytes]) -> None:
    orphans: Orphans[bytes, str] = Orphans(bytes)
    orphans.add(range(len(before)), before)
    adopted = [(payload, task_id) for payload in after if (task_id := orphans.adopt(payload)) is not None]
    assert Counter(payload for payload, _ in adopted) == Counter(before) & Counter(after)
    assert all(before[task_id] == payload for payload, task_id in adopted)
    assert len({task_id for _, task_id in adopted}) == len(adopted)
    assert len(orphans.give_up()) == len(before) - len(adopted)
