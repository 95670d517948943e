"""A program's connection to a cluster: registered, pushing tasks and task systems. One for each program."""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeoutError
from contextlib import suppress
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from concurrent.apps.access import Way
from concurrent.apps.api import NodeType
from concurrent.apps.jobseat import JobSeat
from concurrent.apps.jobwish import JobAnswer, JobWish
from concurrent.apps.masterlink import Joined, MasterLink
from concurrent.apps.opensystems import OpenSystems
from concurrent.apps.runtime import PYTHON, describe_runtime
from concurrent.core.component import ComponentManager
from concurrent.core.errors import (
    CallTimeout,
    ConcurrentError,
    ConnectionLost,
    LoopClosed,
    NodeError,
    UnknownMethod,
)
from concurrent.core.loggers import get_log
from concurrent.core.stats import Stats
from concurrent.scheduling.owner.former import GoesOn
from concurrent.scheduling.owner.news import TaskNews
from concurrent.scheduling.owner.results import Outcome
from concurrent.scheduling.owner.taskclient import TaskClient
from concurrent.scheduling.pickling.codebook import CodeBook
from concurrent.scheduling.pickling.coding import Codec
from concurrent.scheduling.pickling.sources import folder_of_program
from concurrent.scheduling.tasks.options import NO_OPTIONS, Options
from concurrent.scheduling.wire.messages import to_master, to_owner
from concurrent.transport.calls.handler import TCPHandler
from concurrent.transport.calls.methods import HasMethods, receives
from concurrent.transport.loop.loop import NodeLoop
from concurrent.transport.session.limits import Limits

if TYPE_CHECKING:
    from concurrent.scheduling.projects.packing import PackedProject
    from concurrent.scheduling.tasks.explanation import Explanation

__all__ = ["ClusterClient"]

CALL_TIMEOUT_S: Final = 10.0
LATE_S: Final = 1.0
NO_WORKERS_S: Final = 3.0
NO_WORKERS_AGAIN_S: Final = 30.0
"""How soon, and how often, it is said that a cluster has no workers."""

log = get_log(__name__)


class ClusterClient:
    """See the module. Its callbacks are called on the loop.

    :param own_modules: modules whose code has to travel with the tasks.
    :param identity: what the program says of itself at its registration, for people.
    :param wish: what the program wants of its job; None: one that ends with it.
    :param own_folders: where imports of the program's own modules begin; None: where they do for its file.
    :param on_outcomes: called with the outcomes of tasks that came together.
    :param on_accepted: called with the tasks that the master has accepted.
    :param news: who wants to know what happens to tasks before they end.
    :param on_system_accepted: called with a task system that the master hosts.
    :param on_system_progress: called with a task system, how much it has done, and of how much in all.
    :param on_system_outcome: called with the outcome of a task system.
    :param on_joined: called with each session that was bound to the job, and what the master said of that.
    :param on_refused: called with the error when the master will never take this program in.
    :param weight: how many turns and shares of slaves it has, where other programs have one.
    :param project: what goes along with its code.
    :param requirements: what its workers have to be of an environment with; empty: any will do.
    :param codec: as for :class:`~concurrent.scheduling.owner.taskclient.TaskClient`.
    """

    def __init__(  # noqa: PLR0913  what is called back, by name
        self,
        loop: NodeLoop,
        node_id: str,
        *,
        own_modules: Sequence[str] = (),
        identity: Mapping[str, Any] | None = None,
        wish: JobWish | None = None,
        own_folders: Sequence[str] | None = None,
        on_outcomes: Callable[[list[Outcome]], object],
        on_accepted: Callable[[list[Any]], object] | None = None,
        news: TaskNews | None = None,
        on_system_accepted: Callable[[Any], object] | None = None,
        on_system_progress: Callable[[Any, int, int], object] | None = None,
        on_system_outcome: Callable[[Outcome], object] | None = None,
        on_joined: Callable[[TCPHandler, JobAnswer], object] | None = None,
        on_refused: Callable[[ConcurrentError], object] | None = None,
        weight: int = 1,
        project: PackedProject | None = None,
        requirements: str = "",
        codec: Codec | None = None,
    ) -> None:
        self.tasks = TaskClient(
            loop,
            _code_of(
                project,
                own_modules,
                [folder_of_program()] if own_folders is None else own_folders,
                requirements,
            ),
            on_outcomes=on_outcomes,
            on_accepted=on_accepted,
            news=news,
            codec=codec,
        )
        self._loop = loop
        self._node_id = node_id
        self._systems = OpenSystems(
            loop,
            self.tasks,
            on_accepted=on_system_accepted,
            on_progress=on_system_progress,
            on_outcome=on_system_outcome,
        )
        self._on_joined = on_joined
        self._on_refused = on_refused
        self._identity = dict(identity or {})
        self._weight = weight
        self._seat = JobSeat(replace(wish or JobWish(), fingerprint=describe_runtime()))
        self.wants_workers = 0
        """How many workers this program waits for. Any thread."""
        self._failure: ConcurrentError | None = None
        self._handler: TCPHandler | None = None
        self._has_joined = threading.Event()
        self._has_attached = threading.Event()
        self._left_over: int | None = None  # how many tasks, once this program has begun
        self._is_leaving_job = False
        self._link: MasterLink | None = None

    @property
    def state(self) -> str:
        """Whether the master has taken this program in. Any thread."""
        return self._link.state if self._link is not None else "not registered"

    def start(
        self, way: Way, http_port: int, stats: Stats, limits: Limits, *, components: ComponentManager
    ) -> None:
        """Begin to look for the master; what is pushed meanwhile waits. Any thread.

        :param way: that to its JSON API.
        :param http_port: the port of this program's own JSON API, 0 if it has none.
        :param components: has the carriers of the compute channel that the master names.
        """
        self._master = way.address
        self._link = MasterLink(
            self._loop,
            way,
            node_id=self._node_id,
            node_type=NodeType.application,
            http_port=http_port,
            describe=self._describe,
            register_methods=self._register_methods,
            prepare=lambda answer: None,
            on_joined=self._joined,
            on_left=self._left,
            on_refused=self._refused,
            stats=stats,
            limits=limits,
            components=components,
            seat=self._seat,
            arrived_to=lambda: self.tasks.arrived_to,
        )
        self._link.start()

    def stop(self, timeout_s: float = 5.0, *, why: str = "") -> None:
        """Say goodbye: the master frees what is unfinished. Not the loop's thread.

        :param why: what the master is told.
        """
        if self._link is not None:
            self._link.stop(timeout_s, why=why)

    def give_up(self, error: ConcurrentError) -> None:
        """Nothing will come any more: end what waits. Any thread, also after the end of the loop."""
        self._failure = error
        self._handler = None
        self._has_joined.set()
        self._has_attached.set()
        with suppress(LoopClosed):
            if self._is_leaving_job:
                self.tasks.refuse(error.message)
            else:
                self.tasks.close(error.message)

    def attached(self) -> JobAnswer:
        """Return what the master said of this program's job; waits until it has. Not the loop's thread.

        :raises ConcurrentError: if there is no hope of that; see :meth:`give_up`.
        """
        self._has_attached.wait()
        if self._seat.answer is None:
            raise self._failure or LoopClosed("this program has left its master")
        return self._seat.answer

    def begun(self) -> int:
        """Tell the master that all is pushed that this program begins with. Any thread but the loop's.

        Returns how many tasks a former program has pushed and this one has not; they come with their outcomes.
        """
        return self._loop.call(self._begin, timeout_s=CALL_TIMEOUT_S)

    def when_accepted(self, call: Callable[[], object]) -> None:
        """Have ``call()`` called on the loop once the master answers for all that was pushed. Any thread."""
        self.tasks.when_accepted(partial(self._systems.when_hosted, call))

    def detach(self) -> None:
        """Have the job go on without this program, which stops next. Any thread but the loop's."""
        self._is_leaving_job = True
        with suppress(LoopClosed, FutureTimeoutError):
            self._loop.call(self._tell_leaving, timeout_s=CALL_TIMEOUT_S)

    def push_system(self, system: Any, options: Options = NO_OPTIONS) -> int:
        """Have the master host a task system; returns the number that it gets. Any thread.

        :param options: what is asked for each of its tasks.
        :raises SchedulingError: if it cannot be pickled.
        """
        return self._systems.push(system, options)

    def adopt_system(self, system_id: int, system: Any) -> None:
        """Wait for the outcome of a task system that a former program of the job has pushed. Any thread.

        :raises SchedulingError: if it cannot be pickled.
        """
        self._systems.adopt(system_id, system)

    def heard_of_system(self, system: Any) -> None:
        """Let the master know that this program has dealt with the outcome of a task system. Any thread."""
        self._systems.heard(system)

    @property
    def waits_for(self) -> str:
        """What this program waits for; nothing if it does not. Any thread."""
        if self._link is not None and self._link.waits_for:
            return self._link.waits_for
        if self.wants_workers:
            return f"a cluster with {self.wants_workers} workers"
        return self.tasks.room.waits_for

    def count_workers(self) -> int:
        """Return how many worker processes the cluster has now. Not the loop's thread.

        Waits until this program has joined its master, as all that it pushes does.

        :raises ConcurrentError: if there is no hope of that; see :meth:`give_up`.
        :raises CallTimeout: if the master does not answer.
        """
        while True:
            self._has_joined.wait()
            handler = self._handler
            if self._failure is not None:
                raise self._failure
            if handler is None:  # it was lost just now
                continue
            try:
                answer = handler.call(to_master.count_workers.within(CALL_TIMEOUT_S))
                return answer.result(CALL_TIMEOUT_S + LATE_S)
            except CallTimeout:
                raise
            except FutureTimeoutError:  # not even that: the loop has ended
                raise self._failure or LoopClosed("this program has left its master") from None
            except ConnectionLost:
                self._loop.call(bool, timeout_s=CALL_TIMEOUT_S)  # which takes note of it

    def output_of(self, task_id: int) -> str:
        """Return the end of what a task has printed. Not the loop's thread.

        :raises ConcurrentError: if the master cannot be asked, or is too old to know.
        """
        self._has_joined.wait(CALL_TIMEOUT_S)
        handler = self._handler
        if handler is None:
            raise self._failure or NodeError(
                "there is no master that knows what tasks print",
                thing="output",
                remedy="Ask again when this program has joined its master",
            )
        if not handler.peer_has(to_master.OUTPUT):
            raise NodeError(
                f"the master at {self._master} does not know what tasks print",
                thing="output",
                remedy="Update it, or see the logs of its slaves",
            )
        answer = handler.call(to_master.output.within(CALL_TIMEOUT_S), task_id)
        try:
            return answer.result(CALL_TIMEOUT_S + LATE_S)
        except FutureTimeoutError:  # not even that: the loop has ended
            raise self._failure or LoopClosed("this program has left its master") from None

    def explain(self, task_id: int) -> Explanation:
        """Return why a task waits, as the master says it, or as is known here. Not the loop's thread.

        :raises NodeError: if the master is too old to say it.
        :raises CallTimeout: if it does not answer.
        """
        from concurrent.scheduling.tasks.explanation import NOT_THERE, Explanation, not_there

        handler = self._handler
        if handler is None or self._failure is not None or not task_id:
            return not_there(task_id, self._node_id, self.waits_for)
        try:
            answer = handler.call(to_master.explain.within(CALL_TIMEOUT_S), task_id)
            found = Explanation.from_json(answer.result(CALL_TIMEOUT_S + LATE_S))
        except UnknownMethod:
            raise NodeError(
                f"the master at {self._master} does not say why tasks wait: it is of an older version",
                thing="explain",
                value=str(self._master),
                remedy="Start a master of this version",
            ) from None
        except CallTimeout:
            raise
        except FutureTimeoutError:  # not even that: the loop has ended
            raise self._failure or LoopClosed("this program has left its master") from None
        except ConnectionLost:
            return not_there(task_id, self._node_id, self.waits_for or f"the master at {self._master}")
        if found.state == NOT_THERE:
            return not_there(task_id, self._node_id, self.waits_for)
        return found

    def _describe(self) -> dict[str, Any]:
        """Return what this program says of itself when it registers."""
        return {
            "pid": os.getpid(),
            "host": socket.gethostname(),
            "systems": self._systems.are_wanted,
            "weight": self._weight,
            **self._identity,
            **describe_runtime(),
        }

    def _register_methods(self, endpoint: HasMethods) -> None:
        self.tasks.register_methods(endpoint)
        self.tasks.register_job_methods(endpoint)
        self._systems.register_methods(endpoint)

        @receives(endpoint, to_owner.notice)
        def notice(_handler: TCPHandler, _request: Any, text: str) -> None:
            """Log what the master has to say of what goes wrong with the tasks."""
            log.warning("the master says: %s", text)

    def _watch_workers(self, handler: TCPHandler) -> None:
        """Say so if there is work, but nobody who does it; now and then, while that is so."""
        if handler is not self._handler:
            return
        self._loop.call_later(NO_WORKERS_AGAIN_S, self._watch_workers, handler)
        if self.tasks.open_count or self._systems.count or self.wants_workers:
            answer = handler.call(to_master.count_workers.within(CALL_TIMEOUT_S))
            answer.add_done_callback(self._warn_of_no_workers)

    def _warn_of_no_workers(self, answer: Future[int]) -> None:
        if answer.exception() is None and answer.result() == 0:
            log.warning(
                "the master at %s has no workers; start some with %s: concurrent slave --master %s",
                self._master,
                PYTHON,
                self._master,
            )

    def _joined(self, joined: Joined) -> None:
        self._handler = joined.handler
        self._has_joined.set()
        self._loop.call_later(NO_WORKERS_S, self._watch_workers, joined.handler)
        job = joined.job
        if job.is_new:
            self.tasks.attach(joined.handler)
        else:
            if not self._has_attached.is_set():
                self.tasks.begin(job.next_id, job.code_count, self._how_it_goes_on(job))
                if job.has_begun:
                    self._systems.begin(job.systems)
            self.tasks.attach(joined.handler, job.code_count, job.next_id, self._seat.consumed_to)
        self._systems.attach(joined.handler, has_none=job.is_new)
        if self._left_over is not None:
            self._tell_begun()
        self._has_attached.set()
        if self._on_joined is not None:
            self._on_joined(joined.handler, job)

    def _how_it_goes_on(self, job: JobAnswer) -> GoesOn:
        if self._seat.is_executor:
            return GoesOn.BY_IDS
        return GoesOn.WITH_TASKS if job.has_begun else GoesOn.BY_PUSHES

    def _begin(self) -> int:
        """Say it now, and to each master that comes."""
        self._left_over = self.tasks.end_pushes()
        self._tell_begun()
        return self._left_over

    def _tell_begun(self) -> None:
        if self._handler is not None and self._handler.peer_has(to_master.JOBS):
            self._handler.cast(to_master.job_begun, self._left_over or 0)

    def _tell_leaving(self) -> None:
        self.tasks.tell_consumed()
        if self._handler is not None and self._handler.peer_has(to_master.JOBS):
            self._handler.cast(to_master.detach_job)

    def _left(self, _reason: str) -> None:
        self._handler = None
        if self._failure is None:
            self._has_joined.clear()
        self.tasks.detach()
        self._systems.detach()

    def _refused(self, error: ConcurrentError) -> None:
        self.give_up(error)
        if self._on_refused is not None:
            self._on_refused(error)


def _code_of(
    project: PackedProject | None, modules: Sequence[str], folders: Sequence[str], requirements: str
) -> CodeBook:
    """Return what makes the code of a program travel."""
    if project is None:
        return CodeBook(modules, folders, requirements)
    from concurrent.scheduling.pickling.projectbook import ProjectBook  # most programs have no project

    return ProjectBook(project, modules, folders, requirements)
