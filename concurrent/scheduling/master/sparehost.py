"""Keeps one host ready for the next task system, so that this does not wait for a process to start.

While applications with systems are there, one is kept. It is started a while after the first of them has come,
when that has got everything else. Loop thread only.
"""

from __future__ import annotations

from asyncio import TimerHandle
from collections.abc import Callable
from typing import Final

from concurrent.core.errors import NodeError
from concurrent.core.loggers import get_log
from concurrent.scheduling.master.hosts import Host
from concurrent.transport.loop.loop import NodeLoop

__all__ = ["SpareHost"]

AHEAD_DELAY_S: Final = 1.0
"""How long after an application has joined a host is started ahead: the cluster may just be starting too."""

log = get_log(__name__)


class SpareHost:
    """See the module.

    :param launch: starts a host.
    """

    def __init__(self, loop: NodeLoop, launch: Callable[[], Host]) -> None:
        self._loop = loop
        self._launch = launch
        self._host: Host | None = None
        self._applications: set[int] = set()
        self._timer: TimerHandle | None = None

    def application_joined(self, owner: int) -> None:
        """Have a host ready, before long, for the first system of an application that may push some."""
        self._applications.add(owner)
        if self._timer is None:
            self._timer = self._loop.call_later(AHEAD_DELAY_S, self.refill)

    def application_left(self, owner: int) -> None:
        """Keep none ready if no application is left that has systems."""
        self._applications.discard(owner)
        if not self._applications:
            self._drop()

    def close(self) -> None:
        """Keep none ready any more."""
        self._cancel_timer()
        self._applications.clear()
        self._drop()

    def take(self) -> Host | None:
        """Return the host that waits for a system, if there is one that can be reached."""
        host = self._host
        if host is not None and host.session is not None and not host.session.is_open:
            self._drop()
            return None
        self._host = None
        return host

    def ended(self, host: Host) -> bool:
        """Note that a host without a system has ended; tell whether it was this one, unexpectedly."""
        if self._host is not host:
            return False
        self._host = None
        return True

    def refill(self) -> None:
        """Have a host ready for the next system, if there may be one."""
        self._cancel_timer()
        if self._host is None and self._applications:
            try:
                self._host = self._launch()
            except (NodeError, OSError) as error:  # the next system says so, if that is still so
                log.info("no host waits for the next task system: %s", error)

    def _cancel_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _drop(self) -> None:
        host, self._host = self._host, None
        if host is not None:
            host.drop()
