"""The future of one call that an executor was given."""

from __future__ import annotations

from _thread import RLock
from collections.abc import Callable
from concurrent.futures import Future
from concurrent.futures._base import PENDING
from functools import partial
from threading import Condition
from typing import TYPE_CHECKING, Any, Final, Protocol, TypeVar

from concurrent.apps.executorshown import future_line
from concurrent.core.errors import ConcurrentError
from concurrent.scheduling.owner.news import TaskNews
from concurrent.scheduling.tasks.current import TaskProgress

if TYPE_CHECKING:
    from concurrent.scheduling.tasks.explanation import Explanation

__all__ = ["FutureOwner", "TaskFuture", "news_of_futures"]

T = TypeVar("T")

GRACE_MAX_S: Final = 3600.0


class FutureOwner(Protocol):
    """What stands behind a future: it can end its task, and has a thread for its callbacks."""

    def cancel_tasks(self, ids: list[int], grace_s: float = 0.0) -> None:
        """Want nothing more of these tasks; those that run have so long to end by themselves, in seconds."""

    def output_of(self, task_id: int) -> str:
        """Return the end of what a task has printed."""

    def explain(self, task_id: int) -> Explanation:
        """Return why a task does not run now."""

    def call_back(self, callback: Callable[[], object]) -> None:
        """Have a callback called on the thread for callbacks."""


class _FutureLock(RLock):  # type: ignore[misc]  # it may be derived from, though stubs call it final
    """The condition of a future: a lock, and what to wait with while somebody does, which is seldom.

    It stands for a ``threading.Condition``, as far as futures use one. That one is several objects, which
    the garbage collector visits again and again.
    """

    _waited_for: Condition | None = None

    def wait(self, timeout: float | None = None) -> bool:
        """Let go of the lock until the future ends, at most so long, in seconds; tell whether it has."""
        if self._waited_for is None:
            self._waited_for = Condition(self)
        return self._waited_for.wait(timeout)

    def notify_all(self) -> None:
        """Wake whoever waits: the future has ended, so nobody waits again."""
        if self._waited_for is not None:
            self._waited_for.notify_all()
            self._waited_for = None  # it refers to this


class TaskFuture(Future[T]):
    """The future of one task or chunk of calls; cancelling it frees the worker too.

    ``has_begun`` is set on the loop's thread when a worker has run it for a while, and unset when it
    waits again.

    :param owner: the core of its executor.
    """

    task_id = 0
    """0 until the task is pushed."""
    name = ""
    """What the task is called: the name of its function, or what it was given."""
    has_begun = False
    progress: TaskProgress | None = None
    """How far the task says that it is, with ``current_task().progress()``: ``done``, ``total`` and ``text``;
    None before it has. It is told a few times a second while the task runs, and when it has ended."""
    view: object = None
    """What stands for the view of the executor that the call was made with; None if it was made with none."""
    key = ""
    """The text by which a job knows the call."""

    def __init__(self, owner: FutureOwner) -> None:
        # All that a future has, but for its condition: to make that costs more than the rest.
        self._condition = _FutureLock()  # type: ignore[assignment]
        self._state = PENDING
        self._result = None
        self._exception = None
        self._waiters = []
        self._done_callbacks: list[Callable[[Future[T]], object]] = []
        self._owner = owner

    def __repr__(self) -> str:
        """Return what it is of, and what became of that."""
        return future_line(self)

    def running(self) -> bool:
        """Tell whether a worker runs it, as is known half a second after that began; ``cancel`` still works.

        It is not while the task waits for its next try, or for another slave.
        """
        return self.has_begun and not self.done()

    def explain(self) -> Explanation:
        """Ask the master why the task does not run now: what it asks for, who could run it and why each cannot
        now, what happened to it, and what happens next. ``str()`` of it is text of some lines. Of one that has
        ended it says when, where and how, as far as the master remembers.

        It waits for the answer, so it is for any thread of yours.

        :raises CallTimeout: if the master does not answer.
        :raises NodeError: if it is of an older version, which does not know.
        """
        from concurrent.scheduling.tasks.explanation import ENDED, has_ended

        if not self.done():
            return self._owner.explain(self.task_id)
        try:
            found = self._owner.explain(self.task_id)
        except ConcurrentError:  # of what has ended more is to be had while the master is there
            found = has_ended(self.task_id, "this program")
        return found if found.state == ENDED else has_ended(self.task_id, "this program")

    def cancel(self, grace_s: float = 0.0) -> bool:
        """Want nothing more of the task; the worker that runs it is ended.

        :param grace_s: how long the task may clean up, in seconds: it is asked to end first, by SIGTERM, which
            raises in it. 0: it is killed at once. Of several calls the one counts whose time is over first.
        :returns: whether it was cancelled; False if it has ended.
        :raises ValueError: if that is no such number.
        """
        if (
            isinstance(grace_s, bool)
            or not isinstance(grace_s, (int, float))
            or not 0 <= grace_s <= GRACE_MAX_S
        ):
            raise ValueError(
                f"grace_s must be a number of seconds from 0 to {GRACE_MAX_S:g}, but is {grace_s!r}"
            )
        is_cancelled = self.cancel_here()
        if is_cancelled and self.task_id:
            self._owner.cancel_tasks([self.task_id], grace_s)
        return is_cancelled

    def output(self) -> str:
        """Return the end of what the task prints, while it runs and after; empty if it has printed nothing.

        It is at most 16 KiB; a line at its beginning says how much is left out. Of a task that was tried again
        it is that of the latest try. The master keeps that of the latest tasks only, and not after a restart.

        :raises ConcurrentError: if the master cannot be asked, or is too old to know.
        """
        return self._owner.output_of(self.task_id) if self.task_id else ""

    def cancel_here(self) -> bool:
        """Cancel the future, but leave it to the caller to cancel the task."""
        return super().cancel()

    def when_ended(self, fn: Callable[[TaskFuture[T]], object]) -> None:
        """Have ``fn(future)`` called at once by whoever ends it; it must raise nothing and wait for nobody."""
        super().add_done_callback(fn)  # type: ignore[arg-type]  # it is this future that it is called with

    def add_done_callback(self, fn: Callable[[Future[T]], object]) -> None:
        """Have ``fn(future)`` called when the task has ended, on the executor's thread for callbacks.

        There it may submit, wait for other futures and shut the executor down. If the future is done already
        it is called at once by this thread.
        """
        if self.done():
            super().add_done_callback(fn)
        else:
            super().add_done_callback(partial(_call_back, self._owner, fn))


def _call_back(owner: FutureOwner, fn: Callable[[Any], object], future: Future[Any]) -> None:
    owner.call_back(partial(fn, future))


def news_of_futures() -> TaskNews:
    """Return what takes down what the master says of tasks whose items are futures. Loop thread only."""
    return TaskNews(_note_running, _note_waiting, _note_progress)


def _note_running(futures: list[TaskFuture[Any]]) -> None:
    for future in futures:
        future.has_begun = True


def _note_waiting(futures: list[TaskFuture[Any]]) -> None:
    for future in futures:
        future.has_begun = False


def _note_progress(said: list[tuple[TaskFuture[Any], TaskProgress]]) -> None:
    for future, progress in said:
        future.progress = progress
