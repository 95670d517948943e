"""What a scheduler of a plug-in sees of the ledger, and the check of what it returns. A pure module.

Reading is free. Giving away goes through methods that take down which commands they made: so nothing that
the ledger has given away can be lost on the way, and nothing can be sent that it has not given away.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from concurrent.core.errors import SchedulingError
from concurrent.scheduling.ledger.events import AskBack, Command
from concurrent.scheduling.ledger.lanes import Lane
from concurrent.scheduling.ledger.ledger import Ledger
from concurrent.scheduling.ledger.records import JobRecord, SlaveRecord, TaskRecord
from concurrent.scheduling.schedulers.admission import let_in

__all__ = ["LedgerView"]

MANAGER_WITHOUT_QUEUE = "GenericTaskManager"
MANAGER_OF_QUEUE = "ZMQTaskManager"


class LedgerView:
    """The ledger for one turn of a scheduler. Its attributes mean what they mean in :class:`Ledger`.

    :param manager: the task manager of the slaves; it decides which ways there are to give tasks away.
    """

    def __init__(self, ledger: Ledger, manager: str) -> None:
        self.slaves: Mapping[int, SlaveRecord] = MappingProxyType(ledger.slaves)
        self.owners: Mapping[int, JobRecord] = MappingProxyType(ledger.owners)
        self.task_by_number: Mapping[int, TaskRecord] = MappingProxyType(ledger.task_by_number)
        self.pushed: Mapping[int, TaskRecord] = MappingProxyType(ledger.pushed)
        self._ledger = ledger
        self._manager = manager
        self._made: list[Command] = []
        self._asked: set[int] = set()
        self._is_over = False

    @property
    def queued_count(self) -> int:
        """How many tasks wait for a slave, and may go to any."""
        return self._ledger.queued_count

    @property
    def held_total(self) -> int:
        """How many tasks the slaves have."""
        return self._ledger.held_total

    @property
    def window_total(self) -> int:
        """How many tasks the slaves want to hold together."""
        return self._ledger.window_total

    @property
    def lanes(self) -> list[Lane]:
        """The lanes with waiting tasks, in their fair order."""
        return self._ledger.lanes

    @property
    def next_lane(self) -> Lane | None:
        """The lane whose turn it is; None if no task waits."""
        return self._ledger.next_lane

    @property
    def claimed_lanes(self) -> list[Lane]:
        """The lanes with waiting tasks that claim resources, which are given away without the scheduler."""
        return self._ledger.claimed_lanes

    def assign(self, slave: int, count: int, lane: Lane | None = None) -> list[Command]:
        """Give up to ``count`` queued tasks to ``slave``.

        :param lane: one of ``lanes``, where they are taken from; None for all, in their order.
        :raises SchedulingError: if there is no such slave, or slaves take tasks from the work queue.
        """
        self._check_slave("assign", slave)
        if self._manager == MANAGER_OF_QUEUE:
            raise SchedulingError(
                f"assign gives tasks to one slave, but those of {self._manager} take them from the work queue",
                thing="assign",
                remedy="Use offer, or return another name from manager_name",
            )
        _check_lane("assign", lane)
        return self._take_down(lambda: self._ledger.assign(slave, _whole("assign", count), lane))

    def offer(self, count: int, lane: Lane | None = None) -> list[Command]:
        """Put up to ``count`` queued tasks on the work queue.

        :param lane: one of ``lanes``, where they are taken from; None for all, in their order.
        :raises SchedulingError: if slaves do not take tasks from there.
        """
        if self._manager == MANAGER_WITHOUT_QUEUE:
            raise SchedulingError(
                f"offer puts tasks on the work queue, but slaves with {self._manager} take none from there",
                thing="offer",
                remedy="Use assign, or return another name from manager_name",
            )
        _check_lane("offer", lane)
        return self._take_down(lambda: self._ledger.offer(_whole("offer", count), lane))

    def let_in(self) -> list[Command]:
        """Give tasks beyond their windows to slaves, of owners that have less than their share there."""
        return self._take_down(lambda: let_in(self._ledger))

    def ask_back(self, slave: int) -> bool:
        """Return whether ``slave`` may be asked for unstarted tasks: once until it has answered.

        :raises SchedulingError: if there is no such slave.
        """
        self._check_slave("ask_back", slave)
        may_ask = self._ledger.ask_back(slave)
        if may_ask:
            self._asked.add(slave)
        return may_ask

    def explain(self, number: int) -> str:
        """Return one line on where the task with this number is."""
        return self._ledger.explain(number)

    def checked(self, returned: Any) -> tuple[list[Command], list[str]]:
        """Return the commands to carry out, and what is wrong with those that a scheduler returned.

        What the ledger has given away is among the commands, whether it was returned or not.
        """
        if not isinstance(returned, (list, tuple)):
            kind = type(returned).__name__
            return self.made(), [
                f"returned {'None' if returned is None else 'a ' + kind}, not a list of commands"
            ]
        made = {id(command) for command in self._made}
        commands: list[Command] = []
        problems: list[str] = []
        for command in returned:
            if id(command) in made:
                made.remove(id(command))
                commands.append(command)
            elif type(command) is AskBack and command.slave in self._asked and _is_count(command.count):
                self._asked.remove(command.slave)
                commands.append(command)
            else:
                problems.append(f"returned a {type(command).__name__} that the ledger has not made or allowed")
        left = [command for command in self._made if id(command) in made]
        if left:
            problems.append("did not return all commands that the ledger has made")
        self._end()
        return commands + left, problems

    def made(self) -> list[Command]:
        """Return what the ledger has given away, for a scheduler that failed before it could return it."""
        self._end()
        return self._made

    def _end(self) -> None:
        """Give nothing more. A slave that was not asked after all may be asked again."""
        self._is_over = True
        for slave in self._asked:
            self._ledger.slaves[slave].is_asked_back = False
        self._asked.clear()

    def _check_slave(self, method: str, slave: int) -> None:
        if slave not in self.slaves:
            raise SchedulingError(
                f"{method}: there is no slave {slave!r:.100}",
                thing=method,
                value=slave,
                remedy="Use the numbers in ledger.slaves; one that is lost is not there any more",
            )

    def _take_down(self, give: Callable[[], list[Command]]) -> list[Command]:
        if self._is_over:
            raise SchedulingError(
                "tasks were given away when the turn was over",
                thing="schedule",
                remedy="Give tasks away in schedule only, with the ledger that it is called with",
            )
        commands = give()
        self._made += commands
        return commands


def _check_lane(method: str, lane: Any) -> None:
    if lane is not None and not isinstance(lane, Lane):
        raise SchedulingError(
            f"{method}: {lane!r:.100} is no lane",
            thing=method,
            value=lane,
            remedy="Use one of ledger.lanes, or none for all of them",
        )


def _is_count(count: Any) -> bool:
    return type(count) is int and count > 0


def _whole(method: str, count: int) -> int:
    try:
        return operator.index(count)
    except TypeError:
        raise SchedulingError(
            f"{method}: the count of tasks must be a whole number, but is {count!r:.100}",
            thing=method,
            value=count,
            remedy="Round it",
        ) from None
