"""A ledger that takes down what happens to it, so that it can be told to another one."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

from concurrent.scheduling.ledger.events import (
    Command,
    Event,
    RefusedPassedOn,
    Send,
    SlaveAsked,
    TasksAssigned,
    TasksOffered,
)
from concurrent.scheduling.ledger.lanes import Lane
from concurrent.scheduling.ledger.ledger import Ledger

__all__ = ["RecordedLedger"]


class RecordedLedger(Ledger):
    """``record`` has each event and the commands that it gave, as they were then."""

    def __init__(self, **limits: Any) -> None:
        super().__init__(**limits)
        self.record: list[tuple[Event, list[Command]]] = []
        self._limits = limits

    def replayed(self) -> list[tuple[Event, list[Command]]]:
        """Return what a new ledger makes of the same events."""
        ledger = Ledger(**self._limits)
        return [(event, deepcopy(ledger.apply(deepcopy(event)))) for event, _ in self.record]

    def apply(self, event: Event) -> list[Command]:
        return self._note(deepcopy(event), super().apply(event))

    def assign(self, slave: int, count: int, lane: Lane | None = None) -> list[Command]:
        chosen = TasksAssigned(slave, count, _key(lane))
        return self._note(chosen, super().assign(slave, count, lane))

    def offer(self, count: int, lane: Lane | None = None) -> list[Command]:
        chosen = TasksOffered(count, _key(lane))
        return self._note(chosen, super().offer(count, lane))

    def pass_on(self) -> list[Send]:
        sends = super().pass_on()
        self._note(RefusedPassedOn(), [*sends])
        return sends

    def ask_back(self, slave: int) -> bool:
        self._note(SlaveAsked(slave), [])
        return super().ask_back(slave)

    def _note(self, event: Event, commands: list[Command]) -> list[Command]:
        self.record.append((event, deepcopy(commands)))
        return commands


def _key(lane: Lane | None) -> Any:
    return None if lane is None else (lane.owner.owner, lane.terms)
