"""A cluster for programs that are written with asyncio."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterable, AsyncIterator, Callable, Iterable
from concurrent.futures import CancelledError, Future
from functools import partial
from typing import TYPE_CHECKING, Any, Final, ParamSpec, TypeVar

from concurrent.apps.asyncmap import AsyncMap
from concurrent.apps.executor import ClusterExecutor, LocalCluster
from concurrent.apps.executorview import ExecutorView
from concurrent.core.callthread import CallThread

if TYPE_CHECKING:
    from typing_extensions import Self, Unpack

    from concurrent.scheduling.tasks.options import TermOptions

__all__ = ["AsyncCalls", "AsyncCluster"]

P = ParamSpec("P")
T = TypeVar("T")
AnyExecutor = ClusterExecutor | ExecutorView

AHEAD_PER_WORKER: Final = 4
"""How many calls of ``map`` may be open for each worker, if it is not told."""


class AsyncCalls:
    """Calls that ask for the same, see :meth:`options`. For coroutines of any event loop.

    :param executor: whose calls they are, once it is there.
    :param submitter: the thread that pickles calls, and waits while the cluster has no room.
    """

    def __init__(self, executor: AnyExecutor | None, submitter: CallThread) -> None:
        self._executor = executor
        self._submitter = submitter

    @property
    def executor(self) -> AnyExecutor:
        """The executor behind it.

        :raises RuntimeError: before the ``async with`` block.
        """
        if self._executor is None:
            raise RuntimeError("this cluster has not begun: use it within 'async with'")
        return self._executor

    def options(self, **options: Unpack[TermOptions]) -> AsyncCalls:
        """Return this cluster with something that its calls ask for; see :meth:`.ClusterExecutor.options`."""
        return AsyncCalls(self.executor.options(**options), self._submitter)

    async def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T:
        """Return the result of ``fn(*args, **kwargs)``, which a worker calls.

        A thread pickles the arguments: do not change them until the result is there. Whoever cancels this
        coroutine ends the call, also where it runs.

        :raises concurrent.futures.CancelledError: if somebody else ends the call.
        :raises RuntimeError: if the cluster was shut down.
        """
        return await self._begin(fn, args, kwargs)

    def map(
        self,
        fn: Callable[..., T],
        /,
        *inputs: Iterable[Any] | AsyncIterable[Any],
        ahead: int | None = None,
        ordered: bool = True,
    ) -> AsyncIterator[T]:
        """Return the results of calls with each of some inputs, which are taken as results are.

        Leaving the loop ends the calls that are open; so does a call that raises. If a variable refers to the
        iterator use ``contextlib.aclosing``.

        :param inputs: what has the arguments; they may be endless. They are taken on the event loop.
        :param ahead: how many calls may be open, or have results that nobody has taken; None: four for each
            worker.
        :param ordered: whether results come in the order of the inputs; else in that in which calls end.
        :raises ValueError: if ``ahead`` is less than 1.
        """
        if ahead is not None and ahead < 1:
            raise ValueError(f"ahead must be None or > 0, but is {ahead}")
        return self._map(partial(self._begin, fn), inputs, ahead, ordered=ordered)

    async def _map(
        self,
        begin: Callable[[tuple[Any, ...]], asyncio.Future[T]],
        inputs: tuple[Iterable[Any] | AsyncIterable[Any], ...],
        ahead: int | None,
        *,
        ordered: bool,
    ) -> AsyncIterator[T]:
        if ahead is None:
            executor = self.executor
            workers = await _ask(self._submitter, lambda: executor._max_workers)
            ahead = AHEAD_PER_WORKER * max(1, workers)
        results = AsyncMap(begin, inputs, ahead, ordered=ordered)
        try:
            async for result in results:
                yield result
        finally:
            results.end()

    def _begin(
        self, fn: Callable[..., T], args: tuple[Any, ...], kwargs: dict[str, Any] | None = None
    ) -> asyncio.Future[T]:
        """Have a call submitted; whoever cancels the future ends it."""
        executor = self.executor
        loop = asyncio.get_running_loop()
        result: asyncio.Future[T] = loop.create_future()
        call = partial(executor.submit, fn, *args, **(kwargs or {}))
        self._submitter.put(partial(_submit, call, loop, result))
        return result


class AsyncCluster(AsyncCalls):
    """A cluster of its own on this machine, or one that is there, for the time of an ``async with`` block.

    Leaving the block waits for what was submitted; after an exception that is ended. Neither the start nor the
    end holds the event loop up: threads of its own make, use and end the executor.

    :param workers: how many worker processes, for a cluster of its own; None: one for each core.
    :param cluster: an executor that is there, or a view of one; it stays open.
    :param master: ``HOST:PORT`` of the master whose cluster is used, or ``@FILE`` with a file that has it.
    :param arguments: more of what :class:`.LocalCluster` takes, or :class:`.ClusterExecutor` with a master.
    :raises TypeError: if arguments do not go together.
    """

    def __init__(
        self,
        workers: int | None = None,
        *,
        cluster: AnyExecutor | None = None,
        master: str | None = None,
        **arguments: Any,
    ) -> None:
        given = {"workers": workers, "cluster": cluster, "master": master}
        names = [name for name, value in given.items() if value is not None]
        if len(names) > 1 or (cluster is not None and arguments):
            raise TypeError(f"an AsyncCluster does not take all of {', '.join([*names, *arguments])}")
        if cluster is not None:
            self._make: Callable[[], AnyExecutor] = cluster.options  # a view, which ends alone
        elif master is not None:
            self._make = partial(ClusterExecutor, master, **arguments)
        else:
            self._make = partial(LocalCluster, workers, **arguments)
        self._keeper = CallThread("async cluster")
        super().__init__(None, CallThread("async cluster calls"))

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of {self._executor!r}>"

    async def __aenter__(self) -> Self:
        self._keeper.start()
        self._submitter.start()
        making = asyncio.ensure_future(_ask(self._keeper, self._make))
        try:
            self._executor = await asyncio.shield(making)
        except asyncio.CancelledError:
            await _ask(self._keeper, partial((await making).shutdown, cancel_futures=True))
            raise
        finally:
            if self._executor is None:
                self._end_threads()
        return self

    async def __aexit__(self, kind: type[BaseException] | None, *_: object) -> None:
        executor = self.executor
        ended = asyncio.ensure_future(_ask(self._keeper, partial(self._end, executor, kind)))
        try:
            await asyncio.shield(ended)
        except asyncio.CancelledError:
            executor.shutdown(wait=False, cancel_futures=True)
            await ended
            raise
        finally:
            self._end_threads()

    def _end(self, executor: AnyExecutor, kind: type[BaseException] | None) -> None:
        """End the executor, when all calls were submitted or at once. Keeper's thread."""
        self._submitter.end()
        if kind is None:
            self._submitter.join()
        executor.__exit__(kind, None, None)
        self._submitter.join()

    def _end_threads(self) -> None:
        self._submitter.end()
        self._keeper.end()


async def _ask(thread: CallThread, call: Callable[[], T]) -> T:
    """Return what a call returns that a thread makes."""
    loop = asyncio.get_running_loop()
    result: asyncio.Future[T] = loop.create_future()
    asked: Future[T] = Future()
    asked.add_done_callback(partial(_post, loop, _settle, result))
    thread.put(partial(_answer, asked, call))
    return await result


def _answer(asked: Future[T], call: Callable[[], T]) -> None:
    try:
        asked.set_result(call())
    except BaseException as error:  # boundary: it is for whoever asks
        asked.set_exception(error)


def _submit(call: Callable[[], Future[T]], loop: asyncio.AbstractEventLoop, result: asyncio.Future[T]) -> None:
    """Submit a call and join its future to that of the event loop. Submitter's thread."""
    if result.cancelled():
        return
    try:
        future = call()
    except BaseException as error:  # boundary: it is for whoever waits for the call
        _post(loop, _fail, result, error)
        return
    if _post(loop, _link, result, future):
        future.add_done_callback(partial(_post, loop, _settle, result))
    else:
        future.cancel()  # nobody waits for it any more


def _post(loop: asyncio.AbstractEventLoop, call: Callable[..., object], *args: Any) -> bool:
    """Have an event loop call something; tell whether it may. Any thread."""
    try:
        loop.call_soon_threadsafe(call, *args)
    except RuntimeError:  # the loop is closed
        return False
    return True


def _link(result: asyncio.Future[T], future: Future[T]) -> None:
    """Have whoever cancels the future of the loop end the call."""
    result.add_done_callback(lambda done: done.cancelled() and future.cancel())


def _settle(result: asyncio.Future[T], future: Future[T]) -> None:
    if future.cancelled():
        _fail(result, CancelledError("the call was ended, by somebody else or with its cluster"))
        return
    error = future.exception()
    if error is not None:
        _fail(result, error)
    elif not result.done():
        result.set_result(future.result())


def _fail(result: asyncio.Future[T], error: BaseException) -> None:
    if result.done():
        return
    if isinstance(error, StopIteration):  # which no future of asyncio takes
        wrapped = RuntimeError("the call raised StopIteration")
        wrapped.__cause__ = error
        error = wrapped
    result.set_exception(error)
