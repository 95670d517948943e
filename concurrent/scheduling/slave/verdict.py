"""Why a slave ends a task that runs, and what its owner is told of it. Pure."""

from __future__ import annotations

from typing import Final, NamedTuple

from concurrent.scheduling.tasks.outcome import CANCELLED, Ended

__all__ = ["CANCEL", "Verdict"]


class Verdict(NamedTuple):
    """See the module.

    :param status: what the task ends with (``outcome.py``).
    :param reason: what limit it passed, with the figures; nothing for one that was cancelled.
    :param grace_s: how long the task may take to end by itself, in seconds.
    """

    status: int
    reason: str = ""
    grace_s: float = 0.0

    def outcome(self, where: str = "", output: str = "") -> tuple[int, bytes]:
        """Return the status and the payload that are reported.

        :param where: the slave, the worker and the time.
        :param output: the end of what the task has printed.
        """
        return self.status, Ended(self.reason, where, output).payload() if self.reason else b""


CANCEL: Final = Verdict(CANCELLED)
