"""Where the timeline of a master is got as a file, for those who want to look at it with other tools."""

from __future__ import annotations

from typing import Any, Final

from concurrent.apps.telemetryviews import taken_part
from concurrent.scheduling.telemetry.timeline import Timeline
from concurrent.transport.loop.loop import NodeLoop
from concurrent.transport.web.service import JSONService

__all__ = ["register_trace"]

PATH: Final = "/trace.json"
CALL_TIMEOUT_S: Final = 10.0


def register_trace(service: JSONService, loop: NodeLoop, timeline: Timeline) -> None:
    """Register it with the JSON API of a master, before that starts. The loop only copies the bars."""

    def trace() -> dict[str, Any]:
        from concurrent.apps.chrometrace import chrome_trace  # a master that nobody asks needs none

        return chrome_trace(loop.call(taken_part, timeline, 0, timeout_s=CALL_TIMEOUT_S))

    service.add_view(PATH, trace, "What ran where, as a Chrome trace.", dict[str, Any])
