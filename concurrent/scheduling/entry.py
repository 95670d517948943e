"""The first and last steps of a process that a launcher started."""

from __future__ import annotations

import contextlib
import importlib
import os
import sys
import traceback
from collections.abc import Callable, Sequence
from typing import Any, Final, NoReturn

__all__ = ["ENTRY_FAILED", "call_entry", "run_and_exit"]

ENTRY_FAILED: Final = 70
"""The exit code of a process whose entry could not be imported or raised."""


def call_entry(entry: str, arguments: Sequence[Any]) -> None:
    """Import ``module:function`` and call it. Main thread of a new process.

    :raises ValueError: if ``entry`` is not of that form.
    """
    module_name, _, function_name = entry.partition(":")
    if not function_name:
        raise ValueError(f"the entry of a process is 'module:function', not {entry!r}")
    getattr(importlib.import_module(module_name), function_name)(*arguments)


def run_and_exit(body: Callable[[], object]) -> NoReturn:
    """Call ``body`` and end the process, without the clean-up of a program that it may be a fork of.

    What ``body`` raises is printed; the exit code is then ``ENTRY_FAILED``, or that of a SystemExit.
    """
    code = ENTRY_FAILED
    try:
        body()
        code = 0
    except SystemExit as request:
        code = request.code if isinstance(request.code, int) else int(request.code is not None)
    except BaseException:  # boundary: reported on stderr and by the exit code
        traceback.print_exc()
    finally:
        for stream in (sys.stdout, sys.stderr):
            with contextlib.suppress(OSError, ValueError, AttributeError):  # the program may have closed it
                stream.flush()
        os._exit(code)
