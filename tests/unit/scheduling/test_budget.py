"""What a master may keep: tasks, and outcomes that their owners do not take."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from concurrent.core.stats import Stats
from concurrent.scheduling.ledger.ledger import Ledger
from concurrent.scheduling.master.budget import OUTCOME_BYTES, Budget
from concurrent.scheduling.master.courier import Courier
from concurrent.scheduling.master.delivery import Delivery
from concurrent.scheduling.tasks.outcome import FINISHED
from concurrent.scheduling.wire.messages import to_owner
from concurrent.transport.calls.declaration import Message

MEMORY_BYTES = 100_000
OUTCOMES_MAX = MEMORY_BYTES // 2 // OUTCOME_BYTES


class Peer:
    """An application that takes outcomes only while ``has_room``."""

    node_id = "application-slow"
    has_room = False

    def __init__(self) -> None:
        self.taken = 0

    def cast(self, message: Message, *args: Any) -> None:
        self.taken += len(args[0]) if message is to_owner.finished else 0


@pytest.fixture
def budget() -> Iterator[Budget]:
    budget = Budget(Ledger(), MEMORY_BYTES, 1 << 30, None)
    loop: Any = None
    budget.delivery = Delivery(Courier(loop, Stats()), budget.loaded)
    yield budget
    budget.close()


def add(budget: Budget, count: int) -> None:
    budget.delivery.add(1, list(range(count)), [FINISHED] * count, [b""] * count)
    budget.delivery.hand_over()


def test_outcomes_that_nobody_takes_use_up_the_room(budget: Budget) -> None:
    slow: Any = Peer()
    budget.delivery.join(1, slow)
    add(budget, OUTCOMES_MAX - 10)
    assert budget.has_room
    add(budget, 100)
    assert not budget.has_room
    assert f"{OUTCOMES_MAX + 90} outcomes that applications do not take" in budget.what_is_short()
    slow.has_room = True
    assert budget.delivery.has_room(1)
    budget.delivery.hand_over()
    assert slow.taken == OUTCOMES_MAX + 90
    assert budget.delivery.waiting_count == 0
    assert budget.has_room


def test_who_leaves_takes_nothing_with_it(budget: Budget) -> None:
    slow: Any = Peer()
    budget.delivery.join(1, slow)
    add(budget, OUTCOMES_MAX + 1)
    assert not budget.has_room
    budget.delivery.leave(1)
    assert budget.delivery.waiting_count == 0
    assert budget.has_room
