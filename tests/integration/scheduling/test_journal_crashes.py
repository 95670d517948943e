"""A journal whose process is killed, whose machine loses its power, or whose process forks."""

from __future__ import annotations

import os
import random
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from concurrent.core.errors import JournalError
from concurrent.scheduling.ledger.recorded import OwnerLeft, TasksNamed
from concurrent.scheduling.store.journal import database, space, writer
from tests.unit.scheduling.journal_fold import folded
from tests.unit.scheduling.journal_parts import OpenJournal, joined, submitted
from tests.unit.scheduling.journal_story import turns_of

ROOT = Path(__file__).parents[3]
TURNS = 3000
BLOCK_BYTES = 512
DATA, LOG = "journal.sqlite", "journal.sqlite-wal"


def python(*arguments: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, *arguments], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0
    )


@pytest.mark.parametrize("seed", range(6))
def test_a_process_killed_at_any_instant_has_kept_what_it_acknowledged(seed: int, tmp_path: Path) -> None:
    chance = random.Random(seed)
    turns = turns_of(seed, TURNS)
    after = chance.choice((0, 1, 7, chance.randrange(300)))
    with python("-m", "tests.unit.scheduling.journal_story", str(tmp_path), str(seed), str(TURNS)) as process:
        assert process.stdout is not None
        told = 0
        while told < after:
            told += len(process.stdout.read(1))
        process.kill()
        told += len(process.stdout.read())
    with OpenJournal(tmp_path) as journal:
        jobs = folded(journal.told)
        assert journal.start.last_epoch_clean == (journal.start.epoch == 1)
    kept = [count for count in range(told, min(told + 100, TURNS)) if folded(_first(turns, count)) == jobs]
    assert kept, f"{told} turns were acknowledged"


def test_a_power_cut_leaves_what_was_acknowledged_whatever_of_the_rest_was_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "WAL_BYTES_MAX", 100_000)
    monkeypatch.setattr(writer, "TIDY_BYTES", 1 << 60)
    monkeypatch.setattr(writer, "TIDY_COUNT", 1 << 60)
    monkeypatch.setattr(space, "RESERVE_BYTES", 4096)
    key = TasksNamed(1 << 30, 1, ["key"])
    turns = [(joined(1 << 30), key), *turns_of(7, 40)]
    chance = random.Random(7)
    moved_count = 0
    with OpenJournal(tmp_path / "live") as journal:
        before = _files(tmp_path / "live")
        for count, turn in enumerate(turns):
            journal.keep(*turn)
            written = _files(tmp_path / "live")
            either = [folded(_first(turns, kept)) for kept in (count, count + 1)]
            for _ in range(3):
                log = _mixed(before[LOG], written[LOG], chance)
                assert _recovered(tmp_path / "cut", {DATA: before[DATA], LOG: log}) in either
            journal.journal.probe()  # moves the log into the database
            assert journal.journal.keys(1 << 30, 1, 1) == key
            before = _files(tmp_path / "live")
            if before[LOG] != written[LOG]:
                moved_count += 1
                data = _mixed(written[DATA], before[DATA], chance)
                assert _recovered(tmp_path / "cut", {DATA: data, LOG: written[LOG]}) == either[1]
                assert _recovered(tmp_path / "cut", {DATA: before[DATA], LOG: written[LOG]}) == either[1]
                assert _recovered(tmp_path / "cut", before) == either[1]
    assert moved_count > 2


def _recovered(folder: Path, files: dict[str, bytes]) -> Any:
    """Return the jobs that a journal with these files has."""
    folder.mkdir()
    for name, data in files.items():
        (folder / name).write_bytes(data)
    with OpenJournal(folder) as journal:
        jobs = folded(journal.told)
    shutil.rmtree(folder)
    return jobs


def _first(turns: list[tuple[object, ...]], count: int) -> list[object]:
    return [event for turn in turns[:count] for event in turn]


def _files(folder: Path) -> dict[str, bytes]:
    """Return the database and its log."""
    return {name: (folder / name).read_bytes() for name in (DATA, LOG)}


def _mixed(before: bytes, after: bytes, chance: random.Random) -> bytes:
    """Return a file of which some blocks were written, and some not."""
    size_bytes = max(len(before), len(after))
    before, after = before.ljust(size_bytes, b"\0"), after.ljust(size_bytes, b"\0")
    blocks = [slice(at, at + BLOCK_BYTES) for at in range(0, size_bytes, BLOCK_BYTES)]
    share = chance.choice((0.1, 0.5, 0.9))
    return b"".join((after if chance.random() < share else before)[block] for block in blocks)


FORKING = """
import os, sys
from pathlib import Path
from tests.unit.scheduling.journal_parts import OpenJournal, joined, submitted
folder = Path(sys.argv[1])
journal = OpenJournal(folder)
journal.keep(joined(), submitted(1, b"a"))
if os.fork() == 0:
    files = [Path("/proc/self/fd", name) for name in os.listdir("/proc/self/fd")]
    names = [os.readlink(file) for file in files if file.exists()]
    os.write(1, b"%r\\n" % [name for name in names if str(folder) in name])  # the other one writes there too
    sys.stdin.read()
    sys.exit()  # by way of what frees all objects
journal.keep(submitted(2, b"b"))
os.write(1, b"kept\\n")
if "die" in sys.argv:
    os.kill(os.getpid(), 9)
os.waitstatus_to_exitcode(os.wait()[1]) and os.abort()
journal.keep(submitted(3, b"c"))
os.kill(os.getpid(), 9)
"""


def test_a_forked_child_has_nothing_of_a_journal_and_does_it_no_harm(tmp_path: Path) -> None:
    with python("-c", FORKING, str(tmp_path)) as process:
        assert process.stdout is not None
        assert process.stdin is not None
        assert sorted([process.stdout.readline(), process.stdout.readline()]) == [b"[]\n", b"kept\n"]
        with pytest.raises(JournalError, match=f"in use by process {process.pid} on "):
            OpenJournal(tmp_path)
        process.stdin.close()
    assert process.returncode == -9
    with OpenJournal(tmp_path) as journal:
        assert journal.told == [joined(), submitted(1, b"a"), submitted(2, b"b"), submitted(3, b"c")]


def test_the_folder_is_free_when_its_owner_is_dead_though_a_child_of_it_lives(tmp_path: Path) -> None:
    with python("-c", FORKING, str(tmp_path), "die") as process:
        assert process.wait(60) == -9
        with OpenJournal(tmp_path) as journal:
            assert journal.told == [joined(), submitted(1, b"a"), submitted(2, b"b")]
            journal.keep(OwnerLeft(1))


LIMITED = """
import resource, sys
from pathlib import Path
from concurrent.scheduling.store.journal import space
from tests.unit.scheduling import journal_story
space.RESERVE_BYTES = 4096
limit = int(sys.argv[2])
resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
journal_story.main(Path(sys.argv[1]), 3, 300)
"""


@pytest.mark.parametrize("limit", [70_001, 150_013, 400_500])
def test_a_write_that_fails_within_a_file_loses_nothing_acknowledged(limit: int, tmp_path: Path) -> None:
    with python("-c", LIMITED, str(tmp_path), str(limit)) as process:
        assert process.stdout is not None
        told = len(process.stdout.read())
    turns = turns_of(3, 300)
    assert told < 300
    with OpenJournal(tmp_path) as journal:
        jobs = folded(journal.told)
    assert any(folded(_first(turns, count)) == jobs for count in range(told, told + 50))


@pytest.mark.skipif(os.getuid() != 0, reason="only root mounts a small disk")
def test_a_full_disk_refuses_new_work_and_goes_on_when_there_is_room(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(space, "RESERVE_BYTES", 512 << 10)
    monkeypatch.setattr(space, "FREE_BYTES_MIN", 128 << 10)
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", str(disk)], check=False)
    if mounted.returncode:
        pytest.skip("this machine does not let us mount a small disk")
    try:
        _fill_and_free(disk)
    finally:
        subprocess.run(["umount", str(disk)], check=True)


def _fill_and_free(disk: Path) -> None:
    tasks = [submitted(first, bytes(50_000)) for first in range(1, 21)]
    with OpenJournal(disk / "journal") as journal:
        journal.keep(joined(), *tasks[:2])
        free = os.statvfs(disk)
        (disk / "filler").write_bytes(bytes(free.f_bavail * free.f_frsize - (100 << 10)))
        for task in tasks[2:]:
            journal.journal.append(task)
            number = journal.journal.commit()
        journal.wait_until(lambda: "is full" in journal.journal.problem())
        assert not journal.failures
        (disk / "filler").unlink()
        journal.journal.probe()
        journal.wait_for(number)
        journal.wait_until(lambda: not journal.journal.problem())
    with OpenJournal(disk / "journal") as journal:
        assert list(folded(journal.told)[1].open) == list(range(1, 21))
