"""Who gets in when others have filled the slaves, and where."""

from __future__ import annotations

import pytest

from concurrent.scheduling import Ledger, Terms
from concurrent.scheduling.events import OwnerJoined, Send, SlaveJoined, TasksDone, TasksSubmitted
from concurrent.scheduling.schedulers.admission import let_in
from concurrent.scheduling.tasks.claim import Claim
from concurrent.scheduling.tasks.outcome import FINISHED


@pytest.fixture
def ledger() -> Ledger:
    ledger = Ledger()
    ledger.apply(OwnerJoined(1, "flood"))
    ledger.apply(SlaveJoined(1, "left", workers=2, window=4))
    ledger.apply(SlaveJoined(2, "right", workers=2, window=4))
    ledger.apply(TasksSubmitted(1, 0, [b""] * 100))
    ledger.assign(1, 4)
    ledger.assign(2, 4)
    return ledger


def join(ledger: Ledger, owner: int, *names: str, weight: int = 1) -> None:
    """Have an owner join, and push ten tasks of each name."""
    ledger.apply(OwnerJoined(owner, f"owner {owner}", weight=weight))
    for index, name in enumerate(names):
        ledger.apply(TasksSubmitted(owner, 10 * index, [b""] * 10, Terms(name=name)))


def sent(ledger: Ledger) -> list[tuple[int, int, int]]:
    """Let in, and tell the slave, the owner and the number of tasks of each command."""
    commands = [command for command in let_in(ledger) if isinstance(command, Send)]
    return [(command.slave, command.owner, len(command.numbers)) for command in commands]


def test_an_owner_alone_has_filled_the_slaves_rightly(ledger: Ledger) -> None:
    assert sent(ledger) == []


def test_a_newcomer_gets_its_share_once(ledger: Ledger) -> None:
    join(ledger, 2, "a")
    assert sent(ledger) == [(1, 2, 2), (2, 2, 2)]
    assert sent(ledger) == []


def test_slaves_that_do_not_get_on_are_left_out(ledger: Ledger) -> None:
    for number in range(9, 24):
        ledger.assign(2, 1)
        ledger.apply(TasksDone(2, [number], [FINISHED], [b""], 0.1))
    join(ledger, 2, "a")
    assert {slave for slave, _, _ in sent(ledger)} == {2}


def test_a_slave_takes_at_most_twice_its_window_of_all_newcomers(ledger: Ledger) -> None:
    for owner in range(2, 9):
        join(ledger, owner, "a")
        let_in(ledger)
    assert max(len(slave.held) for slave in ledger.slaves.values()) == 8


def test_a_newcomer_with_several_lanes_has_the_same_share(ledger: Ledger) -> None:
    join(ledger, 2, "a", "b")
    ledger.assign(1, 9, ledger.owners[2].lanes.first())
    assert sum(count for _, _, count in sent(ledger)) == 0
    join(ledger, 3, "a", "b")
    assert sum(count for _, _, count in sent(ledger)) == 8 // 3


def test_an_owner_of_three_times_the_weight_has_three_times_the_share(ledger: Ledger) -> None:
    join(ledger, 2, "a", weight=3)
    assert sum(count for _, _, count in sent(ledger)) == 6


def test_tasks_with_a_claim_are_not_let_in_beyond_what_fits(ledger: Ledger) -> None:
    ledger.apply(OwnerJoined(2, "owner 2"))
    ledger.apply(TasksSubmitted(2, 0, [b""] * 10, Terms(resources=Claim.of({"gpu": 1}))))
    assert sent(ledger) == []
