"""What an owner has pushed and not sent yet. It is grouped as it travels when it is taken.

Threads that push append, one at a time; the loop's thread takes. The two share a deque and no lock: one of them
would have to wait whenever the other is interrupted while it holds the lock.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from typing import Final

from concurrent.scheduling.tasks.terms import Terms
from concurrent.scheduling.wire.columns import BATCH_BYTES, BATCH_FRAMES, OVERHEAD_BYTES
from concurrent.scheduling.wire.messages import to_master
from concurrent.scheduling.wire.stretches import Stretch, pack_stretches, parts_of
from concurrent.transport.calls.handler import TCPHandler
from concurrent.transport.frames.frames import Frame

__all__ = ["Group", "UnsentTasks"]

GROUP_COUNT: Final = 2000


_Unsent = tuple[int, Terms, bytes | Frame]
"""Id, terms and payload of a task."""


def _bytes_of(tasks: Iterable[_Unsent]) -> int:
    return sum(len(payload) + OVERHEAD_BYTES for _, _, payload in tasks)


class Group:
    """Tasks with consecutive ids that travel in one message."""

    __slots__ = ("first_id", "payloads", "size_bytes", "stretches")

    def __init__(self, first_id: int) -> None:
        self.first_id = first_id
        self.stretches: list[Stretch] = []
        self.payloads: list[bytes | Frame] = []
        self.size_bytes = 0

    def cast(self, handler: TCPHandler, code_count: int) -> None:
        """Send the tasks to a master. An older one is told of the attempts only, which are equal then.

        :param code_count: how many blobs of code they need.
        :raises TransportError: if they cannot be sent.
        """
        if handler.peer_has(to_master.TERMS):
            terms = pack_stretches(self.stretches)
            handler.cast(to_master.push_tasks, self.first_id, code_count, terms, self.payloads)
        else:
            attempts_max = self.stretches[0][1].attempts_max
            handler.cast(to_master.push_tasks, self.first_id, code_count, attempts_max, self.payloads)

    @property
    def ids(self) -> range:
        """The ids of the tasks."""
        return range(self.first_id, self.first_id + len(self.payloads))

    def tasks(self) -> Iterator[_Unsent]:
        """Yield the tasks as they were before they were grouped."""
        for part, terms in parts_of(self.stretches, len(self.payloads)):
            for place in range(part.start, part.stop):
                yield self.first_id + place, terms, self.payloads[place]


class UnsentTasks:
    """See the module. ``pushed_bytes`` counts what was ever added, overhead included."""

    def __init__(self) -> None:
        self.pushed_bytes = 0
        self._waiting: deque[_Unsent] = deque()

    def __len__(self) -> int:
        return len(self._waiting)

    @property
    def first_id(self) -> int | None:
        """The id of the oldest; None if there is none. Loop thread only."""
        return self._waiting[0][0] if self._waiting else None

    def ids(self) -> set[int]:
        """Return the ids of the tasks; while nobody appends. Loop thread only."""
        return {task_id for task_id, _, _ in self._waiting}

    def append(self, task_id: int, terms: Terms, payload: bytes | Frame) -> None:
        """Add a task. One thread at a time."""
        self.pushed_bytes += len(payload) + OVERHEAD_BYTES
        self._waiting.append((task_id, terms, payload))

    def take(self, *, are_alike: bool = False) -> Group:
        """Take the oldest tasks out, as many as travel together. Loop thread only; there must be one.

        :param are_alike: take only such as have the terms of the first.
        """
        waiting = self._waiting
        task_id = waiting[0][0]
        group = Group(task_id)
        payloads = group.payloads
        terms: Terms | None = None
        size_bytes = frame_count = 0
        while waiting and len(payloads) < GROUP_COUNT and frame_count < BATCH_FRAMES:
            next_id, next_terms, payload = waiting[0]
            if next_id != task_id or (are_alike and payloads and next_terms is not terms):
                break
            more_bytes = len(payload) + OVERHEAD_BYTES
            if payloads and size_bytes + more_bytes > BATCH_BYTES:
                break
            waiting.popleft()
            if next_terms is not terms:
                terms = next_terms
                group.stretches.append((len(payloads), terms))
            payloads.append(payload)
            size_bytes += more_bytes
            frame_count += type(payload) is Frame
            task_id += 1
        group.size_bytes = size_bytes
        return group

    def remove(self, ids: set[int]) -> list[_Unsent]:
        """Take out those of these tasks that are here, and return them. Loop thread only."""
        waiting = self._waiting
        kept: list[_Unsent] = []
        removed: list[_Unsent] = []
        for _ in range(len(waiting)):  # what is appended meanwhile comes behind them
            one = waiting.popleft()
            (removed if one[0] in ids else kept).append(one)
        waiting.extendleft(reversed(kept))
        return removed

    def remove_below(self, next_id: int) -> list[_Unsent]:
        """Take out the tasks whose ids are less, and return them. Loop thread only."""
        waiting = self._waiting
        removed: list[_Unsent] = []
        while waiting and waiting[0][0] < next_id:
            removed.append(waiting.popleft())
        return removed

    def put_back(self, groups: Iterable[Group]) -> None:
        """Put what was taken before all that waits, in the old order. Loop thread only."""
        self._waiting.extendleft(reversed([one for group in groups for one in group.tasks()]))

    def put_before(self, tasks: list[_Unsent]) -> None:
        """Put other tasks before all that waits; while nobody appends. Loop thread only."""
        self.pushed_bytes += _bytes_of(tasks)
        self._waiting.extendleft(reversed(tasks))
