"""How many tasks are measured: all of ours, and as many of a peer as it does in some seconds."""

from __future__ import annotations

import pytest

from benchmarks import contest
from benchmarks.contest import affordable
from benchmarks.options import Options


class Clock:
    """A clock that a task moves on by ``each_s``."""

    def __init__(self, each_s: float) -> None:
        self.now_s = 0.0
        self.each_s = each_s

    def perf_counter(self) -> float:
        """Return the time."""
        return self.now_s

    def run(self, count: int) -> None:
        """Run so many tasks."""
        self.now_s += count * self.each_s


@pytest.mark.parametrize(
    ("peer", "each_s", "count"),
    [("", 1.0, 1_000), ("some", 0.001, 1_000), ("some", 0.01, 250), ("some", 1.0, 100)],
)
def test_only_a_slow_peer_gets_fewer_tasks(
    peer: str, each_s: float, count: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = Clock(each_s)
    monkeypatch.setattr(contest, "time", clock)
    assert affordable(Options(peer=peer), 1_000, clock.run) == count
