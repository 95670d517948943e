"""An application that pushes tasks in rounds which another thread asks for, so that it can be timed."""

from __future__ import annotations

import queue
import time
from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any

from benchmarks.systems import WAIT_S, Function
from benchmarks.workloads import TASK_BY_FUNCTION, GiveSame, pickling_s
from concurrent.apps import ApplicationNode
from concurrent.core.process.garbage import collecting_rarely
from concurrent.scheduling import ITaskSystem, Task

__all__ = ["PushAll", "Round", "RoundsApplication", "Stream", "TakeTurns"]

IDLE_MAX_S = 600.0
"""How long the application waits for the next round."""


class Round(ABC):
    """Some tasks that are pushed and finished. Its methods run in the application's main thread."""

    @abstractmethod
    def begin(self, app: ApplicationNode) -> None:
        """Push the first tasks."""

    @abstractmethod
    def finished(self, app: ApplicationNode, result: Any) -> None:
        """Take the result of one task; more may be pushed."""


BATCH_SIZE = 100
"""How many tasks of a bulk travel as one, as the pools' ``map`` makes chunks of theirs."""


class PushAll(Round):
    """Pushes everything at once, one by one or in bulk."""

    def __init__(self, function: Function, arguments: Sequence[Any], *, is_bulk: bool) -> None:
        self.results: list[Any] = []
        self._task_class = TASK_BY_FUNCTION[function]
        self._arguments = arguments
        self._is_bulk = is_bulk

    def begin(self, app: ApplicationNode) -> None:
        """Push them all."""
        if self._is_bulk:
            app.push_tasks(map(self._task_class, self._arguments), batch_size=BATCH_SIZE)
            return
        for argument in self._arguments:
            app.push_task(self._task_class(argument))

    def finished(self, app: ApplicationNode, result: Any) -> None:
        """Keep the result."""
        self.results.append(result)


class TakeTurns(Round):
    """Pushes one task at a time, and takes the time of each."""

    def __init__(self, function: Function, count: int) -> None:
        self.durations: list[float] = []
        self._task_class = TASK_BY_FUNCTION[function]
        self._count = count
        self._start = 0.0

    def begin(self, app: ApplicationNode) -> None:
        """Push the first."""
        self._start = time.perf_counter()
        app.push_task(self._task_class(len(self.durations)))

    def finished(self, app: ApplicationNode, result: Any) -> None:
        """Push the next, if there is one."""
        self.durations.append(time.perf_counter() - self._start)
        if len(self.durations) < self._count:
            self.begin(app)


class Stream(Round):
    """Keeps some batches of no-op tasks under way until so many are finished.

    ``marks`` are times, and ``yardsticks`` how long the machine needed for the same small work at each of them.

    :param mark_every: they are noted whenever so many more are finished.
    """

    def __init__(self, total: int, *, batch: int, depth: int, mark_every: int) -> None:
        self.finished_count = 0
        self.marks: list[float] = []
        self.yardsticks: list[float] = []
        self._total = total
        self._pushed_count = 0
        self._batch = batch
        self._depth = depth
        self._mark_every = mark_every

    def begin(self, app: ApplicationNode) -> None:
        """Push the first batches."""
        self._mark()
        for _ in range(self._depth):
            self._push(app)

    def finished(self, app: ApplicationNode, result: Any) -> None:
        """Push one batch for each that is finished."""
        self.finished_count += 1
        if not self.finished_count % self._mark_every:
            self._mark()
        if not self.finished_count % self._batch:
            self._push(app)

    def _mark(self) -> None:
        self.marks.append(time.perf_counter())
        self.yardsticks.append(pickling_s())

    def _push(self, app: ApplicationNode) -> None:
        numbers = range(self._pushed_count, min(self._total, self._pushed_count + self._batch))
        self._pushed_count += len(numbers)
        app.push_tasks(map(GiveSame, numbers))


class RoundsApplication(ApplicationNode):
    """See the module. :meth:`serve` runs in a thread that plays the part of its main thread."""

    def __init__(self) -> None:
        """Nothing runs before ``start``."""
        super().__init__()
        self._asked: queue.SimpleQueue[Round | None] = queue.SimpleQueue()
        self._answers: queue.SimpleQueue[BaseException | None] = queue.SimpleQueue()
        self._round: Round | None = None
        self._error: BaseException | None = None

    def run_round(self, one: Round) -> None:
        """Run a round to its end. One thread at a time.

        :raises TimeoutError: if that takes too long.
        """
        with collecting_rarely():  # as in the process of an application
            self._asked.put(one)
            try:
                error = self._answers.get(timeout=WAIT_S)
            except queue.Empty:
                raise TimeoutError(f"a round did not end within {WAIT_S} s") from None
        if error is not None:
            raise error

    def request_end(self) -> None:
        """Have :meth:`serve` return. Any thread."""
        self._asked.put(None)

    def serve(self) -> None:
        """Run rounds until that is not wanted any more."""
        try:
            self.app_main()
        except BaseException as error:  # boundary: it is raised where the round was asked for
            self._answers.put(error)

    def task_finished(self, task: Task, result: Any, error: BaseException | None) -> None:
        """Give the result to the round."""
        if error is not None:
            self._error = error
        if self._round is not None:
            self._round.finished(self, result)

    def work_finished(self, result: Any, task_system: ITaskSystem | None) -> None:
        """Say that the round has ended, and begin the next when there is one."""
        if self._round is not None:
            error, self._error = self._error, None
            self._answers.put(error)
        try:
            self._round = self._asked.get(timeout=IDLE_MAX_S)
        except queue.Empty:
            self._round = None
        if self._round is None:
            self.shutdown_main_loop()
        else:
            self._round.begin(self)
