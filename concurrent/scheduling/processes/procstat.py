"""What the kernel says of a process: whether it runs, and how much it has computed. Linux only."""

from __future__ import annotations

from typing import Final, NamedTuple

__all__ = ["ProcessState", "process_state"]

FIRST_TIME: Final = 11
"""Where the four counts of processor time begin behind the name of the process, see ``proc(5)``."""


class ProcessState(NamedTuple):
    """The state of one process.

    :param letter: as ``ps`` shows it, such as R, S, D or T.
    :param used_ticks: the processor time of it and of its children that have ended, in ticks of the kernel.
    """

    letter: str
    used_ticks: int

    @property
    def is_stopped(self) -> bool:
        """Whether a signal or a debugger has stopped it."""
        return self.letter in "Tt"

    @property
    def is_blocked(self) -> bool:
        """Whether it waits in the kernel for a device, and cannot even be killed meanwhile."""
        return self.letter == "D"


def process_state(pid: int) -> ProcessState | None:
    """Return the state of a process; None if it is gone, or where that is unknown. Any thread."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            fields = file.read().rpartition(b")")[2].split()
    except OSError:
        return None
    return ProcessState(fields[0].decode(), sum(map(int, fields[FIRST_TIME : FIRST_TIME + 4])))
