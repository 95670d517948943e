"""What stands behind an executor: its connection to the cluster, its open futures and its threads.

Four threads have to do with a call. The thread that submits it pickles it. The **loop** talks to the master;
results that consist of numbers, texts and containers end their futures there, which wakes whoever waits.
Everything else goes to the **results** thread, which unpickles it and ends the future. The callbacks of futures
run on the **callbacks** thread. So code of the user, in results or in callbacks, may take as long as it likes,
and raise what it likes: heartbeats go on, and nobody waits for a callback but those behind it.

The core ends when it is closed and all its futures have ended. The callbacks thread does that, behind the last
callback, so it does not matter which thread closes it, or whether it waits. The core does not know its
executor: one that is dropped is collected, and closes it.
"""

from __future__ import annotations

import atexit
import os
import sys
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import InvalidStateError
from contextlib import ExitStack, suppress
from functools import partial
from types import FrameType
from typing import TYPE_CHECKING, Any, Final

from concurrent.apps.access import Way
from concurrent.apps.applicationsettings import ApplicationSettings
from concurrent.apps.client import ClusterClient
from concurrent.apps.executorend import end_with_program, say_dropped
from concurrent.apps.executorjob import ExecutorJob
from concurrent.apps.forkedcopies import tell_of_forks
from concurrent.apps.jobwish import JobAnswer
from concurrent.apps.openness import say_open
from concurrent.apps.project import Project
from concurrent.apps.resourcesettings import WeightSettings
from concurrent.apps.stalls import StallWatch
from concurrent.apps.taskfuture import TaskFuture, news_of_futures
from concurrent.apps.transportsettings import TransportSettings
from concurrent.core.callthread import CallThread
from concurrent.core.environment import Environment
from concurrent.core.errors import ConcurrentError, LoopClosed, NodeError
from concurrent.core.filemodules import check_not_loading
from concurrent.core.ids import new_node_id
from concurrent.core.stats import Stats
from concurrent.scheduling.owner.results import Outcome, load_outcome
from concurrent.scheduling.pickling.coding import PicklingSettings
from concurrent.scheduling.pickling.initializer import Call, InitializerFailed, initialized_call
from concurrent.scheduling.pickling.payload import NOT_PLAIN, plain_value
from concurrent.scheduling.tasks.outcome import CANCELLED, FAILED, FINISHED
from concurrent.scheduling.tasks.terms import Terms, terms_of_call
from concurrent.transport.calls.handler import TCPHandler
from concurrent.transport.loop.loop import NodeLoop

if TYPE_CHECKING:
    from concurrent.apps.progress.calls import CallTally
    from concurrent.scheduling.tasks.explanation import Explanation

__all__ = ["ExecutorCore", "Setup"]

LONG_S: Final = 3.0

Setup = tuple[Callable[..., object], tuple[Any, ...]]
"""A function that each worker has to call first, and its arguments."""


class ExecutorCore:
    """See the module. Any thread, unless a method says otherwise.

    :param own_modules: modules, besides ``__main__``, whose code travels with the tasks.
    :param options: configuration as ``section.option`` to text.
    :param setup: what each worker has to call before its first call.
    :param job: what is submitted to, if that outlives this program; ``project`` goes along with it.
    :param identity: what else the program says of itself to its master.
    :param start: starts the loop, and a cluster if there is to be one, and calls :meth:`join`.
    :raises ConcurrentError: if something cannot be made; then nothing is left behind.
    """

    def __init__(
        self,
        own_modules: Sequence[str],
        options: Mapping[str, str],
        start: Callable[[ExecutorCore], object],
        setup: Setup | None = None,
        *,
        job: ExecutorJob | None = None,
        project: Project | None = None,
        identity: Mapping[str, Any] | None = None,
    ) -> None:
        check_not_loading("makes an executor")
        self.env = Environment(overrides=options)
        self.env.register_program("__main__")
        if self.env.config.unknown():  # plug-ins, which the cluster loads, may have them
            self.env.load_plugins()
        self.env.warn_of_unknown()
        self.node_id = new_node_id("application")
        self.opened = ExitStack()
        self.loop = NodeLoop(self.node_id, on_failed=self._loop_failed)
        self._pid = os.getpid()
        self._futures: set[TaskFuture[Any]] = set()  # whoever takes one out of it ends it
        self._broken: ConcurrentError | None = None
        self.job = job
        self._setup = setup
        self._initialized: Call | None = None
        self.tallies: list[CallTally] = []
        """What counts the calls of blocks that show their progress."""
        self.attachments: dict[type, Any] = {}
        """What adapters for other libraries keep as long as it lives, by their own classes."""
        self._is_closing = self._is_dropped = False
        self._is_torn_down = False
        self._are_all_done = threading.Event()
        self._closed = threading.Event()
        self._results = CallThread(f"{self.node_id} results")
        self._left_count = 0  # how many batches were left to that thread, and how many it has finished
        self._finished_count = 0
        self._callbacks = CallThread(f"{self.node_id} callbacks")
        try:
            self.client = self._make_client(own_modules, project, identity)
            start(self)
        except BaseException:  # boundary: whatever it is, what was opened is closed
            self.opened.close()
            self.loop.stop()
            self._end_threads()
            raise
        self._at_exit = atexit.register(partial(end_with_program, self))
        tell_of_forks(self)

    def join(self, way: Way) -> None:
        """Begin to look for a master; what forks has been forked before. The thread that makes the core."""
        self.address = way.address
        self._results.start()
        self._callbacks.start()
        self.loop.post(StallWatch(self.loop, self._results, "a result that is unpickled").look)
        self.loop.post(StallWatch(self.loop, self._callbacks, "a callback of a future").look)
        self.opened.callback(self.client.stop)
        settings = self.env[TransportSettings]
        if way.protection.is_open:
            self.loop.post(say_open, self.loop, self.node_id)
        self.client.start(way, 0, Stats(), settings.limits(), components=self.env)

    def _make_client(
        self, own_modules: Sequence[str], project: Project | None, identity: Mapping[str, Any] | None
    ) -> ClusterClient:
        client = ClusterClient(
            self.loop,
            self.node_id,
            own_modules=own_modules,
            identity=identity,
            on_outcomes=self._take,
            news=news_of_futures(),
            on_joined=self._job_joined if self.job is not None else None,
            on_refused=self.break_down,
            weight=self.env[WeightSettings].weight,
            wish=self.job.wish if self.job is not None else None,
            **self.env[ApplicationSettings].taken_along(project),
            codec=self.env[PicklingSettings].codec(),
        )
        if self.job is None:
            self._initialized = self._pickled_setup(client)
        else:
            client.tasks.outgoing.before_tasks = partial(self.job.tell_keys, client.tasks)
        return client

    @property
    def state(self) -> str:
        """Whether it works, in words."""
        if self._closed.is_set():
            return "shut down"
        if self._is_closing:
            return "shutting down"
        return "broken" if self._broken is not None else self.client.state

    @property
    def failure(self) -> ConcurrentError | None:
        """Why nothing can run any more, if that is so."""
        return self._broken

    @property
    def is_closing(self) -> bool:
        """Whether nothing more is taken."""
        return self._is_closing

    @property
    def is_closed(self) -> bool:
        """Whether everything is freed."""
        return self._closed.is_set()

    @property
    def open_count(self) -> int:
        """How many futures have not ended."""
        return len(self._futures)

    def submit(
        self,
        fn: Callable[..., Any],
        args: Sequence[Any],
        kwargs: Mapping[str, Any],
        terms: Terms | None = None,
        *,
        key: str | None = None,
        chunk: int = 0,
        view: object = None,
    ) -> TaskFuture[Any]:
        """Have a call run; waits while there is no room. Its future has the error if it cannot be pickled.

        :param terms: what it asks for; by default nothing but the name of the function.
        :param key: its own in the job, if it has one.
        :param chunk: how many calls it makes; 0 if it is one itself.
        :param view: stands for the view of the executor that it is made with, see :meth:`futures_of`.
        :raises RuntimeError: if the executor was shut down.
        :raises JobMismatch: if a former program submitted something else in its place.
        :raises ConcurrentError: if nothing can run any more.
        :raises BaseException: what is no ``Exception`` and is raised while the call is pickled or waits, such
            as ``KeyboardInterrupt``; then nothing is submitted.
        """
        if self._is_closing:
            raise RuntimeError("cannot schedule new futures after shutdown")
        if self._broken is not None:
            raise self._broken.with_traceback(None)
        terms = terms or terms_of_call(fn)
        future: TaskFuture[Any] = TaskFuture(self)
        future.name = terms.name
        if view is not None:
            future.view = view
        if self.tallies:
            for tally in tuple(self.tallies):
                tally.begun(future, chunk or 1)
        former_id = 0 if self.job is None else self._look_up(self.job, future, terms, key, chunk)
        what = (fn, args, kwargs) if self._initialized is None else (self._initialized, (fn, args, kwargs), {})
        self._futures.add(future)
        try:
            if former_id:
                future.task_id = former_id
                future.task_id = self.client.tasks.adopt(former_id, future, what, terms)
            else:
                future.task_id = self.client.tasks.push(future, what, terms)
        except ConcurrentError as error:
            self._settle(future, None, error)
        except BaseException:  # boundary: the caller's own; nobody waits for this future
            future.cancel_here()
            self._settle(future, None, None)
            raise
        if self.is_closing and future.cancelled():  # meanwhile, when its task had no number yet
            self.cancel_tasks([future.task_id])
        return future

    def _look_up(
        self, job: ExecutorJob, future: TaskFuture[Any], terms: Terms, key: str | None, chunk: int
    ) -> int:
        """Give a call its text in the job; returns the id that a former program's call of it has, 0 if none."""
        job.wait()
        if self._setup is not None and self._initialized is None:  # only now it is known where code begins
            self._initialized = self._pickled_setup(self.client)
        future.key, former_id = job.keys.take(f"{terms.name} x{chunk}" if chunk else terms.name, key)
        return former_id

    def _pickled_setup(self, client: ClusterClient) -> Call | None:
        if self._setup is None:
            return None
        payload, _ = client.tasks.pickled(self._setup)
        return initialized_call(self.node_id, bytes(payload))

    def _job_joined(self, handler: TCPHandler, answer: JobAnswer) -> None:
        """Take note of a session with the master of the job. Loop thread."""
        assert self.job is not None, "else this is not called"
        error = self.job.joined(handler, answer)
        if error is not None:
            self.break_down(error)

    def cancel_tasks(self, ids: list[int], grace_s: float = 0.0) -> None:
        """See :class:`~concurrent.apps.taskfuture.FutureOwner`."""
        with suppress(LoopClosed):  # then nothing runs any more
            self.client.tasks.cancel(ids, grace_s)

    def output_of(self, task_id: int) -> str:
        """See :class:`~concurrent.apps.taskfuture.FutureOwner`."""
        if self._closed.is_set():
            raise NodeError("the executor was shut down", thing="output", remedy="Ask before that")
        return self.client.output_of(task_id)

    def explain(self, task_id: int) -> Explanation:
        """See :class:`~concurrent.apps.taskfuture.FutureOwner`."""
        return self.client.explain(task_id)

    def futures_of(self, view: object) -> list[TaskFuture[Any]]:
        """Return the open futures of calls that were made with a view, by what stands for that."""
        return [future for future in list(self._futures) if future.view is view]

    def call_back(self, callback: Callable[[], object]) -> None:
        """See :class:`~concurrent.apps.taskfuture.FutureOwner`."""
        self._callbacks.put(callback)

    def cancel(self, futures: Iterable[TaskFuture[Any]], grace_s: float = 0.0) -> None:
        """Cancel many at once; those that run have so long to end by themselves, in seconds."""
        ids = [future.task_id for future in futures if future.cancel_here()]
        if ids:
            self.cancel_tasks(ids, grace_s)

    def abandon(self, futures: Iterable[TaskFuture[Any]]) -> None:
        """Want no more of these: cancel them, or leave them to the job."""
        if self.job is None:
            self.cancel(futures)
            return
        for future in list(futures):
            future.cancel_here()
            self._settle(future, None, None)

    def drop(self) -> None:
        """Take nothing more, and cancel what is unfinished, or leave it to the job; say which, once."""
        self._is_closing = True
        if not self._is_dropped:
            self._is_dropped = True
            say_dropped(self)
        self.abandon(list(self._futures))

    def wait_freed(self) -> None:
        """Wait until everything is freed. Any thread but those of the core."""
        self._closed.wait()

    def break_down(self, error: ConcurrentError) -> None:
        """Nothing can run any more: fail what is open, and refuse what comes."""
        self._broken = error
        if self.job is not None:
            self.job.fail(error)
        self.client.give_up(error)
        self._fail_all(error)

    def close(
        self,
        *,
        wait: bool,
        cancel: bool,
        grace_s: float = 0.0,
        on_long: Callable[[], object] | None = None,
    ) -> None:
        """Take nothing more, and free everything when what was submitted has ended.

        :param wait: return only then. On the callbacks thread return when the futures have ended; at once on
            the results thread, on the loop (where ``__del__`` of an argument may run) and within ``submit``
            (where arguments are pickled): the rest needs this thread.
        :param cancel: cancel what is not finished.
        :param grace_s: how long what is cancelled and runs has to end by itself, in seconds.
        :param on_long: is called, once, if the wait takes longer than people like to wait.
        """
        if os.getpid() != self._pid:  # a forked copy has neither threads nor a cluster
            return
        self._is_closing = True
        if cancel:
            self.cancel(list(self._futures), grace_s)
        self._check_done()
        if not wait or self._is_needed():
            return
        ended = self._are_all_done if self._callbacks.is_current() else self._closed
        try:
            if on_long is not None and not ended.wait(LONG_S):
                on_long()
            ended.wait()
        except BaseException:  # boundary: a signal came: whoever waits here wants to get on
            self.drop()
            raise
        if not self._callbacks.is_current():
            self._callbacks.join()  # no thread is left, so the next LocalCluster can fork its processes

    def is_own_thread(self) -> bool:
        """Tell whether no future can end while this thread waits."""
        return self._callbacks.is_current() or self._is_needed()

    def _is_needed(self) -> bool:
        return self._results.is_current() or self.loop.is_current() or self._is_submitting()

    def _is_submitting(self) -> bool:
        """Tell whether code of an argument calls, that this thread is submitting."""
        frame: FrameType | None = sys._getframe()
        while frame is not None:
            if frame.f_code is ExecutorCore.submit.__code__ and frame.f_locals["self"] is self:
                return True
            frame = frame.f_back
        return False

    def forked(self) -> None:
        """This is a copy in a forked child: nothing that is submitted here would ever run. Main thread."""
        self._broken = NodeError(
            "an executor cannot be used in a forked copy of its program",
            thing=self.node_id,
            remedy="Make one there",
        )

    def _take(self, outcomes: list[Outcome]) -> None:
        """End the futures whose results no code is needed for; leave the others to the results thread. Loop."""
        rest: list[Outcome] = []
        size_bytes = count = 0
        for outcome in outcomes:
            future, status, payload = outcome
            result = plain_value(payload) if status == FINISHED else NOT_PLAIN
            if result is not NOT_PLAIN:
                self._settle(future, result, None)
            elif status in (FINISHED, FAILED):
                rest.append(outcome)
                continue
            else:
                self._finish(outcome)
            size_bytes += len(payload)
            count += 1
        if rest or self._left_count != self._finished_count:  # outcomes are consumed in their order
            self._left_count += 1
            self._results.put(partial(self._finish_all, rest, size_bytes, count))
        else:
            self.client.tasks.consumed(size_bytes, count)

    def _finish_all(self, outcomes: list[Outcome], size_bytes: int, count: int) -> None:
        """End futures whose results run code of the user when they are unpickled. Results thread.

        :param size_bytes: of the outcomes that came along with them and need no code.
        :param count: how many those are.
        """
        for outcome in outcomes:
            size_bytes += len(outcome.payload)
            self._finish(outcome)
        self._finished_count += 1
        with suppress(LoopClosed):
            self.client.tasks.consumed(size_bytes, count + len(outcomes))

    def _finish(self, outcome: Outcome) -> None:
        result, error = load_outcome(self.client.tasks.code, outcome)
        if isinstance(error, InitializerFailed):
            self.break_down(error)
            return
        if outcome.status == CANCELLED and self._broken is not None:
            error = self._broken  # which is why
        elif outcome.status == CANCELLED and not outcome.item.cancelled():  # by 'concurrent cancel'
            if self.job is not None:
                self.job.note_cancelled()
            outcome.item.cancel_here()
        self._settle(outcome.item, result, error)

    def _settle(self, future: TaskFuture[Any], result: Any, error: BaseException | None) -> None:
        """End a future, unless somebody else does."""
        try:
            self._futures.remove(future)
        except KeyError:
            return
        try:
            if error is not None:
                future.set_exception(error)
            else:
                future.set_result(result)
        except InvalidStateError:  # it was cancelled: tell those who wait for it
            future.set_running_or_notify_cancel()
        if self._is_closing:
            self._check_done()

    def _fail_all(self, error: ConcurrentError) -> None:
        """End what is open. A call that was being submitted is there too, or cannot be pushed any more."""
        for future in list(self._futures):
            self._settle(future, None, error)

    def _loop_failed(self, error: BaseException) -> None:
        """The loop ended by itself. Loop thread."""
        self.break_down(
            NodeError(
                f"the connection to the cluster broke down: {type(error).__name__}: {error}",
                thing=self.node_id,
                remedy="See the log above; something in this program may have closed its sockets",
            )
        )

    def _check_done(self) -> None:
        """Once closing and without open futures there is nothing left but to end."""
        if not self._futures and not self._are_all_done.is_set():
            self._are_all_done.set()
            self._callbacks.put(self._tear_down)

    def _tear_down(self) -> None:
        """Free everything. Callbacks thread, behind the callbacks."""
        if self._is_torn_down:
            return
        self._is_torn_down = True
        try:
            self._free()
        finally:
            atexit.unregister(self._at_exit)
            self._closed.set()

    def _free(self) -> None:
        error = NodeError("the executor was shut down", thing="submit")
        try:
            if self.job is not None:
                self.job.fail(error)
                self.client.detach()
            self.client.give_up(error)
            self.opened.close()
        finally:
            self._fail_all(error)
            self._end_threads()

    def _end_threads(self) -> None:
        for thread in (self._results, self._callbacks):
            thread.end()
            if not thread.is_current():
                thread.join()
