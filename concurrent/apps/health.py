"""Whether a master works, for programs that look after it. Loop thread only."""

from __future__ import annotations

from concurrent.apps.observed import HealthStatus
from concurrent.scheduling.master.dispatcher import Dispatcher

__all__ = ["health_of"]


def health_of(dispatcher: Dispatcher) -> HealthStatus:
    """Return whether tasks are accepted and given out; a master whose loop is held up does not answer."""
    reason = dispatcher.ledger.jobs.shortage.reason or dispatcher.explainer().trouble
    return HealthStatus(not reason, reason)
