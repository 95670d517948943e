"""The file that a process prints to."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from concurrent.scheduling.taskoutput import OUTPUT_BYTES_MAX, SHIP_BYTES_MAX, TAIL_BYTES, OutputFile


@pytest.fixture
def output() -> Iterator[OutputFile]:
    made = OutputFile("test-output")
    yield made
    made.close()


def test_nothing_was_printed_at_first(output: OutputFile) -> None:
    assert output.read_from(0) == (b"", 0)
    assert output.tail() == ""


def test_what_is_new_is_read_once(output: OutputFile) -> None:
    os.write(output.fileno(), b"one")
    data, offset = output.read_from(0)
    assert data == b"one"
    os.write(output.fileno(), b"two")
    assert output.read_from(offset) == (b"two", 6)
    assert output.read_from(6) == (b"", 6)


def test_writers_append_although_others_read(output: OutputFile) -> None:
    copy = os.dup(output.fileno())
    os.write(copy, b"first ")
    output.read_from(0)
    os.write(copy, b"second")
    os.close(copy)
    assert output.tail() == "first second"


def test_only_the_end_of_much_is_read(output: OutputFile) -> None:
    os.write(output.fileno(), b"x" * SHIP_BYTES_MAX + b"end")
    data, offset = output.read_from(0)
    assert len(data) == SHIP_BYTES_MAX
    assert data.endswith(b"xend")
    assert offset == SHIP_BYTES_MAX + 3
    assert len(output.tail()) == TAIL_BYTES


def test_a_flood_is_thrown_away(output: OutputFile) -> None:
    os.truncate(output.fileno(), OUTPUT_BYTES_MAX)
    os.write(output.fileno(), b"end")
    data, offset = output.read_from(0)
    assert data.endswith(b"end")
    assert offset == 0
    assert output.tail() == ""


def test_a_tail_that_is_no_text_is_shown_anyway(output: OutputFile) -> None:
    os.write(output.fileno(), b"\xff\xfetext")
    assert output.tail().endswith("text")


def test_a_file_can_be_closed_twice(output: OutputFile) -> None:
    output.close()
    output.close()
