"""Tells of arguments that lead to what is not to be had at a worker, which may be on another machine."""

from __future__ import annotations

from typing import Final

from concurrent.core.errors import SchedulingError
from concurrent.scheduling.wire.failure import message_of, trace_of_task

__all__ = ["told_of_arguments"]

OF_MANAGER: Final = (
    "an argument leads to a multiprocessing.Manager that this worker cannot reach",
    "Return what goes there, and have the program keep it; or have calls connect to a manager with an address",
)
OF_MEMORY: Final = (
    "an argument is shared memory that is not on this machine",
    "Pass the data itself, and return what is new",
)
_BY_MODULE: Final = {"multiprocessing.managers": OF_MANAGER, "multiprocessing.shared_memory": OF_MEMORY}


def told_of_arguments(error: BaseException) -> BaseException:
    """Return what to say of an attempt that raised: the error itself, but where arguments led nowhere.

    :param error: what was raised. Raised by a task, its traceback begins with code of that, and where arguments
        were unpickled, with code of what they are.
    """
    trace = trace_of_task(error.__traceback__)
    known = _BY_MODULE.get(str(trace.tb_frame.f_globals.get("__name__"))) if trace is not None else None
    if known is None:
        return error
    told = SchedulingError(f"{known[0]}: {type(error).__name__}: {message_of(error)}", remedy=known[1])
    told.__cause__ = error
    return told
