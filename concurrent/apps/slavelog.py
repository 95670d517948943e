"""The last lines of the log of a slave, which it keeps and tells its master when that asks."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

from concurrent.core.earlylog import ROOT
from concurrent.core.logring import LogRing
from concurrent.scheduling.wire.messages.to_slave import log_lines
from concurrent.transport.calls.handler import TCPHandler
from concurrent.transport.calls.methods import HasMethods, receives

__all__ = ["keep_log", "tell_log"]


def keep_log(ring: LogRing) -> Callable[[], None]:
    """Have a ring get what this process logs; returns what ends that."""
    root = logging.getLogger(ROOT)
    root.addHandler(ring)
    return lambda: root.removeHandler(ring)


def tell_log(endpoint: HasMethods, ring: LogRing) -> None:
    """Have a slave tell its master what it has logged."""

    @receives(endpoint, log_lines)
    def tell(_handler: TCPHandler, _request: Any, after: int) -> dict[str, Any]:
        """Return the last lines that the slave has logged, those behind one."""
        return ring.part(after)._asdict()
