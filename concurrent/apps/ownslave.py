"""The slave that a master starts for itself: again whenever it dies, later each time."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, Final

from concurrent.apps.childnode import ChildNode
from concurrent.apps.slavefiles import check_files
from concurrent.core.backoff import Backoff
from concurrent.core.errors import NodeError
from concurrent.core.loggers import get_log
from concurrent.scheduling.processes.launcher import Launcher
from concurrent.transport.loop.loop import NodeLoop

__all__ = ["PRELOAD", "OwnSlave"]

ENTRY: Final = "concurrent.apps.slave:serve_child"

PRELOAD: Final = (
    "concurrent.apps.slave",
    "concurrent.scheduling.slave.taskmanager",
    "concurrent.scheduling.worker.worker",
)
"""What it and its workers share, once their launcher has imported it."""

REFUSALS_MAX: Final = 3
"""How often it may say that it cannot start before it is believed."""

log = get_log(__name__)


class OwnSlave:
    """See the module.

    :param first_slave: is done when a slave has joined; fails if this one never can.
    :param on_failed: called on the loop when that is clear.
    """

    def __init__(
        self,
        loop: NodeLoop,
        launcher: Launcher,
        first_slave: Future[None],
        on_failed: Callable[[NodeError], object],
    ) -> None:
        self._loop = loop
        self._first_slave = first_slave
        self._on_failed = on_failed
        self._backoff = Backoff(initial_s=0.2, maximum_s=30.0)
        self._refusals: list[str] = []
        self._start: tuple[Any, ...] = ()
        self._child = ChildNode("the master's own slave", loop, launcher, on_ended=self._ended)

    def start(self, recipe: dict[str, Any], master: str, workers: int) -> None:
        """Start it. Any thread.

        :param recipe: the environment that it shall have.
        :param master: the address of the master's JSON API.
        :raises ConfigurationError: if it could not open as many files as it needs.
        """
        check_files(workers)  # it has the same limit as this process
        self._start = (ENTRY, recipe, master, workers)
        self._child.start(*self._start)

    def stop(self) -> None:
        """Stop it, and wait for its end. Not the loop's thread."""
        self._child.stop()

    def _ended(self, what: str) -> None:
        """It has ended without being told to. Loop thread."""
        self._refusals.append(self._child.refusal)
        is_hopeless = len(self._refusals) >= REFUSALS_MAX and all(self._refusals)
        if is_hopeless and not self._first_slave.done():
            error = NodeError(
                f"the master's own slave cannot start: {self._child.refusal}", thing="master.workers"
            )
            self._first_slave.set_exception(error)
            self._on_failed(error)
            return
        delay_s = self._backoff.next_delay()
        log.error("%s; it starts again in %.1f s", what, delay_s)
        self._loop.call_later(delay_s, self._child.start, *self._start)
