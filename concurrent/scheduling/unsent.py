"""What an owner has pushed and not sent yet, grouped as it will travel.

Threads that push append; the loop's thread takes whole groups. A lock covers both, for microseconds.
"""

from __future__ import annotations

import threading
from collections import deque
from typing import Final

from concurrent.scheduling.batches import BATCH_BYTES, BATCH_FRAMES
from concurrent.transport.frames import Frame

__all__ = ["OVERHEAD_BYTES", "Group", "UnsentTasks"]

OVERHEAD_BYTES: Final = 256
"""What a task counts for besides its payload."""

GROUP_COUNT: Final = 2000

Payload = bytes | Frame


class Group:
    """Tasks with consecutive ids that travel in one message."""

    __slots__ = ("attempts_max", "first_id", "frame_count", "next_id", "payloads", "size_bytes")

    def __init__(self, first_id: int, attempts_max: int) -> None:
        self.first_id = self.next_id = first_id
        self.attempts_max = attempts_max
        self.payloads: list[Payload] = []
        self.size_bytes = 0
        self.frame_count = 0


class UnsentTasks:
    """See the module.

    ``pushed_bytes`` counts everything that was ever appended, overhead included; ``groups`` is what waits, for
    the loop's thread to look at.
    """

    def __init__(self) -> None:
        self.pushed_bytes = 0
        self.groups: deque[Group] = deque()
        self._lock = threading.Lock()

    def append(self, task_id: int, attempts_max: int, payload: Payload) -> None:
        """Add a task. Any thread."""
        size_bytes = len(payload) + OVERHEAD_BYTES
        with self._lock:
            groups = self.groups
            group = groups[-1] if groups else None
            if (
                group is None
                or group.next_id != task_id
                or group.attempts_max != attempts_max
                or group.size_bytes + size_bytes > BATCH_BYTES
                or group.frame_count == BATCH_FRAMES
                or task_id == group.first_id + GROUP_COUNT
            ):
                group = Group(task_id, attempts_max)
                groups.append(group)
            group.payloads.append(payload)
            group.next_id = task_id + 1
            group.size_bytes += size_bytes
            if type(payload) is Frame:
                group.frame_count += 1
            self.pushed_bytes += size_bytes

    def take(self) -> Group:
        """Take the oldest group out. Loop thread only; there must be one."""
        with self._lock:
            return self.groups.popleft()

    def drain(self) -> dict[int, Payload]:
        """Take everything out as if it had not been pushed; while nobody appends."""
        groups, self.groups = self.groups, deque()
        self.pushed_bytes -= sum(group.size_bytes for group in groups)
        return {
            task_id: payload
            for group in groups
            for task_id, payload in enumerate(group.payloads, group.first_id)
        }
