"""The same events give the same commands, whatever chose them."""

from __future__ import annotations

from typing import Any

import pytest

from benchmarks import simulation
from concurrent.core.component import Component
from concurrent.scheduling import GenericTaskScheduler, ZMQTaskScheduler
from tests.model.recording import RecordedLedger


@pytest.mark.parametrize("has_resources", [False, True])
@pytest.mark.parametrize("scheduler", [GenericTaskScheduler, ZMQTaskScheduler])
def test_a_run_of_a_scheduler_that_is_told_again_goes_the_same_way(
    monkeypatch: pytest.MonkeyPatch, scheduler: type[Component], *, has_resources: bool
) -> None:
    ledgers: list[RecordedLedger] = []

    def recorded(**limits: Any) -> RecordedLedger:
        ledgers.append(RecordedLedger(**limits))
        return ledgers[-1]

    monkeypatch.setattr(simulation, "Ledger", recorded)
    simulation.simulate(scheduler, slaves=5, tasks=300, has_resources=has_resources)
    (ledger,) = ledgers
    assert len(ledger.record) > 300
    assert ledger.replayed() == ledger.record


@pytest.mark.parametrize("scheduler", [GenericTaskScheduler, ZMQTaskScheduler])
def test_slaves_with_different_resources_are_kept_busy(scheduler: type[Component]) -> None:
    """What is scarcest decides how long it takes, and hardly anything else; the same numbers each time."""
    assert simulation.simulate(scheduler, slaves=20, tasks=16_000, has_resources=True).waste < 0.03
