"""Parts of a stretch of memory that are taken and given back."""

from __future__ import annotations

import random

import pytest

from concurrent.scheduling.worker.extents import GRAIN_BYTES, Extents, whole_bytes

GRAINS = 16


def test_extents_have_few_sizes_which_are_hardly_larger_than_what_they_are_for() -> None:
    sizes = {whole_bytes(size) for size in range(1, 1 << 30, 1_000_003)}
    assert len(sizes) < 100
    for size in (1, GRAIN_BYTES - 1, GRAIN_BYTES, GRAIN_BYTES + 1, 1_000_000, 1 << 26, (1 << 26) + 1):
        whole = whole_bytes(size)
        assert whole % GRAIN_BYTES == 0
        assert size <= whole <= max(size * 9 / 8, GRAIN_BYTES * 2)
        assert whole_bytes(whole) == whole


def test_the_first_free_extent_that_is_large_enough_is_taken() -> None:
    extents = Extents(GRAINS * GRAIN_BYTES)
    first, second, third = (extents.take(2 * GRAIN_BYTES) for _ in range(3))
    assert (first, second, third) == (0, 2 * GRAIN_BYTES, 4 * GRAIN_BYTES)
    extents.give_back(0)
    extents.give_back(4 * GRAIN_BYTES)
    assert extents.take(3 * GRAIN_BYTES) == 4 * GRAIN_BYTES
    assert extents.take(1) == 0
    assert extents.take(GRAIN_BYTES) == GRAIN_BYTES


def test_what_has_no_room_in_a_row_is_refused() -> None:
    extents = Extents(GRAINS * GRAIN_BYTES)
    starts = [extents.take(GRAIN_BYTES) for _ in range(GRAINS)]
    assert None not in starts
    assert extents.take(1) is None
    for start in starts[::2]:
        assert start is not None
        extents.give_back(start)
    assert extents.take(GRAIN_BYTES + 1) is None
    assert extents.take(GRAIN_BYTES) == 0


def test_giving_back_what_is_not_taken_is_an_error() -> None:
    extents = Extents(GRAINS * GRAIN_BYTES)
    extents.take(2 * GRAIN_BYTES)
    with pytest.raises(KeyError):
        extents.give_back(GRAIN_BYTES)
    extents.give_back(0)
    with pytest.raises(KeyError):
        extents.give_back(0)


def test_no_two_overlap_whatever_is_taken_and_given_back_and_all_comes_together_again() -> None:
    dice = random.Random(7)
    size_bytes = 256 * GRAIN_BYTES
    extents = Extents(size_bytes)
    end_by_start: dict[int, int] = {}
    refused_count = 0
    for _ in range(5000):
        if end_by_start and dice.random() < 0.45:
            start = dice.choice(list(end_by_start))
            extents.give_back(start)
            del end_by_start[start]
            continue
        wanted = dice.randint(1, 24 * GRAIN_BYTES)
        taken = extents.take(wanted)
        if taken is None:
            refused_count += 1
            continue
        end = taken + wanted
        assert taken % GRAIN_BYTES == 0
        assert end <= size_bytes
        assert all(end <= one or other <= taken for one, other in end_by_start.items())
        end_by_start[taken] = end
    assert refused_count
    for start in end_by_start:
        extents.give_back(start)
    assert extents.take(size_bytes) == 0
