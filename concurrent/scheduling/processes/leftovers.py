"""What tasks leave behind: processes that still run when their application has ended.

A worker has a mark of the application whose task it runs in its environment, so that the commands which the
task starts have it too, wherever they go. Only a copy that was forked and runs no other program has none.
"""

from __future__ import annotations

import os
from collections.abc import Collection
from typing import Final

from concurrent.scheduling.processes.descendants import below, command_of, environment_of, kill, session_of

__all__ = ["kill_leftovers", "mark_environment"]

MARK: Final = "CONCURRENT_TASKS_OF"
HELPER: Final = ".resource_tracker"
"""A helper of ``multiprocessing`` that belongs to its worker, and ends with it."""


def mark_environment(app: int) -> None:
    """Have the commands that this worker starts from now on belong to an application. Main thread."""
    os.environ[MARK] = f"{os.getppid()}.{app}"


def kill_leftovers(
    app: int, workers: Collection[int], ending: Collection[int], *, is_last: bool
) -> tuple[list[str], bool]:
    """Kill the processes that tasks of an application have left behind. In the process that forks workers.

    :param app: the number of the application.
    :param workers: the process ids of the workers, which stay.
    :param ending: those of workers that were killed and take what they started along.
    :param is_last: whether no other application has tasks here: what has no mark was left by this one, or by
        one that has gone before it.
    :returns: what they were, for people; and whether another look may find more.
    """
    name = f"{MARK}=".encode()
    mark = name + f"{os.getpid()}.{app}".encode()
    killed = []
    is_unsure = False
    for pid in below():
        if pid in workers or session_of(pid) in ending:
            continue
        entries = environment_of(pid)
        is_unsure |= not entries
        marks = [entry for entry in entries if entry.startswith(name)]
        if mark not in marks and not (is_last and not marks):
            continue
        command = command_of(pid)
        if HELPER not in command:
            kill(pid)
            killed.append(f"{command} (process {pid})")
    return killed, is_unsure
