"""Concurrent itself: a local cluster with an application and an executor on it."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from contextlib import ExitStack
from types import TracebackType
from typing import Any

from benchmarks.options import Options
from benchmarks.processes import fetch
from benchmarks.rounds import PushAll, Round, RoundsApplication, TakeTurns
from benchmarks.systems import Executing, Function, System
from concurrent.apps import ClusterExecutor, LocalCluster
from concurrent.core import Environment

__all__ = ["OUR_SYSTEMS", "Cluster", "Push"]

OUR_SYSTEMS = ("push", "submit")
JOIN_TIMEOUT_S = 10.0


class Cluster:
    """A master, its slave and the workers in processes of their own, for a ``with`` block. Main thread.

    :param with_application: whether an application is started that pushes tasks to it.
    """

    def __init__(self, options: Options, *, with_application: bool = True) -> None:
        self._options = options
        self._with_application = with_application
        self._open = ExitStack()
        self.executor: LocalCluster
        self.application: RoundsApplication

    def __enter__(self) -> Cluster:
        with ExitStack() as stack:
            options = self._options
            self.executor = stack.enter_context(
                LocalCluster(workers=options.workers, options=options.configuration())
            )
            if self._with_application:
                self._start_application(stack)
            self._open = stack.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        self._open.close()

    @property
    def master_pid(self) -> int:
        """The process of the master."""
        return int(fetch(self.executor.address, "ping")["pid"])

    def systems(self) -> list[System]:
        """Return both ways to run tasks on it."""
        return [Push(self.application), Executing("submit", self.executor)]

    def another_executor(self) -> ClusterExecutor:
        """Return one more program's executor on the same cluster; whoever asks for it shuts it down."""
        return ClusterExecutor(self.executor.address, options=self._options.configuration())

    def run_round(self, one: Round) -> None:
        """Have the application run a round to its end."""
        self.application.run_round(one)

    def _start_application(self, stack: ExitStack) -> None:
        texts = {**self._options.configuration(), "application.master": self.executor.address}
        env = Environment(overrides=texts)
        env.register(RoundsApplication)
        self.application = env[RoundsApplication]
        self.application.start()
        stack.callback(self.application.stop)
        thread = threading.Thread(target=self.application.serve, name="application", daemon=True)
        thread.start()
        stack.callback(thread.join, JOIN_TIMEOUT_S)
        stack.callback(self.application.request_end)


class Push(System):
    """``ApplicationNode.push_task`` and ``push_tasks``."""

    def __init__(self, application: RoundsApplication) -> None:
        super().__init__("push")
        self._application = application

    def one_by_one(self, function: Function, arguments: Sequence[Any]) -> list[Any]:
        """See the base; the results come in any order."""
        return self._push(PushAll(function, arguments, is_bulk=False))

    def in_bulk(self, function: Function, arguments: Sequence[Any]) -> list[Any]:
        """See the base; the results come in any order."""
        return self._push(PushAll(function, arguments, is_bulk=True))

    def call(self, function: Function, argument: Any) -> Any:
        """See the base."""
        return self.one_by_one(function, [argument])[0]

    def round_trips(self, function: Function, count: int) -> list[float]:
        """See the base; the application pushes each when it is told that the one before is finished."""
        turns = TakeTurns(function, count)
        self._application.run_round(turns)
        return turns.durations

    def _push(self, one: PushAll) -> list[Any]:
        self._application.run_round(one)
        return one.results
