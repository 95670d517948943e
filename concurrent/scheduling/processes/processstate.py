"""What a process of ours starts with: decided here, and the same whether it is forked or newly started.

A process has state of many kinds that it did not choose: what the kernel hands down (signals, descriptors,
limits) and what Python keeps (options, arguments, keys, log handlers, things to do at the end). A fork has all
of it and a new interpreter a part, so that one task would meet two different worlds. Each kind is *handed on*
to a new interpreter (``handed_on``, ``take_over``), *begun anew* in a fork as a new interpreter has it anyway
(``begin_anew``), or *set* in every process (``default_signals``, ``detach_files``). The table of them is in
``docs/design/05-processes.md``.
"""

from __future__ import annotations

import atexit
import contextlib
import faulthandler
import gc
import io
import locale
import logging
import multiprocessing.process
import multiprocessing.util
import os
import signal
import sys
import threading
import warnings
import weakref
from collections.abc import Callable
from typing import Any, Final

__all__ = [
    "begin_anew",
    "default_signals",
    "detach_files",
    "handed_on",
    "open_standard_files",
    "take_over",
]

STANDARD_FILES: Final = (0, 1, 2)
IGNORED_BY_PYTHON: Final = ("SIGPIPE", "SIGXFSZ", "SIGXFZ")
"""The signals that each Python ignores from its start, so that a write fails with an error instead."""

_SETTINGS: Final[tuple[tuple[Callable[[], Any], Callable[[Any], object]], ...]] = (
    (sys.getrecursionlimit, sys.setrecursionlimit),
    (sys.getswitchinterval, sys.setswitchinterval),
    (gc.isenabled, lambda is_on: gc.enable() if is_on else gc.disable()),
    (lambda: locale.setlocale(locale.LC_ALL), lambda name: locale.setlocale(locale.LC_ALL, name)),
)
"""Settings of the interpreter that a program can change while it runs: how each is read and put."""


def handed_on() -> dict[str, Any]:
    """Return what a new interpreter has to take over to be like a fork of this process, as plain values.

    It has a secret, the key of ``multiprocessing``: others must not see it as they see a command's arguments.
    """
    return {
        "argv": list(sys.argv),
        "authkey": bytes(multiprocessing.process.current_process().authkey),
        "settings": [get() for get, _ in _SETTINGS],
        "dont_write_bytecode": sys.dont_write_bytecode,
        "warnings": _plain_warning_filters(),
        "logs": _shown_logs(),
    }


def take_over(state: dict[str, Any]) -> None:
    """Be like the process that handed this on. Main thread of a new interpreter."""
    sys.argv[:] = state["argv"]
    multiprocessing.process.current_process().authkey = state["authkey"]
    sys.dont_write_bytecode = state["dont_write_bytecode"]
    for (_, put), value in zip(_SETTINGS, state["settings"], strict=True):
        with contextlib.suppress(locale.Error):
            put(value)
    _set_warning_filters(state["warnings"])
    _show_logs(state["logs"])


def begin_anew() -> None:
    """Let go of what belongs to the program that this process is a fork of. Main thread of the fork.

    What the program wanted done at its end is not done here; its handlers of logs that lead elsewhere than to
    standard error are not used; its processes are not ours.
    """
    _show_logs(_shown_logs())
    getattr(logging, "_handlerList", []).clear()
    atexit._clear()
    for finalizer in list(getattr(weakref.finalize, "_registry", ())):
        finalizer.detach()
    atexit.register(logging.shutdown)
    atexit.register(weakref.finalize._exitfunc)  # type: ignore[attr-defined]
    atexit.register(multiprocessing.util._exit_function)  # type: ignore[attr-defined]
    getattr(multiprocessing.process, "_children", set()).clear()
    current = multiprocessing.process.current_process()
    if current.daemon:  # or tasks might have no processes of their own
        current.daemon = False
    threading.current_thread().name = "MainThread"
    sys.stdin = open(0, closefd=False)  # noqa: SIM115  # what the program has read ahead is not ours


def default_signals() -> None:
    """Have each signal do what it does in a new Python, and none blocked. Main thread of a process of ours.

    Whoever started the program may have blocked or ignored some, and the program may have handlers.
    """
    had_faulthandler = faulthandler.is_enabled()
    faulthandler.disable()
    for number in signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP}:
        is_ignored = getattr(number, "name", "") in IGNORED_BY_PYTHON
        signal.signal(number, signal.SIG_IGN if is_ignored else signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.set_wakeup_fd(-1)
    signal.pthread_sigmask(signal.SIG_SETMASK, ())
    if had_faulthandler:
        faulthandler.enable(2)


def open_standard_files() -> None:
    """Have the descriptors 0 to 2 lead to the null device where they are closed.

    Else the next sockets of this process would get these numbers, and what is printed would go there.
    """
    for fd in STANDARD_FILES:
        try:
            os.fstat(fd)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # the lowest free number is this one
            os.set_inheritable(fd, True)


def detach_files(keep: int) -> None:
    """Let go of every file that this forked process inherited but its output and ``keep``; renew the streams.

    The descriptors then lead to the null device: an object of the forked program that closes its file later
    must not close a new file that got the same number. One that lies above the limit is closed, for no new file
    gets its number.
    """
    null = os.open(os.devnull, os.O_RDWR)
    # A program that was started with these closed may have something else there by now.
    kept = {fd for fd, stream in ((1, sys.__stdout__), (2, sys.__stderr__)) if stream is not None}
    for name in os.listdir("/dev/fd"):
        fd = int(name)
        if fd in kept or fd in (keep, null):
            continue
        try:
            os.fstat(fd)
        except OSError:  # it was that of the listing itself
            continue
        try:
            os.dup2(null, fd, inheritable=fd in STANDARD_FILES)
        except OSError:
            os.close(fd)
    os.close(null)
    for name, fd in (("stdout", 1), ("stderr", 2)):  # the program may have put something else there
        file = io.FileIO(fd, "w", closefd=False)
        setattr(sys, name, io.TextIOWrapper(file, errors="backslashreplace", write_through=True))


class _StandardErrorHandler(logging.Handler):
    """Writes to what is ``sys.stderr`` at the time; that of a worker is what its task prints."""

    def emit(self, record: logging.LogRecord) -> None:
        """Write one record."""
        try:
            sys.stderr.write(self.format(record) + "\n")
        except Exception:  # boundary: what is logged is foreign; as the handlers of the library do
            self.handleError(record)


def _shown_logs() -> tuple[Any, ...]:
    """Return the level of the root logger, and how it shows records on the console, if it does."""
    root = logging.getLogger()
    streams = (sys.stdout, sys.stderr, sys.__stdout__, sys.__stderr__)
    for handler in root.handlers:
        is_console = isinstance(handler, _StandardErrorHandler) or (
            isinstance(handler, logging.StreamHandler) and handler.stream in streams
        )
        if is_console:
            formatter = handler.formatter
            layout = getattr(formatter, "_fmt", None), getattr(formatter, "datefmt", None)
            return root.level, handler.level, layout, _style_of(formatter)
    return (root.level,)


def _style_of(formatter: Any) -> str:
    kind: Any = type(getattr(formatter, "_style", None))
    return next((sign for sign, (cls, _) in logging._STYLES.items() if cls is kind), "%")


def _show_logs(shown: tuple[Any, ...]) -> None:
    """Have logs shown on standard error so, and nowhere else."""
    loggers = [logging.getLogger(), *logging.Logger.manager.loggerDict.values()]
    for logger in loggers:
        if isinstance(logger, logging.Logger):
            logger.handlers.clear()
    root = logging.getLogger()
    level, *console = shown
    root.setLevel(level)
    if console:
        handler_level, (fmt, datefmt), style = console
        handler = _StandardErrorHandler(handler_level)
        handler.setFormatter(logging.Formatter(fmt, datefmt, style))
        root.addHandler(handler)


def _plain_warning_filters() -> list[tuple[str, str | None, str, str | None, int]]:
    """Return the filters of warnings, those of a program's own categories left out."""
    plain = []
    for action, message, category, module, line in warnings.filters:
        if isinstance(category, tuple):
            continue
        name = f"{category.__module__}:{category.__qualname__}"
        if category.__module__ != "__main__" and "." not in category.__qualname__:
            plain.append((action, _pattern(message), name, _pattern(module), line))
    return plain


def _pattern(one: Any) -> str | None:
    return one if one is None or isinstance(one, str) else str(one.pattern)


def _set_warning_filters(plain: list[tuple[Any, str | None, str, str | None, int]]) -> None:
    warnings.resetwarnings()
    for action, message, name, module, line in plain:
        home, _, qualname = name.partition(":")
        category = getattr(sys.modules.get(home), qualname, None)
        if category is not None:  # else nobody here can give such a warning
            warnings.filterwarnings(action, message or "", category, module or "", line, append=True)
