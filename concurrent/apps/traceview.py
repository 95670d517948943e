"""Where the timeline of a master is got as a file, for those who want to look at it with other tools."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from concurrent.scheduling.telemetry.timeline import Bar, BarsPart, Timeline
from concurrent.transport.loop.loop import NodeLoop
from concurrent.transport.web.service import JSONService

__all__ = ["register_trace"]

PATH: Final = "/trace.json"
CALL_TIMEOUT_S: Final = 10.0


def register_trace(service: JSONService, loop: NodeLoop, timeline: Timeline) -> None:
    """Register it with the JSON API of a master, before that starts. The loop only copies the bars."""

    def trace() -> dict[str, Any]:
        from concurrent.apps.telemetryviews import taken_part  # most masters are never looked at
        from concurrent.scheduling.telemetry.chrometrace import chrome_trace

        part = loop.call(taken_part, timeline, 0, timeout_s=CALL_TIMEOUT_S)
        return chrome_trace(_bars(part))

    service.add_view(PATH, trace, "What ran where, as a Chrome trace.", dict[str, Any])


def _bars(part: BarsPart) -> Iterator[Bar]:
    rows = zip(*part.columns, strict=True)
    for number, (slave, worker, function, *rest) in enumerate(rows, part.first_number):
        yield Bar(number, part.slaves[slave], worker, part.functions[function], *rest)
