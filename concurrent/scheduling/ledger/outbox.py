"""The outcomes of one job, numbered as they come, and kept until their owner has consumed them. Pure.

An outcome's state is its place between two marks: it waits, then it is given to the session of its owner, then
it is consumed, and only then forgotten. A session that is attached later is given again all that was not
consumed. An owner whose protocol does not name what it consumed is believed to have consumed what it was given;
what it says is how many bytes it has dealt with. Either is given no more while it has too much that it has not
dealt with.
"""

from __future__ import annotations

from typing import Any, Final

from concurrent.core.errors import SchedulingError
from concurrent.scheduling.ledger.budget import OUTCOME_BYTES, Budget
from concurrent.scheduling.ledger.events import Command, Deliver

__all__ = ["UNCONSUMED_BYTES_MAX", "Outbox"]

UNCONSUMED_BYTES_MAX: Final = 64 << 20
"""How many bytes of outcomes an owner may have that it has not dealt with."""


class Outbox:
    """See the module. ``consumed_to`` and ``given_to`` are the numbers of the last such outcomes.

    :param owner: the number of the job.
    :param budget: counts what is kept here.
    """

    __slots__ = (
        "_budget",
        "_ids",
        "_is_attached",
        "_names_consumed",
        "_owner",
        "_payloads",
        "_statuses",
        "_unconsumed_bytes",
        "consumed_to",
        "given_to",
    )

    def __init__(self, owner: int, budget: Budget) -> None:
        self.consumed_to = 0
        self.given_to = 0
        self._owner = owner
        self._budget = budget
        self._names_consumed = False
        self._is_attached = True
        self._unconsumed_bytes = 0
        self._ids: list[int] = []  # these columns have the outcomes that were not consumed
        self._statuses: list[int] = []
        self._payloads: list[Any] = []

    @property
    def ended_to(self) -> int:
        """The number of the last outcome that came."""
        return self.consumed_to + len(self._ids)

    @property
    def waiting_count(self) -> int:
        """How many outcomes were not given to the owner."""
        return len(self._ids) - (self.given_to - self.consumed_to)

    def put(self, ids: list[int], statuses: list[int], payloads: list[Any]) -> list[Command]:
        """Keep outcomes; return what the owner is given of them now.

        :param ids: the owner's numbers of the tasks.
        """
        budget = self._budget
        count = len(ids)
        size_bytes = len(payloads[0]) if count == 1 else sum(map(len, payloads))
        budget.outcome_bytes += size_bytes
        is_open = self._is_attached and self._unconsumed_bytes <= UNCONSUMED_BYTES_MAX
        if is_open and not self._names_consumed and not self._ids:
            self._unconsumed_bytes += size_bytes
            self.consumed_to = self.given_to = self.given_to + count
            return [Deliver(self._owner, ids, statuses, payloads, self.given_to)]
        is_next = is_open and len(self._ids) == self.given_to - self.consumed_to
        self._ids += ids
        self._statuses += statuses
        self._payloads += payloads
        budget.outcome_count += count
        if not is_next:
            return []
        self._unconsumed_bytes += size_bytes + OUTCOME_BYTES * count
        self.given_to += count
        return [Deliver(self._owner, ids, statuses, payloads, self.given_to)]

    def consumed(self, up_to: int) -> list[Command]:
        """Forget the outcomes up to a number; return what more the owner is given.

        The first time, be it with 0, says that the owner names what it consumed from now on.

        :raises SchedulingError: if the owner was not given so many.
        """
        if up_to > self.given_to:
            raise SchedulingError(
                f"outcome {up_to} was consumed, but the last that was given has number {self.given_to}",
                thing="up_to",
                value=up_to,
                remedy="Count the outcomes of a registration from 1",
            )
        if not self._names_consumed:
            self._settle(self._unconsumed_bytes)
            self._names_consumed = True
        if up_to > self.consumed_to:
            count = up_to - self.consumed_to
            size_bytes = sum(map(len, self._payloads[:count]))
            self._unconsumed_bytes -= size_bytes + OUTCOME_BYTES * count
            self._budget.outcome_bytes -= size_bytes
            self._forget(count)
        return self._more()

    def bytes_consumed(self, size_bytes: int) -> list[Command]:
        """Take note of what an owner that names nothing has dealt with; return what more it is given."""
        if not self._names_consumed:
            self._settle(min(size_bytes, self._unconsumed_bytes))
        return self._more()

    def attach(self) -> list[Command]:
        """Return what a session is given that goes on with the job: all that was not consumed."""
        self.detach()
        self._is_attached = True
        return self._more()

    def detach(self) -> None:
        """Give nothing while there is no session; what was given to the last one counts as not given."""
        self._is_attached = False
        if not self._names_consumed:
            self._settle(self._unconsumed_bytes)
        self._unconsumed_bytes = 0
        self.given_to = self.consumed_to

    def close(self) -> None:
        """Forget everything; the job has ended."""
        self.detach()
        self._budget.outcome_bytes -= sum(map(len, self._payloads))
        self._forget(len(self._ids))

    def _more(self) -> list[Command]:
        """Return what waits, as far as the owner may be given more."""
        if not self._is_attached or len(self._ids) == self.given_to - self.consumed_to:
            return []
        start = end = self.given_to - self.consumed_to
        overhead = OUTCOME_BYTES if self._names_consumed else 0
        while end < len(self._ids) and self._unconsumed_bytes <= UNCONSUMED_BYTES_MAX:
            self._unconsumed_bytes += len(self._payloads[end]) + overhead
            end += 1
        if end == start:
            return []
        self.given_to += end - start
        part = slice(start, end)
        columns = self._ids[part], self._statuses[part], self._payloads[part]
        if not self._names_consumed:
            self._forget(end)
        return [Deliver(self._owner, *columns, self.given_to)]

    def _settle(self, size_bytes: int) -> None:
        """Count bytes no more that were given to an owner that names nothing."""
        self._unconsumed_bytes -= size_bytes
        self._budget.outcome_bytes -= size_bytes

    def _forget(self, count: int) -> None:
        """Forget the oldest outcomes."""
        del self._ids[:count], self._statuses[:count], self._payloads[:count]
        self.consumed_to += count
        self._budget.outcome_count -= count
