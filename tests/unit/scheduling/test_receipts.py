"""Slaves are told which of their reports are kept, a few at a time."""

from __future__ import annotations

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
        self.receipts = Receipts(loop, self.sessions, courier)

    def join(self, name: str, *, knows: bool = True) -> int:
        handler: Any = SimpleNamespace(name=name, peer_has=lambda _feature: knows)
        number = self.sessions.join_slave(handler)
        self.receipts.join(number)
        return number

    def report(self, slave: int, count: int = 1) -> dict[int, int]:
        for _ in range(count):
            self.receipts.note(slave)
        return self.receipts.take_news()


@pytest.fixture
def rig() -> Rig:
    return Rig()


def test_reports_are_told_together_after_a_while(rig: Rig) -> None:
    slave = rig.join("ann")
    rig.receipts.kept(rig.report(slave, 2))
    rig.receipts.kept(rig.report(slave))
    assert rig.told == []
    rig.loop.ring()
    assert rig.told == [("ann", 3)]


def test_many_are_told_at_once(rig: Rig) -> None:
    slave = rig.join("ann")
    rig.receipts.kept(rig.report(slave, TOLD_COUNT))
    assert rig.told == [("ann", TOLD_COUNT)]


def test_what_is_not_kept_is_not_told(rig: Rig) -> None:
    slave = rig.join("ann")
    rig.receipts.kept(rig.report(slave))
    rig.report(slave)
    rig.loop.ring()
    assert rig.told == [("ann", 1)]


def test_each_slave_is_told_its_own_count(rig: Rig) -> None:
    ann, bob = rig.join("ann"), rig.join("bob")
    rig.receipts.note(bob)
    rig.receipts.kept(rig.report(ann, 2))
    rig.loop.ring()
    assert sorted(rig.told) == [("ann", 2), ("bob", 1)]


def test_one_that_has_left_is_told_nothing(rig: Rig) -> None:
    slave = rig.join("ann")
    news = rig.report(slave)
    rig.receipts.leave(slave)
    rig.receipts.kept(news)
    rig.loop.ring()
    assert rig.told == []


def test_one_that_does_not_know_of_it_is_told_nothing(rig: Rig) -> None:
    slave = rig.join("old", knows=False)
    assert rig.report(slave) == {}


def test_nothing_new_is_not_told_again(rig: Rig) -> None:
    slave = rig.join("ann")
    rig.receipts.kept(rig.report(slave))
    rig.loop.ring()
    rig.loop.ring()
    assert rig.told == [("ann", 1)]
