"""Makes the answers to who looks at a cluster, see ``observed.py``. Loop thread only."""

from __future__ import annotations

import time
from concurrent.futures import Future

from concurrent.apps.clusternow import moment_of
from concurrent.apps.failurelist import failures_for
from concurrent.apps.health import health_of
from concurrent.apps.latest import Latest
from concurrent.apps.metrics import Metric, metrics_of
from concurrent.apps.observed import (
    FailuresStatus,
    HealthStatus,
    NowStatus,
    OutputsList,
    OutputStatus,
    ProgressStatus,
    SeriesStatus,
    TaskDetails,
    TasksList,
    WorkersList,
)
from concurrent.apps.outputlist import OutputLister
from concurrent.apps.progresslist import progress_of
from concurrent.apps.registry import NodeRegistry
from concurrent.apps.slavelist import slaves_of
from concurrent.apps.taskdetails import TaskFinder
from concurrent.apps.tasklist import TaskFilter, TaskLister
from concurrent.apps.telemetryviews import series_of, taken_part
from concurrent.scheduling.master.dispatcher import Dispatcher
from concurrent.scheduling.telemetry.timeline import BarsPart
from concurrent.transport.security.identity import Identity

__all__ = ["Observer"]


class Observer:
    """See the module.

    :param registry: knows where the pages of nodes are, and which have left.
    :param started_at: when the master began, in seconds since the epoch.
    """

    def __init__(self, dispatcher: Dispatcher, registry: NodeRegistry, started_at: float) -> None:
        self._dispatcher = dispatcher
        self._registry = registry
        self._now = Latest(lambda: moment_of(dispatcher, registry.lost_slaves(), time.time()))
        self._progress = Latest(lambda: progress_of(dispatcher))
        self._metrics = Latest(lambda: metrics_of(dispatcher, started_at))

    def now(self, identity: Identity) -> NowStatus:
        """Return whether the cluster moves, if not, why, and what is wrong with it, to somebody."""
        return self._now.get().shown_to(identity)

    def progress(self, job: str = "") -> ProgressStatus:
        """Return how far each function of each job is, or of one job."""
        return progress_of(self._dispatcher, job) if job else self._progress.get()

    def metrics(self) -> list[Metric]:
        """Return what is measured of the cluster."""
        return self._metrics.get()

    def health(self) -> HealthStatus:
        """Return whether the master accepts tasks and gives them out."""
        return health_of(self._dispatcher)

    def tasks(self, wanted: TaskFilter, identity: Identity) -> TasksList:
        """Return the tasks that somebody wants to see."""
        return TaskLister(self._dispatcher, identity, time.time()).list(wanted)

    def workers(self, limit: int) -> WorkersList:
        """Return the slaves and their workers, so many slaves at most."""
        return slaves_of(self._dispatcher, self._registry.address_of, time.time(), limit)

    def failures(self, identity: Identity, job: str) -> FailuresStatus:
        """Return how tasks failed, of one job if one is named, to somebody."""
        return failures_for(self._dispatcher, identity, job)

    def details(self, task: str, identity: Identity) -> TaskDetails:
        """Return all that is known of a task, to somebody; see :meth:`.TaskFinder.details`."""
        return TaskFinder(self._dispatcher, identity, time.time()).details(task)

    def output(self, task: str, identity: Identity) -> Future[OutputStatus]:
        """Return what a task has printed, to somebody; see :meth:`.TaskFinder.output`."""
        return TaskFinder(self._dispatcher, identity, time.time()).output(task)

    def outputs(self, job: str, identity: Identity, after: int, limit: int, offset: int) -> Future[OutputsList]:
        """Return what tasks of a job have printed, to somebody; see :meth:`.OutputLister.part`."""
        return OutputLister(self._dispatcher, identity, time.time()).part(job, after, limit, offset)

    def bars(self, after: int) -> BarsPart:
        """Return a copy of the bars behind one."""
        return taken_part(self._dispatcher.observatory.timeline, after)

    def series(self, resolution_s: float, after: float) -> SeriesStatus:
        """Return figures in time, those behind a moment.

        :raises InvalidArguments: if there is no such resolution.
        """
        return series_of(self._dispatcher.observatory.series, resolution_s, after)
