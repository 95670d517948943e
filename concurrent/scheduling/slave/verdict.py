"""Why a slave ends a task that runs, and what its owner is told of it. Pure."""

from __future__ import annotations

from typing import Final, NamedTuple

from concurrent.scheduling.tasks.claim import MEMORY, shown_amount
from concurrent.scheduling.tasks.outcome import CANCELLED, OUT_OF_MEMORY, Ended

__all__ = ["CANCEL", "Verdict", "over_memory"]


class Verdict(NamedTuple):
    """See the module.

    :param status: what the task ends with (``outcome.py``).
    :param reason: what limit it passed, with the figures; nothing for one that was cancelled.
    :param grace_s: how long the task may take to end by itself, in seconds.
    :param is_in_doubt: whether earlier tasks of the worker may have done it: it runs again in a new one.
    """

    status: int
    reason: str = ""
    grace_s: float = 0.0
    is_in_doubt: bool = False

    @property
    def what_next(self) -> str:
        """What becomes of the task besides, to go on behind "is ended"; mostly nothing."""
        return " and runs again in a new worker" if self.is_in_doubt else ""

    def outcome(self, where: str = "", output: str = "") -> tuple[int, bytes]:
        """Return the status and the payload that are reported.

        :param where: the slave, the worker and the time.
        :param output: the end of what the task has printed.
        """
        return self.status, Ended(self.reason, where, output).payload() if self.reason else b""


CANCEL: Final = Verdict(CANCELLED)


def over_memory(taken: int, limit: int, tasks_before: int, *, processes: int = 1, by: str = "") -> Verdict:
    """Return the verdict on a task that took too much memory; in doubt if its worker had others before.

    :param taken: how many bytes it took.
    :param limit: how many it may take.
    :param tasks_before: how many tasks its worker did before it.
    :param processes: how many processes it had.
    :param by: who ended it, if not the slave.
    """
    several = f", with {processes} processes" if processes > 1 else ""
    tasks = "1 task" if tasks_before == 1 else f"{tasks_before} tasks"
    before = f", in a worker with {tasks} before it" if tasks_before else ""
    took, may_take = shown_amount(MEMORY, taken), shown_amount(MEMORY, limit)
    reason = f"{by}it took {took} of memory{several}{before}, and may take {may_take}"
    return Verdict(OUT_OF_MEMORY, reason, is_in_doubt=tasks_before > 0)
