"""The calls of one ``map`` of an executor: made as inputs are needed, given back in order."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Executor
from itertools import islice, repeat
from typing import Any, Final, Generic, NamedTuple, TypeVar

from concurrent.apps.executorcore import ExecutorCore
from concurrent.apps.taskfuture import TaskFuture
from concurrent.core.errors import WorkerDied
from concurrent.scheduling.pickling.chunk import run_calls
from concurrent.scheduling.tasks.options import NO_OPTIONS, Options
from concurrent.scheduling.tasks.terms import Terms, once, terms_of_call

__all__ = ["CALLS", "CallMap", "Calls"]

T = TypeVar("T")


class Calls(NamedTuple):
    """What calls have in common.

    :param options: what each asks for.
    :param view: stands for the view of an executor that makes them; None for the executor itself. It is not the
        view, so that no future keeps an executor that is dropped.
    """

    options: Options
    view: object

    def terms_of(self, fn: Callable[..., Any]) -> Terms:
        """Return what a call of a function asks for."""
        return self.options.over(terms_of_call(fn))


CALLS: Final = Calls(NO_OPTIONS, None)
"""Those of an executor itself."""


class CallMap(Generic[T]):
    """See the module. The thread that uses the iterator.

    The future of one call alone has its result, that of a chunk the list of theirs. There may be very many, and
    Python's search for garbage looks at each object again and again: so the calls are kept only of chunks.

    :param executor: is kept as long as there are results to come.
    :param calls: what they have in common.
    :param inputs: the arguments of each call.
    :param chunksize: how many calls travel together.
    :param buffersize: how many chunks may be submitted whose results were not asked for; None: all.
    """

    def __init__(
        self,
        executor: Executor,
        core: ExecutorCore,
        fn: Callable[..., T],
        kwargs: Mapping[str, Any],
        calls: Calls,
        *,
        inputs: Iterator[tuple[Any, ...]],
        chunksize: int,
        buffersize: int | None,
    ) -> None:
        self._executor = executor
        self._core = core
        self._fn = fn
        self._kwargs = kwargs
        self._calls = calls
        self._terms = calls.terms_of(fn)
        self._inputs = inputs
        self._chunksize = chunksize
        self._buffersize = buffersize
        self._futures: deque[TaskFuture[Any]] = deque()
        self._chunks: deque[list[tuple[Any, ...]]] = deque()

    def start(self, timeout_s: float | None) -> Iterator[T]:
        """Submit the first calls; return the results. What is not asked for any more is abandoned.

        :param timeout_s: how long the results may take in all, from now on.
        """
        end = None if timeout_s is None else time.monotonic() + timeout_s
        self._fill()
        return self._results(end)

    def _fill(self) -> None:
        """Submit as many calls as may be; abandon what was submitted if that fails."""
        room = None if self._buffersize is None else self._buffersize - len(self._futures)
        try:
            for calls in islice(iter(self._next_calls, []), room):
                self._futures.append(self._submit(calls))
                if self._chunksize > 1:
                    self._chunks.append(calls)
        except BaseException:  # boundary: nobody will ask for any result
            self._abandon()
            raise

    def _results(self, end: float | None) -> Iterator[T]:
        try:
            while self._futures:
                if self._chunksize == 1:
                    yield self._next_result(end)  # which is to be held by nobody else
                else:
                    yield from self._next_results(end)
        finally:
            self._abandon()

    def _next_calls(self) -> list[tuple[Any, ...]]:
        return list(islice(self._inputs, self._chunksize))

    def _submit(self, calls: list[tuple[Any, ...]]) -> TaskFuture[Any]:
        if self._chunksize == 1:
            return self._core.submit(self._fn, calls[0], self._kwargs, self._terms, view=self._calls.view)
        terms = once(self._terms)
        return self._core.submit(
            run_calls, (self._fn, calls, self._kwargs), {}, terms, chunk=len(calls), view=self._calls.view
        )

    def _take(self) -> TaskFuture[Any]:
        """Take the oldest future, and submit another call or chunk in its place unless all are submitted."""
        future = self._futures.popleft()
        if self._buffersize is None:
            return future
        try:
            self._fill()
        except BaseException:  # boundary: an input, or the pickling of one, has failed
            self._core.abandon([future])
            raise
        return future

    def _next_result(self, end: float | None) -> T:
        future: TaskFuture[T] = self._take()
        try:
            return future.result(None if end is None else _time_left(end))
        except BaseException:  # boundary: it may still run, after a signal or when the time is over
            self._core.abandon([future])
            raise

    def _next_results(self, end: float | None) -> Iterator[T]:
        """Return the results of the next chunk; each is held by nobody else."""
        calls = self._chunks.popleft()
        future = self._take()
        try:
            results: list[T] = future.result(_time_left(end))
        except WorkerDied:
            if self._core.is_closing:
                raise
            return self._one_by_one(calls, end)
        finally:
            self._core.abandon([future])
        results.reverse()
        return map(results.pop, repeat(-1, len(results)))

    def _one_by_one(self, calls: list[tuple[Any, ...]], end: float | None) -> Iterator[T]:
        """Make the calls of a chunk again, so that only the one that kills its worker is to blame."""
        again = CallMap(
            self._executor,
            self._core,
            self._fn,
            self._kwargs,
            self._calls,
            inputs=iter(calls),
            chunksize=1,
            buffersize=None,
        )
        again._fill()
        return again._results(end)

    def _abandon(self) -> None:
        """Want no more of what was submitted and not asked for."""
        self._core.abandon(self._futures)
        self._futures.clear()
        self._chunks.clear()


def _time_left(end: float | None) -> float | None:
    return None if end is None else max(0.0, end - time.monotonic())
