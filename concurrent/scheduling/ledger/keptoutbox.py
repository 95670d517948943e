"""The outcomes of a job that is recorded, which the journal has: how far they were given and consumed. Pure.

Each outcome is in the journal when it is put here, so none is kept in memory. One is given at once if its
session has all that came before and not too much of it unconsumed. What cannot be given then is asked back from
the journal when it can (``Recall``), in its order. So a job may have any number of outcomes that nobody reads.
"""

from __future__ import annotations

from typing import Any, Final

from concurrent.core.errors import SchedulingError
from concurrent.scheduling.ledger.budget import OUTCOME_BYTES, Budget
from concurrent.scheduling.ledger.events import Command, Deliver, OutcomesRecalled, Recall
from concurrent.scheduling.ledger.outbox import UNCONSUMED_BYTES_MAX

__all__ = ["RECALL_MAX", "KeptOutbox"]

RECALL_MAX: Final = 1000
"""So many outcomes are asked back at a time."""


class KeptOutbox:
    """See the module. It does what :class:`~concurrent.scheduling.ledger.outbox.Outbox` does.

    ``ended_to``, ``given_to`` and ``consumed_to`` are the numbers of the last outcomes that came, were given to
    the session, and were consumed by any session. Its owner names what it consumed. A task system consumes what
    it has dealt with at its last step; what it has read since then it is given again.

    :param owner: the number of the job.
    :param budget: counts what the session has and has not consumed.
    """

    __slots__ = (
        "_base",
        "_budget",
        "_is_attached",
        "_is_recalling",
        "_owner",
        "_sizes",
        "_unconsumed_bytes",
        "consumed_to",
        "ended_to",
        "given_to",
    )

    def __init__(self, owner: int, budget: Budget) -> None:
        self.ended_to = 0
        self.given_to = 0
        self.consumed_to = 0
        self._owner = owner
        self._budget = budget
        self._is_attached = True
        self._is_recalling = False
        self._base = 0  # the session has consumed up to here; it may have begun before ``consumed_to``
        self._sizes: list[int] = []  # of what it was given from there on
        self._unconsumed_bytes = 0

    @property
    def waiting_count(self) -> int:
        """How many outcomes were not given to the session; without one, how many were not consumed."""
        return self.ended_to - self.given_to

    def put(self, ids: list[int], statuses: list[int], payloads: list[Any]) -> list[Command]:
        """Take note of outcomes that the journal keeps; return what the owner is given of them now."""
        is_next = self._is_attached and self.ended_to == self.given_to
        self.ended_to += len(ids)
        if is_next and self._unconsumed_bytes <= UNCONSUMED_BYTES_MAX:
            return [self._given(ids, statuses, payloads)]
        return []

    def told(self, event: Any) -> None:
        """Take note of outcomes that were put here before the master started (``TasksEnded``)."""
        first = event.first_outcome or self.ended_to + 1
        self.ended_to = max(self.ended_to, first + len(event.ids) - 1)

    def told_consumed(self, up_to: int) -> None:
        """Take note that outcomes were consumed before the master started."""
        self._base = self.given_to = self.consumed_to = up_to
        self.ended_to = max(self.ended_to, up_to)

    def consumed(self, up_to: int) -> list[Command]:
        """Count outcomes no more up to a number; return what more the owner is given.

        It may be more than this session was given: a program may have got them in its last one.

        :raises SchedulingError: if there are not so many.
        """
        given = self.read(up_to)
        self.consumed_to = max(self.consumed_to, up_to)
        return given

    def read(self, up_to: int) -> list[Command]:
        """Take note that the session has dealt with outcomes, and that the next session is given them again.

        :raises SchedulingError: if there are not so many.
        """
        if up_to > self.ended_to:
            raise SchedulingError(
                f"outcome {up_to} was consumed, but the last one has number {self.ended_to}",
                thing="up_to",
                value=up_to,
                remedy="Count the outcomes of a job from 1, those of former sessions too",
            )
        if up_to > self._base:
            self._forget(min(up_to, self.given_to) - self._base)
            self._base = up_to
            self.given_to = max(self.given_to, up_to)
        return self._more()

    def bytes_consumed(self, _size_bytes: int) -> list[Command]:
        """Do nothing: the owner names what it consumed."""
        return []

    def recalled(self, event: OutcomesRecalled) -> list[Command]:
        """Give what came back from the journal; return what is asked for next, too."""
        self._is_recalling = False
        if not self._is_attached or not event.ids:
            return []
        if event.first != self.given_to + 1:  # another session goes on, or this one needs no more of it
            return self._more()
        return [self._given(event.ids, event.statuses, event.payloads), *self._more()]

    def attach(self, *, from_start: bool = False) -> list[Command]:
        """Return what a session is given that goes on with the job: all that was not consumed.

        :param from_start: whether it is given what was consumed, too.
        """
        self.detach()
        self._is_attached = True
        if from_start:
            self._base = self.given_to = 0
        return self._more()

    def detach(self) -> None:
        """Give nothing while there is no session; what was given to the last one counts as not given."""
        self._is_attached = False
        self._forget(len(self._sizes))
        self._base = self.given_to = self.consumed_to

    def close(self) -> None:
        """Count nothing more; the job has ended."""
        self.detach()

    def _given(self, ids: list[int], statuses: list[int], payloads: list[Any]) -> Deliver:
        sizes = [*map(len, payloads)]
        size_bytes, count = sum(sizes), len(sizes)
        self._sizes += sizes
        self._unconsumed_bytes += size_bytes + OUTCOME_BYTES * count
        self._budget.outcome_bytes += size_bytes
        self._budget.outcome_count += count
        self.given_to += count
        return Deliver(self._owner, ids, statuses, payloads, self.given_to)

    def _more(self) -> list[Command]:
        """Return what asks for the next that may be given, unless it is on the way."""
        is_open = self._is_attached and self._unconsumed_bytes <= UNCONSUMED_BYTES_MAX
        if not is_open or self._is_recalling or self.ended_to == self.given_to:
            return []
        self._is_recalling = True
        return [Recall(self._owner, self.given_to + 1, min(RECALL_MAX, self.ended_to - self.given_to))]

    def _forget(self, count: int) -> None:
        """Count the oldest outcomes that the session has no more."""
        size_bytes = sum(self._sizes[:count])
        del self._sizes[:count]
        self._unconsumed_bytes -= size_bytes + OUTCOME_BYTES * count
        self._budget.outcome_bytes -= size_bytes
        self._budget.outcome_count -= count
