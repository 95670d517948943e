"""A node's process visits its objects less often, and leaves the setting as it was."""

from __future__ import annotations

import gc

from concurrent.core.garbage import YOUNG_MAX, collecting_rarely


class Cycle:
    def __init__(self) -> None:
        self.me = self


def collections_for(count: int) -> int:
    """Return how many collections of the young take place while so many objects are made."""
    before = gc.get_stats()[0]["collections"]
    kept = [Cycle() for _ in range(count)]
    assert len(kept) == count
    return int(gc.get_stats()[0]["collections"] - before)


def test_collections_are_rare_meanwhile_and_as_before_afterwards() -> None:
    threshold, frozen_count = gc.get_threshold(), gc.get_freeze_count()
    with collecting_rarely():
        assert gc.get_freeze_count() > frozen_count
        assert collections_for(YOUNG_MAX // 2) <= 1
        assert collections_for(YOUNG_MAX * 2) >= 1
    assert (gc.get_threshold(), gc.get_freeze_count()) == (threshold, 0)


def test_cycles_are_still_found() -> None:
    with collecting_rarely():
        before = gc.get_stats()[0]["collected"]
        for _ in range(YOUNG_MAX * 2):
            Cycle()
        assert gc.get_stats()[0]["collected"] > before
