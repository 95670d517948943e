"""What a journal keeps over restarts, and what it refuses."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from concurrent.core.errors import JournalError
from concurrent.scheduling.ledger.recorded import OwnerLeft, TasksNamed
from concurrent.scheduling.store.journal import database, writer
from concurrent.transport.frames.frames import Frame
from tests.unit.scheduling.journal_parts import OpenJournal, consumed, ended, joined, submitted


def test_what_was_kept_is_told_again_in_its_order(tmp_path: Path) -> None:
    events = [joined(), submitted(1, b"a", b"b"), TasksNamed(1, 1, ["x", "y"]), ended(1, 2)]
    with OpenJournal(tmp_path) as first:
        assert first.told == []
        first.keep(*events[:2])
        first.keep(*events[2:])
    with OpenJournal(tmp_path) as second:
        assert second.told == events


def test_nobody_else_can_read_it_whoever_may_enter_its_folder(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    modes = []
    for _ in range(2):
        with OpenJournal(tmp_path) as journal:
            journal.keep(joined())
            modes += [one.stat().st_mode & 0o777 for one in tmp_path.iterdir()]
        (tmp_path / "journal.sqlite").chmod(0o644)  # as a former version has made it
    assert len(modes) >= 4
    assert set(modes) == {0o600}


def test_an_epoch_begins_with_each_opening_and_the_cluster_stays(tmp_path: Path) -> None:
    starts = []
    for _ in range(3):
        with OpenJournal(tmp_path) as journal:
            starts.append(journal.start)
    assert [one.epoch for one in starts] == [1, 2, 3]
    assert len({one.cluster_id for one in starts}) == 1
    assert all(one.last_epoch_clean for one in starts)


def test_a_turn_without_events_is_no_commit(tmp_path: Path) -> None:
    with OpenJournal(tmp_path) as journal:
        assert journal.journal.commit() == 0


def test_what_was_appended_last_is_kept_when_it_is_closed(tmp_path: Path) -> None:
    with OpenJournal(tmp_path) as journal:
        journal.journal.append(joined())
    with OpenJournal(tmp_path) as journal:
        assert journal.told == [joined()]


def test_a_large_payload_is_read_when_it_is_needed(tmp_path: Path) -> None:
    large = os.urandom(100_000)
    with OpenJournal(tmp_path) as journal:
        journal.keep(joined(), submitted(1, b"small", Frame(large)))
    with OpenJournal(tmp_path) as journal:
        small, stored = journal.told[1].payloads  # type: ignore[union-attr]
        assert small == b"small"
        assert len(stored) == len(large)
        assert bytes(stored.load()) == large
        assert journal.journal.figures().stored_bytes == len(large)


def test_what_is_put_is_not_in_memory_once_it_is_kept(tmp_path: Path) -> None:
    data = os.urandom(5000)
    with OpenJournal(tmp_path) as journal:
        stored = journal.journal.put(data)
        assert stored.load() == data
        journal.keep(joined(), submitted(1, stored))
        assert journal.journal.figures().stored_bytes == len(data)
        assert stored.load() == data
        assert journal.journal.put(b"tiny") == b"tiny"


def test_nothing_is_left_of_a_job_that_has_left(tmp_path: Path) -> None:
    with OpenJournal(tmp_path) as journal:
        journal.keep(joined(), submitted(1, b"a"), joined(2))
        journal.keep(OwnerLeft(1))
    with OpenJournal(tmp_path) as journal:
        assert journal.told == [joined(2)]


def test_keys_and_tasks_that_came_one_by_one_are_had_together(tmp_path: Path) -> None:
    with OpenJournal(tmp_path) as journal:
        for number in range(1, 301):
            journal.journal.append(TasksNamed(1, number, [f"key {number}"]))
            journal.journal.append(submitted(number, b"%d" % number))
        journal.wait_for(journal.journal.commit())
        assert journal.journal.keys(1, 100, 150).keys == [f"key {number}" for number in range(100, 250)]
        assert journal.journal.keys(1, 299, 10).keys == ["key 299", "key 300"]
        assert journal.journal.keys(1, 301, 10).keys == []
        assert journal.journal.tasks(1, [*range(300, 0, -1)]) == [b"%d" % one for one in range(300, 0, -1)]


def test_a_job_with_many_rows_is_gone_though_nothing_more_comes_and_the_disk_has_its_room_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "FREE_BYTES_MAX", 100_000)
    monkeypatch.setattr(database, "WAL_BYTES_MAX", 0)
    monkeypatch.setattr(writer, "TIDY_COUNT", 1)
    file = tmp_path / "journal.sqlite"
    with OpenJournal(tmp_path) as journal:
        journal.keep(joined(), *(submitted(number, bytes(1000)) for number in range(1, 5001)))
        journal.wait_until(lambda: file.stat().st_size > 5_000_000)
        journal.keep(OwnerLeft(1))
        journal.wait_until(lambda: journal.journal.figures().used_bytes < 100_000)
        journal.wait_until(lambda: file.stat().st_size < 500_000)
    with OpenJournal(tmp_path) as journal:
        assert journal.told == []


def test_nothing_happens_to_a_journal_that_is_closed(tmp_path: Path) -> None:
    with OpenJournal(tmp_path) as journal:
        journal.keep(joined())
    journal.journal.append(joined(2))
    journal.journal.commit()
    journal.journal.probe()
    assert not journal.failures
    with OpenJournal(tmp_path) as journal:
        assert journal.told == [joined()]


def test_payloads_outcomes_and_keys_are_had_while_they_are_kept(tmp_path: Path) -> None:
    with OpenJournal(tmp_path) as journal:
        journal.keep(joined(keep_s=60.0), TasksNamed(1, 1, ["x", "y"]), submitted(1, b"a", b"b", b"c"))
        journal.keep(ended(1, 3), ended(2, 1, 2))
        for _ in range(2):  # kept, and in the buffer
            assert journal.journal.tasks(1, [3, 1]) == [b"c", b"a"]
            assert journal.journal.outcomes(1, 2, 9).ids == [1, 2]
            assert journal.journal.outcomes(1, 1, 2).ids == [3, 1]
            assert journal.journal.keys(1, 1, 9).keys == ["x", "y"]
            journal.journal.append(submitted(4, b"d"))
        assert journal.journal.tasks(1, [4, 3]) == [b"d", b"c"]
        journal.keep(consumed(1))
        assert journal.journal.outcomes(1, 2, 1).ids == [1]


def test_a_folder_has_one_owner_and_the_error_names_it(tmp_path: Path) -> None:
    with (
        OpenJournal(tmp_path),
        pytest.raises(JournalError, match=rf"in use by process {os.getpid()} on .*epoch 1"),
    ):
        OpenJournal(tmp_path)
    OpenJournal(tmp_path).journal.close()
