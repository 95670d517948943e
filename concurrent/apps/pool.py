"""A pool with the interface of ``multiprocessing.Pool``, for programs and libraries that want one."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from concurrent.futures import wait as wait_for
from functools import partial
from itertools import islice
from typing import Any, Final, TypeVar

from concurrent.apps.executor import ClusterExecutor, LocalCluster
from concurrent.apps.executorview import ExecutorView
from concurrent.apps.poolresults import AsyncResult, Callback, ImapIterator, ImapUnorderedIterator
from concurrent.core.callthread import CallThread
from concurrent.scheduling.pickling.chunk import run_calls

__all__ = ["Pool"]

T = TypeVar("T")
ArgsOfCall = tuple[Any, ...]

CHUNKS_PER_WORKER: Final = 4
"""Into how many pieces ``map`` cuts its inputs for each worker, if it is not told."""
AHEAD_PER_WORKER: Final = 16
"""How many chunks of ``imap`` are submitted for each worker before their results are taken."""


class Pool:
    """Runs functions on a cluster: one of its own on this machine, or one that is there. Any thread.

    Leaving a ``with`` block terminates it, as it does a pool of ``multiprocessing``. A pool that nothing refers
    to any more finishes what it was given, as an executor does.

    :param processes: how many worker processes, for a cluster of its own; None: one for each core.
    :param initializer: is called once in each worker, before its first call of this pool.
    :param initargs: its arguments.
    :param maxtasksperchild: after how many calls, or chunks of them, another process takes the place of a
        worker, in a cluster of its own.
    :param context: is refused: workers are forked from a process that has no threads.
    :param cluster: an executor that is there, or a view of one; the pool runs its calls there, and leaves it
        open.
    :param master: ``HOST:PORT`` of the master whose cluster it uses, or ``@FILE`` with a file that has it.
    :param own_modules: as for an executor, if the pool makes one.
    :param options: too.
    :raises TypeError: if an argument is not of its type, or does not go with another one.
    :raises ValueError: if a number is less than 1.
    """

    def __init__(  # noqa: PLR0913  the first five are those of the standard library
        self,
        processes: int | None = None,
        initializer: Callable[..., object] | None = None,
        initargs: Iterable[Any] = (),
        maxtasksperchild: int | None = None,
        context: None = None,
        *,
        cluster: ClusterExecutor | ExecutorView | None = None,
        master: str | None = None,
        own_modules: Sequence[str] = (),
        options: Mapping[str, Any] | None = None,
    ) -> None:
        if context is not None:
            raise TypeError(
                "context is not taken: a cluster forks its workers from a process without threads, which is as "
                "safe as 'spawn'"
            )
        if maxtasksperchild is not None and (not isinstance(maxtasksperchild, int) or maxtasksperchild < 1):
            raise ValueError(f"maxtasksperchild must be a positive int or None, but is {maxtasksperchild!r}")
        self._is_shared = cluster is not None
        of_its_own = {"processes": processes, "maxtasksperchild": maxtasksperchild}
        if cluster is not None:
            given = {"master": master, "initializer": initializer, "options": options, **of_its_own}
            _refuse(given, own_modules, "it is given a cluster")
            self._executor: ClusterExecutor | ExecutorView = cluster
        else:
            made: dict[str, Any] = {"own_modules": own_modules, "options": options}
            made |= {"initializer": initializer, "initargs": tuple(initargs)}
            if master is not None:
                _refuse(of_its_own, (), "it uses the workers of a master")
                self._executor = ClusterExecutor(master, **made)
            else:
                self._executor = LocalCluster(processes, max_tasks_per_child=maxtasksperchild, **made)
        self._is_running = True
        self._open: set[Future[Any]] = set()
        self._imaps: list[ImapIterator[Any]] = []
        self._to_call_back: set[AsyncResult[Any]] = set()
        self._callbacks = CallThread("pool callbacks")
        self._callbacks.start()
        dropped = weakref.finalize(self, self._callbacks.end)
        dropped.atexit = False

    def __repr__(self) -> str:
        state = "running" if self._is_running else "closed"
        return f"<{type(self).__name__} {state}, of {self._executor!r}>"

    def __enter__(self) -> Pool:
        self._check_running()
        return self

    def __exit__(self, *_: object) -> None:
        self.terminate()

    @property
    def size(self) -> int:
        """How many worker processes there are now, at least 1; with a master it waits until that is known."""
        return max(1, self._executor._max_workers)

    rank: Final = 0
    """What libraries that know pools of MPI ask for: this program is the one that submits."""

    def is_master(self) -> bool:
        """Tell that this program submits; for libraries that know pools of MPI."""
        return True

    def is_worker(self) -> bool:
        """Tell that this program is no worker."""
        return False

    def wait(self) -> None:
        """Return: only workers of MPI would wait here for something to do."""

    def apply(
        self, func: Callable[..., T], args: Iterable[Any] = (), kwds: Mapping[str, Any] | None = None
    ) -> T:
        """Return ``func(*args, **kwds)``, which a worker calls.

        :raises ValueError: if the pool was closed; that goes for all methods that make calls.
        """
        return self._submit(func, args, kwds).result()

    def apply_async(
        self,
        func: Callable[..., T],
        args: Iterable[Any] = (),
        kwds: Mapping[str, Any] | None = None,
        callback: Callback | None = None,
        error_callback: Callback | None = None,
    ) -> AsyncResult[T]:
        """Have a worker call ``func(*args, **kwds)``; waits while the cluster has no room.

        :param callback: is called with the result, on the thread of this pool for callbacks. Whatever it raises
            is logged.
        :param error_callback: is called with the error instead.
        """
        future = self._submit(func, args, kwds)
        return self._result([future], _only_result, callback, error_callback)

    def map(self, func: Callable[..., T], iterable: Iterable[Any], chunksize: int | None = None) -> list[T]:
        """Return the results of calls with each of some inputs, in order, when all calls have ended.

        :param chunksize: how many calls travel and run together; None: a quarter of what each worker gets.
        """
        return self.map_async(func, iterable, chunksize).get()

    def map_async(
        self,
        func: Callable[..., T],
        iterable: Iterable[Any],
        chunksize: int | None = None,
        callback: Callback | None = None,
        error_callback: Callback | None = None,
    ) -> AsyncResult[list[T]]:
        """Have ``func`` called with each of some inputs; see :meth:`map`, and :meth:`apply_async` for the rest.

        :param callback: is called with the list of all results, or ``error_callback`` with the first error.
        """
        return self._map_async(func, ((one,) for one in iterable), chunksize, callback, error_callback)

    def starmap(
        self, func: Callable[..., T], iterable: Iterable[Iterable[Any]], chunksize: int | None = None
    ) -> list[T]:
        """Return the results of calls with the members of each of some inputs; see :meth:`map`."""
        return self.starmap_async(func, iterable, chunksize).get()

    def starmap_async(
        self,
        func: Callable[..., T],
        iterable: Iterable[Iterable[Any]],
        chunksize: int | None = None,
        callback: Callback | None = None,
        error_callback: Callback | None = None,
    ) -> AsyncResult[list[T]]:
        """Have ``func`` called with the members of each of some inputs; see :meth:`map_async`."""
        return self._map_async(func, map(tuple, iterable), chunksize, callback, error_callback)

    def imap(self, func: Callable[..., T], iterable: Iterable[Any], chunksize: int = 1) -> ImapIterator[T]:
        """Return an iterator of results in order. Inputs are taken as results are: they may be endless."""
        return self._imap(ImapIterator[T], func, iterable, chunksize)

    def imap_unordered(
        self, func: Callable[..., T], iterable: Iterable[Any], chunksize: int = 1
    ) -> ImapIterator[T]:
        """Return an iterator of results in the order in which they come; else it is as :meth:`imap`."""
        return self._imap(ImapUnorderedIterator[T], func, iterable, chunksize)

    def close(self) -> None:
        """Take no more calls. What was given is done, the inputs of ``imap`` too."""
        self._is_running = False

    def terminate(self) -> None:
        """Take no more calls, and end those that wait or run: their results raise ``CancelledError``."""
        self._is_running = False
        for imap in self._imaps:
            imap.drop_inputs()
        if self._is_shared:
            for future in list(self._open):
                future.cancel()
        else:
            self._executor.shutdown(wait=True, cancel_futures=True)
        self._callbacks.end()

    def join(self) -> None:
        """Wait until all calls have ended and callbacks have been called; take the inputs of ``imap`` for that.

        An ``imap`` of endless inputs never lets it end, but :meth:`terminate` does.

        :raises ValueError: if the pool was neither closed nor terminated.
        """
        if self._is_running:
            raise ValueError("the pool is still running: close() or terminate() it before join()")
        for imap in self._imaps:
            imap.take_all()
        wait_for(list(self._open))
        if not self._is_shared:
            self._executor.shutdown(wait=True)
        self._callbacks.end()
        if not self._callbacks.is_current():
            for result in list(self._to_call_back):
                result.wait()
            self._callbacks.join()

    def _check_running(self) -> None:
        if not self._is_running:
            raise ValueError("the pool is not running: it was closed")

    def _submit(self, func: Callable[..., T], args: Iterable[Any], kwds: Mapping[str, Any] | None) -> Future[T]:
        self._check_running()
        return self._noted(self._executor.submit(func, *args, **(kwds or {})))

    def _noted(self, future: Future[T]) -> Future[T]:
        self._open.add(future)
        future.add_done_callback(self._open.discard)
        return future

    def _submit_calls(
        self, view: ExecutorView, func: Callable[..., T], calls: list[ArgsOfCall]
    ) -> Future[list[T]]:
        return self._noted(view.submit(run_calls, func, calls, {}))

    def _result(
        self,
        futures: list[Future[Any]],
        combine: Callable[[list[Future[Any]]], T],
        callback: Callback | None,
        error_callback: Callback | None,
    ) -> AsyncResult[T]:
        result = AsyncResult(futures, combine)
        if callback is not None or error_callback is not None:
            self._to_call_back.add(result)
            result.call_back(partial(self._call_back, result), callback, error_callback)
        return result

    def _call_back(self, result: AsyncResult[Any], call: Callable[[], object]) -> None:
        self._callbacks.put(call)
        self._callbacks.put(partial(self._to_call_back.discard, result))

    def _map_async(
        self,
        func: Callable[..., T],
        calls: Iterable[ArgsOfCall],
        chunksize: int | None,
        callback: Callback | None,
        error_callback: Callback | None,
    ) -> AsyncResult[list[T]]:
        self._check_running()
        made = list(calls)
        if chunksize is None:
            chunksize = max(1, -(-len(made) // (self.size * CHUNKS_PER_WORKER))) if made else 1
        submit = partial(self._submit_calls, self._view(func), func)
        futures: list[Future[Any]] = [submit(chunk) for chunk in _chunks_of(made, chunksize)]
        return self._result(futures, _all_results, callback, error_callback)

    def _imap(
        self,
        kind: Callable[..., ImapIterator[T]],
        func: Callable[..., T],
        iterable: Iterable[Any],
        chunksize: int,
    ) -> ImapIterator[T]:
        self._check_running()
        chunks = _chunks_of(((one,) for one in iterable), chunksize)
        submit = partial(self._submit_calls, self._view(func), func)
        made = kind(submit, chunks, AHEAD_PER_WORKER * self.size)
        self._imaps = [one for one in (*self._imaps, made) if one.has_inputs]
        return made

    def _view(self, func: Callable[..., Any]) -> ExecutorView:
        """Return what chunks of calls are called after the function with."""
        return self._executor.options(name=getattr(func, "__name__", type(func).__name__))


def _chunks_of(calls: Iterable[ArgsOfCall], chunksize: int) -> Iterator[list[ArgsOfCall]]:
    """Return an iterator of lists of so many calls.

    :raises ValueError: if that is less than 1.
    """
    if chunksize < 1:
        raise ValueError(f"chunksize must be 1 or more, but is {chunksize}")
    taken = iter(calls)
    return iter(lambda: list(islice(taken, chunksize)), [])


def _only_result(futures: list[Future[Any]]) -> Any:
    return futures[0].result()


def _all_results(futures: list[Future[Any]]) -> Any:
    return [result for future in futures for result in future.result()]


def _refuse(given: Mapping[str, Any], own_modules: Sequence[str], why: str) -> None:
    """See that nothing is given that says how a cluster is to be made.

    :raises TypeError: if something is.
    """
    names = [name for name, value in given.items() if value is not None] + ["own_modules"] * bool(own_modules)
    if names:
        raise TypeError(f"a Pool takes no {', '.join(names)} if {why}")
