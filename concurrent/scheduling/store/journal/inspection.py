"""A journal that is looked into while no master has it: what it has, what is damaged, and what is whole of it.

One thread. The folder is locked meanwhile. No epoch begins, and nothing in it is changed but for what SQLite
does to finish a transaction that was committed.
"""

from __future__ import annotations

import sqlite3
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, Final, NamedTuple

from concurrent.core.errors import JournalDamaged, JournalError, PayloadDamaged
from concurrent.scheduling.ledger import recorded
from concurrent.scheduling.store.journal.database import Database
from concurrent.scheduling.store.journal.folder import DATABASE, Folder, beyond_repair
from concurrent.scheduling.store.journal.records import KINDS, Told, decode

__all__ = ["Inspection", "Loss", "Report"]

GAP_MAX: Final = 1_000_000
"""So many rows are looked for one by one where the file cannot be read in its order."""

EPOCH_SHIFT: Final = 40
"""Numbers of tasks have the epoch above so many bits."""

SELECT: Final = "SELECT seq, kind, owner, body FROM event"

CONSEQUENCES: Final[dict[type, str]] = {
    recorded.OwnerJoined: "its job is lost",
    recorded.CodeDefined: "tasks that need this code fail",
    recorded.TasksSubmitted: "these tasks are lost",
    recorded.TasksEnded: "these tasks run again",
    recorded.OutcomesConsumed: "outcomes are given again that were consumed",
    recorded.SystemPushed: "its task system is lost",
    recorded.SystemStepped: "its task system goes on from an older step",
}
"""What it means that a row is lost."""


class Loss(NamedTuple):
    """What is damaged: a row, or a payload that has a row of its own.

    :param place: where, in words.
    :param problem: what is wrong with it.
    :param consequence: what that means for the work.
    """

    place: str
    problem: str
    consequence: str

    def __str__(self) -> str:
        return f"{self.place}: {self.problem}; {self.consequence}"


class _Row(NamedTuple):
    """A row, as it is in the file."""

    seq: int
    kind: int
    owner: int
    body: bytes


class _Elsewhere(NamedTuple):
    """A payload that is not in its row."""

    size_bytes: int


@dataclass(slots=True)
class Report:
    """What a journal has.

    :param counts: how many rows of each kind there are.
    :param payload_count: how many payloads have rows of their own.
    :param losses: what is damaged.
    """

    cluster: str = ""
    epoch: int = 0
    counts: Counter[str] = field(default_factory=Counter)
    payload_count: int = 0
    losses: list[Loss] = field(default_factory=list)


class Inspection:
    """See the module. Close it.

    :param path: the folder.
    :raises JournalError: if there is no journal, or a master has it.
    """

    def __init__(self, path: Path) -> None:
        if not (path / DATABASE).is_file():
            raise JournalError(
                f"{path} has no journal",
                thing=str(path),
                remedy=f"Name the folder that has {DATABASE}: journal/ in the data folder of an environment",
            )
        self._path = path
        self._folder = Folder(path, allow_network=True)
        try:
            self._database = Database(self._folder.database, "host")
        except JournalError:
            self._folder.close()
            raise
        if self._database.is_empty:
            self.close()
            raise _empty(path, self._folder.last_epoch)

    def close(self) -> None:
        """Let go of the journal."""
        self._database.abandon()
        self._folder.close()

    def check(self, take: Callable[[_Row], object] = lambda _row: None) -> Report:
        """Read everything, and return what there is and what is damaged.

        :param take: called with each row that is whole and belongs to a job that is there.
        """
        report = Report()
        report.cluster, report.epoch = self._identity(report)
        owners = {0}
        count = total = 0
        for row in self._rows(report):
            count += 1
            total += row.seq
            told = self._told(row, report)
            if told is None:
                continue
            event = told.events[0]
            if isinstance(event, recorded.OwnerJoined):
                owners.add(row.owner)
            elif isinstance(event, recorded.TasksSubmitted):  # for an epoch that is damaged itself
                report.epoch = max(report.epoch, event.first_number >> EPOCH_SHIFT)
            if row.owner in owners:
                report.counts[type(told.events[0]).__name__] += 1
                take(row)
            else:
                report.losses.append(_loss(row, "the beginning of its job is lost"))
        self._check_count(report, count, total)
        report.payload_count = self._check_payloads(report)
        return report

    def export(self) -> Iterator[dict[str, Any]]:
        """Return each row as plain values for people; sizes in the place of payloads."""
        report = Report()
        for row in self._rows(report):
            told = self._told(row, report)
            for event in told.events if told is not None else ():
                values = {one.name: _plain(getattr(event, one.name)) for one in fields(event)}
                yield {"row": row.seq, "event": type(event).__name__, **values}
        for loss in report.losses:
            yield {"damaged": loss.place, "problem": loss.problem}

    def repair(self, target: Path) -> Report:
        """Write what is whole into a new folder, as a journal of the same cluster; return what is lost, too.

        :raises JournalError: if the folder exists, or cannot be written.
        """
        if target.exists():
            raise JournalError(
                f"{target} is there already", thing=str(target), remedy="Name another folder, or remove it"
            )
        folder = Folder(target, allow_network=True)
        try:
            database = Database(folder.database, "host")
            database.begin_epoch()
            database.begin()
            report = self.check(lambda row: database.write([row], ()))
            for number in self._payload_numbers(Report()):
                self._copy_payload(database, number)
            database.be(report.cluster or uuid.uuid4().hex, report.epoch)
            database.commit()
            database.close()
        except sqlite3.Error as error:
            raise JournalError(f"{target} cannot be written: {error}", thing=str(target)) from error
        finally:
            folder.close()
        return report

    def _identity(self, report: Report) -> tuple[str, int]:
        try:
            about = self._database.about()
            return str(about["cluster"]), int(about["epoch"])
        except (sqlite3.Error, LookupError, TypeError, ValueError) as error:
            lost = "the cluster has a new name from now on, so slaves do not come back with what they hold"
            report.losses.append(Loss("table about", str(error), lost))
            return "", self._folder.last_epoch

    def _rows(self, report: Report) -> Iterator[_Row]:
        """Return all rows that can be read, in their order."""
        last = 0
        try:
            for row in self._database.connection.execute(f"{SELECT} ORDER BY seq"):
                last = row[0]
                yield _Row(*row)
            return
        except sqlite3.Error as error:
            report.losses.append(Loss(f"rows after {last}", str(error), "what cannot be read of them is lost"))
        for seq in range(last + 1, last + GAP_MAX):
            try:
                row = self._database.connection.execute(f"{SELECT} WHERE seq = ?", (seq,)).fetchone()
            except sqlite3.Error:
                continue
            if row is not None:
                yield _Row(*row)

    def _told(self, row: _Row, report: Report) -> Told | None:
        numbers: list[int] = []

        def recall(number: int, size_bytes: int) -> _Elsewhere:
            numbers.append(number)
            return _Elsewhere(size_bytes)

        try:
            told = decode(row.seq, row.body, recall)
        except (JournalDamaged, TypeError) as error:
            report.losses.append(_loss(row, getattr(error, "message", str(error))))
            return None
        if 0 in numbers:
            problem = f"{numbers.count(0)} payloads have another checksum"
            report.losses.append(Loss(_place(row), problem, "those whose payload is wanted fail"))
        return told

    def _check_count(self, report: Report, count: int, total: int) -> None:
        try:
            expected = self._database.counted()
        except (sqlite3.Error, LookupError):
            return  # that the table is damaged is said already
        if expected != (count, total):
            problem = f"there are {count} rows, and {expected[0]} were written"
            report.losses.append(Loss("table event", problem, "what is missing is lost"))

    def _payload_numbers(self, report: Report) -> list[int]:
        try:
            found = self._database.connection.execute("SELECT number FROM payload ORDER BY number").fetchall()
        except sqlite3.Error as error:
            report.losses.append(Loss("table payload", str(error), "those whose payload is wanted fail"))
            return []
        return [number for (number,) in found]

    def _check_payloads(self, report: Report) -> int:
        numbers = self._payload_numbers(report)
        for number in numbers:
            try:
                self._database.payload(number)
            except PayloadDamaged as error:
                problem = error.message.rpartition(": ")[2]
                report.losses.append(Loss(f"payload {number}", problem, "its task fails if it is wanted"))
        return len(numbers)

    def _copy_payload(self, database: Database, number: int) -> None:
        try:
            database.write((), [self._database.payload_row(number)])
        except PayloadDamaged:
            return  # so its task fails


def _empty(path: Path, last_epoch: int) -> JournalError:
    """Return the error for a journal without anything.

    :param last_epoch: that of its last owner, 0 if it had none.
    """
    if last_epoch:
        return beyond_repair(path, f"its file is empty, and in epoch {last_epoch} it was not")
    return JournalError(
        f"the journal {path} is empty: no master has written to it",
        thing=str(path),
        remedy="A master may begin with it. If there was work in it, put a backup of the folder in its place",
    )


def _place(row: _Row) -> str:
    kind = KINDS[row.kind].cls.__name__ if row.kind in KINDS else f"kind {row.kind}"
    return f"row {row.seq} ({kind} of owner {row.owner})"


def _loss(row: _Row, problem: str) -> Loss:
    cls = KINDS[row.kind].cls if row.kind in KINDS else None
    return Loss(_place(row), problem.rpartition(": ")[2], CONSEQUENCES.get(cls, "what it says is not known"))  # type: ignore[arg-type]


def _plain(value: Any) -> Any:
    """Return what JSON can have of a value."""
    if isinstance(value, bytes):
        return f"{len(value)} bytes"
    if isinstance(value, _Elsewhere):
        return f"{value.size_bytes} bytes"
    if isinstance(value, (list, tuple)):
        return [_plain(one) for one in value]
    if hasattr(value, "as_map"):
        return _plain(value.as_map())
    if isinstance(value, dict):
        return {str(name): _plain(one) for name, one in value.items()}
    return value
