"""The ring of bars: what is kept, asked for and forgotten."""

from __future__ import annotations

import sys

import pytest

from concurrent.scheduling.telemetry.functions import OTHER, Function, Functions
from concurrent.scheduling.telemetry.numbered import Numbered
from concurrent.scheduling.telemetry.timeline import BARS_MAX, Bar, BarColumns, Timeline

SQUARE = Function(1, "app", "square")
CUBE = Function(1, "app", "cube")


@pytest.fixture
def functions() -> Functions:
    return Functions()


def columns(functions: Functions, *bars: tuple[int, Function, float, float]) -> BarColumns:
    """Return bars of one run each: worker, function, beginning, duration."""
    workers, names, starts, durations = zip(*bars, strict=True)
    numbers = list(map(functions.number, names))
    return BarColumns(workers, numbers, starts, durations, durations, [1] * len(bars), [0] * len(bars))


def bars(timeline: Timeline, first: int = 0) -> list[Bar]:
    """Return the bars from one on; 0: all."""
    return list(timeline.part(first or timeline.first_number).bars())


def runs(timeline: Timeline) -> list[int]:
    """Return the workers of all bars: here each bar has another one."""
    return [bar.worker for bar in bars(timeline)]


def test_a_bar_is_told_as_it_was_kept(functions: Functions) -> None:
    timeline = Timeline(functions)
    timeline.add("slave-a", BarColumns([7], [functions.number(SQUARE)], [100.5], [2.0], [1.5], [40], [3]))
    assert bars(timeline) == [Bar(1, "slave-a", 7, SQUARE, 100.5, 2.0, 1.5, 40, 3)]
    assert bars(timeline)[0].stop_at == 102.5


@pytest.mark.parametrize("size", [1, 2, 3, 5, 7, 20])
def test_of_more_bars_than_there_is_room_for_the_newest_are_kept_in_their_order(
    functions: Functions, size: int
) -> None:
    timeline = Timeline(functions, bars_max=5)
    told: list[int] = []
    for first in range(0, 40, size):
        workers = range(first, first + size)
        timeline.add("slave-a", columns(functions, *((worker, SQUARE, 1.0, 1.0) for worker in workers)))
        told += workers
        assert runs(timeline) == told[-5:]
        assert timeline.next_number == len(told) + 1
        assert timeline.first_number == max(1, len(told) - 4)


def test_who_looks_again_is_told_what_is_new(functions: Functions) -> None:
    timeline = Timeline(functions, bars_max=10)
    timeline.add("slave-a", columns(functions, (1, SQUARE, 1.0, 1.0), (2, SQUARE, 2.0, 1.0)))
    known = bars(timeline)[-1].number
    assert bars(timeline, known + 1) == []
    timeline.add("slave-b", columns(functions, (3, CUBE, 3.0, 1.0)))
    (bar,) = bars(timeline, known + 1)
    assert (bar.slave, bar.worker, bar.function) == ("slave-b", 3, CUBE)


def test_the_numbers_of_a_later_timeline_are_higher_and_it_keeps_as_much(functions: Functions) -> None:
    former = Timeline(functions, bars_max=5, began_at=1000.5)
    later = Timeline(functions, bars_max=5, began_at=1001.9)
    for timeline in (former, later):
        for worker in range(1, 8):
            timeline.add("slave", columns(functions, (worker, SQUARE, 1.0, 1.0)))
            assert runs(timeline) == list(range(max(1, worker - 4), worker + 1))
    assert (former.first_number, former.next_number) == (5003, 5008)
    assert (later.first_number, later.next_number) == (5008, 5013)


def test_names_that_no_bar_has_make_room_for_others() -> None:
    functions = Functions(count_max=3)
    timeline = Timeline(functions, bars_max=10)

    def add(*names: str) -> list[str]:
        timeline.add("slave-a", columns(functions, *((1, Function(1, "", name), 0.0, 1.0) for name in names)))
        return [bar.function.name for bar in bars(timeline)[-len(names) :]]

    assert add("a", "b", "c") == ["a", "b", "c"]
    assert add("d") == [OTHER.name]
    assert add(*["c"] * 10) == ["c"] * 10
    assert add("d", "c", "e", "f") == ["d", "c", "e", OTHER.name]


def test_a_full_ring_takes_less_than_four_megabytes() -> None:
    functions = Functions()
    timeline = Timeline(functions)
    for _ in range(BARS_MAX // 1000 + 1):
        timeline.add("slave-a", columns(functions, *[(1, SQUARE, 1.0, 1.0)] * 1000))
    assert len(timeline) == BARS_MAX
    assert sum(map(sys.getsizeof, vars(timeline)["_columns"])) < 4 << 20


def test_numbers_that_are_free_are_given_again() -> None:
    names: Numbered[str] = Numbered("rest", 2)
    assert [names.number(name) for name in ("a", "b", "c", "a")] == [1, 2, 0, 1]
    assert names.is_full
    names.keep({2})
    assert not names.is_full
    assert [names.number(name) for name in ("c", "b", "a")] == [1, 2, 0]
    assert [names.key(number) for number in (0, 1, 2)] == ["rest", "c", "b"]
