"""What is known of slaves' workers and machines, and how much of that at most."""

from __future__ import annotations

import pytest

from concurrent.scheduling.telemetry.functions import Function
from concurrent.scheduling.telemetry.workerbook import SPARE_WORKERS, MachineFacts, WorkerBook, WorkerRow

SLAVE = 3
SQUARE = Function(1, "app", "square")


@pytest.fixture
def book() -> WorkerBook:
    book = WorkerBook()
    book.join(SLAVE, workers=2)
    return book


def test_rows_tell_what_has_changed_and_the_rest_stays(book: WorkerBook) -> None:
    rows = [WorkerRow(11, 0.5, 1000, 77, 4.0, 9), WorkerRow(12, 0.0, 500, -1, 0.0, 0)]
    book.take(SLAVE, rows, [], {}, now=100.0)
    book.take(SLAVE, [WorkerRow(12, 1.0, 600, 78, 1.5, 1)], [], {}, now=101.0)
    facts = book.facts_by_slave[SLAVE]
    first, second = facts.worker_by_pid.values()
    assert (first.worker, first.cpu, first.memory_bytes, first.task) == (11, 0.5, 1000, 77)
    assert (first.since_at, first.done, first.told_at) == (96.0, 9, 100.0)
    assert (second.task, second.since_at, second.told_at) == (78, 99.5, 101.0)
    assert (facts.cpu, facts.memory_bytes, facts.told_at) == (1.5, 1600, 101.0)
    book.take(SLAVE, [WorkerRow(12, 0.0, 600, -1, 0.0, 2)], [], {}, now=102.0)
    assert second.since_at == 0.0


def test_a_machine_is_known_by_what_is_said_of_it(book: WorkerBook) -> None:
    book.take(SLAVE, [], [], {"machine_cpu": 1.5, "machine_cpus": 4, "nonsense": 7}, now=1.0)
    book.take(SLAVE, [], [], {"machine_cpu": 0.5}, now=2.0)
    assert book.facts_by_slave[SLAVE].machine == MachineFacts(machine_cpu=0.5, machine_cpus=4)


def test_a_worker_that_has_ended_is_forgotten(book: WorkerBook) -> None:
    book.take(SLAVE, [WorkerRow(11, 0.0, 0, -1, 0.0, 0), WorkerRow(12, 0.0, 0, -1, 0.0, 0)], [], {}, now=1.0)
    book.take(SLAVE, [], [11, 99], {}, now=2.0)
    assert list(book.facts_by_slave[SLAVE].worker_by_pid) == [12]


def test_bars_tell_what_a_known_worker_has_run_last(book: WorkerBook) -> None:
    book.take(SLAVE, [WorkerRow(11, 0.0, 0, -1, 0.0, 0)], [], {}, now=1.0)
    book.note_functions(SLAVE, [11, 11, 12], [Function(1, "app", "old"), SQUARE, SQUARE])
    facts = book.facts_by_slave[SLAVE]
    assert list(facts.worker_by_pid) == [11]
    assert facts.worker_by_pid[11].function == SQUARE


def test_of_a_slave_that_is_not_there_nothing_is_kept(book: WorkerBook) -> None:
    book.take(4, [WorkerRow(11, 0.0, 0, -1, 0.0, 0)], [], {"busy": 1}, now=1.0)
    book.note_functions(4, [11], [SQUARE])
    assert list(book.facts_by_slave) == [SLAVE]
    book.leave(SLAVE)
    book.leave(SLAVE)
    assert not book.facts_by_slave


def test_a_slave_with_ever_new_workers_takes_no_more_room(book: WorkerBook) -> None:
    for pid in range(1, 1001):
        book.take(SLAVE, [WorkerRow(pid, 0.0, 0, -1, 0.0, 0)], [], {}, now=1.0)
    kept = list(book.facts_by_slave[SLAVE].worker_by_pid)
    assert len(kept) == 4 + SPARE_WORKERS
    assert kept[-1] == 1000
