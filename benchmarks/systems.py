"""The one way in which the cases use every system, ours and the others."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from typing import Any

__all__ = ["CHUNK", "WAIT_S", "Executing", "Function", "System"]

CHUNK = 256
"""How many calls of a ``map`` travel together."""

WAIT_S = 120.0
"""The longest wait for results; a case is given up soon after."""

Function = Callable[[Any], Any]


class System(ABC):
    """Something that runs functions on workers. One thread at a time uses it.

    :param name: as on the command line and in the JSON file.
    """

    def __init__(self, name: str) -> None:
        self.name = name

    @abstractmethod
    def one_by_one(self, function: Function, arguments: Sequence[Any]) -> list[Any]:
        """Run one task for each argument, each given by a call of its own; return all results."""

    @abstractmethod
    def in_bulk(self, function: Function, arguments: Sequence[Any]) -> list[Any] | None:
        """Run one task for each argument by the call that takes many; None if there is no such call."""

    @abstractmethod
    def call(self, function: Function, argument: Any) -> Any:
        """Run one task and return its result."""

    def round_trips(self, function: Function, count: int) -> list[float]:
        """Run tasks, each when the one before is finished; return the time of each in seconds."""
        durations = []
        for number in range(count):
            start = time.perf_counter()
            self.call(function, number)
            durations.append(time.perf_counter() - start)
        return durations


class Executing(System):
    """Any ``concurrent.futures.Executor``: ``submit`` one by one, ``map(chunksize=256)`` in bulk."""

    def __init__(self, name: str, executor: Executor) -> None:
        super().__init__(name)
        self.executor = executor

    def one_by_one(self, function: Function, arguments: Sequence[Any]) -> list[Any]:
        """See the base."""
        futures = [self.executor.submit(function, argument) for argument in arguments]
        return [future.result(WAIT_S) for future in futures]

    def in_bulk(self, function: Function, arguments: Sequence[Any]) -> list[Any]:
        """See the base."""
        return list(self.executor.map(function, arguments, timeout=WAIT_S, chunksize=CHUNK))

    def call(self, function: Function, argument: Any) -> Any:
        """See the base."""
        return self.executor.submit(function, argument).result(WAIT_S)
