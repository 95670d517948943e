"""A cluster as a ``concurrent.futures.Executor``: for scripts, and for programs that have one already."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Executor, Future, InvalidStateError, wait
from contextlib import ExitStack, suppress
from functools import partial
from itertools import islice
from typing import Any, NamedTuple, ParamSpec, TypeVar

from concurrent.apps.api import parse_address
from concurrent.apps.client import ClusterClient
from concurrent.apps.embedded import EmbeddedCluster
from concurrent.apps.node import TransportSettings
from concurrent.core.environment import Environment
from concurrent.core.errors import ConcurrentError, LoopClosed, NodeError, WorkerDied
from concurrent.core.ids import new_node_id
from concurrent.core.items import Host
from concurrent.core.stats import Stats
from concurrent.scheduling.attempts import ATTEMPTS_MAX
from concurrent.scheduling.chunk import run_calls
from concurrent.scheduling.results import Outcome, load_outcome
from concurrent.scheduling.spawn import start_launcher
from concurrent.transport.loop import NodeLoop

__all__ = ["ClusterExecutor", "LocalCluster"]

P = ParamSpec("P")
T = TypeVar("T")


class TaskFuture(Future[T]):
    """The future of one task or chunk of calls; cancelling it frees the worker too.

    ``has_begun`` is set on the loop's thread when a worker has run it for a while.
    """

    task_id = 0
    client: ClusterClient | None = None
    has_begun = False

    def running(self) -> bool:
        """Tell whether a worker runs it, as is known half a second after that began; ``cancel`` still works."""
        return self.has_begun and not self.done()

    def cancel(self) -> bool:
        """Want nothing more of the task; the worker that runs it is stopped."""
        is_cancelled = self.cancel_here()
        if is_cancelled and self.client is not None:
            with suppress(LoopClosed):  # then nothing runs any more
                self.client.tasks.cancel([self.task_id])
        return is_cancelled

    def cancel_here(self) -> bool:
        """Cancel the future, but leave it to the caller to cancel the task."""
        return super().cancel()


class Chunk(NamedTuple):
    """Calls of one ``map`` that travel and run together."""

    calls: list[tuple[Any, ...]]
    future: TaskFuture[list[Any]]


class ClusterExecutor(Executor):
    """Runs functions on the cluster of a master, which need not be there yet.

    The futures' callbacks run on the executor's own thread. Any thread may submit.

    :param master: ``HOST:PORT`` of the master's JSON API.
    :param own_modules: modules, besides ``__main__``, that the workers do not have: their functions and
        classes travel with the tasks.
    :param options: configuration as ``section.option`` to text.
    :raises ConfigurationError: if the address or an option is not possible.
    """

    _is_shut_down: bool

    def __init__(
        self,
        master: str,
        *,
        own_modules: Sequence[str] = (),
        options: Mapping[str, str] | None = None,
    ) -> None:
        address = parse_address(master, "master")
        self._begin(own_modules, options, lambda: self._start_loop(address))

    @property
    def address(self) -> str:
        """The address of the master's JSON API."""
        return self._address

    @property
    def workers(self) -> int:
        """How many worker processes the cluster has now; waits until this program has joined it.

        :raises ConcurrentError: if the master does not say.
        """
        return self._client.count_workers()

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """Have ``fn(*args, **kwargs)`` run on a worker. Any thread; waits while there is no room.

        :returns: its future; that has the error at once if the call cannot be pickled.
        :raises RuntimeError: if the executor was shut down.
        :raises NodeError: if its cluster has died.
        :raises VersionMismatch: if the master runs another Python.
        """
        future: TaskFuture[T] = TaskFuture()
        self._push(future, (fn, args, kwargs))
        return future

    def map(
        self,
        fn: Callable[..., T],
        *iterables: Iterable[Any],
        timeout: float | None = None,
        chunksize: int = 1,
        **kwargs: Any,
    ) -> Iterator[T]:
        """Return an iterator of the results, in order; see ``concurrent.futures.Executor.map``.

        :param chunksize: how many calls travel and run as one task; more is faster where they are tiny. As
            with ``ProcessPoolExecutor`` an exception is that of all calls of its chunk. If a worker dies of
            a chunk its calls are made again one by one, so that only the one that does it is to blame.
        """
        if chunksize < 1:
            raise ValueError(f"chunksize must be at least 1, but is {chunksize}")
        if chunksize == 1:
            return super().map(fn, *iterables, timeout=timeout, **kwargs)
        end = None if timeout is None else time.monotonic() + timeout
        rest = zip(*iterables, strict=False)
        chunks: list[Chunk] = []
        while calls := list(islice(rest, chunksize)):
            chunks.append(Chunk(calls, TaskFuture()))
            self._push(chunks[-1].future, (run_calls, (fn, calls, kwargs), {}), attempts_max=1)
        return self._results(partial(fn, **kwargs), chunks, end)

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        """Shut down; after an exception what is unfinished is cancelled, for nobody waits for it any more."""
        self.shutdown(wait=True, cancel_futures=kind is not None)

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Take nothing more, and free everything when what was submitted is finished.

        :param wait: return only then.
        :param cancel_futures: cancel what is not finished.
        """
        if self._is_shut_down:
            return
        self._is_shut_down = True
        if cancel_futures:
            self._cancel(list(self._futures))
        if wait:
            self._close()
        else:
            threading.Thread(target=self._close, name=f"{self._node_id} shuts down").start()

    def _begin(
        self,
        own_modules: Sequence[str],
        options: Mapping[str, str] | None,
        start: Callable[[], Host],
    ) -> None:
        """Make everything, or nothing.

        :param start: starts the loop and returns the address of the master.
        """
        self._env = Environment(overrides=options)
        self._env.warn_of_unknown()
        self._node_id = new_node_id("application")
        self._futures: set[TaskFuture[Any]] = set()  # whoever takes one out of it ends it
        self._is_shut_down = False
        self._death: ConcurrentError | None = None
        self._open = ExitStack()
        self._loop = NodeLoop(self._node_id)
        try:
            self._client = ClusterClient(
                self._loop,
                self._node_id,
                own_modules=own_modules,
                on_outcomes=self._finish,
                on_running=_note_running,
                on_refused=self._end_with,
            )
            master = start()
            self._address = str(master)
            self._open.callback(self._client.stop)
            self._client.start(master, 0, Stats(), self._env[TransportSettings].limits())
        except BaseException:  # boundary: whatever it is, what was opened is closed
            self._open.close()
            self._loop.stop()
            raise

    def _start_loop(self, master: Host) -> Host:
        self._loop.start()
        self._open.callback(self._loop.stop)
        return master

    def _check_usable(self) -> None:
        if self._is_shut_down:
            raise RuntimeError("cannot schedule new futures after shutdown")
        if self._death is not None:
            raise self._death

    def _push(self, future: TaskFuture[Any], what: Any, attempts_max: int = ATTEMPTS_MAX) -> None:
        """Push a task; its future has the error if that is not possible.

        :raises RuntimeError: if the executor was shut down.
        :raises NodeError: if its cluster has died.
        """
        self._check_usable()
        self._futures.add(future)
        try:
            future.task_id = self._client.tasks.push(future, what, attempts_max)
            future.client = self._client
        except ConcurrentError as error:
            self._settle(future, None, error)

    def _results(self, fn: Callable[..., T], chunks: list[Chunk], end: float | None) -> Iterator[T]:
        """Yield the results of chunks; cancel what is not asked for any more."""
        chunks.reverse()
        try:
            while chunks:
                try:
                    results = chunks[-1].future.result(_time_left(end))
                except WorkerDied:
                    if self._is_shut_down:
                        raise
                    yield from self._results_of_each(fn, chunks[-1].calls, end)
                else:
                    yield from results
                del chunks[-1]
        finally:
            self._cancel([chunk.future for chunk in chunks])

    def _results_of_each(
        self, fn: Callable[..., T], calls: list[tuple[Any, ...]], end: float | None
    ) -> Iterator[T]:
        """Make the calls of a chunk one by one; results come as from ``map``."""
        futures = [self.submit(fn, *args) for args in calls]
        try:
            for future in futures:
                yield future.result(_time_left(end))
        finally:
            for future in futures:
                future.cancel()

    def _cancel(self, futures: Sequence[TaskFuture[Any]]) -> None:
        """Cancel many at once."""
        ids = [future.task_id for future in futures if future.cancel_here()]
        if ids:
            with suppress(LoopClosed):  # then nothing runs any more
                self._client.tasks.cancel(ids)

    def _close(self) -> None:
        wait(list(self._futures))
        reason = "the executor was shut down"
        self._client.tasks.close(reason)
        self._open.close()
        self._fail_all(NodeError(reason, thing="submit"))

    def _cluster_ended(self, what_happened: str) -> None:
        """The own cluster died: nothing that waits for it will ever come. Loop thread only."""
        self._end_with(_cluster_died(what_happened))

    def _end_with(self, error: ConcurrentError) -> None:
        """Fail what is open and whatever is submitted from now on. Loop thread only."""
        self._death = error
        self._client.tasks.close(error.message)
        self._fail_all(error)

    def _fail_all(self, error: ConcurrentError) -> None:
        """End what is open. A call that was being submitted is there too, or cannot be pushed any more."""
        for future in list(self._futures):
            self._settle(future, None, error)

    def _finish(self, outcomes: list[Outcome]) -> None:
        """Give the futures what their tasks came to. Loop thread only."""
        tasks = self._client.tasks
        size_bytes = 0
        for outcome in outcomes:
            size_bytes += len(outcome.payload)
            self._settle(outcome.item, *load_outcome(tasks.code, outcome))
        tasks.consumed(size_bytes)

    def _settle(self, future: TaskFuture[Any], result: Any, error: BaseException | None) -> None:
        """End a future, unless somebody else does. Any thread."""
        try:
            self._futures.remove(future)
        except KeyError:
            return
        try:
            if error is not None:
                future.set_exception(error)
            else:
                future.set_result(result)
        except InvalidStateError:  # it was cancelled: tell those who wait for it
            future.set_running_or_notify_cancel()


class LocalCluster(ClusterExecutor):
    """A cluster of its own on this machine, for the time of a ``with`` block.

    Make it in the main thread and before other threads where you can: its processes are forked then,
    which is faster than a new interpreter. If its master dies, open futures fail with ``NodeError``.

    :param workers: how many worker processes; None: one for each core.
    :param own_modules: as for :class:`ClusterExecutor`.
    :param options: configuration as ``section.option`` to text, for the cluster as well.
    :raises NodeError: if it does not start.
    """

    def __init__(
        self,
        workers: int | None = None,
        *,
        own_modules: Sequence[str] = (),
        options: Mapping[str, str] | None = None,
    ) -> None:
        options = {"logging.level": "warning", **(options or {})}
        self._begin(own_modules, options, lambda: self._start_cluster(workers or 0))

    def _start_cluster(self, workers: int) -> Host:
        launcher = start_launcher()
        self._open.callback(launcher.stop)
        self._loop.start()
        self._open.callback(self._loop.stop)
        launcher.attach(self._loop)
        cluster = EmbeddedCluster(self._loop, launcher, self._env.recipe(), self._cluster_ended)
        self._open.callback(cluster.stop)
        return cluster.start(workers)


def _note_running(futures: list[TaskFuture[Any]]) -> None:
    for future in futures:
        future.has_begun = True


def _time_left(end: float | None) -> float | None:
    return None if end is None else max(0.0, end - time.monotonic())


def _cluster_died(what_happened: str) -> NodeError:
    return NodeError(
        f"{what_happened}, and what it was given is lost",
        thing="LocalCluster",
        remedy="Make a new LocalCluster, and see whether the machine ran out of memory",
    )
