"""The tasks that a lost process of a task system had pushed since its last checkpoint. Pure.

The system goes on from there and pushes again. Mostly it pushes the same, and what has the payload of an
orphan adopts it: queued, running or ended as it is. Equal payloads adopt one orphan each, the oldest first. So
a system that does again what it did has nothing run twice; of any other what it does not push again is in vain.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from typing import Final, Generic, TypeVar

__all__ = ["ASIDE_BYTES_MAX", "Orphans"]

ASIDE_BYTES_MAX: Final = 64 << 20
"""Of outcomes that nobody has adopted yet no more is kept; the oldest are given up, and so run again."""

OVERHEAD_BYTES: Final = 256

P = TypeVar("P")
"""A payload."""

T = TypeVar("T")
"""An outcome."""


class Orphans(Generic[P, T]):
    """See the module.

    :param digest: what equal payloads have in common, a few bytes.
    """

    def __init__(self, digest: Callable[[P], bytes]) -> None:
        self._digest = digest
        self._ids_by_digest: dict[bytes, deque[int]] = {}
        self._digest_by_id: dict[int, bytes] = {}
        self._aside: dict[int, tuple[T, int]] = {}
        self._aside_bytes = 0

    def __len__(self) -> int:
        return len(self._digest_by_id)

    def __contains__(self, task_id: int) -> bool:
        return task_id in self._digest_by_id

    def add(self, ids: Iterable[int], payloads: Iterable[P]) -> None:
        """Add tasks, the oldest first."""
        for task_id, payload in zip(ids, payloads, strict=True):
            digest = self._digest(payload)
            self._digest_by_id[task_id] = digest
            self._ids_by_digest.setdefault(digest, deque()).append(task_id)

    def adopt(self, payload: P) -> int | None:
        """Return the id of the oldest task with such a payload, which is no orphan any more; None if none."""
        digest = self._digest(payload)
        ids = self._ids_by_digest.get(digest)
        if ids is None:
            return None
        task_id = ids.popleft()
        if not ids:
            del self._ids_by_digest[digest]
        del self._digest_by_id[task_id]
        return task_id

    def put_aside(self, task_id: int, outcome: T, size_bytes: int) -> None:
        """Keep the outcome of an orphan until it is adopted; the oldest are given up if that is too much."""
        self._aside[task_id] = outcome, size_bytes + OVERHEAD_BYTES
        self._aside_bytes += size_bytes + OVERHEAD_BYTES
        while self._aside_bytes > ASIDE_BYTES_MAX and len(self._aside) > 1:
            oldest = next(iter(self._aside))
            self.take_aside(oldest)
            self._forget(oldest)

    def take_aside(self, task_id: int) -> T | None:
        """Return the outcome that was kept of a task, which is kept no more; None if there is none."""
        outcome, size_bytes = self._aside.pop(task_id, (None, 0))
        self._aside_bytes -= size_bytes
        return outcome

    def give_up(self) -> list[int]:
        """Return those that nobody has adopted, and whose outcomes have not come; there are none any more."""
        open_ids = [task_id for task_id in self._digest_by_id if task_id not in self._aside]
        self._digest_by_id.clear()
        self._ids_by_digest.clear()
        self._aside.clear()
        self._aside_bytes = 0
        return open_ids

    def _forget(self, task_id: int) -> None:
        digest = self._digest_by_id.pop(task_id)
        ids = self._ids_by_digest[digest]
        ids.remove(task_id)
        if not ids:
            del self._ids_by_digest[digest]
