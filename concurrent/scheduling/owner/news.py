"""What an owner is told of tasks between their submission and their end: for people, so it may be lost."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

from concurrent.scheduling.wire.messages import to_owner
from concurrent.transport.calls.handler import TCPHandler
from concurrent.transport.calls.methods import HasMethods, receives

__all__ = ["TaskNews", "register_news"]


class TaskNews(NamedTuple):
    """Who wants to know what. Each is called on the loop, with the items of tasks.

    :param on_running: they have begun to run, and will take a while.
    :param on_waiting: they ran, and wait again: for their next tries, or for another slave.
    """

    on_running: Callable[[list[Any]], object]
    on_waiting: Callable[[list[Any]], object]


def register_news(
    endpoint: HasMethods, news: TaskNews, items_of: Callable[[Iterable[int]], Iterable[Any]]
) -> None:
    """Register what the master tells.

    :param items_of: returns the items of tasks, by their ids; none for those that are not open.
    """

    @receives(endpoint, to_owner.running)
    def running(_handler: TCPHandler, _request: Any, ids: list[int]) -> None:
        """Take note of tasks that have begun to run."""
        news.on_running(list(items_of(ids)))

    @receives(endpoint, to_owner.waiting)
    def waiting(_handler: TCPHandler, _request: Any, ids: list[int]) -> None:
        """Take note of tasks that wait again."""
        news.on_waiting(list(items_of(ids)))
