"""Acknowledgements that no message takes along: one goes out by itself a while after what it is for."""

from __future__ import annotations

from typing import Final

from concurrent.transport.calls.line import Line
from concurrent.transport.loop.loop import NodeLoop
from concurrent.transport.session.messages import Kind

__all__ = ["ACK_DELAY_S", "Acknowledger"]

ACK_DELAY_S: Final = 0.5
"""How long an acknowledgement waits for a message to travel with; its sender only keeps memory meanwhile."""


class Acknowledger:
    """At most one timer for what one peer does not know to have arrived. Loop thread only."""

    def __init__(self, loop: NodeLoop, line: Line) -> None:
        self.is_armed = False
        self._loop = loop
        self._line = line

    def arm(self) -> None:
        """Acknowledge after a delay what no message has acknowledged by then."""
        self.is_armed = True
        self._loop.call_later(ACK_DELAY_S, self._acknowledge)

    def _acknowledge(self) -> None:
        self.is_armed = False
        if self._line.session.unacknowledged_count:
            self._line.send_control(Kind.PING, [False])
