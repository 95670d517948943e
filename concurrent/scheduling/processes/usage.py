"""How much processor time processes and the whole machine have used. Any thread.

Linux tells it in ``/proc``; elsewhere psutil does.
"""

from __future__ import annotations

import os
import sys
from typing import Final, Protocol

from concurrent.core.dependencies import installed_first
from concurrent.scheduling.processes.procstat import process_state

__all__ = ["ProcTimes", "PsutilTimes", "TimesReader", "times_reader"]

IDLE: Final = slice(3, 5)
"""The times that a machine waited, among those of ``/proc/stat``: for work, and for devices."""

GUESTS_AT: Final = 8
"""From here on they are parts of others."""

STAT_BYTES: Final = 512


class TimesReader(Protocol):
    """What tells how much processor time was used, each in seconds since some moment."""

    def process_s(self, pid: int) -> float:
        """Return how much a process has used, and its children that have ended; 0.0 if it is gone."""

    def machine_s(self) -> float:
        """Return how much all processors of the machine have used together; 0.0 if that is unknown."""


def times_reader() -> TimesReader:
    """Return what tells it on this platform."""
    return ProcTimes() if sys.platform == "linux" else PsutilTimes()


class ProcTimes:
    """Reads ``/proc``, see ``proc(5)``. Linux only."""

    def __init__(self) -> None:
        self._tick_s = 1.0 / os.sysconf("SC_CLK_TCK")

    def process_s(self, pid: int) -> float:
        """See :class:`TimesReader`."""
        state = process_state(pid)
        return state.used_ticks * self._tick_s if state is not None else 0.0

    def machine_s(self) -> float:
        """See :class:`TimesReader`."""
        try:
            with open("/proc/stat", "rb", buffering=0) as file:
                times = list(map(int, file.read(STAT_BYTES).split(b"\n", 1)[0].split()[1:]))
        except (OSError, ValueError):
            return 0.0
        return (sum(times[:GUESTS_AT]) - sum(times[IDLE])) * self._tick_s


class PsutilTimes:
    """Asks psutil, which knows many platforms."""

    def __init__(self) -> None:
        with installed_first("psutil"):
            import psutil
        self._psutil = psutil

    def process_s(self, pid: int) -> float:
        """See :class:`TimesReader`."""
        try:
            return float(sum(self._psutil.Process(pid).cpu_times()[:4]))
        except self._psutil.Error:
            return 0.0

    def machine_s(self) -> float:
        """See :class:`TimesReader`."""
        times = self._psutil.cpu_times()
        return float(times.user + times.system)
