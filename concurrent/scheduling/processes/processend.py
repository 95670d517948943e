"""The end of a process in good order: what its tasks have left open is finished as Python does it.

A fork cannot end as an interpreter does, for the program's own frames lie below its own. So this does the
same in the same order: it waits for threads, runs what was registered with ``atexit``, removes temporary files
and folders, and writes what is left in the buffers of files. Objects are not deleted one by one.
"""

from __future__ import annotations

import atexit
import contextlib
import gc
import io
import signal
import sys
import tempfile
import threading
import traceback
from collections.abc import Callable
from types import FrameType
from typing import Any, Final

__all__ = ["FINISH_S", "finish"]

FINISH_S: Final = 5.0
"""How long all of that may take together, in seconds."""


def finish(exit_now: Callable[[], object]) -> None:
    """Finish what is left open. Main thread; nothing but the end of the process may follow.

    :param exit_now: ends the process at once; called when the time is over.
    """

    def too_late(_number: int, frame: FrameType | None) -> None:
        try:
            stack = "".join(traceback.format_stack(frame)[-3:])
            sys.stderr.write(
                f"the end of this process takes longer than {FINISH_S} s and is cut short; it is in\n{stack}"
            )
        finally:
            exit_now()

    signal.signal(signal.SIGALRM, too_late)
    signal.setitimer(signal.ITIMER_REAL, FINISH_S)
    for step in (threading._shutdown, atexit._run_exitfuncs, _close_files):  # type: ignore[attr-defined]
        try:
            step()
        except BaseException:  # boundary: foreign code runs here
            _print_error()


def _close_files() -> None:
    """Close the files that are open, those that write into others first; remove temporary ones."""
    own = {id(stream) for stream in (sys.stdin, sys.stdout, sys.stderr)}
    found = [thing for thing in gc.get_objects() if issubclass(type(thing), _KINDS) and id(thing) not in own]
    for thing in sorted(found, key=_layer):
        try:
            if not thing.closed:
                thing.close()
        except BaseException:  # boundary: a file may be foreign code, or its disk full
            _print_error()


def _print_error() -> None:
    with contextlib.suppress(BaseException):  # boundary: sys.stderr may be foreign code itself
        traceback.print_exc()


_TemporaryFile: Any = tempfile._TemporaryFileWrapper
_KINDS: Final = (_TemporaryFile, io.TextIOBase, io.BufferedIOBase)


def _layer(file: Any) -> int:
    """Return how far a file is from the system: text lies on compressed files, and these on buffered ones."""
    kind = type(file)
    if issubclass(kind, _TemporaryFile):
        return 0
    if issubclass(kind, io.TextIOBase):
        return 1
    return 3 if kind.__module__ in ("io", "_io") else 2
