"""What a master says of a running cluster at its JSON API, to people, pages and programs that look.

Nothing is kept for those who look: each answer is taken from what the ledger has at that moment, or from what
was noted once for a batch of tasks. What tasks say and raise is for who may touch their job only, see
``observed.py``. What makes the answers is imported when somebody asks: most masters are never looked at.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any, Final, TypeVar

from concurrent.apps.registry import NodeRegistry
from concurrent.core.rows import ROWS_MAX
from concurrent.scheduling.master.dispatcher import Dispatcher
from concurrent.transport.calls.answer import Request
from concurrent.transport.calls.methods import HasMethods, jsonremote
from concurrent.transport.loop.loop import NodeLoop
from concurrent.transport.security.roles import OBSERVERS, SUBMITTERS
from concurrent.transport.web.service import JSONService

if TYPE_CHECKING:
    from concurrent.apps.observed import (
        ChangesStatus,
        FailuresStatus,
        NowStatus,
        OutputsList,
        OutputStatus,
        ProgressStatus,
        SeriesStatus,
        TaskDetails,
        TasksList,
        TimelineStatus,
        WorkersList,
    )
    from concurrent.apps.observer import Observer

__all__ = ["ObserveAPI"]

TYPES_FROM: Final = ("concurrent.apps.observed",)
"""Where the types of the answers are, for the documents that describe the API."""

CALL_TIMEOUT_S: Final = 10.0

OUTPUTS_MAX: Final = 100
"""Of so many tasks the output is told at a time."""

METRICS_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"

T = TypeVar("T")


class ObserveAPI:
    """See the module. Its methods are for the threads of the JSON API.

    :param registry: knows where the pages of nodes are, and which have left.
    """

    def __init__(self, loop: NodeLoop, dispatcher: Dispatcher, registry: NodeRegistry) -> None:
        self._loop = loop
        self._dispatcher = dispatcher
        self._registry = registry
        self._started_at = time.time()
        self._observer: Observer | None = None

    def add_views(self, service: JSONService) -> None:
        """Answer programs that measure the cluster and look after the master."""
        service.add_view(
            "/metrics",
            self._metrics,
            "Figures of the cluster, as Prometheus reads them.",
            str,
            content_type=METRICS_TYPE,
        )
        service.add_view(
            "/health",
            lambda: self._ask(lambda observer: observer.health()),
            "Whether the master accepts tasks and gives them out; the status is 503 if it does not.",
            "concurrent.apps.observed.HealthStatus",
            is_ok=lambda health: health.ok,
        )

    def register_methods(self, service: HasMethods) -> None:
        """Register everything with the JSON API of the master."""
        self._register_figures(service)
        self._register_lists(service)
        self._register_task(service)

    def _register_figures(self, service: HasMethods) -> None:
        @jsonremote(service, roles=OBSERVERS)
        def now(request: Request) -> NowStatus:
            """Return whether the cluster moves at this moment, why not, and what is wrong with it."""
            return self._ask(lambda observer: observer.now(request.identity))

        @jsonremote(service, roles=OBSERVERS)
        def progress(_request: Any, job: str = "") -> ProgressStatus:
            """Return how far each function of each job is, or of those jobs that have a name or an id."""
            return self._ask(lambda observer: observer.progress(job))

        @jsonremote(service, roles=OBSERVERS)
        def timeline(
            _request: Any, after: int = 0, start_at: float = 0.0, stop_at: float = 0.0
        ) -> TimelineStatus:
            """Return what ran where: the newest bars, those after one (-1: all), or between two moments."""
            from concurrent.apps.telemetryviews import timeline_of

            part = self._ask(lambda observer: observer.bars(after))
            return timeline_of(part, after, start_at, stop_at)

        @jsonremote(service, roles=OBSERVERS)
        def series(_request: Any, resolution_s: float = 1.0, after: float = 0.0) -> SeriesStatus:
            """Return figures of the cluster for each second of 15 minutes, or each minute of a day."""
            return self._ask(lambda observer: observer.series(resolution_s, after))

        @jsonremote(service, roles=OBSERVERS)
        def changes(request: Request, after: int = 0, points_after: float = 0.0) -> ChangesStatus:
            """Return what is new for who looks again and again, and what to ask for the next time."""
            from concurrent.apps.observed import ChangesStatus
            from concurrent.apps.telemetryviews import timeline_of

            now, progress, points, part = self._ask(
                lambda observer: (
                    observer.now(request.identity),
                    observer.progress(),
                    observer.series(1.0, points_after),
                    observer.bars(after),
                )
            )
            bars = timeline_of(part, after)
            return ChangesStatus(now, progress, bars, points, bars.after, points.after)

    def _register_lists(self, service: HasMethods) -> None:
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
            from concurrent.apps.tasklist import checked_filter

            wanted = checked_filter(state, function, job, limit, offset, failed=failed)
            return self._ask(lambda observer: observer.tasks(wanted, request.identity))

        @jsonremote(service, roles=OBSERVERS)
        def workers(_request: Any, limit: int = ROWS_MAX) -> WorkersList:
            """Return the slaves and their workers: what they run, and what they use."""
            from concurrent.apps.tasklist import check_part

            check_part(limit)
            return self._ask(lambda observer: observer.workers(limit))

        @jsonremote(service, roles=OBSERVERS)
        def failures(request: Request, job: str = "") -> FailuresStatus:
            """Return failures by job, function and exception, the latest first; those of jobs that have a name
            or an id if one is given."""
            return self._ask(lambda observer: observer.failures(request.identity, job))

    def _register_task(self, service: HasMethods) -> None:
        @jsonremote(service, roles=OBSERVERS)
        def task(request: Request, task: str) -> TaskDetails:
            """Return all that is known of a task: ``JOB/ID``, or its number at the master."""
            return self._ask(lambda observer: observer.details(task, request.identity))

        @jsonremote(service, roles=SUBMITTERS)
        def output(request: Request, task: str) -> Future[OutputStatus]:
            """Return the end of what a task has printed: ``JOB/ID``, or its number at the master."""
            return self._ask(lambda observer: observer.output(task, request.identity))

        @jsonremote(service, roles=SUBMITTERS)
        def outputs(
            request: Request, job: str, *, after: int = 0, limit: int = OUTPUTS_MAX, offset: int = 0
        ) -> Future[OutputsList]:
            """Return what the tasks of a job have printed that have ended, and those that run."""
            from concurrent.apps.tasklist import check_part

            check_part(limit, offset, OUTPUTS_MAX)
            return self._ask(lambda observer: observer.outputs(job, request.identity, after, limit, offset))

    def _metrics(self) -> str:
        from concurrent.apps.metrics import text_of_metrics

        return text_of_metrics(self._ask(lambda observer: observer.metrics()))

    def _ask(self, make: Callable[[Observer], T]) -> T:
        """Have the loop make an answer."""
        from concurrent.apps.observer import Observer  # here, so that the loop does not wait for it

        def answer() -> T:
            if self._observer is None:
                self._observer = Observer(self._dispatcher, self._registry, self._started_at)
            return make(self._observer)

        return self._loop.call(answer, timeout_s=CALL_TIMEOUT_S)
