"""How a process ends that is a copy of another one, made with ``os.fork``: at once, and nowhere else.

Below the frames of what made it lie those of the program that it is a copy of, which must not run on in it. A
copy that code of the user makes in a thread of ours has only that thread; no loop serves it and nothing comes
to it, so it ends when it comes back from that code.
"""

from __future__ import annotations

import contextlib
import os
import sys
import traceback
from typing import NoReturn

__all__ = ["end_copy", "exit_code_of", "exit_now"]


class _Here:
    """This process. Its number is not asked for each time, which would cost more than what it is for."""

    pid = os.getpid()

    @classmethod
    def forked(cls) -> None:
        """This is a copy from now on."""
        cls.pid = os.getpid()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_Here.forked)


def end_copy(of: int, error: BaseException | None = None) -> None:
    """End this process if it is a copy of another one; code of the user has returned, or raised an error.

    :param of: the process that called that code.
    """
    if _Here.pid != of:
        exit_now(0 if error is None else exit_code_of(error))


def exit_code_of(error: BaseException, otherwise: int = 1) -> int:
    """Return the exit code of a process that ends with an error, and print that as Python does.

    :param otherwise: the code for all errors but SystemExit.
    """
    if isinstance(error, SystemExit) and (error.code is None or isinstance(error.code, int)):
        return error.code or 0
    with contextlib.suppress(BaseException):  # boundary: the error and sys.stderr may be foreign code
        if isinstance(error, SystemExit):
            sys.stderr.write(f"{error.code}\n")
        else:
            traceback.print_exception(error)
    return 1 if isinstance(error, SystemExit) else otherwise


def exit_now(code: int) -> NoReturn:
    """End the process; only what it has printed is written."""
    try:
        for stream in (sys.stdout, sys.stderr):
            with contextlib.suppress(BaseException):  # boundary: it may be closed, or foreign code
                stream.flush()
    finally:
        os._exit(code & 0xFF)
