"""The future of one call that an executor was given."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from functools import partial
from typing import Any, Protocol, TypeVar

__all__ = ["FutureOwner", "TaskFuture"]

T = TypeVar("T")


class FutureOwner(Protocol):
    """What stands behind a future: it can end its task, and has a thread for its callbacks."""

    def cancel_tasks(self, ids: list[int]) -> None:
        """Want nothing more of these tasks."""

    def call_back(self, callback: Callable[[], object]) -> None:
        """Have a callback called on the thread for callbacks."""


class TaskFuture(Future[T]):
    """The future of one task or chunk of calls; cancelling it frees the worker too.

    ``has_begun`` is set on the loop's thread when a worker has run it for a while.

    :param owner: the core of its executor.
    """

    task_id = 0
    """0 until the task is pushed."""
    has_begun = False
    key = ""
    """The text by which a job knows the call."""

    def __init__(self, owner: FutureOwner) -> None:
        super().__init__()
        self._owner = owner

    def running(self) -> bool:
        """Tell whether a worker runs it, as is known half a second after that began; ``cancel`` still works."""
        return self.has_begun and not self.done()

    def cancel(self) -> bool:
        """Want nothing more of the task; the worker that runs it is stopped."""
        is_cancelled = self.cancel_here()
        if is_cancelled and self.task_id:
            self._owner.cancel_tasks([self.task_id])
        return is_cancelled

    def cancel_here(self) -> bool:
        """Cancel the future, but leave it to the caller to cancel the task."""
        return super().cancel()

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
