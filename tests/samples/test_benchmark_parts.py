"""The loads, lanes, figures, table and picture of the benchmark sample, without a cluster."""

from __future__ import annotations

import pickle
from hashlib import sha256
from pathlib import Path
from xml.etree import ElementTree

import pytest

from concurrent.apps.samples.benchmark.chart import svg_of
from concurrent.apps.samples.benchmark.counts import CountsItem
from concurrent.apps.samples.benchmark.load import BLOCK, Alone, Done, Load, calibrated, run_alone
from concurrent.apps.samples.benchmark.report import lines_of
from concurrent.apps.samples.benchmark.results import Row, Series, Step
from concurrent.apps.samples.benchmark.tasks import BenchmarkSystem, Lanes
from concurrent.apps.samples.shared.amdahl import speed_up
from concurrent.scheduling import InProcessMaster


def exact_series(share: float, counts: tuple[int, ...], kind: str = "wait", mode: str = "system") -> Series:
    """Return a series that follows Amdahl's law, with 40 tasks of 0.1 s; the last step is a full one."""
    alone = Alone(4.0, 4.0, {})
    rows = [Row(Step(n, False), alone, 4.0 / speed_up(share, n), 40, 4.0, 4.0, 9000) for n in counts]
    rows.append(Row(Step(counts[-1], True), alone, 0.1, 40, 4.0, 2.0, 9000))
    return Series(kind, mode, rows)


def test_an_active_wait_lasts_its_time_and_computes_nothing() -> None:
    done = Load("wait", 0.01).carry(3)
    assert (done.number, done.answer) == (3, b"")
    assert done.wall_s >= 0.01


def test_computing_is_a_digest_of_its_own_for_each_task() -> None:
    assert Load("work", 3).carry(7).answer == sha256(b"7" + 3 * BLOCK).digest()
    assert Load("work", 3).carry(8).answer != Load("work", 3).carry(7).answer


def test_calibrated_computing_is_the_longer_the_more_time_it_is_given() -> None:
    short, long = calibrated("work", 0.001), calibrated("work", 10.0)
    assert 1 <= short.amount < long.amount
    assert calibrated("wait", 0.5) == Load("wait", 0.5)


def test_one_process_gives_the_answers_that_tasks_are_compared_with() -> None:
    load = Load("work", 2)
    alone = run_alone(load, range(3))
    assert alone.answers == {number: load.carry(number).answer for number in range(3)}
    assert alone.seconds > 0


def test_two_halves_of_the_work_in_one_process_come_together() -> None:
    both = Alone(2.0, 1.0, {0: b"a"}).together(Alone(6.0, 3.0, {1: b"b"}))
    assert both == Alone(8.0, 4.0, {0: b"a", 1: b"b"})
    assert both.cpu_share == 0.5


@pytest.mark.parametrize("lane_count", [1, 3, 10, 50])
def test_never_are_more_tasks_out_than_there_are_lanes(lane_count: int) -> None:
    lanes = Lanes(Load("work", 1), 10, lane_count)
    out = lanes.next_tasks()
    numbers = []
    while out:
        assert len(out) <= lane_count
        task = out.pop(0)
        numbers.append(task.number)
        out += lanes.take(task(), lambda done, total: None)
    assert numbers == list(range(10))
    assert lanes.is_complete


def test_the_task_system_brings_all_answers_home() -> None:
    load = Load("work", 5)
    alone = run_alone(load, range(10))
    master = InProcessMaster()
    lanes = master.run(BenchmarkSystem(Lanes(load, 10, 3, before=20, total=40)))
    assert master.shown == (30, 40)
    assert lanes.answers() == alone.answers
    sizes = [len(pickle.dumps(done)) for done in lanes.done]
    assert lanes.data_bytes() > sum(sizes)


def test_a_task_that_fails_ends_the_system_with_its_error() -> None:
    system = BenchmarkSystem(Lanes(Load("work", 5), 10, 3))
    master = InProcessMaster()
    (task, *_) = system.generate_tasks(master)
    with pytest.raises(ZeroDivisionError):
        system.task_finished(master, task, Done(0, 0.0, 0.0, b""), ZeroDivisionError())


@pytest.mark.parametrize("share", [0.5, 0.9, 0.98])
def test_the_fit_of_a_series_recovers_the_share_it_was_made_with(share: float) -> None:
    assert exact_series(share, (1, 2, 4, 8)).parallel_share() == pytest.approx(share)


def test_a_row_tells_overhead_and_missing_cores() -> None:
    done = [Done(number, 0.2, 0.1, b"") for number in range(10)]
    row = Row.of(Step(2, False), Alone(2.0, 2.0, {}), done, 1.5, 100)
    assert row.cpu_share == pytest.approx(0.5)
    assert row.overhead_s == pytest.approx((2 * 1.5 - 2.0) / 10)


def test_the_table_has_a_line_for_each_step_and_compares_with_the_presentation() -> None:
    lines = lines_of(exact_series(0.98, (1, 8)))
    assert lines[0].startswith("active wait, a task system: 40 tasks of 100.0 ms")
    assert lines[3].split()[:5] == ["8", "4.00", "0.57", "7.02", "88%"]
    assert lines[4].split()[0] == "8*"
    assert lines[5] == "sequential  4.000 s, with 100% of a core"
    assert lines[6] == "parallel    0.100 s, 40 tasks on 8 workers, from the first push to the result"
    assert "P = 0.98 from S = 7.02 on N = 8" in lines[9]
    assert "P = 0.980" in lines[10]
    assert "S(8) = 7.02, 50 at most" in lines[10]


def test_the_law_is_asked_about_the_times_of_the_row_with_all_tasks_at_once() -> None:
    series = exact_series(0.5, (1, 8))
    series.rows[-1] = series.rows[-1]._replace(seconds=4.0 / speed_up(0.9, 8))
    lines = lines_of(series)
    assert "P = 0.900" in lines[8]
    assert "P = 0.500" in lines[10]


def test_the_table_of_a_single_worker_claims_nothing() -> None:
    assert "say nothing" in "\n".join(lines_of(exact_series(0.98, (1,))))


def test_a_series_beyond_the_law_is_said_to_be_disturbed() -> None:
    series = exact_series(0.98, (1, 2))
    rows = [row._replace(alone=Alone(9.0, 9.0, {})) for row in series.rows]
    assert "not quiet" in "\n".join(lines_of(series._replace(rows=rows)))


def test_without_lanes_the_law_is_asked_about_one_row_only() -> None:
    series = exact_series(0.98, (1, 8))
    lines = lines_of(series._replace(rows=series.rows[-1:]))
    assert [line.split()[0] for line in lines[2:4]] == ["8*", "sequential"]
    assert not any(line.startswith("lanes") for line in lines)
    assert "<circle" in svg_of([series._replace(rows=series.rows[-1:])])


def test_the_table_of_a_perfect_series_has_no_limit() -> None:
    assert "without any limit" in "\n".join(lines_of(exact_series(1.0, (1, 2))))


def test_the_picture_shows_each_comparable_point_and_the_presented_one() -> None:
    both = [exact_series(0.9, (1, 2, 4)), exact_series(0.8, (1, 2, 4), "work", "tasks")]
    root = ElementTree.fromstring(svg_of(both))
    svg = "{http://www.w3.org/2000/svg}"
    legend_marks = len(both)
    assert len(root.findall(f"{svg}circle")) == 3 + 3 + legend_marks
    assert len(root.findall(f"{svg}polyline")) == 2 * (len(both) + 2)
    texts = [element.text for element in root.findall(f"{svg}text")]
    assert {"P = 0.900", "P = 0.800", "presented: S = 7.02, N = 8"} <= set(texts)


@pytest.mark.parametrize(("text", "counts"), [("", ()), ("4, 1,2,4", (1, 2, 4)), ("16", (16,))])
def test_counts_are_read_in_rising_order(text: str, counts: tuple[int, ...]) -> None:
    item = CountsItem("some", "counts", ())
    assert item.parse(text, Path()) == counts
    assert item.parse(item.format(counts), Path()) == counts


@pytest.mark.parametrize("text", ["0", "2, -1", "two", "1.5"])
def test_what_are_no_counts_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        CountsItem("some", "counts", ()).parse(text, Path())
