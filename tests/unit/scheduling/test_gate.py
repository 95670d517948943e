"""What rests on the journal leaves when that has kept it, in its order, and never if it fails."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from concurrent.scheduling.ledger.events import Accept, Deliver, OwnerLeft, Record
from concurrent.scheduling.master.gate import Gate


class FakeJournal:
    """A journal in memory that commits when it is told to."""

    def __init__(self) -> None:
        self.buffer: list[Any] = []
        self.transactions: list[list[Any]] = []

    def append(self, what: Any) -> None:
        self.buffer.append(what)

    def commit(self) -> int:
        if not self.buffer:
            return 0
        self.transactions.append(self.buffer)
        self.buffer = []
        return len(self.transactions)


class Rig:
    """A gate with a hand that notes what leaves."""

    def __init__(self) -> None:
        self.journal = FakeJournal()
        self.out: list[Any] = []
        self.opened = 0
        journal: Any = self.journal
        self.late: list[Any] = []
        loop: Any = SimpleNamespace(call_later=self._call_later)
        self.gate = Gate(loop, journal, self._open)
        self._hand = self.gate.behind(self.out.append)

    def ring(self) -> None:
        """Let the time pass that a transaction may wait for others."""
        late, self.late = self.late, []
        for fn in late:
            fn()

    def _call_later(self, _delay_s: float, fn: Any) -> Any:
        self.late.append(fn)
        return SimpleNamespace(cancel=lambda: self.late.remove(fn) if fn in self.late else None)

    def _open(self) -> None:
        self.opened += 1

    def turn(self, *commands: Any) -> None:
        for command in commands:
            (self.gate.record if type(command) is Record else self._hand)(command)
        self.gate.end_turn()


@pytest.fixture
def rig() -> Rig:
    return Rig()


def record(owner: int = 1) -> Record:
    return Record(OwnerLeft(owner))


def deliver(owner: int, up_to: int) -> Deliver:
    return Deliver(owner, [up_to], [0], [b""], up_to)


def test_what_comes_after_a_record_waits_for_its_commit(rig: Rig) -> None:
    rig.turn(record(), deliver(1, 5))
    assert rig.out == []
    rig.gate.committed(1)
    assert rig.out == [deliver(1, 5)]
    assert rig.opened == 1


def test_a_turn_is_one_transaction(rig: Rig) -> None:
    rig.turn(record(1), record(2), deliver(1, 5))
    assert [len(one) for one in rig.journal.transactions] == [2]


def test_that_tasks_are_accepted_takes_the_transaction_of_the_outcomes_that_come_next(rig: Rig) -> None:
    rig.turn(record(), Accept(1, 5))
    assert rig.journal.transactions == []
    rig.turn(record(), deliver(1, 3))
    assert [len(one) for one in rig.journal.transactions] == [2]
    rig.gate.committed(1)
    assert rig.out == [Accept(1, 5), deliver(1, 3)]
    rig.ring()
    assert len(rig.journal.transactions) == 1


def test_without_outcomes_tasks_are_accepted_soon(rig: Rig) -> None:
    rig.turn(record(), Accept(1, 5))
    rig.turn(record(), Accept(1, 6))
    rig.ring()
    assert [len(one) for one in rig.journal.transactions] == [2]
    rig.gate.committed(1)
    assert rig.out == [Accept(1, 5), Accept(1, 6)]


def test_what_rests_on_nothing_leaves_in_its_turn(rig: Rig) -> None:
    rig.turn(deliver(1, 5))
    assert rig.out == [deliver(1, 5)]
    assert rig.opened == 0


def test_what_comes_in_a_later_turn_does_not_overtake(rig: Rig) -> None:
    rig.turn(record(), deliver(1, 5))
    rig.turn(deliver(1, 6))
    assert rig.out == []
    rig.gate.committed(1)
    assert rig.out == [deliver(1, 5), deliver(1, 6)]


def test_a_commit_lets_out_what_is_due_and_nothing_else(rig: Rig) -> None:
    for up_to in (5, 6, 7):
        rig.turn(record(), deliver(1, up_to))
    rig.gate.committed(2)
    assert rig.out == [deliver(1, 5), deliver(1, 6)]
    assert rig.gate.waiting_count == 1


def test_outcomes_of_a_session_that_has_ended_do_not_leave_for_the_next(rig: Rig) -> None:
    rig.turn(record(), deliver(1, 3), deliver(2, 9), Accept(1, 5))
    rig.gate.forget(1)
    rig.gate.committed(1)
    assert rig.out == [deliver(2, 9), Accept(1, 5)]


def test_outcomes_of_the_present_turn_are_dropped_too(rig: Rig) -> None:
    rig.gate.behind(rig.out.append)(deliver(1, 3))
    rig.gate.forget(1)
    rig.turn()
    assert rig.out == []


def test_a_function_is_called_when_all_before_it_is_kept(rig: Rig) -> None:
    called: list[int] = []
    rig.gate.record(record())
    rig.gate.when_kept(lambda: called.append(len(rig.journal.transactions)))
    rig.gate.end_turn()
    assert called == []
    rig.gate.committed(1)
    assert called == [1]


def test_a_reply_leaves_before_all_else_of_its_turn(rig: Rig) -> None:
    rig.gate.record(record())
    rig.gate.behind(rig.out.append)(deliver(1, 3))
    rig.gate.reply(lambda: rig.out.append("the reply"))
    rig.gate.end_turn()
    rig.gate.committed(1)
    assert rig.out == ["the reply", deliver(1, 3)]


def test_nothing_leaves_once_it_is_closed(rig: Rig) -> None:
    rig.turn(record(), deliver(1, 5))
    rig.gate.close()
    rig.gate.committed(1)
    rig.turn(deliver(1, 6))
    assert rig.out == []
    assert len(rig.journal.transactions) == 1
