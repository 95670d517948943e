"""What a user gives to an integration: an executor of this framework that it can use."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from concurrent.core.errors import SchedulingError

if TYPE_CHECKING:
    from concurrent.apps import ClusterExecutor, ExecutorView

__all__ = ["check_cluster", "cluster_of"]


def check_cluster(executor: Any) -> None:
    """See that something is a cluster, or a view of one, that can run what another library puts together.

    :raises TypeError: if it is something else.
    :raises SchedulingError: if it has a job, which knows calls by their order: that of libraries varies.
    """
    from concurrent.apps import ClusterExecutor, ExecutorView  # not for workers, which unpickle what is here

    if not isinstance(executor, (ClusterExecutor, ExecutorView)):
        raise TypeError(
            "cluster must be a LocalCluster, a ClusterExecutor, a view of one, or HOST:PORT, "
            f"but is {executor!r}"
        )
    if cluster_of(executor)._core.job is not None:
        raise SchedulingError(
            "an executor with a job cannot run what joblib or Dask put together: that differs from run to run, "
            "and the job would give back results of other calls",
            thing="cluster",
            value=executor,
            remedy="Use an executor without a job; for work that outlives the program, submit it yourself",
        )


def cluster_of(executor: ClusterExecutor | ExecutorView) -> ClusterExecutor:
    """Return the cluster itself if it is a view of one."""
    from concurrent.apps import ExecutorView

    return executor._cluster if isinstance(executor, ExecutorView) else executor
