"""Tells a peer what it has to know, or ends its session. At masters, slaves and owners; loop thread only.

It raises nothing, for its callers are amid a decision: a peer that cannot be told is one that is lost, which is
reported later, and both ends begin again.
"""

from __future__ import annotations

from typing import Concatenate

from concurrent.core.errors import ConnectionLost, MessageTooLarge, TransportError
from concurrent.core.loggers import get_log
from concurrent.core.rarely import RareLine
from concurrent.core.stats import Stats
from concurrent.scheduling.tasks.outcome import FAILED
from concurrent.scheduling.wire.columns import Payload
from concurrent.scheduling.wire.failure import each_too_large
from concurrent.transport.calls.declaration import Cast, P
from concurrent.transport.calls.handler import TCPHandler
from concurrent.transport.loop.loop import NodeLoop

__all__ = ["Courier"]

log = get_log(__name__)


class Courier:
    """See the module.

    :param stats: counts what could not be sent.
    """

    def __init__(self, loop: NodeLoop, stats: Stats | None = None) -> None:
        self._loop = loop
        self._stats = stats
        self._rare = RareLine()

    def cast(self, handler: TCPHandler, message: Cast[P], *args: P.args, **kwargs: P.kwargs) -> bool:
        """Send a message; tells whether that was possible."""
        try:
            handler.cast(message, *args, **kwargs)
        except TransportError as error:
            self._give_up(handler, message.name, error)
            return False
        return True

    def cast_data(self, handler: TCPHandler, message: Cast[P], *args: P.args, **kwargs: P.kwargs) -> bool:
        """Send what may be large; tells whether that was possible.

        :raises MessageTooLarge: if the peer does not accept so much at once.
        """
        try:
            handler.cast(message, *args, **kwargs)
        except MessageTooLarge:
            raise
        except TransportError as error:
            self._give_up(handler, message.name, error)
            return False
        return True

    def cast_outcomes(
        self,
        handler: TCPHandler,
        message: Cast[Concatenate[list[int], list[int], list[Payload], P]],
        columns: tuple[list[int], list[int], list[Payload]],
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> bool:
        """Send outcomes, or that they are too large for the peer; tells whether that was possible.

        :param columns: numbers, statuses and payloads. What does not fit has one of each.
        :param args: what the message says besides them.
        """
        try:
            handler.cast(message, *columns, *args, **kwargs)
            return True
        except MessageTooLarge as error:
            if (suffix := self._rare.suffix(self._loop.time())) is not None:
                log.warning("a result is too large for %s: %s%s", handler.node_id, error, suffix)
        except TransportError as error:
            self._give_up(handler, message.name, error)
            return False
        numbers, _, payloads = columns
        failures = each_too_large("a result", payloads, handler.peer_bytes_max)
        return self.cast(handler, message, numbers, [FAILED] * len(numbers), failures, *args, **kwargs)

    def _give_up(self, handler: TCPHandler, name: str, error: TransportError) -> None:
        """End a session; not now, for whoever is sending counts on it."""
        if not isinstance(error, ConnectionLost):  # else its end is reported already
            log.warning("%s to %s was not sent: %s", name, handler.node_id, error)
        if self._stats is not None:
            self._stats.add_count("courier.casts_failed")
        self._loop.call_soon(handler.close, str(error))
