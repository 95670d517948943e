"""What many ask is made anew for each, unless that takes long."""

from __future__ import annotations

from concurrent.apps.latest import SHARE, Latest


class Slow:
    """Counts how often it was asked; each time takes a while."""

    def __init__(self, takes_s: float) -> None:
        self.now = 100.0
        self.count = 0
        self._takes_s = takes_s

    def __call__(self) -> int:
        self.now += self._takes_s
        self.count += 1
        return self.count


def test_a_quick_answer_is_made_for_each_who_asks() -> None:
    made = Slow(0.001)
    latest = Latest(made, lambda: made.now)
    assert [latest.get() for _ in range(3)] == [1, 2, 3]


def test_a_slow_answer_is_kept_so_that_it_takes_a_small_share_of_the_time() -> None:
    made = Slow(0.1)
    latest = Latest(made, lambda: made.now)
    assert [latest.get() for _ in range(3)] == [1, 1, 1]
    made.now += 0.1 / SHARE - 0.01
    assert latest.get() == 1
    made.now += 0.02
    assert latest.get() == 2
