"""What a journal does when the disk fails, or is full: nothing is acknowledged that is not kept."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any, ClassVar

import pytest

from concurrent.core.errors import JournalError
from concurrent.scheduling.ledger.recorded import OwnerLeft, Recordable
from concurrent.scheduling.store.journal import database, space
from tests.unit.scheduling.journal_fold import folded
from tests.unit.scheduling.journal_parts import OpenJournal, consumed, ended, joined, submitted

IO_ERROR = "disk I/O error"
FULL = "database or disk is full"

TURNS: list[list[Recordable]] = [
    [joined(), submitted(1, b"a", b"b", bytes(70_000))],
    [ended(1, 2), submitted(4, b"c")],
    [consumed(1), ended(2, 1, 3)],
    [joined(2), consumed(3)],
    [OwnerLeft(1)],
]


class Failing(sqlite3.Connection):
    """A connection whose calls fail from one of them on, or that one alone."""

    left: ClassVar[int] = -1
    problem: ClassVar[str] = IO_ERROR
    is_once: ClassVar[bool] = False
    calls: ClassVar[list[str]] = []

    @classmethod
    def arm(cls, left: int, problem: str, *, is_once: bool) -> None:
        """Have the calls after so many others fail."""
        cls.left, cls.problem, cls.is_once = left, problem, is_once
        cls.calls = []

    def execute(self, sql: str, *args: Any) -> sqlite3.Cursor:
        self._check(sql)
        return super().execute(sql, *args)

    def executemany(self, sql: str, *args: Any) -> sqlite3.Cursor:
        self._check(sql)
        return super().executemany(sql, *args)

    def _check(self, sql: str) -> None:
        cls = type(self)
        if sql.startswith("ROLLBACK") or cls.left < 0:
            return
        cls.calls.append(sql)
        if cls.left:
            cls.left -= 1
            return
        if cls.is_once:
            cls.left = -1
        raise sqlite3.OperationalError(cls.problem)


@pytest.fixture(autouse=True)
def connections(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Have all calls of connections counted, and small files made for the reserve."""
    connect = sqlite3.connect
    monkeypatch.setattr(
        database.sqlite3, "connect", lambda *args, **more: connect(*args, **more, factory=Failing)
    )
    monkeypatch.setattr(space, "RESERVE_BYTES", 64 << 10)
    yield
    Failing.arm(-1, "", is_once=False)


def jobs_after(turns: int) -> Any:
    """Return the jobs after so many of the turns."""
    return folded(event for turn in TURNS[:turns] for event in turn)


def run(journal: OpenJournal) -> int:
    """Keep the turns; returns how many were acknowledged."""
    for turn in TURNS:
        if journal.failures:
            journal.journal.commit()
            break
        journal.keep(*turn)
    return journal.committed


def test_after_any_call_that_fails_nothing_is_acknowledged_and_all_that_was_is_there(tmp_path: Path) -> None:
    for call in count():
        folder = tmp_path / str(call)
        with OpenJournal(folder) as journal:
            Failing.arm(call, IO_ERROR, is_once=True)
            acknowledged = run(journal)
            has_failed = Failing.left < 0
            Failing.arm(-1, "", is_once=False)
            journal.journal.append(joined(9))
            journal.journal.commit()
        while not journal.posts.empty():
            journal.turn()
        with OpenJournal(folder) as again:
            if not has_failed:
                assert call > 10
                break
            assert journal.committed == acknowledged
            (failure,) = journal.failures
            assert str(folder) in str(failure)
            assert IO_ERROR in str(failure)
            assert folded(again.told) == jobs_after(acknowledged), f"call {call}"


def test_a_transaction_without_room_is_written_later_and_nothing_is_lost(tmp_path: Path) -> None:
    for call in count():
        folder = tmp_path / str(call)
        with OpenJournal(folder) as journal:
            Failing.arm(call, FULL, is_once=True)
            assert run(journal) == len(TURNS)
            has_failed = Failing.left < 0
            Failing.arm(-1, "", is_once=False)
            assert not journal.failures
        with OpenJournal(folder) as again:
            assert folded(again.told) == jobs_after(len(TURNS)), f"call {call}"
        if not has_failed:
            break


def test_while_there_is_no_room_new_work_is_refused_by_name_and_taken_again_without_a_restart(
    tmp_path: Path,
) -> None:
    with OpenJournal(tmp_path) as journal:
        journal.keep(joined())
        Failing.arm(0, FULL, is_once=False)
        journal.journal.append(submitted(1, b"a"))
        number = journal.journal.commit()
        journal.journal.probe()
        journal.wait_until(lambda: bool(journal.journal.problem()))
        assert str(tmp_path) in journal.journal.problem()
        assert "full" in journal.journal.problem()
        assert journal.committed < number
        Failing.arm(-1, "", is_once=False)
        journal.journal.probe()
        journal.wait_for(number)
        journal.keep(ended(1, 1))
        journal.wait_until(lambda: not journal.journal.problem())
    with OpenJournal(tmp_path) as journal:
        assert journal.told == [joined(), submitted(1, b"a"), ended(1, 1)]


def test_a_quota_that_is_used_up_refuses_new_work_and_takes_outcomes(tmp_path: Path) -> None:
    with OpenJournal(tmp_path, bytes_max=1 << 20) as journal:
        journal.keep(joined(), submitted(1, *[os.urandom(60_000)] * 40))
        journal.wait_until(lambda: "journal.bytes_max = 1048576" in journal.journal.problem())
        journal.keep(ended(1, *range(1, 41)))
        journal.keep(consumed(40))
        journal.wait_until(lambda: not journal.journal.problem())


def test_a_disk_with_little_room_refuses_new_work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(space, "FREE_BYTES_MIN", 1 << 60)
    with OpenJournal(tmp_path) as journal:
        assert f"the disk of the journal {tmp_path} is full" in journal.journal.problem()
        journal.keep(joined())


def test_a_journal_whose_disk_is_full_when_it_is_opened_uses_the_reserve(tmp_path: Path) -> None:
    OpenJournal(tmp_path).journal.close()
    (tmp_path / "reserve").write_bytes(b"left by a master that was killed")
    Failing.arm(0, FULL, is_once=True)
    with OpenJournal(tmp_path) as journal:
        journal.keep(joined())
    Failing.arm(0, FULL, is_once=False)
    with pytest.raises(JournalError, match="full"):
        OpenJournal(tmp_path)
