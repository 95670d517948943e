"""The first and last steps of a process that a launcher started."""

from __future__ import annotations

import contextlib
import importlib
import socket
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, Final, NoReturn

from concurrent.core.leaving import exit_code_of, exit_now
from concurrent.scheduling.processes.processend import finish

__all__ = ["ENTRY_FAILED", "call_entry", "run_and_exit"]

ENTRY_FAILED: Final = 70
"""The exit code of a process whose entry could not be imported or raised."""


def call_entry(entry: str, fds: Sequence[int], arguments: Sequence[Any]) -> None:
    """Import ``module:function`` and call it; main thread of a new process. Its sockets are closed afterwards.

    :param fds: the descriptors of these sockets, which come before the other arguments.
    :raises ValueError: if ``entry`` is not of that form.
    """
    module_name, _, function_name = entry.partition(":")
    if not function_name:
        raise ValueError(f"the entry of a process is 'module:function', not {entry!r}")
    with contextlib.ExitStack() as sockets:
        opened = [sockets.enter_context(socket.socket(fileno=fd)) for fd in fds]
        getattr(importlib.import_module(module_name), function_name)(*opened, *arguments)


def run_and_exit(body: Callable[[], object], *, has_left_open: bool = True) -> NoReturn:
    """Call ``body`` and end the process, without the clean-up of a program that it may be a fork of.

    What ``body`` raises is printed; the exit code is then ``ENTRY_FAILED``, or that of a SystemExit.

    :param has_left_open: whether ``body`` may have left something to be finished, see ``processend.py``.
    """
    code = ENTRY_FAILED
    try:
        try:
            body()
            code = 0
        except BaseException as error:  # boundary: reported on stderr and by the exit code
            code = exit_code_of(error, ENTRY_FAILED)
        if has_left_open:
            finish(partial(exit_now, code))
    finally:  # whatever code of tasks raises at the end: below lie the frames of the program
        exit_now(code)
