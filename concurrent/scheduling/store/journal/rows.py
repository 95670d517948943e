"""Rows of tasks and of outcomes, and what is wanted of them. A pure module; see ``live.py``."""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from typing import Final

from concurrent.scheduling.ledger.recorded import TasksEnded, TasksSubmitted
from concurrent.scheduling.store.journal.records import EMPTIED, GONE, KEPT, Numbers

__all__ = ["OutcomeRow", "Row", "TaskRow"]

ABSENT: Final = 3
"""The state of a task that a row had once."""

BARE_BYTES: Final = 16
"""What a task or an outcome without its payload takes in a row, about."""


class Row:
    """One row: how large it and the payloads that it refers to are, and how much of that is wanted, about.

    :param size_bytes: of the row alone.
    """

    __slots__ = ("seq", "size_bytes", "wanted_bytes")

    def __init__(self, seq: int, size_bytes: int) -> None:
        self.seq = seq
        self.size_bytes = size_bytes
        self.wanted_bytes = size_bytes

    @property
    def is_mostly_unwanted(self) -> bool:
        """Whether it is worth to be cut."""
        return 2 * self.wanted_bytes < self.size_bytes

    def states(self) -> bytes:
        """Return what is wanted of it, see ``cut``; of a row that cannot be cut nothing is said."""
        return b""

    def is_cut(self) -> None:
        """Take note that what is not wanted is not in the row any more."""


class TaskRow(Row):
    """A ``TasksSubmitted``.

    ``left`` of its tasks are wanted, ``present`` are in the row, and ``ends`` have outcomes of those.

    :param told: what it is told as: several events if it is cut.
    :param spans: those of a cut row.
    """

    __slots__ = ("_numbers", "_states", "count", "ends", "first_id", "left", "present")

    def __init__(
        self, seq: int, size_bytes: int, told: Sequence[TasksSubmitted], spans: list[list[int]] | None
    ) -> None:
        super().__init__(seq, size_bytes)
        first = told[0]
        self.ends: list[OutcomeRow] = []
        self._numbers: dict[int, int] = {}
        if spans is None:
            self.first_id = first.first_id
            self.count = self.present = self.left = len(first.payloads)
            self._states = bytearray(self.count)
            return
        self.first_id = first.first_id - spans[0][0]
        self.count = sum(spans[-1])
        self.present = self.left = sum(count for _, count in spans)
        self._states = bytearray([ABSENT]) * self.count
        for start, count in spans:
            self._states[start : start + count] = bytes(count)

    def refer(self, numbers: Numbers) -> None:
        """Take note of payloads that have rows of their own."""
        offsets = [offset for offset, state in enumerate(self._states) if state != ABSENT]
        self._numbers = {offsets[place]: number for place, (number, _) in numbers.items()}

    def has(self, task_id: int) -> bool:
        """Tell whether a task is in the row."""
        offset = task_id - self.first_id
        return 0 <= offset < self.count and self._states[offset] != ABSENT

    def lower(self, ids: Sequence[int], state: int) -> list[int]:
        """Less of tasks is wanted; returns the numbers of the own rows of payloads that are not.

        :param ids: those that are not in the row do not matter.
        :param state: ``EMPTIED`` or ``GONE``.
        """
        first, count, states = self.first_id, self.count, self._states
        emptied = gone = 0
        for task_id in ids:
            offset = task_id - first
            if 0 <= offset < count and (was := states[offset]) < state:
                states[offset] = state
                emptied += was == KEPT
                gone += state == GONE
        self.left -= gone
        each = self.size_bytes // max(1, self.present)
        bare = min(each, BARE_BYTES)
        self.wanted_bytes = max(0, self.wanted_bytes - emptied * (each - bare) - gone * bare)
        if not self._numbers:
            return []
        unwanted = [task_id - first for task_id in ids if task_id - first in self._numbers]
        return [self._numbers.pop(offset) for offset in unwanted]

    def states(self) -> bytes:
        """See the base."""
        return bytes(self._states)

    def is_cut(self) -> None:
        """See the base."""
        self._states = self._states.replace(bytes([GONE]), bytes([ABSENT]))
        self.present = self.left
        self.size_bytes = self.wanted_bytes = max(self.wanted_bytes, BARE_BYTES * self.present)


class OutcomeRow(Row):
    """A ``TasksEnded``; ``first`` is the number of its first outcome.

    ``ids`` are of tasks whose outcomes were not consumed, and ``tasks`` are rows that have any of its tasks.
    """

    __slots__ = ("_numbers", "count", "first", "ids", "tasks")

    def __init__(self, seq: int, size_bytes: int, ended: TasksEnded, numbers: Numbers) -> None:
        super().__init__(seq, size_bytes)
        self.first = ended.first_outcome
        self.count = len(ended.ids)
        self.ids = array("q", ended.ids)
        self.tasks: list[TaskRow] = []
        self._numbers = {place: number for place, (number, _) in numbers.items()}

    @property
    def last(self) -> int:
        """The number of its last outcome."""
        return self.first + self.count - 1

    def consume(self, up_to: int) -> Sequence[int]:
        """Outcomes up to a number were consumed; returns the tasks of those that were not before."""
        count = min(self.count, up_to - self.first + 1) - (self.count - len(self.ids))
        ids, self.ids = self.ids[:count], self.ids[count:]
        return ids

    def free(self) -> list[int]:
        """Consumed outcomes are not wanted; returns the numbers of the own rows of their payloads."""
        done = self.count - len(self.ids)
        each = self.size_bytes // max(1, self.count)
        self.wanted_bytes = self.size_bytes - done * (each - min(each, BARE_BYTES))
        return [self._numbers.pop(place) for place in list(self._numbers) if place < done]

    def states(self) -> bytes:
        """See the base."""
        left = len(self.ids)
        return bytes([EMPTIED]) * (self.count - left) + bytes(left)

    def is_cut(self) -> None:
        """See the base."""
        self.size_bytes = self.wanted_bytes = max(1, self.wanted_bytes)
