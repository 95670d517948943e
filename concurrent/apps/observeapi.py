"""What a master says of a running cluster at its JSON API, to people, pages and programs that look.

Nothing is kept for those who look: each answer is taken from what the ledger has at that moment, or from what
was noted once for a batch of tasks. What tasks say and raise is for who may touch their job only, see
``observed.py``.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, Final, TypeVar

from concurrent.apps.clusternow import now_of
from concurrent.apps.failurelist import failures_for
from concurrent.apps.health import health_of
from concurrent.apps.latest import Latest
from concurrent.apps.metrics import CONTENT_TYPE, metrics_of, text_of_metrics
from concurrent.apps.observed import (
    ChangesStatus,
    FailuresStatus,
    HealthStatus,
    NowStatus,
    OutputStatus,
    ProgressStatus,
    SeriesStatus,
    TaskDetails,
    TasksList,
    TimelineStatus,
    WorkersList,
)
from concurrent.apps.progresslist import progress_of
from concurrent.apps.registry import NodeRegistry
from concurrent.apps.slavelist import slaves_of
from concurrent.apps.taskdetails import TaskFinder
from concurrent.apps.tasklist import TaskLister, check_part, checked_filter
from concurrent.apps.telemetryviews import series_of, taken_part, timeline_of
from concurrent.core.rows import ROWS_MAX
from concurrent.scheduling.master.dispatcher import Dispatcher
from concurrent.scheduling.telemetry.series import SECOND_S
from concurrent.scheduling.telemetry.timeline import BarsPart
from concurrent.transport.calls.answer import Request
from concurrent.transport.calls.methods import HasMethods, jsonremote
from concurrent.transport.loop.loop import NodeLoop
from concurrent.transport.security.roles import OBSERVERS, SUBMITTERS
from concurrent.transport.web.service import JSONService

__all__ = ["ObserveAPI"]

CALL_TIMEOUT_S: Final = 10.0

T = TypeVar("T")


class ObserveAPI:
    """See the module. Its methods are for the threads of the JSON API.

    :param registry: knows where the pages of nodes are, and which have left.
    """

    def __init__(self, loop: NodeLoop, dispatcher: Dispatcher, registry: NodeRegistry) -> None:
        self._loop = loop
        self._dispatcher = dispatcher
        self._registry = registry
        self._now = Latest(lambda: now_of(dispatcher, registry.gone_slaves(), time.time()))
        self._progress = Latest(lambda: progress_of(dispatcher))

    def register_methods(self, service: HasMethods) -> None:
        """Register everything with the JSON API of the master."""
        self._register_figures(service)
        self._register_lists(service)
        self._register_task(service)

    def now(self) -> NowStatus:
        """Return whether the cluster moves, and if not, why. Any thread but the loop's."""
        return self._ask(self._now.get)

    def add_views(self, service: JSONService) -> None:
        """Answer programs that measure the cluster and look after the master."""
        started_at = time.time()
        metrics = Latest(lambda: metrics_of(self._dispatcher, started_at))
        service.add_view(
            "/metrics",
            lambda: text_of_metrics(self._ask(metrics.get)),
            "Figures of the cluster, as Prometheus reads them.",
            str,
            content_type=CONTENT_TYPE,
        )
        service.add_view(
            "/health",
            lambda: self._ask(lambda: health_of(self._dispatcher)).to_json(),
            "Whether the master accepts tasks and gives them out.",
            HealthStatus,
        )

    def _register_figures(self, service: HasMethods) -> None:
        dispatcher = self._dispatcher

        @jsonremote(service, roles=OBSERVERS)
        def now(_request: Any) -> NowStatus:
            """Return whether the cluster moves at this moment, and in one line why not."""
            return self.now()

        @jsonremote(service, roles=OBSERVERS)
        def progress(_request: Any) -> ProgressStatus:
            """Return how far each function of each job is."""
            return self._ask(self._progress.get)

        @jsonremote(service, roles=OBSERVERS)
        def timeline(
            _request: Any, after: int = 0, start_at: float = 0.0, stop_at: float = 0.0
        ) -> TimelineStatus:
            """Return what ran where: the bars after one, or those between two moments."""
            part = self._ask(lambda: taken_part(dispatcher.observatory.timeline, after))
            return timeline_of(part, after, start_at, stop_at)

        @jsonremote(service, roles=OBSERVERS)
        def series(_request: Any, resolution_s: float = 1.0, after: float = 0.0) -> SeriesStatus:
            """Return figures of the cluster for each second of 15 minutes, or each minute of a day."""
            return self._ask(lambda: series_of(dispatcher.observatory.series, resolution_s, after))

        @jsonremote(service, roles=OBSERVERS)
        def changes(_request: Any, after: int = 0, points_after: float = 0.0) -> ChangesStatus:
            """Return what is new for who looks again and again, and what to ask for the next time."""
            now, progress, points, part = self._ask(lambda: self._news(after, points_after))
            bars = timeline_of(part, after)
            return ChangesStatus(now, progress, bars, points, bars.after, points.after)

    def _register_lists(self, service: HasMethods) -> None:
        dispatcher = self._dispatcher

        @jsonremote(service, roles=OBSERVERS)
        def tasks(
            request: Request,
            state: str = "",
            function: str = "",
            job: str = "",
            *,
            failed: bool = False,
            limit: int = 100,
            offset: int = 0,
        ) -> TasksList:
            """Return tasks: those that run, those that failed, and in each state the newest first."""
            wanted = checked_filter(state, function, job, limit, offset, failed=failed)
            return self._ask(lambda: TaskLister(dispatcher, request.identity, time.time()).list(wanted))

        @jsonremote(service, roles=OBSERVERS)
        def workers(_request: Any, limit: int = ROWS_MAX) -> WorkersList:
            """Return the slaves and their workers: what they run, and what they use."""
            check_part(limit)
            address_of = self._registry.address_of
            return self._ask(lambda: slaves_of(dispatcher, address_of, time.time(), limit))

        @jsonremote(service, roles=OBSERVERS)
        def failures(request: Request) -> FailuresStatus:
            """Return failures by job, function and exception, the latest first."""
            return self._ask(lambda: failures_for(dispatcher, request.identity))

    def _register_task(self, service: HasMethods) -> None:
        @jsonremote(service, roles=OBSERVERS)
        def task(request: Request, task: str) -> TaskDetails:
            """Return all that is known of a task: ``JOB/ID``, or its number at the master."""
            return self._ask(lambda: TaskFinder(self._dispatcher, request.identity, time.time()).details(task))

        @jsonremote(service, roles=SUBMITTERS)
        def output(request: Request, task: str) -> Future[OutputStatus]:
            """Return the end of what a task has printed: ``JOB/ID``, or its number at the master."""
            return self._ask(lambda: TaskFinder(self._dispatcher, request.identity, time.time()).output(task))

    def _news(
        self, after: int, points_after: float
    ) -> tuple[NowStatus, ProgressStatus, SeriesStatus, BarsPart]:
        """Return what there is to tell somebody who looks again. Loop thread only."""
        dispatcher = self._dispatcher
        return (
            self._now.get(),
            self._progress.get(),
            series_of(dispatcher.observatory.series, SECOND_S, points_after),
            taken_part(dispatcher.observatory.timeline, after),
        )

    def _ask(self, make: Callable[[], T]) -> T:
        """Have the loop make an answer."""
        answer: T = self._loop.call(make, timeout_s=CALL_TIMEOUT_S)
        return answer
