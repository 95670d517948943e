"""The outcomes of a recorded job: given at once, or asked back from the journal in their order."""

from __future__ import annotations

from typing import Any

import pytest

from concurrent.core.errors import SchedulingError
from concurrent.scheduling.ledger.budget import OUTCOME_BYTES, Budget
from concurrent.scheduling.ledger.events import Deliver, OutcomesRecalled, Recall, TasksEnded
from concurrent.scheduling.ledger.keptoutbox import RECALL_MAX, KeptOutbox
from concurrent.scheduling.ledger.outbox import UNCONSUMED_BYTES_MAX
from concurrent.scheduling.tasks.outcome import FINISHED

BIG = bytes(UNCONSUMED_BYTES_MAX)


@pytest.fixture
def budget() -> Budget:
    return Budget({}, 1 << 30, 1 << 30)


@pytest.fixture
def outbox(budget: Budget) -> KeptOutbox:
    return KeptOutbox(1, budget)


def put(outbox: KeptOutbox, count: int, payload: bytes = b"") -> list[Any]:
    first = outbox.ended_to
    return outbox.put(list(range(first, first + count)), [FINISHED] * count, [payload] * count)


def back(first: int, count: int, payload: bytes = b"") -> OutcomesRecalled:
    """Return so many outcomes as they come from the journal."""
    ids = list(range(first - 1, first - 1 + count))
    return OutcomesRecalled(1, first, ids, [FINISHED] * count, [payload] * count)


def numbers(commands: list[Any]) -> list[tuple[type, int]]:
    """Return kinds of commands with the last outcome that they bring, or the first that they want."""
    return [(type(one), one.up_to if isinstance(one, Deliver) else one.first) for one in commands]


def test_outcomes_are_given_at_once_and_counted_until_they_are_consumed(
    outbox: KeptOutbox, budget: Budget
) -> None:
    assert numbers(put(outbox, 3, b"abc")) == [(Deliver, 3)]
    assert (budget.outcome_count, budget.outcome_bytes) == (3, 9)
    assert outbox.consumed(2) == []
    assert (budget.outcome_count, budget.outcome_bytes) == (1, 3)
    outbox.close()
    assert (budget.outcome_count, budget.outcome_bytes) == (0, 0)


def test_a_job_that_nobody_reads_takes_no_memory(outbox: KeptOutbox, budget: Budget) -> None:
    outbox.detach()
    for _ in range(100):
        assert put(outbox, 10_000, b"x" * 100) == []
    assert outbox.waiting_count == 1_000_000
    assert (budget.outcome_count, budget.outcome_bytes) == (0, 0)


def test_a_later_session_is_given_what_was_not_consumed_a_part_at_a_time(outbox: KeptOutbox) -> None:
    put(outbox, 10)
    outbox.consumed(4)
    outbox.detach()
    put(outbox, RECALL_MAX)
    assert outbox.attach() == [Recall(1, 5, RECALL_MAX)]
    assert numbers(outbox.recalled(back(5, RECALL_MAX))) == [
        (Deliver, 4 + RECALL_MAX),
        (Recall, 5 + RECALL_MAX),
    ]
    assert numbers(outbox.recalled(back(5 + RECALL_MAX, 6))) == [(Deliver, 10 + RECALL_MAX)]
    assert numbers(put(outbox, 1)) == [(Deliver, 11 + RECALL_MAX)]


def test_what_comes_while_others_are_asked_back_is_given_after_these(outbox: KeptOutbox) -> None:
    outbox.detach()
    put(outbox, 2)
    assert outbox.attach() == [Recall(1, 1, 2)]
    assert put(outbox, 1) == []
    assert numbers(outbox.recalled(back(1, 2))) == [(Deliver, 2), (Recall, 3)]
    assert put(outbox, 1) == []
    assert numbers(outbox.recalled(back(3, 1))) == [(Deliver, 3), (Recall, 4)]


def test_a_session_that_consumes_nothing_is_given_no_more(outbox: KeptOutbox) -> None:
    assert numbers(put(outbox, 1, BIG)) == [(Deliver, 1)]
    assert put(outbox, 1, b"next") == []
    assert outbox.consumed(1) == [Recall(1, 2, 1)]


def test_outcomes_without_payload_count_too(outbox: KeptOutbox) -> None:
    count = UNCONSUMED_BYTES_MAX // OUTCOME_BYTES + 1
    assert numbers(put(outbox, count)) == [(Deliver, count)]
    assert put(outbox, 1) == []


def test_an_answer_for_a_session_that_is_gone_is_not_given(outbox: KeptOutbox) -> None:
    outbox.detach()
    put(outbox, 4)
    outbox.attach()
    outbox.detach()
    assert outbox.recalled(back(1, 4)) == []
    assert outbox.attach() == [Recall(1, 1, 4)]
    outbox.detach()
    assert outbox.attach() == []  # what was asked for is still on the way
    assert outbox.consumed(2) == []
    assert numbers(outbox.recalled(back(1, 4))) == [(Recall, 3)]
    assert numbers(outbox.recalled(back(3, 2))) == [(Deliver, 4)]


def test_a_program_may_have_consumed_more_than_its_new_session_was_given(outbox: KeptOutbox) -> None:
    put(outbox, 5)
    outbox.attach()
    outbox.recalled(back(1, 2))
    assert outbox.consumed(4) == []
    assert (outbox.given_to, outbox.consumed_to) == (4, 4)
    with pytest.raises(SchedulingError, match="outcome 6 was consumed, but the last one has number 5"):
        outbox.consumed(6)


def test_a_session_may_have_everything_again_from_the_start(outbox: KeptOutbox, budget: Budget) -> None:
    put(outbox, 3)
    outbox.consumed(3)
    assert outbox.attach(from_start=True) == [Recall(1, 1, 3)]
    assert numbers(outbox.recalled(back(1, 3))) == [(Deliver, 3)]
    assert outbox.consumed(1) == []
    assert (outbox.consumed_to, budget.outcome_count) == (3, 2)
    assert outbox.attach() == []  # the next one begins behind what was ever consumed


def test_outcomes_of_before_a_start_are_asked_back_with_their_numbers(outbox: KeptOutbox) -> None:
    outbox.detach()
    outbox.told(TasksEnded(1, [7, 8], [FINISHED] * 2, [b""] * 2, first_outcome=41))
    outbox.told_consumed(41)
    assert outbox.attach() == [Recall(1, 42, 1)]
    outbox.told_consumed(50)
    assert outbox.ended_to == 50


def test_what_a_session_has_read_the_next_one_is_given_again(outbox: KeptOutbox, budget: Budget) -> None:
    put(outbox, 5, b"abc")
    outbox.consumed(1)
    outbox.read(4)
    assert (budget.outcome_count, outbox.consumed_to) == (1, 1)
    outbox.consumed(3)
    assert (budget.outcome_count, outbox.consumed_to) == (1, 3)
    assert numbers(outbox.attach()) == [(Recall, 4)]


def test_one_cannot_read_more_than_there_is(outbox: KeptOutbox) -> None:
    put(outbox, 1)
    with pytest.raises(SchedulingError, match="outcome 2 was consumed, but the last one has number 1"):
        outbox.read(2)
