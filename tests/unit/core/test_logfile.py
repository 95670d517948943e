"""A log file of several processes loses no line when it is rotated."""

from __future__ import annotations

import logging
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
