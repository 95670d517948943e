"""Tasks that are over for their owners and may still run: a slave was told to end them. Pure; for the ledger.

Such a task was cancelled, its deadline has passed, or its owner has left. What it claims is taken until the
slave says that it runs no more, or should have said so. Meanwhile whose it was may shorten its grace.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass
from math import inf
from typing import Final

from concurrent.scheduling.ledger.claims import Claims
from concurrent.scheduling.ledger.events import CancelRun
from concurrent.scheduling.ledger.records import SlaveRecord, TaskRecord
from concurrent.scheduling.tasks.claim import Claim

__all__ = ["ANSWER_S", "EndingRun", "EndingRuns"]

ANSWER_S: Final = 5.0
"""So long after a grace is over the word of a slave is awaited that a task has ended."""


@dataclass(slots=True)
class EndingRun:
    """What a slave was told to end.

    :param client_id: the number that its owner gave the task.
    :param until: when it is taken to have ended in any case, in seconds since any fixed instant; infinity
        until somebody looks.
    """

    owner: int
    client_id: int
    claim: Claim
    grace_s: float
    until: float = inf


class EndingRuns:
    """See the module. ``runs`` has each by the numbers of slave and task.

    :param claims: counts what they have.
    :param slaves: those that are there.
    """

    def __init__(self, claims: Claims, slaves: Mapping[int, SlaveRecord]) -> None:
        self.runs: dict[tuple[int, int], EndingRun] = {}
        self._claims = claims
        self._slaves = slaves

    def add(self, task: TaskRecord, grace_s: float = 0.0) -> None:
        """Take note that the slave of a task is told to end it.

        :param grace_s: how long it may take for it, in seconds.
        """
        claim = task.terms.resources
        if claim or grace_s:
            run = EndingRun(task.owner.owner, task.client_id, claim, grace_s)
            self.runs[task.slave, task.number] = run

    def over(self, slave: int, numbers: Iterable[int]) -> None:
        """Take note that a slave says of tasks that it runs them no more; of others it has told before."""
        for number in numbers if self.runs else ():
            if (slave, number) in self.runs:
                self._forget(slave, number)

    def look(self, now: float) -> None:
        """Forget what must have ended by now. Call it every second.

        :param now: the time, in seconds since any fixed instant.
        """
        for (slave, number), run in list(self.runs.items()):
            if run.until == inf:
                run.until = now + run.grace_s + ANSWER_S
            elif now >= run.until:
                self._forget(slave, number)

    def hurry(self, owner: int, ids: Container[int], grace_s: float) -> list[CancelRun]:
        """Have what an owner had cancelled end within another grace, if that is over sooner.

        :param ids: of tasks, as their owner numbers them.
        """
        numbers_by_slave: dict[int, list[int]] = {}
        for (slave, number), run in self.runs.items():
            if run.owner == owner and run.client_id in ids and slave in self._slaves:
                numbers_by_slave.setdefault(slave, []).append(number)
        return [CancelRun(slave, numbers, grace_s) for slave, numbers in numbers_by_slave.items()]

    def _forget(self, slave: int, number: int) -> None:
        claim = self.runs.pop((slave, number)).claim
        record = self._slaves.get(slave)
        if claim and record is not None:
            self._claims.hold(record, claim, -1)
        elif claim:
            self._claims.give_back(claim)
