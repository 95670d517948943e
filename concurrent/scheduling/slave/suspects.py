"""Tasks of which one did harm, when it cannot be told which. Pure; the pool owns it.

A worker that is killed by a signal was killed by the task that ran. But what a task does to the worker's
sockets shows only when the worker sends the next results, many tasks later; and when the zygote is killed, all
workers go down with it. Then nobody is charged an attempt. Those who may have done it run again *apart*: one
at a time and alone at its worker. So the one that does it again is found out, and the others pay nothing.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Sequence
from typing import Final

from concurrent.scheduling.slave.apart import Apart

__all__ = ["Suspects"]

KNOWN_MAX: Final = 4096
"""So many tasks that went down with others are remembered, the latest."""


class Suspects(Apart):
    """See the module. ``count_by_number`` is empty while nobody is suspected."""

    def __init__(self) -> None:
        super().__init__()
        self.count_by_number: OrderedDict[int, int] = OrderedDict()

    def went_down(self, numbers: Sequence[int], patience: int) -> int | None:
        """Take note of tasks that went down together; return the one that did it if that can be told.

        :param numbers: the tasks.
        :param patience: how often that may happen to a task before it has to run apart.
        """
        if len(numbers) == 1:
            self._suspect(numbers)
            return numbers[0]
        if len(known := self.numbers.intersection(numbers)) == 1:
            return known.pop()
        for number in numbers:
            self.count_by_number[number] = self.count_by_number.pop(number, 0) + 1
        while len(self.count_by_number) > KNOWN_MAX:
            self.numbers.discard(self.count_by_number.popitem(last=False)[0])
        often = [number for number in numbers if self.count_by_number.get(number, 0) >= patience]
        self._suspect(often)
        return often[0] if len(often) == 1 else None

    def finished(self, numbers: Iterable[int]) -> None:
        """Clear tasks that have an outcome of their own of the suspicion."""
        for number in numbers:
            self.count_by_number.pop(number, None)
            self.numbers.discard(number)

    def _suspect(self, numbers: Iterable[int]) -> None:
        for number in numbers:
            self.count_by_number.setdefault(number, 1)
            self.numbers.add(number)
