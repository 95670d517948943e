"""Calls of one function that run as one task, for ``map``: what a worker needs of it, and no more.

A batch (``batch.py``) carries a failure and a result for each of its tasks; this carries one list, which
costs a tenth of that for calls that do nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

__all__ = ["run_calls"]

T = TypeVar("T")


def run_calls(
    function: Callable[..., T], calls: Sequence[tuple[Any, ...]], options: Mapping[str, Any]
) -> list[T]:
    """Return the results of several calls. On a worker.

    :param calls: the arguments of each.
    :param options: the keyword arguments of all.
    :raises Exception: what the first call that fails raises.
    """
    if not options:
        return [function(*arguments) for arguments in calls]
    return [function(*arguments, **options) for arguments in calls]
