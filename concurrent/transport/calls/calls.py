"""The calls of one peer that wait for their answers. Loop thread only."""

from __future__ import annotations

from asyncio import TimerHandle
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any

from concurrent.core.errors import CallTimeout
from concurrent.transport.loop.loop import NodeLoop

__all__ = ["PendingCalls", "fail"]


class PendingCalls:
    """Futures by the id of their call, each with its timer.

    :param loop: the node's loop, for the timers.
    :param describe: says where the peer stands, for the error of a call that gets no answer.
    """

    def __init__(self, loop: NodeLoop, describe: Callable[[], str]) -> None:
        self._loop = loop
        self._describe = describe
        self._waiting: dict[int, tuple[Future[Any], TimerHandle]] = {}

    def begin(self, call_id: int, method: str, future: Future[Any], timeout_s: float) -> None:
        """Wait for the answer to a call, for ``timeout_s`` seconds."""
        timer = self._loop.call_later(timeout_s, self._time_out, call_id, method, timeout_s)
        self._waiting[call_id] = (future, timer)

    def succeed(self, call_id: int, value: Any) -> None:
        """Hand a result to its caller; one that comes after its timeout is ignored."""
        future = self._take(call_id)
        if future is not None and future.set_running_or_notify_cancel():
            future.set_result(value)

    def fail(self, call_id: int, error: Exception) -> None:
        """Hand an error to its caller; one that comes after its timeout is ignored."""
        future = self._take(call_id)
        if future is not None:
            fail(future, error)

    def fail_all(self, error: Exception) -> None:
        """Nothing that is waited for will come."""
        waiting, self._waiting = self._waiting, {}
        for future, timer in waiting.values():
            timer.cancel()
            fail(future, error)

    def _take(self, call_id: int) -> Future[Any] | None:
        waiting = self._waiting.pop(call_id, None)
        if waiting is None:
            return None
        future, timer = waiting
        timer.cancel()
        return future

    def _time_out(self, call_id: int, method: str, timeout_s: float) -> None:
        future, _timer = self._waiting.pop(call_id)
        fail(
            future,
            CallTimeout(
                f"{self._describe()} did not answer {method} in {timeout_s} s",
                thing=method,
                value=timeout_s,
            ),
        )


def fail(future: Future[Any], error: Exception) -> None:
    """Give ``error`` to a future, unless it was cancelled."""
    if future.set_running_or_notify_cancel():
        future.set_exception(error)
