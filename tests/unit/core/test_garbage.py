"""A node's process visits its objects less often, and leaves the setting as it was."""

from __future__ import annotations

import gc
import subprocess
import sys
from collections.abc import Iterator

import pytest

from concurrent.core.process.garbage import YOUNG_MAX, collecting_nothing, collecting_rarely


class Cycle:
    def __init__(self) -> None:
        self.me = self


@pytest.fixture(autouse=True)
def setting_of_before() -> Iterator[None]:
    before = gc.get_threshold()
    yield
    gc.set_threshold(*before)


def total(what: str) -> int:
    """Return a figure of all generations: which of them a collection visits depends on those before."""
    return int(sum(generation[what] for generation in gc.get_stats()))


def collections_for(count: int) -> int:
    """Return how many collections take place while so many objects are made; each visits the young ones."""
    before = total("collections")
    kept = [Cycle() for _ in range(count)]
    assert len(kept) == count
    return total("collections") - before


def test_collections_are_rare_meanwhile_and_as_before_afterwards() -> None:
    threshold = gc.get_threshold()
    with collecting_rarely():
        assert collections_for(YOUNG_MAX // 2) <= 1
        assert collections_for(YOUNG_MAX * 2) >= 1
    assert gc.get_threshold() == threshold


def test_cycles_are_still_found() -> None:
    with collecting_rarely():
        before = total("collected")
        for _ in range(YOUNG_MAX * 2):
            Cycle()
        assert total("collected") > before


def test_there_are_few_collections_while_a_name_of_the_framework_is_imported() -> None:
    program = """
import gc
starts = []
gc.callbacks.append(lambda phase, _: starts.append(phase) if phase == "start" else None)
from concurrent.apps import LocalCluster
print(len(starts))
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert int(done.stdout) < 50


@pytest.mark.parametrize("threshold", [(0, 10, 10), (200_000, 5, 5)])
def test_a_program_that_wants_fewer_collections_has_its_way(threshold: tuple[int, int, int]) -> None:
    gc.set_threshold(*threshold)
    with collecting_rarely():
        assert gc.get_threshold() == threshold
    assert gc.get_threshold() == threshold


@pytest.mark.parametrize("was_on", [True, False])
def test_nothing_is_collected_meanwhile_and_it_goes_on_as_before(was_on: bool) -> None:
    if not was_on:
        gc.disable()
    try:
        with collecting_nothing():
            assert collections_for(YOUNG_MAX * 2) == 0
        assert gc.isenabled() is was_on
    finally:
        gc.enable()
