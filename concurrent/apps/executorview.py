"""A view of a cluster that asks for something with each call: an executor itself, for whoever takes one."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor
from concurrent.futures import wait as wait_for
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar, overload

from concurrent.apps.callmap import Calls
from concurrent.apps.executorshown import table_of
from concurrent.apps.taskfuture import TaskFuture
from concurrent.scheduling.tasks.options import Options, TermOptions

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from concurrent.apps.executor import ClusterExecutor

__all__ = ["ExecutorView"]

P = ParamSpec("P")
T = TypeVar("T")


class ExecutorView(Executor):
    """What :meth:`.ClusterExecutor.options` returns. Any thread.

    It runs its calls on the cluster of the executor, on the same workers. To shut it down ends the view:
    nothing more is taken by it, and what it was given is waited for. The cluster stays.

    :param cluster: whose calls they are.
    :param options: what each call asks for.
    """

    def __init__(self, cluster: ClusterExecutor, options: Options) -> None:
        self._cluster = cluster
        self._options = options
        self._calls = Calls(options, view=object())
        self._is_closed = False

    def __repr__(self) -> str:
        state = ", shut down" if self._is_closed else ""
        return f"<{type(self).__name__} of {self._cluster!r}: {self._asked}{state}>"

    def _repr_html_(self) -> str:
        """Return what a notebook shows of it."""
        cluster = self._cluster
        kind = f"{type(self).__name__} of {type(cluster).__name__}{', shut down' if self._is_closed else ''}"
        return table_of(kind, cluster._core, cluster._workers_seen, self._asked)

    @property
    def _asked(self) -> str:
        """What its calls ask for, in words."""
        return ", ".join(f"{name}={value!s}" for name, value in self._options.given.items()) or "no options"

    @property
    def workers(self) -> int:
        """How many worker processes the cluster has now."""
        return self._cluster.workers

    @property
    def _max_workers(self) -> int:
        """What other libraries ask the standard library's pools for."""
        return self._cluster._max_workers

    def options(self, **options: Unpack[TermOptions]) -> ExecutorView:
        """Return a view with more options, which count more than these; see :meth:`.ClusterExecutor.options`.

        :raises SchedulingError: if a value is not possible.
        :raises TypeError: if there is no such option.
        """
        return ExecutorView(self._cluster, self._options.merged(**options))

    def progress(self, name: str = "") -> AbstractContextManager[None]:
        """Show how far the calls of this view are that are made within a block; see
        :meth:`.ClusterExecutor.progress`.
        """
        from concurrent.apps.progress.calls import progress_of_calls

        return progress_of_calls(self._cluster._core, name, self._calls.view)

    @overload
    def submit(self, fn: Callable[..., T], /, *args: Any, key: str | None, **kwargs: Any) -> TaskFuture[T]: ...
    @overload
    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> TaskFuture[T]: ...

    def submit(self, fn: Callable[..., T], /, *args: Any, **kwargs: Any) -> TaskFuture[T]:
        """Have ``fn(*args, **kwargs)`` run on a worker, see :meth:`.ClusterExecutor.submit`.

        :raises RuntimeError: if the view or the executor was shut down.
        """
        self._check_open()
        return self._cluster._submit(fn, args, kwargs, self._calls)

    def map(
        self,
        fn: Callable[..., T],
        *iterables: Iterable[Any],
        timeout: float | None = None,
        chunksize: int = 1,
        buffersize: int | None = None,
        **kwargs: Any,
    ) -> Iterator[T]:
        """Return an iterator of the results, in order; see :meth:`.ClusterExecutor.map`.

        A chunk is one task: limits, tries and resources are those of the chunk.
        """
        self._check_open()
        return self._cluster._map(
            fn,
            iterables,
            kwargs,
            self._calls,
            timeout,
            chunksize=chunksize,
            buffersize=buffersize,
        )

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:  # noqa: FBT001, FBT002  as in the standard library
        """Take nothing more, and wait for what was submitted here. The cluster goes on. Any thread.

        :param wait: return only when all of it has ended.
        :param cancel_futures: cancel what is not finished.
        """
        self._is_closed = True
        core = self._cluster._core
        futures = core.futures_of(self._calls.view)
        if cancel_futures:
            core.cancel(futures)
        if wait and not core.is_own_thread():
            wait_for(futures)

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        """Shut down; after an exception what is unfinished is cancelled, or left to the job if there is one."""
        if kind is not None:
            self._is_closed = True
            core = self._cluster._core
            core.abandon(core.futures_of(self._calls.view))
        self.shutdown()

    def _check_open(self) -> None:
        if self._is_closed:
            raise RuntimeError("cannot schedule new futures after shutdown of this view")
