"""A backend of joblib: what runs in ``joblib.Parallel``, as most of scikit-learn does, runs on a cluster.

Importing this module registers it as ``"concurrent"``::

    import joblib
    import concurrent.apps.integrations.joblib

    with joblib.parallel_config("concurrent", cluster=cluster):
        search.fit(inputs, outputs)

joblib forms batches of calls; each is one task, named after the function that it calls. Batches are submitted
by the thread that calls ``Parallel`` and by the executor's thread for callbacks, under joblib's own lock.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable
from concurrent.futures import Future
from copy import copy
from typing import TYPE_CHECKING, Any, ClassVar, Final

from concurrent.apps.integrations.clusters import check_cluster
from concurrent.apps.integrations.largearguments import LargeArguments, stand_ins_of
from concurrent.apps.integrations.missing import not_installed
from concurrent.scheduling import current_task

try:
    from joblib.parallel import (
        AutoBatchingMixin,
        BatchedCalls,
        FallbackToBackend,
        ParallelBackendBase,
        SequentialBackend,
        register_parallel_backend,
    )
except ImportError as error:
    raise not_installed("joblib", error) from error

if TYPE_CHECKING:
    from joblib import Parallel

    from concurrent.apps import ClusterExecutor, ExecutorView

__all__ = ["ConcurrentBackend"]

OPTIONS_OF_ALL: Final = frozenset(
    {"context", "max_nbytes", "mmap_mode", "prefer", "require", "temp_folder", "verbose"}
)
"""What joblib gives to each backend when it is configured."""


class ConcurrentBackend(AutoBatchingMixin, ParallelBackendBase):  # type: ignore[misc]  # joblib has no types
    """Runs the batches of ``joblib.Parallel`` as tasks of a cluster; see the module.

    Within a task there is no cluster to be had by an address: what names this backend there runs one call after
    the other, so that tasks do not wait for each other.

    :param cluster: a ``LocalCluster`` or ``ClusterExecutor``, which stays open, or a view that ``options()`` of
        one returns; or ``HOST:PORT`` of a master, None for the cluster that this user has joined. Those get an
        executor of their own, which ends with the backend.
    :param nesting_level: of joblib: 0 outside of its calls.
    :raises TypeError: if the cluster is something else.
    :raises SchedulingError: if it has a job.
    """

    supports_retrieve_callback = True
    default_n_jobs = -1

    def __init__(
        self, cluster: ClusterExecutor | ExecutorView | str | None = None, *, nesting_level: int | None = None
    ) -> None:
        super().__init__(nesting_level=nesting_level)
        if cluster is not None and not isinstance(cluster, str):
            check_cluster(cluster)
        self._cluster = cluster
        self._pool: ExecutorView | None = None
        self._bytes_min: int | None = None
        self._mode: str | None = None
        self._large: LargeArguments | None = None

    def effective_n_jobs(self, n_jobs: int | None) -> int:
        """Return how many calls may run at a time: with -1 as many as the cluster has workers.

        A cluster with one worker, or none yet, counts as two: else joblib would run all calls in the program.

        :param n_jobs: a number, or a negative one: -1 for all workers, -2 for all but one, and so on.
        :raises ValueError: if it is 0.
        :raises ConcurrentError: if the cluster does not say.
        """
        if n_jobs == 0:
            raise ValueError("n_jobs == 0 in Parallel has no meaning")
        if self._is_nested:
            return 1
        if n_jobs is None:
            n_jobs = -1
        return n_jobs if n_jobs > 0 else max(2, self._executor().workers + 1 + n_jobs)

    def configure(self, n_jobs: int = 1, parallel: Parallel = None, **options: Any) -> int:
        """Begin to work for a ``Parallel``; returns how many calls may run at a time.

        :param options: what a ``Parallel`` is given; much of it is about processes and files of its machine.
        :raises TypeError: if it is given what no backend has to know.
        """
        for name in options.keys() - OPTIONS_OF_ALL:
            raise TypeError(f"Parallel was given {name}, which the backend 'concurrent' does not take")
        if self._is_nested:
            raise FallbackToBackend(SequentialBackend(nesting_level=self.nesting_level))
        self._bytes_min = options.get("max_nbytes")
        self._mode = options.get("mmap_mode")
        self.parallel = weakref.proxy(parallel)  # which has this backend: both shall end with their last user
        count = self.effective_n_jobs(n_jobs)
        self._pool = self._executor().options()
        return count

    def start_call(self) -> None:
        """Begin with the calls of a ``Parallel``: what joblib would put into files is not sent with each."""
        if self._bytes_min is not None and self._mode in ("r", "c"):
            stand_ins = stand_ins_of(self._executor())
            self._large = LargeArguments(stand_ins, self._bytes_min, is_writable=self._mode == "c")

    def stop_call(self) -> None:
        """Have the arguments of the next calls looked at anew: they may have changed."""
        self._large = None

    def submit(self, func: BatchedCalls, callback: Callable[[Future[Any]], object]) -> Future[Any]:
        """Have a batch run. Whatever prevents it is its outcome: joblib waits for that of each batch."""
        assert self._pool is not None, "joblib configures a backend first"
        future: Future[Any]
        try:
            future = self._pool.submit(
                Batch(func if self._large is None else _with_stand_ins(func, self._large))
            )
        except Exception as error:  # boundary: on the thread for callbacks nobody else would be told
            future = Future()
            future.set_exception(error)
        future.add_done_callback(callback)
        return future

    def retrieve_result_callback(self, out: Future[Any]) -> Any:
        """Return the results of a batch that has ended.

        :raises BaseException: what one of its calls has raised.
        """
        return out.result()

    def abort_everything(self, ensure_ready: bool = True) -> None:  # noqa: FBT001, FBT002  as joblib calls it
        """Cancel what is not finished; workers that run it are ended."""
        if self._pool is not None:
            self._pool.shutdown(wait=False, cancel_futures=True)
            self._pool = self._executor().options() if ensure_ready else None

    def terminate(self) -> None:
        """End the work for a ``Parallel``. The cluster stays."""
        self._pool = None
        self.reset_batch_stats()

    @property
    def _is_nested(self) -> bool:
        return current_task().number != 0 and (self._cluster is None or isinstance(self._cluster, str))

    def _executor(self) -> ClusterExecutor | ExecutorView:
        """Return that which was given, or its own one; that closes itself when nobody has it any more."""
        if self._cluster is None or isinstance(self._cluster, str):
            from concurrent.apps import ClusterExecutor  # not for workers, which import this module for batches

            self._cluster = ClusterExecutor(self._cluster)
        return self._cluster


class Batch:
    """A batch of calls as it travels. A worker that unpickles it imports this module, and so knows the backend.

    :param calls: what joblib has put together.
    """

    runs_long: ClassVar[bool] = True
    """Has a worker send the results of former batches before it begins this one."""

    def __init__(self, calls: BatchedCalls) -> None:
        self._calls = calls

    @property
    def __name__(self) -> str:
        """What the task is called: the name of the function of the first call."""
        function = self._calls.items[0][0]
        return getattr(function, "__name__", type(function).__name__)

    def __call__(self) -> Any:
        """Return the results of the calls."""
        return self._calls()


def _with_stand_ins(calls: BatchedCalls, large: LargeArguments) -> BatchedCalls:
    """Return calls where something else travels for large arguments."""
    replaced = copy(calls)
    replaced.items = [
        (
            function,
            tuple(map(large.replaced, arguments)),
            {name: large.replaced(value) for name, value in named.items()},
        )
        for function, arguments, named in calls.items
    ]
    return replaced


register_parallel_backend("concurrent", ConcurrentBackend)
