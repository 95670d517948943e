"""Tasks that a master has and does not answer for yet, because it has no room; and who sends too many of them.

A pure module. An owner is told that its tasks are accepted, and should not send much more before it is: ours
keep to half of what is borne here.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterator
from typing import Final

from concurrent.core.errors import LimitExceeded
from concurrent.scheduling.tasks.weights import OVERHEAD_BYTES

__all__ = ["UNACCEPTED_BYTES_MAX", "Acceptance"]

UNACCEPTED_BYTES_MAX: Final = 64 << 20
"""An owner that sends more when so much of it is not accepted does not keep the pace."""


_Batch = tuple[int, int, int, int, bool]
"""The tasks of one message: their owner, the last id, how many they are, what they count for, in bytes, and
whether they are of a job that is kept."""


class Acceptance:
    """See the module. ``batches`` are what waits, the oldest first; the same list at all times."""

    def __init__(self) -> None:
        self.batches: deque[_Batch] = deque()
        self._bytes_by_owner: Counter[int] = Counter()

    @property
    def task_count(self) -> int:
        """How many tasks wait."""
        return sum(count for _, _, count, _, _ in self.batches)

    def owners(self, *, is_kept: bool) -> set[int]:
        """Return the owners of what waits.

        :param is_kept: those of jobs that are kept, or the others.
        """
        return {owner for owner, _, _, _, kept in self.batches if kept is is_kept}

    def add(self, owner: int, last_id: int, count: int, payload_bytes: int, *, is_kept: bool = False) -> None:
        """Take note of tasks that came in one message.

        :param is_kept: whether they are of a job that is kept.
        """
        size_bytes = payload_bytes + count * OVERHEAD_BYTES
        self.batches.append((owner, last_id, count, size_bytes, is_kept))
        self._bytes_by_owner[owner] += size_bytes

    def take(self, *, is_kept: bool) -> Iterator[tuple[int, int]]:
        """Take out what waits and yield owner and last id of the tasks of each message, the oldest first.

        :param is_kept: what is of jobs that are kept, or the rest.
        """
        taken = [batch for batch in self.batches if batch[4] is is_kept]
        others = [batch for batch in self.batches if batch[4] is not is_kept]
        self.batches.clear()
        self.batches.extend(others)
        for owner, last_id, _, size_bytes, _ in taken:
            self._bytes_by_owner[owner] -= size_bytes
            yield owner, last_id

    def forget(self, owner: int) -> None:
        """Drop what waits of an owner."""
        if self._bytes_by_owner.pop(owner, 0):
            others = [batch for batch in self.batches if batch[0] != owner]
            self.batches.clear()
            self.batches.extend(others)

    def is_too_much(self, owner: int) -> bool:
        """Whether an owner should not have sent more."""
        return self._bytes_by_owner[owner] > UNACCEPTED_BYTES_MAX

    def refusal(self, owner: int, name: str) -> LimitExceeded:
        """Return the error for an owner of which too much waits."""
        size_bytes = self._bytes_by_owner[owner]
        return LimitExceeded(
            f"{name} pushes on though {size_bytes} bytes of its tasks are not accepted; at most "
            f"{UNACCEPTED_BYTES_MAX} may be, {OVERHEAD_BYTES} for each task included",
            thing="push_tasks",
            value=size_bytes,
            remedy="Wait until the master has accepted what was pushed",
        )
