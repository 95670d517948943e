"""Says what the ledger has found out, in the log and to the owners whom it concerns. Loop thread only."""

from __future__ import annotations

import logging
from collections.abc import Callable

from concurrent.core.loggers import get_log
from concurrent.scheduling.ledger.events import (
    RefusedByAll,
    SlaveHeard,
    SlaveSilent,
    TasksMoved,
    TellDrained,
    TellHeld,
    TellInfeasible,
    TellRunning,
    TellWaiting,
)
from concurrent.scheduling.ledger.infeasible import FAIL_S
from concurrent.scheduling.ledger.ledger import Ledger
from concurrent.scheduling.master.notices import Notices
from concurrent.scheduling.master.sessions import Sessions
from concurrent.scheduling.wire.courier import Courier
from concurrent.scheduling.wire.messages import to_owner

__all__ = ["Announcer"]

log = get_log(__name__)


class Announcer:
    """See the module.

    ``on_held`` is called with the number of an owner that has to wait, and why.
    """

    def __init__(self, ledger: Ledger, sessions: Sessions, courier: Courier, notices: Notices) -> None:
        self.on_held: Callable[[int, str], object] | None = None
        self._ledger = ledger
        self._sessions = sessions
        self._courier = courier
        self._notices = notices

    def slave_silent(self, command: SlaveSilent) -> None:
        """Say that a slave reports nothing."""
        name = self._ledger.slaves[command.slave].name
        text = "%s holds %d tasks and reports nothing; it gets no more until it does"
        log.warning(text, name, command.held_count)

    def slave_heard(self, command: SlaveHeard) -> None:
        """Say that it does again."""
        log.warning("%s reports again", self._ledger.slaves[command.slave].name)

    def slave_drained(self, command: TellDrained) -> None:
        """Say that a slave gets nothing more, or does again."""
        name = self._ledger.slaves[command.slave].name
        if command.by:
            log.warning("%s is drained by %s: it gets no more tasks", name, command.by)
        else:
            log.warning("%s is not drained any more: it gets tasks again", name)

    def tasks_moved(self, command: TasksMoved) -> None:
        """Say that others are offered what a silent slave has."""
        name = self._ledger.slaves[command.slave].name
        text = "%d tasks of %s, which reports nothing, are offered to others; the first outcome of each counts"
        log.warning(text, command.count, name)

    def refused_by_all(self, command: RefusedByAll) -> None:
        """Say that all slaves refused tasks, which they may have again."""
        lost_workers = " or lost workers with" if command.has_lost_workers else ""
        text = f"all slaves refused{lost_workers} %d tasks, which are offered to them again"
        both = zip(command.owners, command.counts, strict=True)
        are_told = [self._notices.tell(owner, text % count) for owner, count in both]
        level = _level(is_told=all(are_told))
        log.log(level, f"{text}: %s", sum(command.counts), command.story)

    def infeasible(self, command: TellInfeasible) -> None:
        """Say that no slave could ever meet what tasks claim."""
        then = f"They fail in {FAIL_S:.0f} s unless" if command.fails else "They wait until"
        text = (
            f"no slave that has joined can meet the claim of {command.count} tasks: {command.why}. "
            f"{then} one joins that can"
        )
        level = _level(is_told=self._notices.tell(command.owner, text))
        log.log(level, "%s: %s", self._ledger.owners[command.owner].title, text)

    def tell_all(self, text: str) -> None:
        """Tell all owners something that goes wrong at the master."""
        for owner in list(self._sessions.owners):
            self._notices.tell(owner, text)

    def held(self, command: TellHeld) -> None:
        """Say why no more tasks are accepted, or that they are again."""
        if command.is_news and command.reason:
            log.warning("no more tasks are accepted for now: %s", command.reason)
        elif command.is_news:
            log.info("there is room for tasks again")
        for owner in command.owners:
            handler = self._sessions.owners.get(owner)
            if handler is not None:
                self._courier.cast(handler, to_owner.held, command.reason)
                if self.on_held is not None:
                    self.on_held(owner, command.reason)

    def running(self, command: TellRunning) -> None:
        """Tell an owner which of its tasks run."""
        handler = self._sessions.owners.get(command.owner)
        if handler is not None:
            self._courier.cast(handler, to_owner.running, command.ids)

    def waiting(self, command: TellWaiting) -> None:
        """Tell an owner which of its tasks, that ran, wait again."""
        handler = self._sessions.owners.get(command.owner)
        if handler is not None:
            self._courier.cast(handler, to_owner.waiting, command.ids)


def _level(*, is_told: bool) -> int:
    """Return how loud the master says what concerns some owners: their programs warn if they are told."""
    return logging.INFO if is_told else logging.WARNING
