"""The SQLite file of a journal. The thread of its writer only, which makes the connection and closes it."""

from __future__ import annotations

import os
import sqlite3
import uuid
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final
from zlib import crc32

from concurrent.core.errors import JournalDamaged, JournalError, PayloadDamaged
from concurrent.scheduling.ledger.recorded import OwnerLeft
from concurrent.scheduling.store.journal.folder import beyond_repair, damaged
from concurrent.scheduling.store.journal.place import JournalStart
from concurrent.scheduling.store.journal.records import KIND_BY_CLASS

__all__ = ["FORMAT", "Database"]

FORMAT: Final = 1
"""Of the rows and the tables. A journal of a newer one is not opened."""

APPLICATION_ID: Final = 0x434F4E4A
"""By which ``file`` and this module know a journal: CONJ."""

SYNCHRONOUS: Final = {"host": "FULL", "process": "NORMAL"}

FILE_MODE: Final = 0o600

WAL_BYTES_MAX: Final = 16 << 20
"""When so much is in the log of SQLite, it is moved into the file."""

FREE_BYTES_MAX: Final = 64 << 20
"""The file gives back room that it has free beyond this."""

READ_BYTES: Final = 4 << 20
ROWS_PER_READ: Final = 5000
"""What is read at a time when all is."""

VACUUM_PAGES: Final = 1000

SCHEMA: Final = """
    CREATE TABLE about (name TEXT PRIMARY KEY, value) WITHOUT ROWID;
    CREATE TABLE event (
        seq INTEGER PRIMARY KEY, kind INTEGER NOT NULL, owner INTEGER NOT NULL, body BLOB NOT NULL
    );
    CREATE TABLE payload (number INTEGER PRIMARY KEY, crc INTEGER NOT NULL, data BLOB NOT NULL);
"""


class Database:
    """One connection to one journal, which nobody else may open meanwhile. ``connection`` is that of SQLite.

    :param path: the file; it is made if there is none.
    :param durability: see ``LEVELS``.
    :raises JournalDamaged: if it is no journal, or not what was written.
    :raises JournalError: if it cannot be opened, or has a newer format.
    """

    def __init__(self, path: Path, durability: str) -> None:
        self._path = path
        self._count = self._total = 0  # of rows that this transaction adds, and of their numbers
        connection: sqlite3.Connection | None = None
        try:
            _make_private(path)
            connection = sqlite3.connect(path, isolation_level=None)
            self.connection = connection
            self._check_format()
            connection.execute("PRAGMA auto_vacuum = INCREMENTAL")
            connection.execute("PRAGMA locking_mode = EXCLUSIVE")
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute(f"PRAGMA synchronous = {SYNCHRONOUS[durability]}")
            connection.execute("PRAGMA wal_autocheckpoint = 0")  # its failures would go unnoticed
            connection.execute(f"PRAGMA journal_size_limit = {WAL_BYTES_MAX}")
        except OSError as error:
            raise self._not_opened(error.strerror or str(error)) from error
        except sqlite3.Error as error:
            if connection is not None:
                connection.close()
            raise self._unusable(error, beyond_repair) from error
        except JournalError:
            self.connection.close()
            raise

    @property
    def is_empty(self) -> bool:
        """Whether nothing was ever written to the file, or nothing is left of that."""
        return not self.connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]

    def _check_format(self) -> None:
        """See that the file is a journal of a format that is known, or a new one."""
        execute = self.connection.execute
        (application_id,), (found,) = (
            execute(f"PRAGMA {name}").fetchone() for name in ("application_id", "user_version")
        )
        if not self.is_empty and application_id != APPLICATION_ID:
            raise beyond_repair(self._path.parent, f"{self._path.name} is not a journal")
        if found > FORMAT:
            raise JournalError(
                f"the journal {self._path} has format {found}, and this version knows formats up to {FORMAT}",
                thing=str(self._path),
                value=found,
                remedy="Start the newer version of the framework that wrote it, or give the master another "
                "folder with [journal] folder",
            )

    def begin_epoch(self, last_epoch: int = 0) -> JournalStart:
        """Begin an epoch, and make a new journal first if there was none.

        :param last_epoch: that of the last owner of the folder; 0 if there was none.
        :raises JournalDamaged: if it is not what was written.
        :raises JournalError: if it cannot be written.
        """
        try:
            return self._begin_epoch(last_epoch)
        except sqlite3.Error as error:
            raise self._unusable(error) from error

    def _begin_epoch(self, last_epoch: int) -> JournalStart:
        execute = self.connection.execute
        if self.is_empty:
            if last_epoch:
                raise beyond_repair(
                    self._path.parent, f"its file is empty, and in epoch {last_epoch} it was not"
                )
            self.connection.executescript(
                f"BEGIN; {SCHEMA} PRAGMA application_id = {APPLICATION_ID}; PRAGMA user_version = {FORMAT};"
                f"INSERT INTO about VALUES ('cluster', '{uuid.uuid4().hex}'), ('epoch', 0), ('clean', 1),"
                "('rows', 0), ('sum', 0); COMMIT"
            )
        about = self.about()
        try:
            start = JournalStart(about["cluster"], about["epoch"] + 1, bool(about["clean"]))
        except (KeyError, TypeError) as error:
            raise self._damaged("it does not say which cluster and epoch it is of") from error
        execute("BEGIN IMMEDIATE")
        self._say("epoch", start.epoch)
        self._say("clean", 0)
        execute("COMMIT")
        return start

    def about(self) -> dict[str, Any]:
        """Return what the journal says of itself: its cluster, its epoch, how many rows it has."""
        return dict(self.connection.execute("SELECT name, value FROM about").fetchall())

    def be(self, cluster_id: str, epoch: int) -> None:
        """Be the journal of a cluster, with an epoch that has begun; in a transaction."""
        self._say("cluster", cluster_id)
        self._say("epoch", epoch)

    def _say(self, name: str, value: Any) -> None:
        self.connection.execute("UPDATE about SET value = ? WHERE name = ?", (value, name))

    def rows(self, after: int) -> list[tuple[int, int, bytes]]:
        """Return some of the rows of events that follow a number: number, owner and bytes; none at the end.

        :raises JournalDamaged: if they cannot be read.
        """
        rows, size_bytes = [], 0
        try:
            found = self.connection.execute(
                "SELECT seq, owner, body FROM event WHERE seq > ? ORDER BY seq LIMIT ?", (after, ROWS_PER_READ)
            )
            for row in found:
                rows.append(row)
                size_bytes += len(row[2])
                if size_bytes >= READ_BYTES:
                    break
        except (sqlite3.Error, TypeError) as error:
            raise self._damaged(str(error)) from error
        return rows

    def bodies(self, rows: Sequence[int]) -> dict[int, bytes]:
        """Return the bytes of rows, by their numbers, as far as they are there.

        :raises JournalDamaged: if they cannot be read.
        """
        found = ((seq, self.row(seq)) for seq in rows)
        return {seq: body for seq, body in found if body is not None}

    def row(self, seq: int) -> bytes | None:
        """Return the bytes of one row.

        :raises JournalDamaged: if it cannot be read.
        """
        try:
            found = self.connection.execute("SELECT body FROM event WHERE seq = ?", (seq,)).fetchone()
        except sqlite3.Error as error:
            raise self._damaged(str(error)) from error
        return found[0] if found is not None else None

    def last_numbers(self) -> tuple[int, int]:
        """Return the numbers of the last event and of the last payload."""
        execute = self.connection.execute
        (seq,) = execute("SELECT max(seq) FROM event").fetchone()
        (number,) = execute("SELECT max(number) FROM payload").fetchone()
        return seq or 0, number or 0

    def payload(self, number: int) -> bytes:
        """Return a payload.

        :raises PayloadDamaged: if it is not what was written.
        """
        return self.payload_row(number)[2]

    def payload_row(self, number: int) -> tuple[int, int, bytes]:
        """Return the row of a payload.

        :raises PayloadDamaged: if it is not what was written.
        """
        try:
            found = self.connection.execute(
                "SELECT crc, data FROM payload WHERE number = ?", (number,)
            ).fetchone()
        except sqlite3.Error as error:
            raise self._damaged_payload(number, str(error)) from error
        if found is None:
            raise self._damaged_payload(number, "it is not there")
        crc, data = found
        if not isinstance(data, bytes) or crc32(data) != crc:
            raise self._damaged_payload(number, "it has another checksum")
        return number, crc, data

    def write(
        self, rows: Sequence[tuple[int, int, int, bytes]], payloads: Sequence[tuple[int, int, Any]]
    ) -> None:
        """Write rows and payloads; in a transaction."""
        self.connection.executemany("INSERT INTO event VALUES (?, ?, ?, ?)", rows)
        self._count += len(rows)
        self._total += sum(row[0] for row in rows)
        if payloads:
            self.connection.executemany("INSERT INTO payload VALUES (?, ?, ?)", payloads)

    def replace(self, seq: int, body: bytes) -> None:
        """Write other bytes into a row; in a transaction."""
        self.connection.execute("UPDATE event SET body = ? WHERE seq = ?", (body, seq))

    def delete(self, rows: Sequence[int], payloads: Sequence[int]) -> None:
        """Delete rows and payloads; in a transaction."""
        if rows:
            self.connection.executemany("DELETE FROM event WHERE seq = ?", [(seq,) for seq in rows])
            self._count -= len(rows)
            self._total -= sum(rows)
        if payloads:
            self.connection.executemany("DELETE FROM payload WHERE number = ?", [(one,) for one in payloads])

    def counted(self) -> tuple[int, int]:
        """Return how many rows there have to be, and the sum of their numbers."""
        about = self.about()
        return about["rows"], about["sum"]

    def begin(self) -> None:
        """Begin a transaction."""
        self._count = self._total = 0
        self.connection.execute("BEGIN IMMEDIATE")

    def commit(self) -> None:
        """End a transaction: at level ``host``, what it wrote is on the disk."""
        changes = ((self._count, "rows"), (self._total, "sum"))
        self.connection.executemany("UPDATE about SET value = value + ? WHERE name = ?", changes)
        self.connection.execute("COMMIT")

    def roll_back(self) -> None:
        """Give up a transaction, if SQLite has not done so."""
        if self.connection.in_transaction:
            self.connection.execute("ROLLBACK")

    def move_log(self) -> None:
        """Move the log of SQLite into the file if it has become long."""
        log = Path(f"{self._path}-wal")
        if log.exists() and os.stat(log).st_size >= WAL_BYTES_MAX:
            self.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()

    def give_back(self) -> bool:
        """Make the file somewhat smaller if much of it is free; tells whether it was."""
        is_much = self._pragma("freelist_count") * self._pragma("page_size") > FREE_BYTES_MAX
        if is_much:
            self.connection.execute(f"PRAGMA incremental_vacuum({VACUUM_PAGES})").fetchall()
        return is_much

    def used_bytes(self) -> int:
        """Return how large the file is, without what is free in it."""
        return (self._pragma("page_count") - self._pragma("freelist_count")) * self._pragma("page_size")

    def left_owners(self) -> set[int]:
        """Return the owners that have left, and of which there are rows."""
        found = self.connection.execute("SELECT owner FROM event WHERE kind = ?", (KIND_BY_CLASS[OwnerLeft],))
        return {owner for (owner,) in found}

    def _pragma(self, name: str) -> int:
        value: int = self.connection.execute(f"PRAGMA {name}").fetchone()[0]
        return value

    def close(self) -> None:
        """Say that the journal was closed, and close it."""
        if not self.connection.in_transaction:
            self._say("clean", 1)
        self.connection.close()

    def abandon(self) -> None:
        """Close a journal that could not be written."""
        self.connection.close()

    def _unusable(
        self, error: sqlite3.Error, how: Callable[[Path, str], JournalDamaged] = damaged
    ) -> JournalError:
        if isinstance(error, sqlite3.OperationalError):
            return self._not_opened(str(error))
        return how(self._path.parent, str(error))

    def _not_opened(self, reason: str) -> JournalError:
        return JournalError(
            f"the journal {self._path} cannot be opened: {reason}",
            thing=str(self._path),
            remedy="Check its rights and the room on its disk",
        )

    def _damaged(self, problem: str) -> JournalDamaged:
        return damaged(self._path.parent, problem)

    def _damaged_payload(self, number: int, problem: str) -> PayloadDamaged:
        return PayloadDamaged(
            f"payload {number} of the journal {self._path} is damaged: {problem}",
            thing=str(self._path),
            value=number,
            remedy="See to the disk of the master, then push the task again",
        )


def _make_private(path: Path) -> None:
    """Have nobody but this user read the file, which is made if there is none, whoever may enter its folder.

    SQLite gives its log the mode of the file; one that a crash has left gets it here. Raises OSError.
    """
    os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, FILE_MODE))
    for one in (path, path.with_name(f"{path.name}-wal")):
        if one.exists():
            one.chmod(FILE_MODE)
