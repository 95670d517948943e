"""What a master remembers for people: bars with names, figures each second, and all of it with a bound."""

from __future__ import annotations

from typing import Any

import pytest

from concurrent.scheduling.ledger.counts import OutcomeCounts
from concurrent.scheduling.ledger.events import (
    OwnerJoined,
    OwnerLeft,
    SlaveJoined,
    SlaveLost,
    TasksDone,
    TasksSubmitted,
)
from concurrent.scheduling.ledger.ledger import Ledger
from concurrent.scheduling.master.observatory import BARS_PER_S, BURST_S, FIGURES, Observatory, ToldBars
from concurrent.scheduling.tasks.outcome import FINISHED
from concurrent.scheduling.telemetry.functions import Function
from concurrent.scheduling.telemetry.workerbook import WorkerRow

OWNER, SLAVE = 1, 2


@pytest.fixture
def ledger() -> Ledger:
    ledger = Ledger(memory_bytes_max=1 << 20)
    ledger.apply(OwnerJoined(OWNER, "application-1"))
    ledger.apply(SlaveJoined(SLAVE, "slave-1", workers=2, window=100))
    return ledger


@pytest.fixture
def observatory(ledger: Ledger) -> Observatory:
    observatory = Observatory(ledger, lambda: {"square"})
    observatory.join(SLAVE, workers=2)
    return observatory


def told(count: int = 1, *, job: int = OWNER, name: str = "square") -> ToldBars:
    ones = [1.0] * count
    return ToldBars([7] * count, [0] * count, ones, ones, ones, [1] * count, [0] * count, [name], [job])


def figures(observatory: Observatory) -> dict[str, Any]:
    return {name: values[-1] for name, values in observatory.series.points().values.items()}


def test_bars_get_the_names_of_slave_job_and_function(observatory: Observatory) -> None:
    bars = ToldBars(
        [7, 8], [1, 0], [3.0, 1.0], [2.0, 0.5], [2.0, 0.4], [1, 9], [0, 2], ["a", "b"], [OWNER, OWNER]
    )
    observatory.bars(SLAVE, bars, now=100.0)
    first, second = observatory.timeline.part(1).bars()
    assert (first.slave, first.worker, first.function) == ("slave-1", 7, Function(OWNER, "application-1", "b"))
    assert (first.start_at, first.stop_at) == (97.0, 99.0)
    assert (second.function.name, second.runs, second.failed) == ("a", 9, 2)


def test_the_last_bars_of_a_job_that_has_left_have_its_name(ledger: Ledger, observatory: Observatory) -> None:
    ledger.apply(OwnerJoined(5, "another"))
    observatory.sample(50.0, OutcomeCounts())
    ledger.apply(OwnerLeft(5))
    observatory.bars(SLAVE, told(job=5), now=100.0)
    observatory.bars(SLAVE, told(job=99), now=100.0)
    assert [bar.function.job_name for bar in observatory.timeline.part(1).bars()] == ["another", ""]


def test_what_ended_in_the_first_second_of_a_master_is_in_the_figures(ledger: Ledger) -> None:
    observatory = Observatory(ledger, lambda: {"square"}, began_at=100.0)
    observatory.sample(101.5, OutcomeCounts(finished=3))
    assert figures(observatory)["finished_per_s"] == pytest.approx(2.0)


def test_a_slave_that_is_not_there_is_not_heard(ledger: Ledger, observatory: Observatory) -> None:
    observatory.bars(9, told(), now=1.0)
    observatory.take_workers(9, [WorkerRow(7, 0.0, 0, -1, 0.0, 0)], [], {}, now=1.0)
    observatory.leave(SLAVE)
    ledger.apply(SlaveLost(SLAVE, "gone"))
    observatory.bars(SLAVE, told(), now=1.0)
    assert len(observatory.timeline) == 0
    assert not observatory.workers.facts_by_slave


def test_a_slave_that_floods_leaves_room_for_the_bars_of_others(observatory: Observatory) -> None:
    most = int(BARS_PER_S * 2 * BURST_S)
    observatory.bars(SLAVE, told(most), now=100.0)
    observatory.bars(SLAVE, told(), now=100.0)
    assert (len(observatory.timeline), observatory.dropped_count) == (most, 1)
    observatory.bars(SLAVE, told(int(BARS_PER_S * 2)), now=101.0)
    assert len(observatory.timeline) == most + BARS_PER_S * 2


def test_a_slave_cannot_take_the_labels_or_the_figures_of_others(observatory: Observatory) -> None:
    for number in range(300):
        observatory.bars(SLAVE, told(name=f"made up {number}"), now=100.0)
    observatory.bars(SLAVE, told(name="square"), now=100.0)
    assert observatory.seconds_by_function == {"other": 300.0, "square": 1.0}
    observatory.take_workers(SLAVE, [], [], {"busy": 1 << 40}, now=100.0)
    observatory.sample(100.0, OutcomeCounts())
    assert figures(observatory)["busy"] == 2.0


def test_figures_of_each_second_tell_how_it_goes(ledger: Ledger, observatory: Observatory) -> None:
    observatory.sample(100.0, OutcomeCounts())
    assert figures(observatory) == dict.fromkeys(FIGURES, 0.0) | {"slaves": 1.0, "workers": 2.0}
    ledger.apply(TasksSubmitted(OWNER, 1, [b""] * 10))
    (send,) = (command for command in ledger.assign(SLAVE, 6) if hasattr(command, "numbers"))
    ledger.apply(TasksDone(SLAVE, send.numbers[:4], [FINISHED] * 4, [b""] * 4, 0.1))
    counts = OutcomeCounts(finished=2, failed=1, cancelled=1)
    observatory.take_workers(SLAVE, [WorkerRow(7, 0.75, 5000, -1, 0.0, 4)], [], {"busy": 1}, now=101.0)
    observatory.sample(102.0, counts)
    assert figures(observatory) == {
        "finished_per_s": 1.0, "failed_per_s": 0.5, "cancelled_per_s": 0.5, "waiting": 4.0, "held": 2.0,
        "slaves": 1.0, "workers": 2.0, "busy": 1.0, "cpu": 0.75, "memory_bytes": 5000.0,
    }  # fmt: skip
    observatory.sample(103.0, counts)
    assert figures(observatory)["finished_per_s"] == 0.0
