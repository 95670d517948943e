"""The file that a process prints to."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from concurrent.scheduling.processes.taskoutput import (
    OUTPUT_BYTES_MAX,
    SHIP_BYTES_MAX,
    TAIL_BYTES,
    OutputFile,
    shown_end,
)


@pytest.fixture
def output() -> Iterator[OutputFile]:
    made = OutputFile("test-output")
    yield made
    made.close()


def test_nothing_was_printed_at_first(output: OutputFile) -> None:
    assert output.read_from(0) == (b"", 0, b"", 0)
    assert output.tail() == ""


def test_what_is_new_is_read_once(output: OutputFile) -> None:
    os.write(output.fileno(), b"one\n")
    assert output.read_from(0) == (b"", 0, b"one\n", 4)
    os.write(output.fileno(), b"two\n")
    assert output.read_from(4) == (b"", 0, b"two\n", 8)
    assert output.read_from(8) == (b"", 0, b"", 8)


def test_a_line_that_is_being_written_is_read_when_it_is_whole_or_does_not_grow(output: OutputFile) -> None:
    os.write(output.fileno(), b"one\nhalf of")
    assert output.read_from(0) == (b"", 0, b"one\n", 4)
    os.write(output.fileno(), b" two")
    assert output.read_from(4) == (b"", 0, b"", 4)
    os.write(output.fileno(), b"\nwaiting")
    assert output.read_from(4) == (b"", 0, b"half of two\n", 16)
    assert output.read_from(16) == (b"", 0, b"waiting", 23)


def test_writers_append_although_others_read(output: OutputFile) -> None:
    copy = os.dup(output.fileno())
    os.write(copy, b"first ")
    output.read_from(0)
    os.write(copy, b"second")
    os.close(copy)
    assert output.tail() == "first second"


def test_the_beginning_and_the_end_of_much_are_read_and_how_much_is_between(output: OutputFile) -> None:
    os.write(output.fileno(), b"beginning" + b"x" * SHIP_BYTES_MAX + b"end\n")
    head, left_out_bytes, tail, offset = output.read_from(0)
    assert len(head + tail) == SHIP_BYTES_MAX
    assert (head[:10], tail[-5:]) == (b"beginningx", b"xend\n")
    assert left_out_bytes == len(b"beginningend\n")
    assert offset == SHIP_BYTES_MAX + left_out_bytes
    assert len(output.tail()) == TAIL_BYTES


def test_a_flood_is_thrown_away(output: OutputFile) -> None:
    os.truncate(output.fileno(), OUTPUT_BYTES_MAX)
    os.write(output.fileno(), b"end")
    head, left_out_bytes, tail, offset = output.read_from(0)
    assert tail.endswith(b"end")
    assert len(head) + left_out_bytes + len(tail) == OUTPUT_BYTES_MAX + 3
    assert offset == 0
    assert output.tail() == ""


def test_a_tail_that_is_no_text_is_shown_anyway(output: OutputFile) -> None:
    os.write(output.fileno(), b"\xff\xfetext")
    assert output.tail().endswith("text")


def test_of_much_whole_lines_are_shown_or_the_end_of_the_only_one() -> None:
    lines = b"%b\n%b" % (b"x" * 10, b"y" * (TAIL_BYTES - 5))
    assert shown_end(lines, len(lines)).startswith("... 11 bytes of its output are left out here ...\ny")
    for line in (b"x" * 2 * TAIL_BYTES, b"x" * 2 * TAIL_BYTES + b"\n"):
        notice, end = shown_end(line, len(line)).splitlines()
        assert notice == f"... {len(line) - TAIL_BYTES} bytes of its output are left out here ..."
        assert len(end) >= TAIL_BYTES - 1


def test_a_file_can_be_closed_twice(output: OutputFile) -> None:
    output.close()
    output.close()
