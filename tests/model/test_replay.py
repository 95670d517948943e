"""The same events give the same commands, whatever chose them."""

from __future__ import annotations

import pytest

from benchmarks import simulation
from concurrent.core.component import Component
from concurrent.scheduling import GenericTaskScheduler, ZMQTaskScheduler
from tests.model.recording import RecordedLedger


@pytest.mark.parametrize("scheduler", [GenericTaskScheduler, ZMQTaskScheduler])
def test_a_run_of_a_scheduler_that_is_told_again_goes_the_same_way(
    monkeypatch: pytest.MonkeyPatch, scheduler: type[Component]
) -> None:
    ledgers: list[RecordedLedger] = []

    def recorded() -> RecordedLedger:
        ledgers.append(RecordedLedger())
        return ledgers[-1]

    monkeypatch.setattr(simulation, "Ledger", recorded)
    simulation.simulate(scheduler, slaves=5, tasks=300)
    (ledger,) = ledgers
    assert len(ledger.record) > 300
    assert ledger.replayed() == ledger.record
