"""What slaves tell a master of tasks and of themselves, for people to read. Loop thread only."""

from __future__ import annotations

import math
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, Final

from concurrent.apps.api import NodeType, printable
from concurrent.apps.fitapi import register_fits
from concurrent.apps.telemetryapi import register_telemetry
from concurrent.core.errors import InvalidArguments
from concurrent.scheduling.master.dispatcher import Dispatcher
from concurrent.scheduling.wire.messages import to_master
from concurrent.transport.calls.handler import TCPHandler
from concurrent.transport.calls.methods import HasMethods, receives

__all__ = ["register_news"]

REASON_CHARS_MAX: Final = 200
"""So much is kept of why a slave wants no tasks."""


def register_news(
    server: HasMethods, dispatcher: Dispatcher, number_of: Callable[[TCPHandler, NodeType], int]
) -> None:
    """Register it with the server of the compute channel.

    :param dispatcher: keeps what tasks say, and what slaves say of themselves.
    :param number_of: returns the number of the registration that a session belongs to, or raises NodeError.
    """
    desk, slaves = dispatcher.news, dispatcher.slaves
    register_telemetry(server, dispatcher.observatory, number_of)
    register_fits(server, dispatcher.fits, number_of)

    @receives(server, to_master.progress)
    def progress(
        handler: TCPHandler,
        _request: Any,
        numbers: list[int],
        done: list[float],
        totals: list[float],
        texts: list[str],
    ) -> None:
        """Tell how far tasks say that they are."""
        slave = number_of(handler, NodeType.slave)
        if not all(map(math.isfinite, [*done, *totals])):
            raise InvalidArguments("done and totals must be finite numbers", thing="progress")
        desk.progress(slave, numbers, done, totals, texts)

    @receives(server, to_master.printed)
    def printed(handler: TCPHandler, _request: Any, numbers: list[int], ends: list[str]) -> None:
        """Tell the end of what tasks have printed."""
        desk.printed(number_of(handler, NodeType.slave), numbers, ends)

    @receives(server, to_master.lacks)
    def lacks(handler: TCPHandler, _request: Any, reason: str) -> None:
        """Tell why a slave wants no tasks."""
        slaves.lacks(number_of(handler, NodeType.slave), printable(reason[:REASON_CHARS_MAX]))

    @receives(server, to_master.output)
    def output(handler: TCPHandler, _request: Any, task_id: int) -> Any:
        """Return the end of what a task has printed."""
        answer: str | Future[str] = desk.output(number_of(handler, NodeType.application), task_id)
        return answer
