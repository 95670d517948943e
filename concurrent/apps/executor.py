"""A cluster as a ``concurrent.futures.Executor``: for scripts, and for programs that have one already."""

from __future__ import annotations

import inspect
import os
import weakref
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Executor
from contextlib import AbstractContextManager
from functools import partial
from pathlib import Path
from types import FunctionType, MethodType
from typing import TYPE_CHECKING, Any, ClassVar, Final, ParamSpec, TypeVar, overload

from concurrent.apps.access import MANAGING, ROLES_BY_TYPE
from concurrent.apps.api import NodeType
from concurrent.apps.applicationsettings import ApplicationSettings
from concurrent.apps.callmap import CALLS, CallMap, Calls
from concurrent.apps.embedded import PRELOAD, EmbeddedCluster
from concurrent.apps.executorcore import ExecutorCore, Setup
from concurrent.apps.executorjob import ExecutorJob, checked_name
from concurrent.apps.executorlog import log_as_asked
from concurrent.apps.executorshown import line_of, table_of
from concurrent.apps.executorview import ExecutorView
from concurrent.apps.jobkeys import checked_key
from concurrent.apps.project import Project, project_of
from concurrent.apps.taskfuture import TaskFuture
from concurrent.apps.transportsettings import TransportSettings
from concurrent.core.environment import Environment
from concurrent.core.errors import NodeError
from concurrent.core.process.cores import core_count
from concurrent.scheduling.processes.spawn import start_launcher
from concurrent.scheduling.tasks.options import TermOptions, options_of

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from concurrent.apps.jobstatus import JobRow

__all__ = ["ClusterExecutor", "LocalCluster"]

P = ParamSpec("P")
T = TypeVar("T")

TERMINATE_GRACE_S: Final = 10.0

ASYNC_FLAGS: Final = inspect.CO_COROUTINE | inspect.CO_ASYNC_GENERATOR


class ClusterExecutor(Executor):
    """Runs functions on the cluster of a master, which need not be there yet.

    The futures' callbacks run on a thread of their own, where they may submit, wait for futures and shut the
    executor down. Any thread may submit. A program that ends without ``shutdown`` waits for what it submitted.

    :param master: ``HOST:PORT`` of the master's JSON API, or ``@FILE`` with a file that has it; None: that of
        the environment variable ``CONCURRENT_MASTER``, else of ``application.master``, else of the cluster that
        this user has joined, else that of this machine.
    :param initializer: is called once in each worker, before the first call of this executor there. If it
        fails, so does every call, with ``InitializerFailed``.
    :param initargs: its arguments; they travel once to each worker.
    :param own_modules: modules, besides ``__main__``, that the workers do not have: their functions and
        classes travel with the tasks.
    :param options: configuration as ``section.option`` to text, number or truth value.
    :param job: the name of a job at the master that outlives this program. One that starts again with the same
        name gets the futures of what it submits a second time from there: nothing runs twice. ``submit`` takes
        a ``key`` then. Such an executor is left in a ``with`` block by an exception, and the job goes on.
    :param project: the folder of the program, or a :class:`~concurrent.apps.project.Project`: its modules, and
        what that includes, go along; workers import from it, and it is their working folder. None: what the
        option ``application.project`` says.
    :raises ConfigurationError: if the address, the project or an option is not possible.
    :raises ValueError: if the name of the job is not possible.
    """

    _core: ExecutorCore
    _identity: ClassVar[Mapping[str, Any] | None] = None
    """What else such a program says of itself to its master."""

    def __init__(
        self,
        master: str | None = None,
        *,
        initializer: Callable[..., object] | None = None,
        initargs: tuple[Any, ...] = (),
        own_modules: Sequence[str] = (),
        options: Mapping[str, Any] | None = None,
        job: str | None = None,
        project: Project | str | os.PathLike[str] | None = None,
    ) -> None:
        setup = _setup_of(initializer, initargs)
        of_job = None if job is None else ExecutorJob(checked_name(job))
        self._begin(
            own_modules, options or {}, partial(_start_loop, master), setup, job=of_job, project=project
        )

    @staticmethod
    def jobs(master: str | None = None) -> list[JobRow]:
        """Return the jobs that a master knows, those of other programs too.

        :param master: ``HOST:PORT`` of its JSON API; None: as for the executor.
        :raises ConfigurationError: if that is no address.
        :raises ConcurrentError: if the master does not answer.
        """
        from concurrent.apps.jobmaster import JobMaster  # few programs ask for them

        env = Environment()
        address, source = env[ApplicationSettings].running_master(master, "master")
        with JobMaster(env[TransportSettings].access().way(address, MANAGING, source)) as asked:
            return asked.jobs()

    _workers_seen: int | None = None
    """How many workers there were when somebody asked last."""

    def __repr__(self) -> str:
        return line_of(type(self).__name__, self._core, self._workers_seen)

    def _repr_html_(self) -> str:
        """Return what a notebook shows of it."""
        return table_of(type(self).__name__, self._core, self._workers_seen)

    @property
    def address(self) -> str:
        """Address of the master's JSON API."""
        return str(self._core.address)

    @property
    def workers(self) -> int:
        """How many worker processes the cluster has now; waits until this program has joined it.

        :raises ConcurrentError: if the master does not say.
        """
        self._workers_seen = self._core.client.count_workers()
        return self._workers_seen

    @property
    def _max_workers(self) -> int:
        """What other libraries ask the standard library's pools for."""
        return self.workers

    @overload
    def submit(self, fn: Callable[..., T], /, *args: Any, key: str | None, **kwargs: Any) -> TaskFuture[T]: ...
    @overload
    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> TaskFuture[T]: ...

    def submit(self, fn: Callable[..., T], /, *args: Any, **kwargs: Any) -> TaskFuture[T]:
        """Have ``fn(*args, **kwargs)`` run on a worker. Any thread; waits while there is no room.

        If the executor has a job, the keyword argument ``key``, a text, is the call's own: by it a program that
        starts again is given this call's future. Calls without one are known by their order and the name of
        the function, so they have to be submitted in the same order, by one thread.

        :returns: its future, see :class:`~concurrent.apps.taskfuture.TaskFuture`; that has the error at once if
            the call cannot be pickled.
        :raises JobMismatch: if another function was at this place of the order, or the key is used already.
        :raises TypeError: if it is an ``async`` function.
        :raises RuntimeError: if the executor was shut down.
        :raises NodeError: if its cluster has died.
        :raises VersionMismatch: if the master runs another Python.
        """
        if self._core.job is not None:
            return self._submit(fn, args, kwargs, CALLS)
        _check_callable(fn)
        return self._core.submit(fn, args, kwargs)

    def options(self, **options: Unpack[TermOptions]) -> ExecutorView:
        """Return a view of this cluster whose calls ask for something; it is an executor itself.

        :param timeout_s: how long a run of a call may take, in seconds; then it is ended, with ``TaskTimeout``.
        :param deadline_s: how long a call may be open after it was submitted, in seconds.
        :param retry: when a call that raises is made again, a ``Retry`` or a number of tries.
        :param priority: from -100 to 100; of what waits the higher go first, where a point counts as ten
            seconds of waiting.
        :param resources: what a call takes while it runs, such as ``{"gpu": 1, "memory": "4GiB"}``.
        :param name: what the calls are called instead of the name of the function.
        :param attempts_max: how many workers may die of a call before it is given up.
        :raises SchedulingError: if a value is not possible.
        :raises TypeError: if there is no such option.
        """
        return ExecutorView(self, options_of(options))

    def progress(self, name: str = "") -> AbstractContextManager[None]:
        """Show how far the calls are that are made within a ``with`` block, by any thread: a bar for each
        function on a terminal or in a notebook, a line now and then anywhere else.

        Bars count calls, also where they travel in chunks. At the end of the block they are shown once more,
        and nothing is waited for: take the results within the block.

        :param name: what all these calls are called together; empty: each function has a bar of its own.
        """
        from concurrent.apps.progress.calls import progress_of_calls

        return progress_of_calls(self._core, name)

    def _submit(
        self, fn: Callable[..., T], args: tuple[Any, ...], kwargs: dict[str, Any], calls: Calls
    ) -> TaskFuture[T]:
        """Submit a call, of this executor or of a view of it. Where nothing is asked for ``submit`` does it."""
        _check_callable(fn)
        if self._core.job is None:
            return self._core.submit(fn, args, kwargs, calls.terms_of(fn), view=calls.view)
        key = checked_key(kwargs.pop("key", None))
        return self._core.submit(fn, args, kwargs, calls.terms_of(fn), key=key, view=calls.view)

    def map(
        self,
        fn: Callable[..., T],
        *iterables: Iterable[Any],
        timeout: float | None = None,
        chunksize: int = 1,
        buffersize: int | None = None,
        **kwargs: Any,
    ) -> Iterator[T]:
        """Return an iterator of the results, in order; see ``concurrent.futures.Executor.map``.

        :param timeout: how long the results may take in all, in seconds from now.
        :param chunksize: how many calls travel and run as one task; more is faster where they are tiny. As
            with ``ProcessPoolExecutor`` an exception is that of all calls of its chunk. If a worker dies of
            a chunk its calls are made again one by one, so that only the one that does it is to blame.
        :param buffersize: how many chunks are submitted ahead of the result that is asked for; inputs are
            taken as results are. None: all inputs are taken now.
        :param kwargs: keyword arguments of every call.
        :raises ValueError: if one of these numbers is less than 1.
        """
        return self._map(fn, iterables, kwargs, CALLS, timeout, chunksize=chunksize, buffersize=buffersize)

    def _map(
        self,
        fn: Callable[..., T],
        iterables: tuple[Iterable[Any], ...],
        kwargs: dict[str, Any],
        calls: Calls,
        timeout: float | None,
        *,
        chunksize: int,
        buffersize: int | None,
    ) -> Iterator[T]:
        """Make the calls of a ``map``, of this executor or of a view of it."""
        _check_count("chunksize", chunksize)
        if buffersize is not None:
            _check_count("buffersize", buffersize)
        _check_callable(fn)
        made = CallMap(
            self,
            self._core,
            fn,
            kwargs,
            calls,
            inputs=zip(*iterables, strict=False),
            chunksize=chunksize,
            buffersize=buffersize,
        )
        return made.start(timeout)

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        """Shut down; after an exception what is unfinished is cancelled, for nobody waits for it any more.

        A job goes on then, so that the program can come back to it.
        """
        if kind is not None and (self._core.job is not None or issubclass(kind, KeyboardInterrupt)):
            self._core.drop()
        self.shutdown(wait=True, cancel_futures=kind is not None)

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:  # noqa: FBT001, FBT002  as in the standard library
        """Take nothing more, and free everything when what was submitted is finished. Any thread.

        If the wait is interrupted what is not finished is cancelled; that of a job goes on. Its results stay
        with the master.

        :param wait: return only then; in a callback of a future return when all futures have ended.
        :param cancel_futures: cancel what is not finished.
        """
        self._core.close(wait=wait, cancel=cancel_futures)

    def terminate_workers(self) -> None:
        """Take nothing more, and end the workers that run calls of this executor by SIGTERM, so that what they
        run may clean up. Its open futures are cancelled. Returns at once; any thread.

        A worker that has not ended after ten seconds is killed.
        """
        self._core.close(wait=False, cancel=True, grace_s=TERMINATE_GRACE_S)

    def kill_workers(self) -> None:
        """Take nothing more, and kill the workers that run calls of this executor.

        Its open futures are cancelled. Returns at once; any thread.
        """
        self._core.close(wait=False, cancel=True)

    def _begin(
        self,
        own_modules: Sequence[str],
        options: Mapping[str, Any],
        start: Callable[[ExecutorCore], object],
        setup: Setup | None,
        *,
        job: ExecutorJob | None = None,
        project: Project | str | os.PathLike[str] | None = None,
    ) -> None:
        """Make everything, or nothing.

        :param start: starts the loop, and has the core join a master.
        """
        texts = {name: _text_of(name, value) for name, value in options.items()}
        self._core = ExecutorCore(
            own_modules, texts, start, setup, job=job, project=project_of(project), identity=self._identity
        )
        dropped = weakref.finalize(self, self._core.close, wait=False, cancel=False)
        dropped.atexit = False  # the core itself waits at the exit of the program


class LocalCluster(ClusterExecutor):
    """A cluster of its own on this machine, for the time of a ``with`` block.

    Make it in the main thread and before other threads where you can: its processes are forked then,
    which is faster than a new interpreter. If its master dies, open futures fail with ``NodeError``.

    :param workers: how many worker processes; None: one for each core.
    :param max_workers: the same, by the name that the standard library's pools have for it.
    :param initializer: as for :class:`ClusterExecutor`.
    :param initargs: its arguments.
    :param max_tasks_per_child: after how many calls, or chunks of ``map``, another process takes the place of a
        worker; None: never.
    :param own_modules: as for :class:`ClusterExecutor`.
    :param options: as for :class:`ClusterExecutor`, for the cluster as well.
    :param project: as for :class:`ClusterExecutor`.
    :param mp_context: is refused: workers are forked from a process that has no threads.
    :param job: is refused: such a cluster ends with its program.
    :raises TypeError: if an argument is not of its type, or is refused.
    :raises ValueError: if there are to be less than one worker.
    :raises NodeError: if it does not start.
    """

    def __init__(  # noqa: PLR0913  as the standard library's pools have them, by name
        self,
        workers: int | None = None,
        *,
        max_workers: int | None = None,
        initializer: Callable[..., object] | None = None,
        initargs: tuple[Any, ...] = (),
        max_tasks_per_child: int | None = None,
        own_modules: Sequence[str] = (),
        options: Mapping[str, Any] | None = None,
        mp_context: None = None,
        job: None = None,
        project: Project | str | os.PathLike[str] | None = None,
    ) -> None:
        if job is not None:
            raise TypeError(
                "job is not taken: a LocalCluster and all that it was given end with its program; start a "
                "master with 'concurrent master', and use ClusterExecutor"
            )
        if mp_context is not None:
            raise TypeError(
                "mp_context is not taken: a LocalCluster forks its workers from a process without threads, "
                "which is as safe as 'spawn'"
            )
        self._workers_seen = self._worker_count = _worker_count(workers, max_workers)
        if max_tasks_per_child is not None:
            _check_count("max_tasks_per_child", max_tasks_per_child)
        start = partial(_start_cluster, self._worker_count, max_tasks_per_child or 0)
        self._begin(own_modules, options or {}, start, _setup_of(initializer, initargs), project=project)

    @property
    def _max_workers(self) -> int:
        return self._worker_count


def _start_loop(master: str | None, core: ExecutorCore) -> None:
    log_as_asked(core.env, core.node_id, core.opened)
    address, source = core.env[ApplicationSettings].running_master(master, "master")
    way = core.env[TransportSettings].access().way(address, ROLES_BY_TYPE[NodeType.application], source)
    core.loop.start()
    core.opened.callback(core.loop.stop)
    core.join(way)


def _start_cluster(workers: int, tasks_per_worker: int, core: ExecutorCore) -> None:
    log_as_asked(core.env, core.node_id, core.opened)
    launcher = start_launcher(PRELOAD)
    core.opened.callback(launcher.stop)
    core.loop.start()
    core.opened.callback(core.loop.stop)
    launcher.attach(core.loop)

    def ended(what_happened: str) -> None:
        """Nothing that waits for the cluster will ever come. Loop thread only."""
        core.break_down(
            NodeError(
                f"{what_happened}, and what it was given is lost",
                thing="LocalCluster",
                remedy="Make a new LocalCluster, and see whether the machine ran out of memory",
            )
        )

    options = {"slave.tasks_per_worker_max": str(tasks_per_worker)} if tasks_per_worker else {}
    if not core.env.config.is_set("logging", "level"):
        options["logging.level"] = "warning"
    cluster = EmbeddedCluster(core.loop, launcher, core.env.recipe(options), ended)
    core.opened.callback(cluster.stop)
    core.join(core.env[TransportSettings].access().way_to_own(cluster.start(workers)))
    cluster.wait_workers()


def _worker_count(workers: int | None, max_workers: int | None) -> int:
    """Return how many workers there shall be.

    :raises TypeError: if that is no whole number, or both are given.
    :raises ValueError: if it is less than 1.
    """
    if workers is not None and max_workers is not None:
        raise TypeError("workers and max_workers are two names of the same: give one of them")
    count = max_workers if workers is None else workers
    if count is None:
        return core_count()
    _check_count("workers" if max_workers is None else "max_workers", count)
    return count


def _check_count(name: str, value: Any) -> None:
    """See that an argument is a whole number of at least 1; errors begin as those of the standard library.

    :raises TypeError: if it is no whole number.
    :raises ValueError: if it is less.
    """
    if isinstance(value, bool) or not isinstance(value, int):
        kind = "an integer or None" if name == "buffersize" else "an integer"
        raise TypeError(f"{name} must be {kind}, but is {value!r}")
    if value < 1:
        raise ValueError(f"{name} must be {_BOUNDS.get(name, 'greater than 0')}, but is {value}")


_BOUNDS: Final = {"buffersize": "None or > 0", "chunksize": ">= 1", "max_tasks_per_child": ">= 1"}


def _setup_of(initializer: Any, initargs: Any) -> Setup | None:
    """Return what each worker has to call first.

    :raises TypeError: if it cannot be called.
    """
    if initializer is None:
        return None
    if not callable(initializer):
        raise TypeError(f"initializer must be a callable, but is {initializer!r}")
    _check_callable(initializer)
    return initializer, tuple(initargs)


def _check_callable(fn: Any) -> None:
    """See that a worker can call something.

    :raises TypeError: if it is an ``async`` function, which nobody would await there.
    """
    if type(fn) is FunctionType:
        is_async = fn.__code__.co_flags & ASYNC_FLAGS != 0
    else:
        while isinstance(fn, (partial, MethodType)):
            fn = fn.func if isinstance(fn, partial) else fn.__func__
        is_async = inspect.iscoroutinefunction(fn) or inspect.isasyncgenfunction(fn)
    if is_async:
        raise TypeError(
            f"{getattr(fn, '__qualname__', fn)} is an async function, and workers do not await: "
            "submit a function that runs it, for example with asyncio.run()"
        )


def _text_of(name: str, value: Any) -> str:
    """Return the value of an option as it is written in a file.

    :raises TypeError: if there is no way to write it.
    """
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (str, int, float)):
        return str(value)
    if isinstance(value, Path):
        return str(value.absolute())
    raise TypeError(f"the option {name} must be a text, a number, a truth value or a path, but is {value!r}")
