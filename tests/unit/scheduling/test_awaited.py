"""After a start nobody waits for slaves that have ended with the former master."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from concurrent.scheduling.ledger.events import OwnerJoined, SlaveJoined, TasksSubmitted
from concurrent.scheduling.ledger.jobspec import JobSpec
from concurrent.scheduling.ledger.ledger import Ledger
from concurrent.scheduling.master import awaited
from concurrent.scheduling.master.awaited import AwaitedSlaves


class Loop:
    """Calls later when it is told to."""

    def __init__(self) -> None:
        self.later: list[Callable[[], object]] = []

    def call_later(self, _delay_s: float, call: Callable[[], object]) -> Any:
        self.later.append(call)
        return self

    def cancel(self) -> None:
        self.later.clear()

    def pass_time(self) -> None:
        calls, self.later = self.later, []
        for call in calls:
            call()


def test_tasks_wait_until_it_is_known_that_their_slaves_have_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    ended = {"first"}
    monkeypatch.setattr(awaited, "has_ended", ended.__contains__)
    ledger = Ledger(is_recorded=True)
    slaves = [
        SlaveJoined(10 + place, f"slave {name}", 0, 0, {"process": name}, returns=True)
        for place, name in enumerate(("first", "own"))
    ]
    ledger.restore([OwnerJoined(1, "job", JobSpec()), TasksSubmitted(1, 0, [b"task"], first_number=5), *slaves])
    loop: Any = Loop()
    AwaitedSlaves(loop, ledger.returning, ledger.apply).look()
    assert (ledger.returning.awaited, ledger.queued_count) == ({"slave own": "own"}, 0)
    ended.add("own")
    loop.pass_time()
    assert (ledger.returning.awaited, ledger.queued_count) == ({}, 1)
    assert not loop.later


def test_when_it_closes_it_looks_no_more() -> None:
    ledger = Ledger(is_recorded=True)
    ledger.restore([SlaveJoined(10, "far", 0, 0, returns=True)])
    loop: Any = Loop()
    looking = AwaitedSlaves(loop, ledger.returning, ledger.apply)
    looking.look()
    assert loop.later
    looking.close()
    assert not loop.later
