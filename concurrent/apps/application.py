"""The application: a plug-in that pushes tasks or a task system, and is notified; it never waits."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar, Final

from concurrent.apps.access import MANAGING, ROLES_BY_TYPE
from concurrent.apps.api import EXIT_FAILED, EXIT_OK, IApp, NodeType, counted, reachable_port
from concurrent.apps.applicationsettings import ApplicationSettings
from concurrent.apps.arrivals import Arrivals
from concurrent.apps.callbacks import Callbacks
from concurrent.apps.client import ClusterClient
from concurrent.apps.clusterview import cancel_job, status_of_cluster
from concurrent.apps.embedded import PRELOAD, EmbeddedCluster
from concurrent.apps.failurelog import FailureLog
from concurrent.apps.idlewatch import IdleWatch
from concurrent.apps.jobrun import JobRun
from concurrent.apps.layouts import own_folders, own_modules
from concurrent.apps.misspelt import warn_of_misspelt
from concurrent.apps.node import INTERRUPTED, Node, raise_error
from concurrent.apps.outcomes import Outcomes
from concurrent.apps.program import ProgramOrNode, identity_of, warn_if_unused
from concurrent.apps.progress.board import Progress
from concurrent.apps.resourcesettings import WeightSettings
from concurrent.apps.status import ApplicationStatus, ClusterStatus
from concurrent.core.errors import ConcurrentError, NodeError, SchedulingError
from concurrent.core.foreign import shown
from concurrent.core.interface import implements
from concurrent.core.items import Host
from concurrent.core.loggers import get_log
from concurrent.scheduling.owner.inbox import Inbox
from concurrent.scheduling.owner.news import TaskNews
from concurrent.scheduling.owner.results import Outcome
from concurrent.scheduling.pickling.coding import PicklingSettings
from concurrent.scheduling.tasks.options import TermOptions, options_of
from concurrent.scheduling.tasks.task import Task
from concurrent.scheduling.tasks.tasksystem import ITaskSystem
from concurrent.scheduling.tasks.terms import terms_of
from concurrent.transport.security.protection import Protection

if TYPE_CHECKING:
    from typing_extensions import Unpack

__all__ = ["ApplicationNode"]

WORKERS_LOOK_S: Final = 0.25
"""How often it is looked whether there are enough workers."""

FIRST_SYSTEM: Final = 1
"""The number of the task system that ``get_task_system`` returns: nothing is pushed before."""

log = get_log(__name__)


class ApplicationNode(Callbacks, Node):
    """Derive, define ``start_processing`` or ``get_task_system``, and the callbacks that you care for.

    All hooks and callbacks run in the main thread, one at a time. ``push_task`` and ``push_tasks`` wait
    while the cluster has enough to do; outcomes come by callback. ``work_finished`` is called when
    nothing that was pushed is unfinished, and for each task system that has finished; by default it ends
    the application.

    ``master_address`` is that of the master's JSON API, from ``app_main`` on.
    """

    abstract = True
    implements(IApp)

    node_type = NodeType.application

    run: ClassVar[ProgramOrNode] = ProgramOrNode()  # of an instance it is what the base has

    was_used = False
    """Whether an instance was made."""

    job_run: JobRun | None = None
    """What it does about its job, if that shall outlive it; set before it is started."""

    def __init_subclass__(cls, **kwargs: Any) -> None:
        """Have a script that only defines an application say so."""
        super().__init_subclass__(**kwargs)
        warn_if_unused(cls)

    def __init__(self) -> None:
        """Nothing runs before ``start``."""
        super().__init__()
        type(self).was_used = True
        self.master_address: Host
        self._outcomes = Outcomes(self)
        self._inbox = Inbox(self._outcomes.deliver, lambda *dealt_with: self.client.tasks.consumed(*dealt_with))
        self._failures = FailureLog()
        self._checked_count = 0
        self._idle_watch = IdleWatch(
            self.loop, self._is_idle, lambda: bool(self._inbox.busy_s), lambda: self._outcomes.tally.ended
        )
        self._end_error: ConcurrentError | None = None
        self._progress = Progress(type(self).__name__.lower())

    # What an application may call.

    def push_task(self, task: Task, **options: Unpack[TermOptions]) -> int:
        """Have a task run; returns its id. Any thread but the loop's.

        :param options: ``timeout_s``, ``deadline_s``, ``retry``, ``priority``, ``resources``, ``name`` and
            ``attempts_max``, in the place of the task's own attributes.
        :raises SchedulingError: if it cannot be pickled, unless ``push_task_failed`` takes care of it; if an
            option is not possible.
        :raises TypeError: if there is no such option.
        """
        asked = options_of(options) if options else None
        try:
            terms = terms_of(task) if asked is None else asked.over(terms_of(task))
            return self.client.tasks.push(task, task, terms)
        except SchedulingError as error:
            self._raise_end_error()
            self.push_task_failed(task, error)
            return 0

    def push_tasks(
        self, tasks: Iterable[Task], batch_size: int = 1, **options: Unpack[TermOptions]
    ) -> list[int]:
        """Have tasks run; returns their ids. Any thread but the loop's.

        :param tasks: taken one by one, so a generator may make them when there is room.
        :param batch_size: how many travel, run and are cancelled as one; for tasks far shorter than a
            millisecond. Each has its own outcome all the same.
        :param options: as for ``push_task``, for each of them.
        :raises SchedulingError: as for ``push_task``, with ``push_tasks_failed``.
        """
        asked = options_of(options)
        rest = iter(tasks)
        ids: list[int] = []
        pending: list[Task] = []
        try:
            self.client.tasks.push_many(rest, batch_size, options=asked, ids=ids, pending=pending)
        except SchedulingError as error:
            self._raise_end_error()
            self.push_tasks_failed([*pending, *rest], error)
        return ids

    def push_tasksystem(self, task_system: ITaskSystem, **options: Unpack[TermOptions]) -> int:
        """Have the master host a task system; returns its number. Main thread.

        :param options: as for ``push_task``, for each task that the system pushes.
        :raises SchedulingError: if it cannot be pickled, unless ``push_tasksystem_failed`` takes care.
        """
        asked = options_of(options)
        try:
            system_id = self.client.push_system(task_system, asked)
        except SchedulingError as error:
            self.push_tasksystem_failed(task_system, error)
            return 0
        self._outcomes.open_systems += 1
        return system_id

    def cancel_tasks(self, ids: Sequence[int]) -> None:
        """Want nothing more of these tasks: each ends with ``TaskCancelled`` unless it had ended."""
        self.client.tasks.cancel(ids)

    def task_output(self, task_id: int) -> str:
        """Return the end of what a task prints, while it runs and after; empty if nothing is known of it.

        It is at most 16 KiB; a line at its beginning says how much is left out. Any thread but the loop's.

        :param task_id: as ``push_task`` returned it. Tasks of a batch have one together.
        :raises ConcurrentError: if the master cannot be asked, or is too old to know.
        """
        return self.client.output_of(task_id)

    def shutdown_main_loop(self, exit_code: int | None = None) -> None:
        """End the application when the present callback returns; what is unfinished is freed.

        :param exit_code: of the program; by default 0, or 1 if a task failed or an error was reported.
        """
        if exit_code is None:
            exit_code = EXIT_FAILED if self._failures.has_any or self._outcomes.tally.failed else EXIT_OK
        self._set_exit_code(exit_code)

    def report_error(self, what: str, error: BaseException) -> None:
        """Log an error with its remote traceback; the exit code becomes 1.

        Of many errors of one class the first 20 are logged whole, and then one a second in a line.
        """
        self._failures.report(what, error)

    def progress(self, done: int, total: int) -> None:
        """Show how far the work is: a bar on a terminal, a line now and then anywhere else. Main thread."""
        self._progress.show(done, total)

    def hide_progress(self) -> None:
        """Show no bars; call it before the node runs. Main thread."""
        self._progress.is_hidden = True

    @property
    def cluster_workers(self) -> int:
        """How many worker processes the cluster has now; waits until the application has joined it.

        It may be 0, and grows with each slave that joins.

        :raises ConcurrentError: if the master does not say.
        """
        return self.client.count_workers()

    def wait_workers(self, count: int = 1) -> int:
        """Wait until the cluster has at least so many workers, and return how many it has. Main thread.

        Callbacks run meanwhile, as while a push waits for room.

        :raises ConcurrentError: if the master does not say.
        """
        while (workers := self.cluster_workers) < count:
            self.client.wants_workers = count
            self._inbox.wait_for(partial(self.loop.post, self.loop.call_later, WORKERS_LOOK_S))
        self.client.wants_workers = 0
        return workers

    def cluster_status(self) -> ClusterStatus:
        """Return what the master (``master``) and the slaves that can be reached (``slaves``) are doing.

        Each is what the node's ``/status`` answers. Main thread.

        :raises ConcurrentError: if the master does not say.
        """
        return status_of_cluster(self.master_address, self.settings.access())

    # The life of the node.

    def start(self) -> None:
        """Open everything. Main thread; before any other thread of the program where that can be."""
        if not self.env[ApplicationSettings].master:
            self.preload = PRELOAD
        super().start()

    def prepare(self) -> None:
        """Prepare; an application may end itself there, and what it raises is its own."""
        self.app_init()

    def open(self) -> None:
        """Open the JSON API, start an embedded cluster if there is no master, and look for the master.

        :raises ConcurrentError: if one of them is not possible.
        """
        settings = self.env[ApplicationSettings]
        named = settings.named_master()
        master, source = named or (None, "")
        self._inbox.is_exact = self.job_run is not None
        arrivals = Arrivals(self, self._inbox, self.job_run)
        access = self.settings.access()
        roles = ROLES_BY_TYPE[self.node_type]
        keys = Protection(is_open=access.is_open) if master is None else access.towards(master, roles)
        self.make_json_service(
            f"Concurrent application {type(self).__name__}",
            settings.host,
            settings.port,
            keys,
            tokens=None if master is None else access.tokens(master),
        )
        self.start_json_service()
        self.client = ClusterClient(
            self.loop,
            self.node_id,
            own_modules=own_modules(self.env.plugins),
            identity=identity_of(type(self)),
            own_folders=own_folders(self.env.plugins) or None,
            wish=self.job_run.wish if self.job_run is not None else None,
            on_outcomes=arrivals.outcomes,
            on_accepted=arrivals.on_accepted(),
            news=TaskNews(on_progress=arrivals.on_progress()),
            on_system_accepted=partial(arrivals.callback, self.push_tasksystem_response),
            on_system_progress=partial(arrivals.callback, self._show_system),
            on_system_outcome=partial(arrivals.callback, self._deliver_system),
            on_refused=self._end_with,
            weight=self.env[WeightSettings].weight,
            **settings.taken_along(),
            codec=self.env[PicklingSettings].codec(),
        )
        self.client.tasks.room.inbox = self._inbox
        self._outcomes.begin(self.client, self._inbox, self.job_run)
        warn_of_misspelt(type(self), ApplicationNode)
        cluster = None
        if master is None:
            cluster = EmbeddedCluster(
                self.loop, self.launcher, self.child_recipe(), on_ended=self._cluster_died
            )
            self._open.callback(cluster.stop)
            master = cluster.start(settings.workers)
        self.master_address = master
        self._open.callback(self._progress.close)
        self._open.callback(self._leave)
        self._open.callback(self.client.tasks.refuse, "the application has ended")
        http_port = reachable_port(settings.host, self.api_service_v1.port, master)
        way = access.way_to_own(master) if cluster is not None else access.way(master, roles, source)
        self.client.start(way, http_port, self.stats, self.settings.limits(), components=self.env)
        if cluster is not None:
            cluster.wait_workers()

    def interrupt(self) -> None:
        """End the application wherever its main thread is, as Ctrl-C does in any program.

        A callback of a job's outcome returns first: it is not to run a second time.
        """
        if self.job_run is None or not self._inbox.is_delivering:
            raise KeyboardInterrupt
        self.job_run.is_leaving = True
        self._inbox.put(_interrupt)

    def app_main(self) -> int | None:
        """Push the work, then run callbacks until ``shutdown_main_loop`` is called."""
        if self.job_run is not None:
            return self._work_for(self.job_run)
        self._push_first()
        return self._work()

    def _work_for(self, job: JobRun) -> int | None:
        """Go on with a job, or begin it; then run callbacks, or leave it."""
        job.join(self.client)
        try:
            if job.answer.has_begun:
                self._adopt_system(job)
            else:
                self._push_first()
                self._inbox.wait_for(self.client.when_accepted)  # the master answers for all of that
                job.begun(self.client.begun())
            if job.is_detached and self._exit_code is None:
                return EXIT_OK
            self.loop.post(job.release)
            code = self._work()
        except SystemExit:
            job.goes_on = self._inbox.failure is not None
            raise
        job.goes_on = False
        return code

    def _push_first(self) -> None:
        """Push what the application begins with."""
        task_system = self.get_task_system()
        if task_system is not None:
            self.push_tasksystem(task_system)
        else:
            self.start_processing()

    def _adopt_system(self, job: JobRun) -> None:
        """Wait for the outcome of the task system that a former program has pushed, unless that was taken."""
        task_system = self.get_task_system()
        if task_system is not None and FIRST_SYSTEM in job.answer.systems:
            self.client.adopt_system(FIRST_SYSTEM, task_system)
            self._outcomes.open_systems += 1

    def _work(self) -> int | None:
        """Run callbacks until the application is told to end."""
        self._check_finished()
        while self._exit_code is None:
            if self._outcomes.tally.ended == self._checked_count:
                self._inbox.run_next()
            else:
                self._check_finished()
        is_said = self._failures.has_any and not self._failures.left_out
        is_unsaid = self._exit_code == EXIT_FAILED and self._outcomes.tally.failed and not is_said
        if is_unsaid or (self.job_run is not None and self._outcomes.tally.cancelled):
            log.warning("%s", self._outcomes.tally.summary)
        return self._exit_code

    def _leave(self) -> None:
        """Say goodbye to the master; the job goes on, unless the application has ended by itself."""
        job = self.job_run
        if self.ending == INTERRUPTED and job is None and not self._outcomes.is_done:
            self._say_cancelled()
        if job is not None:
            self._inbox.acknowledge()
            if not job.goes_on:
                self._end_job(job)
            self.client.detach()
        self.client.stop(why=self.ending)

    def _end_job(self, job: JobRun) -> None:
        """Leave nothing open of a job that the application has ended by itself."""
        if not self._outcomes.is_done:
            cancel_job(self.settings.access().way(self.master_address, MANAGING), job.answer.job)
        elif not job.has_begun:  # there was nothing to begin with
            self.client.begun()

    def _say_cancelled(self) -> None:
        """Say what ends with this program that nobody waits for any more."""
        tasks, systems = self.client.tasks.open_count, self._outcomes.open_systems
        what = [counted(tasks, "unfinished task")] if tasks or not systems else []
        what += [counted(systems, "unfinished task system")] if systems else []
        log.warning("interrupted: cancels %s at %s", " and ".join(what), self.master_address)

    def own_status(self) -> ApplicationStatus:
        """Return what the application is doing. Loop thread only."""
        tasks = self.client.tasks
        return ApplicationStatus(
            **vars(super().own_status()),
            application=type(self).__name__,
            state=self.client.state,
            pushed=tasks.pushed_count,
            finished=self._outcomes.tally.ended,
            failed=self._outcomes.tally.failed,
            cancelled=self._outcomes.tally.cancelled,
            open=tasks.open_count,
            progress=next(iter(self._progress.latest.values()), None),
            progress_of=self._progress.latest,
            task_systems=self._outcomes.open_systems,
            waits_for=self.client.waits_for,
            master=str(getattr(self, "master_address", "")),
        )

    def _cluster_died(self, what: str) -> None:
        """End the application: its cluster is gone and nobody else can bring it back. Loop thread."""
        self._end_with(NodeError(what, thing="the embedded cluster"))

    def loop_failed(self, error: BaseException) -> None:
        """See the base; a push that waits for room ends too."""
        self._end_with(NodeError(f"its loop has failed: {shown(error)}", thing=self.node_id))

    def _end_with(self, error: ConcurrentError) -> None:
        """End the application, whatever its main thread does; also if that pushes. Loop thread."""
        self._end_error = error
        self._inbox.put(partial(raise_error, error))
        self.client.give_up(error)

    def _set_exit_code(self, exit_code: int) -> None:
        """See the base; outcomes that come now have no callbacks."""
        super()._set_exit_code(exit_code)
        self._outcomes.is_over = True

    def _raise_end_error(self) -> None:
        """A push failed; raise what has ended all, if that is why."""
        if self._end_error is not None:
            raise self._end_error

    def _deliver_system(self, outcome: Outcome) -> None:
        self._outcomes.deliver_system(outcome)
        self.loop.post(self._idle_watch.begin)

    def _show_system(self, system: ITaskSystem, done: int, total: int) -> None:
        """Show how far a task system is."""
        self._progress.show(done, total, id(system), type(system).__name__.lower())

    def _check_finished(self) -> None:
        """Say so if nothing is unfinished. Not in a callback: that may be about to push more."""
        self._checked_count = self._outcomes.tally.ended
        if self._is_idle():
            self.work_finished(None, None)
            self.loop.post(self._idle_watch.begin)

    def _is_idle(self) -> bool:
        """Tell whether nothing is unfinished, and the application goes on."""
        return self._outcomes.is_done and self._exit_code is None


def _interrupt() -> None:
    """What a signal does, once the present callback has returned."""
    raise KeyboardInterrupt
