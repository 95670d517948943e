"""Calls code of others where a Ctrl-C may come, tells its exits from the user's, and says what it raised."""

from __future__ import annotations

import contextlib
import importlib
import logging
import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final

from concurrent.core.errors import ConcurrentError

__all__ = ["calling_foreign_code", "line_raised", "log_failure", "place_raised", "shown", "text_of"]

OWN_FILES: Final = (
    os.path.dirname(os.path.dirname(__file__)),
    importlib.__path__[0],
    "<frozen importlib",
    contextlib.__file__,
)
"""What calls foreign code."""


@contextmanager
def calling_foreign_code(
    failure: Callable[[BaseException], ConcurrentError], *, passing: tuple[type[BaseException], ...] = ()
) -> Iterator[None]:
    """Turn all that the body raises into an error of the framework, but for a Ctrl-C of the user.

    ``sys.exit()`` and ``raise KeyboardInterrupt`` of the code itself are failures like any other. A Ctrl-C is
    one only if the signal came; it does so in the main thread alone.

    :param failure: returns the error, which is raised from what the body raised.
    :param passing: what is raised as it is.
    """
    with _noting_interrupts() as interrupts:
        try:
            yield
        except passing:
            raise
        except BaseException as error:  # boundary: foreign code; a Ctrl-C is raised again
            if isinstance(error, KeyboardInterrupt) and interrupts:
                raise
            raise failure(error) from error


@contextmanager
def _noting_interrupts() -> Iterator[list[int]]:
    """Give a list that has an entry for each SIGINT that Python turns into a KeyboardInterrupt."""
    interrupts: list[int] = []

    def note(number: int, frame: Any) -> None:
        interrupts.append(number)
        signal.default_int_handler(number, frame)

    is_main = threading.current_thread() is threading.main_thread()
    if not is_main or signal.getsignal(signal.SIGINT) is not signal.default_int_handler:
        yield interrupts
        return
    signal.signal(signal.SIGINT, note)
    try:
        yield interrupts
    finally:
        if signal.getsignal(signal.SIGINT) is note:
            signal.signal(signal.SIGINT, signal.default_int_handler)


def log_failure(log: logging.Logger, message: str, *args: Any, error: BaseException | None = None) -> None:
    """Log an error in a thread that has to go on: what a log handler of the user raises is dropped.

    :param error: what is logged with its traceback; None: what is being handled.
    """
    with contextlib.suppress(BaseException):  # boundary: there is nobody left who could be told
        log.error(message, *args, exc_info=error or True)


def line_raised(error: BaseException, file: str) -> int | None:
    """Return the last line of a file, or of a file in that folder, on the way to where an error was raised."""
    if isinstance(error, SyntaxError) and str(error.filename).startswith(file):
        return error.lineno
    lines = [line for name, line in _frames(error) if name.startswith(file)]
    return lines[-1] if lines else None


def place_raised(error: BaseException) -> str:
    """Return the last line in the file that was called, as ``FILE:LINE``; empty if that is not known."""
    frames = [frame for frame in _frames(error) if not frame[0].startswith(OWN_FILES)]
    if not frames:
        return ""
    file = frames[0][0]
    return f"{file}:{line_raised(error, file)}"


def text_of(error: BaseException) -> str:
    """Return the text of an error; if its own code fails, that it does."""
    try:
        return str.__str__(str(error))  # plain, for __str__ may return text with code of its own
    except BaseException:  # boundary: the error's own code runs here
        return "its message cannot be shown: __str__ raised"


def shown(error: BaseException) -> str:
    """Return the class of an error and its text, if it has one."""
    text = text_of(error)
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def _frames(error: BaseException) -> list[tuple[str, int]]:
    """Return file and line of each frame, the outermost first."""
    found = []
    frames = error.__traceback__
    while frames is not None:
        found.append((frames.tb_frame.f_code.co_filename, frames.tb_lineno))
        frames = frames.tb_next
    return found
