"""Other people's work: keeps many tasks unfinished for the time of a ``with`` block."""

from __future__ import annotations

import threading
from concurrent.futures import Executor, Future
from types import TracebackType
from typing import Any

from benchmarks.systems import WAIT_S, Function

__all__ = ["Flood"]

STEP_S = 0.2


class Flood:
    """Pushes a task for each that is finished, from a thread of its own.

    :param depth: how many are unfinished at any time.
    """

    def __init__(self, executor: Executor, function: Function, argument: Any, *, depth: int) -> None:
        self._executor = executor
        self._function = function
        self._argument = argument
        self._depth = depth
        self._room = threading.Semaphore(depth)
        self._is_deep = threading.Event()
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._push, name="flood", daemon=True)

    def __enter__(self) -> Flood:
        self._thread.start()
        if not self._is_deep.wait(WAIT_S):
            self._end.set()
            raise TimeoutError(f"a flood of {self._depth} tasks was not pushed within {WAIT_S} s")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        self._end.set()
        self._thread.join(WAIT_S)
        for _ in range(self._depth):
            if not self._room.acquire(timeout=WAIT_S):
                raise TimeoutError(f"a flood did not end within {WAIT_S} s")

    def _push(self) -> None:
        pushed_count = 0
        while not self._end.is_set():
            if self._room.acquire(timeout=STEP_S):
                self._executor.submit(self._function, self._argument).add_done_callback(self._finished)
                pushed_count += 1
            if pushed_count == self._depth:
                self._is_deep.set()

    def _finished(self, _future: Future[Any]) -> None:
        self._room.release()
