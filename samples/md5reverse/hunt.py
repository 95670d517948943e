"""Who hands out the work keeps here what is out, what is tried and what was found. A pure module."""

from __future__ import annotations

from itertools import islice
from typing import NamedTuple

from .candidates import Search

__all__ = ["Hunt", "Outcome"]


class Outcome(NamedTuple):
    """How a search ended.

    :param number: what was found, None if nothing was.
    :param tried: candidates tried by the tasks that finished; those of cancelled tasks are not known.
    :param finished: tasks that ran to their end.
    :param cancelled: tasks that were out when the number was found.
    :param unmade: tasks that were not even made.
    """

    number: int | None
    tried: int
    finished: int
    cancelled: int
    unmade: int


class Hunt:
    """A search in blocks from the beginning of its range, of which a limited number is out at any time.

    So a range may be as large as one likes: few tasks exist at once, and few are in vain when one has found it.

    :param numbers_per_task: how many numbers a block has.
    :param tasks_out_max: how many blocks may be out.
    """

    def __init__(self, search: Search, numbers_per_task: int, tasks_out_max: int) -> None:
        self.search = search
        self.numbers_per_task = numbers_per_task
        self.tasks_out_max = tasks_out_max
        self.task_count = search.block_count(numbers_per_task)
        self.found: int | None = None
        self.tried = 0
        self.made = 0
        self.finished_count = 0

    @property
    def out(self) -> int:
        """How many blocks are out."""
        return self.made - self.finished_count

    @property
    def is_over(self) -> bool:
        """Whether the number is found, or all of the range is tried."""
        return self.found is not None or self.finished_count == self.task_count

    def next_blocks(self) -> list[Search]:
        """Return the blocks to hand out now; none once the number is found."""
        if self.found is not None:
            return []
        rest = self.search._replace(first=self.search.first + self.made * self.numbers_per_task)
        blocks = list(islice(rest.blocks(self.numbers_per_task), self.tasks_out_max - self.out))
        self.made += len(blocks)
        return blocks

    def finish(self, block: Search, found: int | None) -> None:
        """Take what a block brought home."""
        self.finished_count += 1
        self.tried += (block.last if found is None else found + 1) - block.first
        if found is not None:
            self.found = found

    def outcome(self) -> Outcome:
        """Return how it ended; what is out now counts as cancelled."""
        unmade = self.task_count - self.made
        return Outcome(self.found, self.tried, self.finished_count, self.out, unmade)
