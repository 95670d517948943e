"""What an owner is told of tasks between their submission and their end: for people, so it may be lost."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Final, NamedTuple

from concurrent.scheduling.tasks.current import TaskProgress
from concurrent.scheduling.wire.columns import check_columns
from concurrent.scheduling.wire.messages import to_owner
from concurrent.transport.calls.handler import TCPHandler
from concurrent.transport.calls.methods import HasMethods, receives

__all__ = ["TaskNews", "register_news"]

TEXT_CHARS_MAX: Final = 400


class TaskNews(NamedTuple):
    """Who wants to know what; None for nobody. Each is called on the loop, with the items of tasks.

    :param on_running: they have begun to run, and will take a while.
    :param on_waiting: they ran, and wait again: for their next tries, or for another slave.
    :param on_progress: they say how far they are; called with pairs of an item and that.
    """

    on_running: Callable[[list[Any]], object] | None = None
    on_waiting: Callable[[list[Any]], object] | None = None
    on_progress: Callable[[list[tuple[Any, TaskProgress]]], object] | None = None


def register_news(
    endpoint: HasMethods, news: TaskNews, items_of: Callable[[Iterable[int]], Iterable[Any]]
) -> None:
    """Register what somebody wants to know of what the master tells.

    :param items_of: returns the items of tasks, by their ids; none for those that are not open.
    """
    on_running, on_waiting, on_progress = news
    if on_running is not None:

        @receives(endpoint, to_owner.running)
        def running(_handler: TCPHandler, _request: Any, ids: list[int]) -> None:
            """Take note of tasks that have begun to run."""
            on_running(list(items_of(ids)))

    if on_waiting is not None:

        @receives(endpoint, to_owner.waiting)
        def waiting(_handler: TCPHandler, _request: Any, ids: list[int]) -> None:
            """Take note of tasks that wait again."""
            on_waiting(list(items_of(ids)))

    if on_progress is not None:

        @receives(endpoint, to_owner.progress)
        def progress(
            _handler: TCPHandler,
            _request: Any,
            ids: list[int],
            done: list[float],
            totals: list[float],
            texts: list[str],
        ) -> None:
            """Take note of how far tasks say that they are."""
            check_columns(ids, done, totals, texts)
            said: list[tuple[Any, TaskProgress]] = []
            for task_id, one_done, total, text in zip(ids, done, totals, texts, strict=True):
                latest = TaskProgress(one_done, total, text[:TEXT_CHARS_MAX])
                said += [(item, latest) for item in items_of([task_id])]
            on_progress(said)
