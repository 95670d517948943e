"""A log file of several processes loses no line when it is rotated."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from concurrent.core.logfile import SharedFileHandler

WRITERS = 3
LINES = 200
SIZE_BYTES_MAX = 20_000

PROGRAM = """
import logging, sys
from pathlib import Path
from concurrent.core.logs import NodeLog
log = NodeLog(sys.argv[2], file=Path(sys.argv[1]), size_bytes_max=int(sys.argv[3]))
log.start()
sys.stdin.readline()
for number in range(int(sys.argv[4])):
    logging.getLogger("concurrent.test").info("line %d of %s", number, sys.argv[2])
log.stop()
"""


@pytest.mark.parametrize("size_bytes_max", [SIZE_BYTES_MAX, 0])
def test_no_line_of_several_processes_is_lost(tmp_path: Path, size_bytes_max: int) -> None:
    file = tmp_path / "node.log"
    arguments = [str(size_bytes_max), str(LINES)]
    writers = [
        subprocess.Popen(
            [sys.executable, "-c", PROGRAM, file, f"writer-{number}", *arguments],
            stdin=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        for number in range(WRITERS)
    ]
    for writer in writers:  # all begin at once
        assert writer.stdin is not None
        writer.stdin.write(b"go\n")
        writer.stdin.flush()
    for writer in writers:
        writer.communicate()
        assert writer.returncode == 0
    files = sorted(tmp_path.iterdir())
    lines = [line.rpartition(": ")[2] for one in files for line in one.read_text().splitlines()]
    assert sorted(lines) == sorted(f"line {n} of writer-{w}" for n in range(LINES) for w in range(WRITERS))
    if size_bytes_max:
        assert len(files) > 1
        assert all(one.stat().st_size < 2 * size_bytes_max for one in files)


def test_a_file_that_was_moved_away_by_others_is_opened_anew(tmp_path: Path) -> None:
    file = tmp_path / "node.log"
    with subprocess.Popen(
        [sys.executable, "-c", PROGRAM, file, "writer", "0", "1"],
        stdin=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    ) as writer:
        while not file.exists():
            assert writer.poll() is None
        file.rename(tmp_path / "moved.log")
        writer.communicate(b"go\n")
    assert file.read_text().endswith("line 0 of writer\n")


def test_nobody_else_can_read_a_file_that_is_new(tmp_path: Path) -> None:
    file = tmp_path / "node.log"
    handler = SharedFileHandler(file, 100, part_count=2)
    with closing(handler):
        for number in range(10):
            text = f"line {number}" * 5
            handler.handle(logging.LogRecord("name", logging.INFO, "here.py", 1, text, (), None))
    assert {one.stat().st_mode & 0o777 for one in tmp_path.iterdir()} == {0o600}
    assert len(list(tmp_path.iterdir())) == 3


def test_a_file_that_others_may_read_stays_so(tmp_path: Path) -> None:
    file = tmp_path / "node.log"
    file.touch()
    file.chmod(0o640)
    SharedFileHandler(file, 0, part_count=1).close()
    assert file.stat().st_mode & 0o777 == 0o640


def write(handler: SharedFileHandler, *texts: str) -> None:
    for text in texts:
        handler.handle(logging.LogRecord("name", logging.INFO, "here.py", 1, text, (), None))


def lines_in(folder: Path) -> list[str]:
    return [line for file in folder.iterdir() for line in file.read_text().splitlines()]


def test_all_parts_are_kept_if_none_shall_go(tmp_path: Path) -> None:
    with closing(SharedFileHandler(tmp_path / "node.log", 50, part_count=0)) as handler:
        write(handler, *(f"record {number:030d}" for number in range(20)))
    assert sorted(lines_in(tmp_path)) == [f"record {number:030d}" for number in range(20)]
    assert len(list(tmp_path.iterdir())) == 20


def test_the_newest_parts_are_kept(tmp_path: Path) -> None:
    with closing(SharedFileHandler(tmp_path / "node.log", 10, part_count=2)) as handler:
        write(handler, *(f"record {number}" for number in range(9)))
    names = {file.name: file.read_text() for file in tmp_path.iterdir()}
    assert names == {"node.log": "record 8\n", "node.log.1": "record 7\n", "node.log.2": "record 6\n"}


def test_records_far_larger_than_a_page_are_not_mixed(tmp_path: Path) -> None:
    program = PROGRAM.replace('"line %d of %s"', '"line %d of %s " + "x" * 1900 + "\\n" * 50')
    writers = [
        subprocess.Popen([sys.executable, "-c", program, tmp_path / "node.log", name * 1000, "0", "60"],
                         stdin=subprocess.PIPE, stderr=subprocess.DEVNULL)
        for name in "ab"
    ]  # fmt: skip
    for writer in writers:
        writer.communicate(b"go\n")
    lines = lines_in(tmp_path)
    assert len(lines) == 120
    assert all(len(set(line.split()[3])) == 1 for line in lines)


def test_no_record_is_lost_while_something_else_moves_the_file_again_and_again(tmp_path: Path) -> None:
    file = tmp_path / "node.log"
    with subprocess.Popen(
        [sys.executable, "-c", PROGRAM, file, "writer", "0", "3000"],
        stdin=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    ) as writer:
        assert writer.stdin is not None
        writer.stdin.write(b"go\n")
        writer.stdin.flush()
        moved = 0
        while writer.poll() is None:
            if file.exists():
                moved += 1
                file.rename(tmp_path / f"moved-{moved}")
    lines = [line.rpartition(": ")[2] for line in lines_in(tmp_path)]
    assert sorted(lines) == sorted(f"line {number} of writer" for number in range(3000))


def test_a_file_that_something_else_empties_is_gone_on_with(tmp_path: Path) -> None:
    file = tmp_path / "node.log"
    with closing(SharedFileHandler(file, 0, part_count=0)) as handler:
        write(handler, "before")
        file.write_text("")
        write(handler, "after")
    assert file.read_text() == "after\n"


def test_a_file_that_cannot_be_moved_grows_and_that_is_said_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("os.replace", refuse)
    with closing(SharedFileHandler(tmp_path / "node.log", 10, part_count=2)) as handler:
        write(handler, *(f"record {number}" for number in range(5)))
    assert lines_in(tmp_path) == [f"record {number}" for number in range(5)]
    assert capsys.readouterr().err.count("cannot be rotated, and grows: Permission denied") == 1


def test_what_a_full_disk_does_not_take_is_said_once_and_counted_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    really, is_full = os.write, False

    def write_some(fd: int, data: memoryview) -> int:
        if is_full:
            raise OSError(28, "No space left on device")
        return really(fd, data)

    with closing(SharedFileHandler(tmp_path / "node.log", 0, part_count=2)) as handler:
        handler.setFormatter(logging.Formatter("%(message)s"))
        write(handler, "first")
        with monkeypatch.context() as patched:
            patched.setattr("os.write", write_some)
            is_full = True
            write(handler, "lost", "lost", "lost")
        write(handler, "last")
    assert lines_in(tmp_path) == [
        "first",
        "3 records are missing here: they could not be written",
        "last",
    ]
    assert capsys.readouterr().err.count("cannot be written: No space left on device") == 1


def test_a_record_that_was_written_in_part_ends_its_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    really = os.write

    def write_a_part(fd: int, data: memoryview) -> int:
        if len(data) < 5:
            raise OSError(28, "No space left on device")
        return really(fd, data[:5])

    with closing(SharedFileHandler(tmp_path / "node.log", 0, part_count=2)) as handler:
        with monkeypatch.context() as patched:
            patched.setattr("os.write", write_a_part)
            write(handler, "12345678")
        write(handler, "last")
    first, *_, last = (tmp_path / "node.log").read_text().splitlines()
    assert (first, last) == ("12345", "last")


def test_texts_that_utf_8_has_not_are_written_all_the_same(tmp_path: Path) -> None:
    with closing(SharedFileHandler(tmp_path / "node.log", 0, part_count=2)) as handler:
        write(handler, "odd \udcff")
    assert lines_in(tmp_path) == ["odd \\udcff"]
