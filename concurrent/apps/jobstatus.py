"""What a master says of its jobs at ``jobs`` and ``job`` of its JSON API, as types. A pure module.

Units come last in names: ``_s`` is seconds; ``_at`` are seconds since the epoch, 0 for what has not happened.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from concurrent.core.status import Status

__all__ = ["CANCELLED", "ENDED", "HELD", "OPEN", "FailureGroup", "JobDetails", "JobRow"]

OPEN: Final = "open"
HELD: Final = "held"
ENDED: Final = "ended"
"""What a job's ``state`` may be."""

CANCELLED: Final = "cancelled"
"""``how`` a job has ended of which nothing runs again."""


@dataclass(frozen=True)
class FailureGroup(Status):
    """Tasks of one name that failed with one kind of exception; ``text`` is the last, with its traceback."""

    task: str
    exception: str
    count: int
    text: str


@dataclass(frozen=True)
class JobRow(Status):
    """A job and how far it is.

    :param job: its id.
    :param kind: ``application``, ``executor`` or ``system``.
    :param how: in a word how it has ended; empty while it has not.
    :param reason: why it is held, or no more of its tasks are accepted; else empty.
    :param user: who began it, and where: ``user@host``.
    :param is_attached: whether a program is attached to it now.
    :param has_begun: whether all was pushed that its program begins with.
    :param left_over: how many tasks a former program has pushed, and not the one that made its push again.
    :param pushed: how many tasks the master has had of it, and of its task systems; each is open, finished,
        failed or cancelled. A batch counts as one.
    :param unread: how many outcomes no program has dealt with yet; the result of a task system is one.
    :param systems: how many task systems it has, running ones and those whose result was not taken.
    :param keep_s: how long it is kept after it has ended; with 0 it ends with its program.
    """

    job: str
    name: str
    kind: str
    state: str
    how: str
    reason: str
    user: str
    durability: str
    is_attached: bool
    has_begun: bool
    left_over: int
    pushed: int
    open: int
    finished: int
    failed: int
    cancelled: int
    unread: int
    systems: int
    created_at: float
    first_run_at: float
    ended_at: float
    keep_s: float

    @property
    def title(self) -> str:
        """What a person calls it."""
        return self.name or self.job

    @property
    def note(self) -> str:
        """What a person should know of it besides; mostly nothing."""
        if not self.left_over:
            return ""
        return f"{self.left_over:,} tasks of a former program were not pushed again by the next one"

    @property
    def is_over(self) -> bool:
        """Whether there is nothing to come of it, and nothing to take."""
        return self.has_begun and not (self.open or self.unread or self.systems)


@dataclass(frozen=True)
class JobDetails(JobRow):
    """All that is known of a job.

    :param failures: of its tasks, the most frequent first.
    :param program: how its program was started, see ``programrecord.py``.
    :param fingerprint: the versions that its code was made with, by name.
    :param made_by: the identity that it belongs to, ``role:name``; empty if it is everybody's.
    """

    failures: tuple[FailureGroup, ...]
    program: Mapping[str, Any]
    fingerprint: Mapping[str, Any]
    made_by: str
    more: Mapping[str, Any] = field(default_factory=dict, kw_only=True)
