"""Where the timeline of a master is got as a file, for those who want to look at it with other tools."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any, Final

from concurrent.scheduling.master.dispatcher import Dispatcher
from concurrent.scheduling.telemetry.functions import Function
from concurrent.scheduling.telemetry.timeline import Bar, BarsPart
from concurrent.transport.loop.loop import NodeLoop
from concurrent.transport.web.service import JSONService

__all__ = ["register_trace"]

PATH: Final = "/trace.json"
CALL_TIMEOUT_S: Final = 10.0


def register_trace(service: JSONService, loop: NodeLoop, dispatcher: Dispatcher) -> None:
    """Register it with the JSON API of a master, before that starts. The loop only copies the bars."""

    def trace() -> dict[str, Any]:
        from concurrent.apps.telemetryviews import taken_part  # most masters are never looked at
        from concurrent.scheduling.telemetry.chrometrace import chrome_trace

        def taken() -> tuple[BarsPart, list[Bar]]:
            return taken_part(dispatcher.observatory.timeline, 0), list(_running(dispatcher, time.time()))

        part, running = loop.call(taken, timeout_s=CALL_TIMEOUT_S)
        return chrome_trace([*part.bars(), *running])

    service.add_view(PATH, trace, "What ran where, as a Chrome trace.", dict[str, Any])


def _running(dispatcher: Dispatcher, at: float) -> Iterator[Bar]:
    """Yield a bar of no runs for each that has not ended, as far as slaves have told. Loop thread only."""
    ledger = dispatcher.ledger
    for number, facts in dispatcher.observatory.workers.facts_by_slave.items():
        slave = ledger.slaves.get(number)
        if slave is None:
            continue
        for worker in facts.worker_by_pid.values():
            task = slave.held.get(worker.task)
            if task is not None and worker.since_at:
                job = task.owner
                function = Function(job.owner, job.title, task.terms.name)
                run_s = max(0.0, at - worker.since_at)
                yield Bar(0, slave.name, worker.worker, function, worker.since_at, run_s, run_s, 0, 0)
