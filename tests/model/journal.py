"""A journal in memory, for tests: it keeps what a ledger has it keep, and loses what was not committed."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import replace

from concurrent.scheduling.ledger.events import (
    JobHeld,
    JobNoted,
    JobReleased,
    OutcomesConsumed,
    OutcomesRecalled,
    OwnerLeft,
    Recall,
    Recordable,
    SessionAttached,
    TasksEnded,
    TasksSubmitted,
)

__all__ = ["Journal"]

NEWEST = (JobHeld, JobNoted, JobReleased, OutcomesConsumed, SessionAttached)
"""Of these the newest of an owner is kept."""


class Journal:
    """``rows`` are what is kept, in order; the first ``committed`` of them are safe."""

    def __init__(self) -> None:
        self.rows: list[Recordable] = []
        self.committed = 0

    def append(self, what: Recordable) -> None:
        """Keep this."""
        self.rows.append(deepcopy(what))

    def commit(self) -> None:
        """Have all be safe that was appended."""
        self.committed = len(self.rows)

    def lose(self, count: int) -> None:
        """Lose the last so many rows; what is left is safe."""
        assert len(self.rows) - count >= self.committed
        del self.rows[len(self.rows) - count :]
        self.commit()

    def replay(self) -> list[Recordable]:
        """Return what a new ledger is told: nothing that makes no difference."""
        rows = deepcopy(self.rows)
        left = {row.owner for row in rows if isinstance(row, OwnerLeft)}
        consumed_to = {row.owner: row.up_to for row in rows if isinstance(row, OutcomesConsumed)}
        consumed = {
            (row.owner, client_id)
            for row in rows
            if isinstance(row, TasksEnded)
            for number, client_id in enumerate(row.ids, row.first_outcome)
            if number <= consumed_to.get(row.owner, 0)
        }
        submitted = [row for row in rows if isinstance(row, TasksSubmitted)]
        wanted = [row for row in submitted if not _ids(row) <= consumed]
        needed = set().union(*map(_ids, wanted))
        newest = {(type(row), row.owner): index for index, row in enumerate(rows) if isinstance(row, NEWEST)}
        told: list[Recordable] = []
        for index, row in enumerate(rows):
            if getattr(row, "owner", 0) in left:
                continue
            if isinstance(row, NEWEST) and newest[type(row), row.owner] != index:
                continue
            if isinstance(row, TasksSubmitted) and row not in wanted:
                continue
            if isinstance(row, TasksEnded) and _ids(row) <= consumed:
                if not _ids(row) & needed:
                    continue
                row = replace(row, payloads=[b""] * len(row.ids))
            told.append(row)
        return told

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


def _ids(row: TasksSubmitted | TasksEnded) -> set[tuple[int, int]]:
    ids = row.ids if isinstance(row, TasksEnded) else range(row.first_id, row.first_id + len(row.payloads))
    return {(row.owner, client_id) for client_id in ids}
