"""What a master answers to those who steer it, as types. A pure module.

Units come last in names: ``_s`` is seconds; ``_at`` are seconds since the epoch, 0 for what is not set.
"""

from __future__ import annotations

from dataclasses import dataclass

from concurrent.core.status import Status

__all__ = ["CancelAnswer", "DrainAnswer", "DrainList", "RetryAnswer"]


@dataclass(frozen=True)
class DrainAnswer(Status):
    """A slave that is drained, or was.

    :param slave: its name.
    :param number: that of its registration; 0 if it has none now.
    :param drain: ``draining`` while it holds tasks, then ``drained``; empty if it takes tasks.
    :param drained_by: who wants that: ``role:name``, or empty if nobody is known here.
    :param drained_at: since when.
    :param ends_at: when what it runs is ended, to begin again elsewhere.
    :param held: how many tasks it holds.
    """

    slave: str
    number: int
    drain: str
    drained_by: str
    drained_at: float
    ends_at: float
    held: int


@dataclass(frozen=True)
class DrainList(Status):
    """The slaves that are drained, the last ones; ``left_out`` of ``total`` are not among the ``items``."""

    items: tuple[DrainAnswer, ...]
    total: int
    left_out: int


@dataclass(frozen=True)
class CancelAnswer(Status):
    """What was cancelled, or would be.

    :param waiting: how many tasks had not begun.
    :param running: how many ran, as far as slaves tell.
    :param not_open: how many of those that were named are not open: they have ended, or are not the caller's.
    """

    waiting: int
    running: int
    not_open: int


@dataclass(frozen=True)
class RetryAnswer(Status):
    """What begins again, or would.

    :param waiting: how many tasks waited for their next try, or for slaves that had not refused them.
    :param running: how many were at slaves, and are ended there.
    :param queued: how many are left as they are: they wait for a slave already.
    :param not_open: how many of those that were named are not open: they have ended, or are not the caller's.
    :param failed: how many of those that are meant have failed, as far as that is known: they do not begin.
    """

    waiting: int
    running: int
    queued: int
    not_open: int
    failed: int
