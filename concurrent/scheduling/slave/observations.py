"""Tells once a second what the workers of a pool have run, use and run now, for people to look at.

Loop thread only.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Final

from concurrent.scheduling.slave.bars import BarColumns, Bars
from concurrent.scheduling.slave.workerfacts import FactColumns, WorkerFacts
from concurrent.scheduling.slave.workerlink import WorkerLink
from concurrent.transport.loop.loop import NodeLoop

__all__ = ["Observations", "OnObserved"]

TELL_S: Final = 1.0

OnObserved = Callable[["BarColumns | None", "FactColumns | None"], object]
"""Called with what has been run, and what has changed of workers; None for nothing."""


class Observations:
    """See the module.

    :param links: the workers; the list of the pool itself.
    :param bars: where these say what they have run.
    :param on_observed: called once a second at most.
    """

    def __init__(
        self, loop: NodeLoop, links: Sequence[WorkerLink], bars: Bars, on_observed: OnObserved
    ) -> None:
        self._loop = loop
        self._bars = bars
        self._facts = WorkerFacts(loop, links)
        self._on_observed = on_observed
        self._timer: asyncio.TimerHandle | None = None

    def start(self) -> None:
        """Begin to tell."""
        self._timer = self._loop.call_later(TELL_S, self._look)

    def tell_all(self) -> None:
        """Tell everything of the workers the next time, for somebody who knows nothing."""
        self._facts.tell_all()

    def stop(self) -> None:
        """Tell what has been run since the last time, and nothing more."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
            self._tell(None)

    def _look(self) -> None:
        self._timer = self._loop.call_later(TELL_S, self._look)
        self._tell(self._facts.look())

    def _tell(self, facts: FactColumns | None) -> None:
        bars = self._bars.take(self._loop.time())
        if bars is not None or facts is not None:
            self._on_observed(bars, facts)
