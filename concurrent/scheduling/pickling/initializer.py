"""What an executor has called once in each worker, before the first of its calls there.

The initializer and its arguments are pickled once. A function that holds these bytes goes with each call; like
any closure over what cannot change it travels once to each worker, and calls refer to it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import BrokenExecutor
from typing import Any, Final

from concurrent.core.errors import TaskError
from concurrent.scheduling.pickling.payload import unpickled
from concurrent.scheduling.wire.failure import message_of

__all__ = ["Call", "InitializerFailed", "initialized_call", "prepare"]


class InitializerFailed(TaskError, BrokenExecutor):
    """The function that each worker of an executor has to call first has raised; nothing can run."""

    code = "initializer-failed"


Call = Callable[[Callable[..., Any], Sequence[Any], Mapping[str, Any]], Any]

_failure_by_token: Final[dict[str, InitializerFailed | None]] = {}
"""What was called in this process: it is a worker's for its whole life."""


def initialized_call(token: str, payload: bytes) -> Call:
    """Return what makes a call on a worker, after the initializer if that has not been called there.

    :param token: tells it from those of other executors.
    :param payload: the initializer and its arguments, pickled for the same application.
    """

    def call(function: Callable[..., Any], args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
        prepare(token, payload)
        return function(*args, **kwargs)

    return call


def prepare(token: str, payload: bytes) -> None:
    """Call an initializer unless that was done. On a worker.

    :raises InitializerFailed: if it fails, or failed when it was called.
    """
    if token not in _failure_by_token:
        _failure_by_token[token] = None
        try:
            initializer, initargs = unpickled(payload)
            initializer(*initargs)
        except BaseException as error:  # boundary: it is code of the user
            failure = InitializerFailed(
                f"the initializer of the workers failed: {type(error).__name__}: {message_of(error)}",
                thing="initializer",
                remedy="Make a new executor with one that works",
            )
            _failure_by_token[token] = failure
            raise failure from error
    known = _failure_by_token[token]
    if known is not None:
        raise known
