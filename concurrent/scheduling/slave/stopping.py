"""How a pool stops: what may follow what, and the future of those who wait for it. Loop thread only."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from enum import Enum
from typing import Final

from concurrent.core.machine import Machine
from concurrent.transport.loop.loop import NodeLoop

__all__ = ["TRANSITIONS", "StopEvent", "StopState", "Stopping"]


class StopState(Enum):
    """How far a pool is."""

    RUNNING = "running"
    FINISHING = "finishing"
    """What runs may end; nothing else starts."""
    KILLING = "killing"
    """What still runs was killed."""
    STOPPED = "stopped"
    """There are no workers any more."""


class StopEvent(Enum):
    """What can happen to a pool."""

    STOP = "told to stop"
    KILL = "told to kill what runs"
    EMPTY = "without workers"


TRANSITIONS: Final[Mapping[tuple[StopState, StopEvent], StopState]] = {
    (StopState.RUNNING, StopEvent.STOP): StopState.FINISHING,
    (StopState.FINISHING, StopEvent.STOP): StopState.FINISHING,
    (StopState.FINISHING, StopEvent.KILL): StopState.KILLING,
    (StopState.FINISHING, StopEvent.EMPTY): StopState.STOPPED,
    (StopState.KILLING, StopEvent.STOP): StopState.KILLING,
    (StopState.KILLING, StopEvent.KILL): StopState.KILLING,
    (StopState.KILLING, StopEvent.EMPTY): StopState.STOPPED,
    (StopState.STOPPED, StopEvent.STOP): StopState.STOPPED,
    (StopState.STOPPED, StopEvent.KILL): StopState.STOPPED,
}


class Stopping:
    """See the module.

    :param loop: the loop of the pool.
    :param kill: kills what runs; called when its time is over.

    ``done`` is the future of the numbers of all tasks whose outcome was not reported.
    """

    def __init__(self, loop: NodeLoop, kill: Callable[[], object]) -> None:
        self._machine = Machine("the workers of a slave", TRANSITIONS, StopState.RUNNING)
        self.done: Future[list[int]] = Future()
        self._loop = loop
        self._kill = kill
        self._timer: asyncio.TimerHandle | None = None

    @property
    def state(self) -> StopState:
        """How far the pool is."""
        return self._machine.state

    @property
    def is_under_way(self) -> bool:
        """Whether the pool was told to stop and has not stopped."""
        return self.state in (StopState.FINISHING, StopState.KILLING)

    def begin(self, timeout_s: float) -> bool:
        """Stop, with so many seconds for what runs; tells whether this is the first time."""
        if self._machine.undergo(StopEvent.STOP) is not StopState.RUNNING:
            return False
        self._timer = self._loop.call_later(timeout_s, self._kill)
        return True

    def killing(self) -> None:
        """Take note that what runs is killed."""
        self._machine.undergo(StopEvent.KILL)

    def end(self, unreported: Sequence[int]) -> None:
        """Take note that no worker is left, and tell those who wait which tasks were not reported."""
        self._machine.undergo(StopEvent.EMPTY)
        if self._timer is not None:
            self._timer.cancel()
        self.done.set_result(list(unreported))
