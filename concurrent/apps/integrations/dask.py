"""Graphs of Dask on a cluster: arrays, bags and delayed calls are computed there within a ``with`` block.

Dask takes any executor as it is: ``dask.config.set(scheduler=cluster)``. With :func:`dask_on` tasks are named
after the parts of the graph, workers have the next part at hand while they compute one, and what is unfinished
is cancelled when the block is left by an exception.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, ClassVar, Final

from concurrent.apps.integrations.clusters import check_cluster
from concurrent.apps.integrations.missing import not_installed

try:
    import dask.config
    from dask.utils import key_split
except ImportError as error:
    raise not_installed("dask", error) from error

if TYPE_CHECKING:
    from concurrent.apps import ClusterExecutor, ExecutorView

__all__ = ["dask_on"]

AHEAD: Final = 2
"""How many parts of a graph are submitted for each worker, the one that it computes included."""


@contextmanager
def dask_on(cluster: ClusterExecutor | ExecutorView) -> Iterator[None]:
    """Have Dask compute on a cluster within a ``with`` block. Any thread that computes in it.

    :param cluster: a ``LocalCluster`` or ``ClusterExecutor``, which stays open, or a view of one, which asks
        for something with each part of a graph.
    :raises TypeError: if it is something else.
    :raises SchedulingError: if it has a job.
    """
    check_cluster(cluster)
    with cluster.options() as view, dask.config.set(scheduler=GraphExecutor(view)):
        yield


class GraphExecutor(Executor):
    """What Dask is given: submits parts of graphs through a view.

    :param view: of the cluster; whoever made it closes it.
    """

    def __init__(self, view: ExecutorView) -> None:
        self._view = view

    @property
    def _max_workers(self) -> int:
        """How many parts Dask submits at a time."""
        return AHEAD * max(1, self._view.workers)

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Have parts of a graph computed: Dask gives a function of its own, and a list of keys and data."""
        return self._view.submit(Parts(fn, *args, **kwargs))


class Parts:
    """Some parts of a graph as they travel.

    :param function: computes them.
    :param parts: tuples that begin with a key.
    """

    runs_long: ClassVar[bool] = True
    """Has a worker send the results of former parts before it begins these."""

    def __init__(self, function: Callable[[list[tuple[Any, ...]]], Any], parts: list[tuple[Any, ...]]) -> None:
        self._function = function
        self._parts = parts

    @property
    def __name__(self) -> str:
        """What the task is called: the first key without its number and place."""
        return str(key_split(self._parts[0][0]))

    def __call__(self) -> Any:
        """Return what Dask's function does."""
        return self._function(self._parts)
