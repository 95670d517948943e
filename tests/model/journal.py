"""A journal in memory, for tests: it keeps what a ledger has it keep, up to the last commit."""

from __future__ import annotations

from copy import deepcopy

from concurrent.scheduling.ledger.events import OutcomesRecalled, Recall, Recordable, TasksEnded

__all__ = ["Journal"]


class Journal:
    """``rows`` are what is kept, in order."""

    def __init__(self) -> None:
        self.rows: list[Recordable] = []

    def append(self, what: Recordable) -> None:
        """Keep this."""
        self.rows.append(deepcopy(what))

    def recalled(self, command: Recall) -> OutcomesRecalled:
        """Return what a command asks for."""
        numbers = range(command.first, command.first + command.count)
        found = [
            one
            for row in self.rows
            if isinstance(row, TasksEnded) and row.owner == command.owner
            for number, *one in zip(
                range(row.first_outcome, row.first_outcome + len(row.ids)),
                row.ids,
                row.statuses,
                row.payloads,
                strict=True,
            )
            if number in numbers
        ]
        columns = [list(column) for column in zip(*found, strict=True)] if found else [[], [], []]
        return OutcomesRecalled(command.owner, command.first, *columns)
