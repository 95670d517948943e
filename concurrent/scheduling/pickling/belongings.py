"""Tells things that belong to the process that made them, and what to do instead of sending one."""

from __future__ import annotations

from concurrent.futures import Executor, Future
from types import AsyncGeneratorType, CoroutineType, GeneratorType
from typing import Any, Final, NamedTuple

__all__ = ["Belonging", "belonging", "is_bare_handle"]

OF_FORKED: Final = "which only processes share that this one forks"

FUTURE_REMEDY: Final = "Pass its result(), or submit in its add_done_callback()."
EXECUTOR_REMEDY: Final = (
    "Have the program submit, with the results of former calls; or make one within the call."
)
LOCK_REMEDY: Final = (
    "Have the program do what must not happen twice at a time, with the results; on this machine a "
    "multiprocessing.Manager() has locks and events that can be passed."
)
QUEUE_REMEDY: Final = (
    "Return what goes into it, and read the results as they come; on this machine a multiprocessing.Manager() "
    "has queues that can be passed."
)
MEMORY_REMEDY: Final = "Pass the data itself, and return what is new."
PIPE_REMEDY: Final = "Return what goes into it."
PROCESS_REMEDY: Final = "Submit what it runs."
GENERATOR_REMEDY: Final = "Pass a list of what it yields, or have the call make it."


class Belonging(NamedTuple):
    """Something that belongs to its process.

    :param reason: what it is.
    :param remedy: what to do instead.
    """

    reason: str
    remedy: str


_BY_MODULE: Final = {
    "multiprocessing.synchronize": Belonging(f"it is a lock of multiprocessing, {OF_FORKED}", LOCK_REMEDY),
    "multiprocessing.queues": Belonging(f"it is a queue of multiprocessing, {OF_FORKED}", QUEUE_REMEDY),
    "multiprocessing.sharedctypes": Belonging(f"it is memory of multiprocessing, {OF_FORKED}", MEMORY_REMEDY),
    "multiprocessing.heap": Belonging(f"it is memory of multiprocessing, {OF_FORKED}", MEMORY_REMEDY),
    "multiprocessing.connection": Belonging(f"it is an end of a pipe, {OF_FORKED}", PIPE_REMEDY),
    "multiprocessing.process": Belonging("it is a process that this one starts", PROCESS_REMEDY),
    "multiprocessing.context": Belonging("it is a process that this one starts", PROCESS_REMEDY),
    "multiprocessing.pool": Belonging("it is a pool, which belongs to this process", EXECUTOR_REMEDY),
}
_BY_KIND: Final = {
    (Future,): Belonging("it is a future, which belongs to this process", FUTURE_REMEDY),
    (Executor,): Belonging("it is an executor, which belongs to this process", EXECUTOR_REMEDY),
    (GeneratorType, AsyncGeneratorType, CoroutineType): Belonging(
        "it is code that has begun to run in this process", GENERATOR_REMEDY
    ),
}


def belonging(thing: Any) -> Belonging | None:
    """Return what something is that cannot leave its process, None if it is nothing of that kind.

    Locks of threads, files and sockets are not here: pickle says itself what they are.
    """
    kind = type(thing)
    if hasattr(kind, "_asyncio_future_blocking"):
        return _BY_KIND[(Future,)]
    for kinds, known in _BY_KIND.items():
        if isinstance(thing, kinds):
            return known
    return _BY_MODULE.get(kind.__module__)


def is_bare_handle(kind: type) -> bool:
    """Return whether pickle would copy the number of an open file, which is another file in another process."""
    return kind.__module__ == "multiprocessing.connection"
