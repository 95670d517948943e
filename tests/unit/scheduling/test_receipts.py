"""Slaves are told which of their reports are kept, a few at a time."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from concurrent.scheduling.master.receipts import TOLD_COUNT, Receipts
from concurrent.scheduling.master.sessions import Sessions


class FakeLoop:
    """A loop whose timers a test rings."""

    def __init__(self) -> None:
        self.timers: list[Any] = []

    def call_later(self, _delay_s: float, fn: Any) -> Any:
        self.timers.append(fn)
        return SimpleNamespace(cancel=self.timers.clear)

    def ring(self) -> None:
        timers, self.timers = self.timers, []
        for fn in timers:
            fn()


class Rig:
    """Receipts with slaves that note what they are told."""

    def __init__(self) -> None:
        self.loop = FakeLoop()
        self.sessions = Sessions()
        self.told: list[tuple[str, int]] = []
        courier: Any = SimpleNamespace(
            cast=lambda handler, message, count: self.told.append((handler.name, count))
        )
        loop: Any = self.loop
        self.waiting: list[Callable[[], object]] = []
        self.receipts = Receipts(loop, self.sessions, courier, self.waiting.append)

    def join(self, name: str, *, knows: bool = True) -> int:
        handler: Any = SimpleNamespace(name=name, peer_has=lambda _feature: knows)
        number = self.sessions.join_slave(handler)
        self.receipts.join(number)
        return number

    def report(self, slave: int, count: int = 1) -> None:
        """Have reports come, and the turn end."""
        for _ in range(count):
            self.receipts.note(slave)
        self.receipts.end_turn()

    def keep(self) -> None:
        """Have all that came so far be kept."""
        for fn in self.waiting:
            fn()
        self.waiting.clear()


@pytest.fixture
def rig() -> Rig:
    return Rig()


def test_reports_are_told_together_after_a_while(rig: Rig) -> None:
    slave = rig.join("ann")
    rig.report(slave, 2)
    rig.keep()
    rig.report(slave)
    rig.keep()
    assert rig.told == []
    rig.loop.ring()
    assert rig.told == [("ann", 3)]


def test_many_are_told_at_once(rig: Rig) -> None:
    slave = rig.join("ann")
    rig.report(slave, TOLD_COUNT)
    rig.keep()
    assert rig.told == [("ann", TOLD_COUNT)]


def test_what_is_not_kept_is_not_told(rig: Rig) -> None:
    slave = rig.join("ann")
    rig.report(slave)
    rig.keep()
    rig.report(slave)
    rig.loop.ring()
    assert rig.told == [("ann", 1)]


def test_each_slave_is_told_its_own_count(rig: Rig) -> None:
    ann, bob = rig.join("ann"), rig.join("bob")
    rig.receipts.note(bob)
    rig.report(ann, 2)
    rig.keep()
    rig.loop.ring()
    assert sorted(rig.told) == [("ann", 2), ("bob", 1)]


def test_one_that_has_left_is_told_nothing(rig: Rig) -> None:
    slave = rig.join("ann")
    rig.report(slave)
    rig.receipts.leave(slave)
    rig.keep()
    rig.loop.ring()
    assert rig.told == []


def test_one_that_does_not_know_of_it_is_told_nothing(rig: Rig) -> None:
    slave = rig.join("old", knows=False)
    rig.report(slave)
    assert rig.waiting == []


def test_nothing_new_is_not_told_again(rig: Rig) -> None:
    slave = rig.join("ann")
    rig.report(slave)
    rig.keep()
    rig.loop.ring()
    rig.loop.ring()
    assert rig.told == [("ann", 1)]
