"""What ``concurrent journal`` says of a journal, and what a master says of one that is damaged."""

from __future__ import annotations

import json
import random
import shlex
import shutil
import sqlite3
import subprocess
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from concurrent.apps.main import main
from concurrent.core.errors import JournalDamaged, JournalError, PayloadDamaged
from concurrent.scheduling.ledger.recorded import TasksEnded, TasksNamed
from concurrent.scheduling.store.journal.inspection import Inspection
from tests.unit.scheduling.journal_fold import folded
from tests.unit.scheduling.journal_parts import OpenJournal, consumed, ended, joined, submitted
from tests.unit.scheduling.journal_story import turns_of

LARGE = bytes(range(256)) * 300


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a journal with two jobs."""
    path = tmp_path / "journal"
    with OpenJournal(path) as journal:
        journal.keep(joined(), TasksNamed(1, 1, ["key"]), submitted(1, b"small", LARGE, b"other"))
        journal.keep(joined(2), submitted(1, b"theirs", owner=2))
        journal.keep(ended(1, 1))
    return path


def change(folder: Path, sql: str, *values: Any) -> None:
    """Change a journal behind its back."""
    with closing(sqlite3.connect(folder / "journal.sqlite")) as connection, connection:
        connection.execute(sql, values)


def flip(folder: Path, seq: int, place: int) -> None:
    """Flip a bit of a row, at a place from its beginning, or end."""
    with closing(sqlite3.connect(folder / "journal.sqlite")) as connection, connection:
        (body,) = connection.execute("SELECT body FROM event WHERE seq = ?", (seq,)).fetchone()
        flipped = bytearray(body)
        flipped[place] ^= 1
        connection.execute("UPDATE event SET body = ? WHERE seq = ?", (bytes(flipped), seq))


def test_a_journal_that_is_whole_is_said_to_be(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["journal", "check", str(folder)]) == 0
    said = capsys.readouterr().out
    assert "epoch 1" in said
    assert "2 OwnerJoined" in said
    assert "1 payloads in rows of their own" in said
    assert "nothing is damaged" in said


def test_a_journal_is_exported_as_lines_for_people(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["journal", "export", str(folder)]) == 0
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [line["event"] for line in lines][:2] == ["OwnerJoined", "TasksNamed"]
    assert lines[0]["job"]["job_id"] == "job-1"
    assert lines[2]["payloads"] == ["5 bytes", "76800 bytes", "5 bytes"]


def test_a_damaged_row_is_refused_with_file_place_and_remedy(folder: Path) -> None:
    flip(folder, 3, 20)
    remedy = f"concurrent journal repair {folder}"
    with pytest.raises(JournalDamaged, match=rf"{folder} is damaged: row 3.*{remedy}"):
        OpenJournal(folder)


def test_a_row_that_is_missing_is_refused(folder: Path) -> None:
    change(folder, "DELETE FROM event WHERE seq = 3")
    with pytest.raises(JournalDamaged, match="5 rows"):
        OpenJournal(folder)


def test_a_damaged_payload_within_a_row_fails_its_tasks_only(folder: Path) -> None:
    flip(folder, 3, -1)
    with OpenJournal(folder) as journal:
        small, large, other = journal.told[2].payloads  # type: ignore[union-attr]
        assert bytes(large.load()) == LARGE
        for damaged in (small, other):
            with pytest.raises(PayloadDamaged, match="damaged on disk"):
                damaged.load()
        assert list(folded([journal.told[3], journal.told[4]])) == [2]


def test_a_damaged_payload_in_a_row_of_its_own_fails_its_task_only(folder: Path) -> None:
    change(folder, "UPDATE payload SET data = zeroblob(76800)")
    with OpenJournal(folder) as journal:
        small, large, _ = journal.told[2].payloads  # type: ignore[union-attr]
        assert small == b"small"
        with pytest.raises(OSError, match="another checksum"):
            large.load()


def test_a_newer_format_is_refused_with_both_versions(folder: Path) -> None:
    change(folder, "PRAGMA user_version = 7")
    with pytest.raises(JournalError, match="has format 7, and this version knows formats up to 1"):
        OpenJournal(folder)


def test_another_file_is_not_taken_for_a_journal(tmp_path: Path) -> None:
    change(tmp_path, "CREATE TABLE mine (x)")
    with pytest.raises(JournalDamaged, match="not a journal"):
        OpenJournal(tmp_path)
    (tmp_path / "journal.sqlite").write_bytes(b"text" * 1000)
    with pytest.raises(JournalDamaged, match="not a database"):
        OpenJournal(tmp_path)


def test_what_is_whole_of_a_damaged_journal_is_saved_and_what_is_lost_is_said(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    flip(folder, 4, 20)
    change(folder, "UPDATE payload SET data = zeroblob(76800)")
    assert main(["journal", "check", str(folder), "--json"]) == 1
    found = json.loads(capsys.readouterr().out)
    assert (found["ok"], found["losses"][0]["consequence"]) == (False, "its job is lost")
    assert main(["journal", "check", str(folder)]) == 1
    assert main(["journal", "repair", str(folder)]) == 0
    said = capsys.readouterr().out
    assert "row 4 (OwnerJoined of owner 2): its columns have another checksum; its job is lost" in said
    assert "row 5 (TasksSubmitted of owner 2): the beginning of its job is lost; these tasks are lost" in said
    assert "payload 1: it has another checksum; its task fails if it is wanted" in said
    with OpenJournal(folder.with_name("journal-repaired")) as journal:
        assert journal.start.epoch == 2
        assert [type(event) for event in journal.told][-1] is TasksEnded
        small, large, _ = journal.told[2].payloads  # type: ignore[union-attr]
        assert small == b"small"
        with pytest.raises(PayloadDamaged):
            large.load()
        journal.keep(consumed(1))


def test_a_repair_overwrites_nothing(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["journal", "repair", str(folder), "--to", str(folder)]) != 0
    assert "is there already" in capsys.readouterr().err


def test_a_journal_in_use_and_no_journal_are_said_to_be(tmp_path: Path, folder: Path) -> None:
    with OpenJournal(folder), pytest.raises(JournalError, match="in use"):
        Inspection(folder)
    with pytest.raises(JournalError, match="has no journal"):
        Inspection(tmp_path)


def test_bytes_that_are_flipped_or_cut_never_change_what_is_told(tmp_path: Path) -> None:
    turns = turns_of(11, 40)
    with OpenJournal(tmp_path / "whole") as journal:
        for turn in turns:
            journal.keep(*turn)
    with OpenJournal(tmp_path / "whole") as journal:
        jobs = folded(journal.told)
    data = (tmp_path / "whole" / "journal.sqlite").read_bytes()
    chance = random.Random(11)
    for trial in range(60):
        changed = bytearray(data)
        if not trial:
            changed.clear()
        elif trial % 3:
            changed[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
        else:
            del changed[chance.randrange(len(data)) :]
        folder = tmp_path / "damaged"
        shutil.copytree(tmp_path / "whole", folder)
        (folder / "journal.sqlite").write_bytes(changed)
        told = told_or_refused(folder)
        assert told == jobs or isinstance(told, str), f"trial {trial}"
        shutil.rmtree(folder)


def told_or_refused(folder: Path) -> Any:
    """Return the jobs of a journal, or why there are none."""
    try:
        with OpenJournal(folder) as journal:
            return folded(journal.told)
    except (JournalError, PayloadDamaged) as error:
        return str(error)


def test_a_journal_of_the_first_format_is_told_as_ever(tmp_path: Path) -> None:
    shutil.copytree(Path(__file__).parents[2] / "data" / "journal-1", tmp_path / "journal")
    with OpenJournal(tmp_path / "journal") as journal:
        told = [type(event).__name__ for event in journal.told]
        jobs = folded(event for event in journal.told if hasattr(event, "owner"))
    expected = json.loads((Path(__file__).parents[2] / "data" / "journal-1.json").read_text(encoding="utf-8"))
    assert told == expected["told"]
    assert {str(owner): sorted(job.open) for owner, job in jobs.items()} == expected["open"]
    assert {str(owner): job.counts for owner, job in jobs.items()} == expected["counts"]


def test_a_hint_may_be_pasted_whatever_the_folder_is_called(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    spaced = folder.rename(folder.with_name("my journal's"))
    flip(spaced, 4, 20)
    assert main(["journal", "check", str(spaced)]) == 1
    hint = capsys.readouterr().out.splitlines()[-1].partition(": concurrent ")[2]
    assert main(shlex.split(hint)) == 0
    move = capsys.readouterr().out.splitlines()[-1].partition("to go on with it: ")[2]
    subprocess.run(move, shell=True, check=True)
    assert main(["journal", "check", str(spaced)]) == 0
    flip(spaced, 1, 20)
    with pytest.raises(JournalDamaged, match="concurrent journal repair") as refused:
        OpenJournal(spaced)
    assert shlex.quote(str(spaced)) in str(refused.value)


@pytest.mark.parametrize("action", ["check", "repair", "export"])
def test_where_repair_cannot_help_it_is_said_what_can(
    tmp_path: Path, action: str, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "journal.sqlite"
    file.write_bytes(b"text" * 1000)
    assert main(["journal", action, str(tmp_path)]) == 3
    said = capsys.readouterr().err
    assert "file is not a database" in said
    assert "put a backup of the folder in its place" in said
    assert f"mv {tmp_path} {tmp_path}-damaged" in said
    assert "concurrent journal repair" not in said
    file.write_bytes(b"")
    assert main(["journal", action, str(tmp_path)]) == 3
    assert "is empty: no master has written to it" in capsys.readouterr().err
    with OpenJournal(tmp_path):
        pass
    file.write_bytes(b"")
    assert main(["journal", action, str(tmp_path)]) == 3
    said = capsys.readouterr().err
    assert "its file is empty, and in epoch 1 it was not" in said
    assert "put a backup" in said
    with pytest.raises(JournalDamaged, match="put a backup"):
        OpenJournal(tmp_path)
