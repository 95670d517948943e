"""Tasks that slaves handed back without being asked, or that lost a worker there: who may have them now. Pure.

Such a task is not queued again, for it would go straight back to where it came from. It waits here until a
slave has room that has not refused it. When all have, it waits until it is forgotten who has. A task whose
worker died waits here for slaves at which it has not been yet; when it has been at all, any may have it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from itertools import chain
from typing import Final

from concurrent.scheduling.ledger.claims import Claims
from concurrent.scheduling.ledger.records import SlaveRecord, TaskRecord
from concurrent.scheduling.ledger.states import TaskEvent, TaskState
from concurrent.scheduling.tasks.terms import Terms

__all__ = ["Refusals"]

REFUSERS_MAX: Final = 16
"""A task that so many slaves have refused is taken to be refused by all."""

_Key = tuple[int, Terms, frozenset[int]]
"""The owner of tasks, what they ask for, and the slaves that refused them."""


class Refusals:
    """See the module. While no slave has refused anything, it and ``refusers_by_number`` are false.

    :param claims: says who has room for what.
    """

    def __init__(self, claims: Claims) -> None:
        self._claims = claims
        self.waiting_count = 0
        self.refusers_by_number: dict[int, frozenset[int]] = {}
        self._waiting: dict[_Key, dict[int, TaskRecord]] = {}

    def __bool__(self) -> bool:
        return bool(self.refusers_by_number)

    def note(self, slave: int, tasks: Iterable[TaskRecord]) -> None:
        """Remember that a slave has refused tasks."""
        known = self.refusers_by_number
        for task in tasks:
            known[task.number] = known.get(task.number, frozenset()) | {slave}

    def avoid(self, slave: int, tasks: Iterable[TaskRecord], slaves: Collection[SlaveRecord]) -> None:
        """Have tasks whose worker died at a slave tried at others first, for that may be what was wrong.

        When they have been everywhere, any slave may have them again.
        """
        takers = [one for one in slaves if one.window > 0]
        known = self.refusers_by_number
        for task in tasks:
            been_at = known.get(task.number, frozenset()) | {slave}
            claim = task.terms.resources
            if any(_may_have(one, been_at) and self._claims.could(one, claim) for one in takers):
                known[task.number] = been_at
            else:
                known.pop(task.number, None)

    def keep(self, tasks: list[TaskRecord]) -> list[TaskRecord]:
        """Keep those tasks that a slave has refused, and return the others, and those that may not run."""
        others: list[TaskRecord] = []
        for task in tasks:
            refusers = self.refusers_by_number.get(task.number)
            if refusers is None or not task.owner.may_run:
                others.append(task)
                continue
            task.undergo(TaskEvent.REFUSED)
            task.slave = 0
            self._waiting.setdefault((task.owner.owner, task.terms, refusers), {})[task.number] = task
            self.waiting_count += 1
        return others

    def forget(self, task: TaskRecord) -> None:
        """Know no more of a task, and do not keep it."""
        refusers = self.refusers_by_number.pop(task.number, None)
        if refusers is not None and task.state is TaskState.REFUSED:
            key = task.owner.owner, task.terms, refusers
            del self._waiting[key][task.number]
            self.waiting_count -= 1
            if not self._waiting[key]:
                del self._waiting[key]

    def tasks_of(self, owner: int) -> list[TaskRecord]:
        """Return the tasks of an owner that are kept here."""
        return [task for key, group in self._waiting.items() if key[0] == owner for task in group.values()]

    def tasks(self) -> Iterator[TaskRecord]:
        """Iterate over all tasks that are kept here."""
        return chain.from_iterable(group.values() for group in self._waiting.values())

    def take(self, slaves: Collection[SlaveRecord]) -> Iterator[tuple[SlaveRecord, list[TaskRecord]]]:
        """Yield tasks of one owner with equal terms, and a slave with room that did not refuse them.

        The caller hands them over. The least loaded come first, and those that can have the same tasks get
        equal shares.
        """
        if not self._waiting:
            return
        takers = sorted(
            (slave for slave in slaves if slave.window > 0), key=lambda slave: len(slave.held) / slave.workers
        )
        for key, group in list(self._waiting.items()):
            claim = key[1].resources
            fit = [
                slave for slave in takers if _may_have(slave, key[2]) and self._claims.room(slave, claim) > 0
            ]
            for index, slave in enumerate(fit):
                share = min(self._claims.room(slave, claim), -(-len(group) // (len(fit) - index)))
                numbers = sorted(group)[:share]
                if numbers:
                    self.waiting_count -= len(numbers)
                    yield slave, [group.pop(number) for number in numbers]
            if not group:
                del self._waiting[key]

    def stuck(self, slaves: Collection[SlaveRecord]) -> list[TaskRecord]:
        """Return the tasks that all slaves have refused that could have them; none if there is no slave."""
        takers = [slave for slave in slaves if slave.window > 0]
        could = self._claims.could
        return [
            task
            for key, group in self._waiting.items()
            if takers and not any(_may_have(one, key[2]) and could(one, key[1].resources) for one in takers)
            for task in group.values()
        ]


def _may_have(slave: SlaveRecord, refusers: frozenset[int]) -> bool:
    return slave.slave not in refusers and len(refusers) < REFUSERS_MAX
