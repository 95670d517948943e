"""A cluster as a ``concurrent.futures.Executor``: for scripts, and for programs that have one already."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Executor, Future, wait
from contextlib import ExitStack
from itertools import islice, repeat
from typing import Any, Final, ParamSpec, TypeVar

from concurrent.apps.client import ClusterClient
from concurrent.apps.embedded import EmbeddedCluster
from concurrent.apps.node import TransportSettings
from concurrent.core.environment import Environment
from concurrent.core.errors import ConfigurationError, SchedulingError
from concurrent.core.ids import new_node_id
from concurrent.core.items import Host
from concurrent.core.stats import Stats
from concurrent.scheduling.spawn import start_launcher
from concurrent.scheduling.taskclient import Outcome, load_outcome
from concurrent.transport.loop import NodeLoop

__all__ = ["ClusterExecutor", "LocalCluster"]

MASTER_PORT: Final = 8750

P = ParamSpec("P")
T = TypeVar("T")


class TaskFuture(Future[T]):
    """The future of one task; cancelling it frees the worker too."""

    task_id = 0
    client: ClusterClient | None = None

    def cancel(self) -> bool:
        """Want nothing more of the task; the worker that runs it is stopped."""
        is_cancelled = super().cancel()
        if is_cancelled and self.client is not None:
            self.client.tasks.cancel([self.task_id])
        return is_cancelled


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
        try:
            host = Host.parse(master, MASTER_PORT)
        except ValueError:
            raise ConfigurationError(
                f"{master!r} is not the address of a master",
                thing="master",
                value=master,
                remedy="Write HOST:PORT",
            ) from None
        self._begin(own_modules, options)
        self._loop.start()
        self._open.callback(self._loop.stop)
        self._connect(host)

    @property
    def address(self) -> str:
        """The address of the master's JSON API."""
        return self._address

    @property
    def workers(self) -> int:
        """How many worker processes the cluster has now.

        :raises ConcurrentError: if the master does not say.
        """
        return self._client.count_workers()

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """Have ``fn(*args, **kwargs)`` run on a worker. Any thread; waits while there is no room.

        :returns: its future; that has the error at once if the call cannot be pickled.
        :raises RuntimeError: if the executor was shut down.
        """
        if self._is_shut_down:
            raise RuntimeError("cannot schedule new futures after shutdown")
        future: TaskFuture[T] = TaskFuture()
        self._futures.add(future)
        try:
            future.task_id = self._client.tasks.push(future, (fn, args, kwargs))
            future.client = self._client
        except SchedulingError as error:
            self._futures.discard(future)
            future.set_exception(error)
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

        :param chunksize: how many calls make one task; more is faster where they are tiny.
        """
        if chunksize < 1:
            raise ValueError(f"chunksize must be at least 1, but is {chunksize}")
        if chunksize == 1:
            return super().map(fn, *iterables, timeout=timeout, **kwargs)
        chunks = _chunks(zip(*iterables, strict=False), chunksize)
        results = super().map(_run_chunk, repeat(fn), chunks, timeout=timeout, **kwargs)
        return (result for chunk in results for result in chunk)

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Take nothing more, and free everything when what was submitted is finished.

        :param wait: return only then.
        :param cancel_futures: cancel what is not finished.
        """
        if self._is_shut_down:
            return
        self._is_shut_down = True
        if cancel_futures:
            for future in list(self._futures):
                future.cancel()
        if wait:
            self._close()
        else:
            threading.Thread(target=self._close, name=f"{self._node_id} shuts down").start()

    def _begin(self, own_modules: Sequence[str], options: Mapping[str, str] | None) -> None:
        """Make what does not need a master."""
        self._env = Environment(overrides=options)
        self._env.warn_of_unknown()
        self._node_id = new_node_id("application")
        self._futures: set[TaskFuture[Any]] = set()
        self._is_shut_down = False
        self._open = ExitStack()
        self._loop = NodeLoop(self._node_id)
        self._client = ClusterClient(
            self._loop, self._node_id, own_modules=own_modules, on_outcomes=self._finish
        )

    def _connect(self, master: Host) -> None:
        self._address = str(master)
        self._open.callback(self._client.stop)
        self._client.start(master, 0, Stats(), self._env[TransportSettings].limits())

    def _close(self) -> None:
        wait(list(self._futures))
        self._open.close()

    def _finish(self, outcomes: list[Outcome]) -> None:
        """Give the futures what their tasks came to. Loop thread only."""
        for outcome in outcomes:
            future: TaskFuture[Any] = outcome.item
            self._futures.discard(future)
            if not future.set_running_or_notify_cancel():
                continue
            result, error = load_outcome(self._client.tasks.code, outcome)
            if error is not None:
                future.set_exception(error)
            else:
                future.set_result(result)
        self._client.tasks.consumed(sum(len(outcome.payload) for outcome in outcomes))


class LocalCluster(ClusterExecutor):
    """A cluster of its own on this machine, for the time of a ``with`` block.

    Make it in the main thread and before other threads where you can: its processes are forked then,
    which is faster than a new interpreter.

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
        self._begin(own_modules, {"logging.level": "warning", **(options or {})})
        try:
            launcher = start_launcher()
            self._open.callback(launcher.stop)
            self._loop.start()
            self._open.callback(self._loop.stop)
            launcher.attach(self._loop)
            cluster = EmbeddedCluster(self._loop, launcher, self._env.recipe())
            self._open.callback(cluster.stop)
            self._connect(cluster.start(workers or 0))
        except BaseException:  # boundary: whatever it is, what was opened is closed
            self._open.close()
            raise


def _chunks(calls: Iterable[tuple[Any, ...]], size: int) -> Iterator[list[tuple[Any, ...]]]:
    rest = iter(calls)
    while chunk := list(islice(rest, size)):
        yield chunk


def _run_chunk(fn: Callable[..., T], calls: list[tuple[Any, ...]]) -> list[T]:
    """Run several calls as one task. On a worker."""
    return [fn(*args) for args in calls]
