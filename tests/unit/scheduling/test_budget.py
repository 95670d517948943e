"""What a master may keep: tasks, and outcomes that their owners do not take."""

from __future__ import annotations

import pytest

from concurrent.scheduling.ledger.budget import OUTCOME_BYTES, TASK_BYTES, Budget
from concurrent.scheduling.ledger.events import Deliver, StoreChanged
from concurrent.scheduling.ledger.outbox import UNCONSUMED_BYTES_MAX, Outbox
from concurrent.scheduling.tasks.outcome import FINISHED

MEMORY_BYTES = 100_000
OUTCOMES_MAX = MEMORY_BYTES // 2 // OUTCOME_BYTES


@pytest.fixture
def tasks() -> list[int]:
    return []


@pytest.fixture
def budget(tasks: list[int]) -> Budget:
    return Budget(tasks, MEMORY_BYTES, 1 << 30)


@pytest.fixture
def outbox(budget: Budget) -> Outbox:
    """The outbox of an owner that names what it has consumed."""
    outbox = Outbox(1, budget)
    outbox.consumed(0)
    return outbox


def put(outbox: Outbox, count: int, payload: bytes = b"") -> list[Deliver]:
    return outbox.put(list(range(count)), [FINISHED] * count, [payload] * count)


def test_tasks_and_outcomes_that_nobody_consumes_use_up_the_room(
    budget: Budget, outbox: Outbox, tasks: list[int]
) -> None:
    put(outbox, OUTCOMES_MAX - 10)
    assert budget.has_room()
    put(outbox, 100)
    assert not budget.has_room()
    assert f"{OUTCOMES_MAX + 90} outcomes that applications do not take" in budget.what_is_short()
    outbox.consumed(OUTCOMES_MAX + 90)
    assert budget.has_room()
    assert not budget.what_is_short()
    tasks += range(1 + MEMORY_BYTES // 2 // TASK_BYTES)
    assert not budget.has_room()


def test_jobs_that_are_kept_have_room_of_their_own(tasks: list[int]) -> None:
    budget = Budget(tasks, MEMORY_BYTES, 1 << 30, kept_bytes_max=10 * MEMORY_BYTES)
    tasks += range(10 * MEMORY_BYTES // TASK_BYTES)
    budget.kept_count = len(tasks)
    assert budget.has_room(is_kept=True)
    assert budget.has_room(is_kept=False)
    assert not budget.is_memory_full  # payloads of others need not go to the disk for them
    tasks += range(2)
    budget.kept_count += 2
    assert not budget.has_room(is_kept=True)
    assert budget.has_room(is_kept=False)
    assert f"{len(tasks)} unfinished tasks of jobs" in budget.what_is_short(is_kept=True)
    assert f"job.memory_bytes_max = {10 * MEMORY_BYTES}" in budget.what_is_short(is_kept=True)
    assert budget.what_is_short(is_kept=False) == ""


def test_small_payloads_of_kept_jobs_are_in_memory_too(tasks: list[int]) -> None:
    budget = Budget(tasks, MEMORY_BYTES, 1 << 30, kept_bytes_max=MEMORY_BYTES)
    budget.open_bytes = MEMORY_BYTES + 1
    assert not budget.has_room(is_kept=True)
    budget.store = StoreChanged(2, "", "/tmp")
    assert budget.has_room(is_kept=True)


def test_a_job_that_ends_takes_all_that_it_has_with_it(budget: Budget, outbox: Outbox) -> None:
    put(outbox, OUTCOMES_MAX + 1, b"x" * 100)
    outbox.detach()
    put(outbox, 1, b"y")
    outbox.close()
    assert (budget.outcome_count, budget.outcome_bytes) == (0, 0)


def test_outcomes_are_numbered_and_kept_until_they_are_named(budget: Budget, outbox: Outbox) -> None:
    assert put(outbox, 2, b"r") == [Deliver(1, [0, 1], [FINISHED] * 2, [b"r"] * 2, 2)]
    assert put(outbox, 1, b"s") == [Deliver(1, [0], [FINISHED], [b"s"], 3)]
    assert (budget.outcome_count, budget.outcome_bytes, outbox.waiting_count) == (3, 3, 0)
    assert outbox.consumed(1) == []
    assert (budget.outcome_count, budget.outcome_bytes) == (2, 2)
    assert outbox.consumed(1) == []
    assert (outbox.consumed_to, outbox.given_to) == (1, 3)


def test_a_later_session_is_given_again_what_was_not_consumed(outbox: Outbox) -> None:
    outbox.put([7, 8], [FINISHED] * 2, [b"a", b"b"])
    outbox.consumed(1)
    outbox.detach()
    assert outbox.put([9], [FINISHED], [b"c"]) == []
    assert outbox.waiting_count == 2
    assert outbox.attach() == [Deliver(1, [8, 9], [FINISHED] * 2, [b"b", b"c"], 3)]


def test_an_owner_that_consumes_nothing_is_given_no_more(budget: Budget, outbox: Outbox) -> None:
    large = bytes(UNCONSUMED_BYTES_MAX)
    assert len(put(outbox, 1, large)) == 1
    assert put(outbox, 1, b"next") == []
    assert outbox.waiting_count == 1
    assert outbox.consumed(1) == [Deliver(1, [0], [FINISHED], [b"next"], 2)]
    assert budget.outcome_bytes == 4


def test_outcomes_without_payload_count_too(outbox: Outbox) -> None:
    count = UNCONSUMED_BYTES_MAX // OUTCOME_BYTES + 1
    assert len(put(outbox, count)) == 1
    assert put(outbox, 1) == []


def test_an_owner_that_names_nothing_is_kept_nothing_for(budget: Budget) -> None:
    outbox = Outbox(1, budget)
    large = bytes(UNCONSUMED_BYTES_MAX + 1)
    assert put(outbox, 1, large) == [Deliver(1, [0], [FINISHED], [large], 1)]
    assert budget.outcome_count == 0
    assert put(outbox, 2, b"next") == []
    assert (outbox.waiting_count, budget.outcome_count) == (2, 2)
    assert outbox.bytes_consumed(len(large)) == [Deliver(1, [0, 1], [FINISHED] * 2, [b"next"] * 2, 3)]
    outbox.bytes_consumed(1 << 40)
    assert (budget.outcome_count, budget.outcome_bytes) == (0, 0)


def test_what_was_given_before_an_owner_names_outcomes_is_not_kept(budget: Budget) -> None:
    outbox = Outbox(1, budget)
    put(outbox, 3, b"x")
    assert outbox.consumed(2) == []
    assert budget.outcome_bytes == 0
    assert put(outbox, 1, b"y")[0].up_to == 4
    outbox.consumed(4)
    assert (budget.outcome_count, budget.outcome_bytes) == (0, 0)


def test_files_take_payloads_until_they_are_full_or_cannot_be_written(budget: Budget) -> None:
    budget.open_bytes = MEMORY_BYTES + 1
    assert budget.is_memory_full
    assert budget.has_room()
    budget.store = StoreChanged(1, "", "/tmp")
    assert not budget.is_memory_full
    budget.store = StoreChanged(0, "disk full", "/tmp")
    assert "cannot write to /tmp: disk full" in budget.what_is_short()
    budget.store = StoreChanged((1 << 30) + 1, "", "/tmp")
    assert "master.disk_bytes_max = 1073741824" in budget.what_is_short()
