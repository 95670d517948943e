"""What an executor does when its program ends: it waits for what was submitted, and says what it drops."""

from __future__ import annotations

import signal
import sys
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING

from concurrent.apps.api import counted
from concurrent.core.loggers import get_log

if TYPE_CHECKING:
    from concurrent.apps.executorcore import ExecutorCore

__all__ = ["end_with_program", "say_dropped"]

log = get_log(__name__)


def end_with_program(core: ExecutorCore) -> None:
    """Wait for what was submitted, as the pools of the standard library do. Main thread, at the exit.

    A program that was ended by Ctrl-C does not wait, nor one that has failed for a job, which goes on. Ctrl-C
    ends the wait, and the exit code says so; a second one ends the program at once.
    """
    has_failed = hasattr(sys, "last_value")
    if has_failed and (core.job is not None or _was_interrupted()):
        core.drop()
    try:
        core.close(wait=True, cancel=False, on_long=partial(_say_waiting, core))
    except KeyboardInterrupt:  # what was submitted is lost, which the exit code has to say
        signal.signal(signal.SIGINT, signal.SIG_DFL)  # so a second one ends it at once
        core.wait_freed()
        for stream in (sys.stdout, sys.stderr):
            with suppress(OSError, ValueError):  # closed, or nobody reads it
                stream.flush()
        signal.raise_signal(signal.SIGINT)


def say_dropped(core: ExecutorCore) -> None:
    """Say what becomes of what is unfinished, for nobody waits for it any more. Any thread."""
    if not core.open_count:
        return
    if core.job is None:
        log.warning("interrupted: cancels %s at %s", _unfinished(core), core.address)
    else:
        log.warning(
            "leaves %s to the job %s at %s, which goes on: start the program again to have the results",
            _unfinished(core),
            core.job.name,
            core.address,
        )


def _was_interrupted() -> bool:
    """Tell whether Ctrl-C has ended the program; at a prompt it ends only what was typed."""
    return isinstance(sys.last_value, KeyboardInterrupt) and not hasattr(sys, "ps1")


def _say_waiting(core: ExecutorCore) -> None:
    waits_for = core.client.waits_for
    log.warning(
        "the program waits for %s at %s%s; Ctrl-C %s",
        _unfinished(core),
        core.address,
        f", which wait for {waits_for}" if waits_for else "",
        "cancels them" if core.job is None else "leaves them to their job",
    )


def _unfinished(core: ExecutorCore) -> str:
    return counted(core.open_count, "unfinished task")
