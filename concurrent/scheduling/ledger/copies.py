"""Tasks that were taken from a slave without its knowledge, and which it may finish all the same. Pure.

A slave that is lost or reports nothing may only have been cut off. Its tasks go to others, but what it brings
later is as good as what they bring: the first outcome counts. It may come back under another number, so it is
known by its name.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from concurrent.scheduling.ledger.records import TaskRecord

__all__ = ["Copies"]

NAMES_MAX: Final = 16
"""So many slaves are remembered for each task; slaves that come and go take no more memory than that."""


class Copies:
    """See the module. While there are no such tasks, it and ``names_by_number`` are false."""

    def __init__(self) -> None:
        self.names_by_number: dict[int, set[str]] = {}

    def __bool__(self) -> bool:
        return bool(self.names_by_number)

    def note(self, name: str, tasks: Iterable[TaskRecord]) -> None:
        """Remember that the slave of this name may still have tasks which are taken from it."""
        for task in tasks:
            names = self.names_by_number.setdefault(task.number, set())
            if len(names) < NAMES_MAX:
                names.add(name)

    def has(self, name: str, number: int) -> bool:
        """Tell whether the slave of this name may have a task."""
        return name in self.names_by_number.get(number, ())

    def end(self, tasks: Iterable[TaskRecord]) -> dict[str, list[int]]:
        """Forget tasks; return which of them the slaves may still have, by their names."""
        numbers_by_name: dict[str, list[int]] = {}
        for task in tasks:
            for name in self.names_by_number.pop(task.number, ()):
                numbers_by_name.setdefault(name, []).append(task.number)
        return numbers_by_name
