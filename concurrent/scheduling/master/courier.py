"""Sends the master's messages to nodes, and ends the session of one that cannot be told what it has to know."""

from __future__ import annotations

from concurrent.core.errors import MessageTooLarge, TransportError
from concurrent.core.loggers import get_log
from concurrent.core.stats import Stats
from concurrent.transport.calls.declaration import Cast, P
from concurrent.transport.calls.handler import TCPHandler
from concurrent.transport.loop.loop import NodeLoop

__all__ = ["Courier"]

log = get_log("concurrent.scheduling.master.courier")


class Courier:
    """See the module. Loop thread only."""

    def __init__(self, loop: NodeLoop, stats: Stats) -> None:
        self._loop = loop
        self._stats = stats

    def cast(self, handler: TCPHandler, message: Cast[P], *args: P.args, **kwargs: P.kwargs) -> None:
        """Send to a node; if its session has ended, its loss is reported soon and undoes this."""
        try:
            self.cast_data(handler, message, *args, **kwargs)
        except MessageTooLarge as error:
            self._give_up(handler, message.name, error)

    def cast_data(self, handler: TCPHandler, message: Cast[P], *args: P.args, **kwargs: P.kwargs) -> None:
        """Send what may be large.

        :raises MessageTooLarge: if the node does not accept so much at once.
        """
        try:
            handler.cast(message, *args, **kwargs)
        except MessageTooLarge:
            raise
        except TransportError as error:
            self._give_up(handler, message.name, error)

    def _give_up(self, handler: TCPHandler, name: str, error: TransportError) -> None:
        """End a session; not now, for whoever is sending counts on it."""
        self._stats.add_count("courier.casts_failed")
        log.warning("%s to %s was not sent: %s", name, handler.node_id, error)
        self._loop.call_soon(handler.close, str(error))
