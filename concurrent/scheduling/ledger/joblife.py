"""What a master knows of a job that outlives its sessions, besides its tasks and outcomes. Pure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from math import inf
from typing import Any, Final

from concurrent.scheduling.ledger.counts import OutcomeCounts
from concurrent.scheduling.ledger.events import (
    CodeDefined,
    JobBegun,
    JobClosed,
    JobHeld,
    JobNoted,
    JobReleased,
    SessionAttached,
    SystemEnded,
    SystemLosses,
    SystemPushed,
    SystemStepped,
    TasksNamed,
    TasksRenumbered,
    TasksRetried,
    TasksTried,
)
from concurrent.scheduling.ledger.failures import Failures
from concurrent.scheduling.ledger.jobspec import JobSpec
from concurrent.scheduling.ledger.keptoutbox import KeptOutbox

__all__ = ["CANCELLED", "JobLife"]

CANCELLED: Final = "cancelled"
"""How a job was closed that nobody can open again."""


@dataclass(slots=True, eq=False)
class JobLife:
    """See the module.

    ``attachment`` counts the sessions that it has had, ``node`` is the program of the last one;
    ``is_attached`` tells whether it has one. ``systems`` are the owners that its task systems are, and
    ``of_systems`` counts the tasks of those that have left. A task system belongs to the job ``application``,
    and ``has_ended`` while that has yet to hear of it. ``left_over`` is how many tasks a former program has
    pushed and the one that made its push again has not. ``closed`` says how and when the job ended, until it is
    opened again. ``held_because`` is why nothing of it may run, empty if it may; ``is_unfit`` if another master
    could run it, and ``released_from`` is a reason that does not count. ``awaits_slaves`` says that it must
    wait, after a start of the master, for slaves that may have tasks of it.

    For :class:`~concurrent.scheduling.ledger.lifetimes.Lifetimes`: ``left_at`` is when it was seen without a
    session, ``forget_at`` when it is forgotten, ``noted_at`` when it was recorded what is remembered of it.
    """

    spec: JobSpec
    outbox: KeptOutbox
    attachment: int = 1
    node: str = ""
    is_attached: bool = True
    has_begun: bool = False
    left_over: int = 0
    code_count: int = 0
    systems: set[int] = field(default_factory=set)
    of_systems: OutcomeCounts = field(default_factory=OutcomeCounts)
    application: int = 0
    has_ended: bool = False
    closed: JobClosed | None = None
    held_because: str = ""
    is_unfit: bool = False
    released_from: str = ""
    awaits_slaves: bool = False
    first_run_at: float = 0.0
    failures: Failures = field(default_factory=Failures)
    is_changed: bool = False
    noted_at: float = -inf
    left_at: float | None = None
    forget_at: float | None = None
    is_told_unread: bool = False

    @property
    def may_run(self) -> bool:
        """Whether its tasks may be given to slaves."""
        return not (self.held_because or self.awaits_slaves or self.is_cancelled)

    @property
    def is_cancelled(self) -> bool:
        """Whether it was cancelled, so that nothing of it runs ever again."""
        return self.closed is not None and self.closed.how == CANCELLED

    def take(self, event: Any) -> None:
        """Take note of what is recorded of the job: when it happens, or when it is told again."""
        _TAKE_BY_TYPE[type(event)](self, event)

    def never_heard(self, event: SessionAttached) -> bool:
        """Tell whether a program comes back to its job that was not told the number of its last session."""
        return bool(event.node) and event.node == self.node and event.attachment == self.attachment - 1

    def attached(self, event: SessionAttached) -> None:
        """A session goes on with the job, which is open again unless it was cancelled."""
        self.attachment = event.attachment
        self.node = event.node
        if not self.is_cancelled:
            self.closed = self.forget_at = None
            self.is_told_unread = False

    def _code_defined(self, event: CodeDefined) -> None:
        self.code_count = event.index + 1

    def why_held(self, unfit: str) -> str:
        """Return why the job is held at a master, which may be another one than held it before.

        :param unfit: why its code does not run there; empty if it does.
        """
        if self.held_because and not self.is_unfit:
            return self.held_because
        return unfit if unfit != self.released_from else ""

    def _begun(self, event: JobBegun) -> None:
        self.has_begun = True
        self.left_over = event.left_over

    def _closed(self, event: JobClosed) -> None:
        self.closed = event

    def _held(self, event: JobHeld) -> None:
        self.held_because = event.reason
        self.is_unfit = event.is_unfit

    def _released(self, event: JobReleased) -> None:
        self.held_because = ""
        self.released_from = event.reason

    def _noted(self, event: JobNoted) -> None:
        self.first_run_at = event.first_run_at
        self.failures.told(event.failures)
        self.of_systems = OutcomeCounts(event.finished, event.failed, event.cancelled)

    def _system_pushed(self, event: SystemPushed) -> None:
        self.application = event.application

    def _system_ended(self, _event: SystemEnded) -> None:
        self.has_ended = True

    def _nothing(self, _event: Any) -> None:
        """It is for others."""


_TAKE_BY_TYPE: Final[dict[type, Callable[[JobLife, Any], None]]] = {
    SessionAttached: JobLife.attached,
    CodeDefined: JobLife._code_defined,
    JobBegun: JobLife._begun,
    JobClosed: JobLife._closed,
    JobHeld: JobLife._held,
    JobReleased: JobLife._released,
    JobNoted: JobLife._noted,
    SystemPushed: JobLife._system_pushed,
    SystemStepped: JobLife._nothing,
    SystemLosses: JobLife._nothing,
    SystemEnded: JobLife._system_ended,
    TasksNamed: JobLife._nothing,
    TasksRetried: JobLife._nothing,
    TasksTried: JobLife._nothing,
    TasksRenumbered: JobLife._nothing,
}
