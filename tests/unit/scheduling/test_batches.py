"""Cutting columns into messages."""

from __future__ import annotations

from typing import Any

from concurrent.scheduling.wire.columns import BATCH_FRAMES, slices
from concurrent.transport.frames.frames import Frame


def parts(payloads: list[Any], **bounds: int) -> list[list[Any]]:
    return [payloads[part] for part in slices(payloads, **bounds)]


def test_what_fits_is_one_part() -> None:
    payloads = [b"a", b"bb", b"ccc"]
    assert parts(payloads) == [payloads]
    assert parts(payloads, bytes_max=6, count_max=3) == [payloads]


def test_nothing_is_no_part() -> None:
    assert parts([]) == []


def test_a_part_has_no_more_than_the_count() -> None:
    assert parts([b"a"] * 5, count_max=2) == [[b"a"] * 2, [b"a"] * 2, [b"a"]]


def test_a_part_has_no_more_than_the_bytes() -> None:
    assert parts([b"aa", b"bb", b"cc"], bytes_max=5) == [[b"aa", b"bb"], [b"cc"]]


def test_what_is_too_large_alone_is_a_part_of_its_own() -> None:
    assert parts([b"a", b"b" * 10, b"c"], bytes_max=5) == [[b"a"], [b"b" * 10], [b"c"]]


def test_a_part_has_a_bounded_number_of_frames() -> None:
    lengths = [len(part) for part in parts([Frame(b"x")] * (2 * BATCH_FRAMES + 1))]
    assert lengths == [BATCH_FRAMES, BATCH_FRAMES, 1]


def test_the_parts_are_the_column_in_order() -> None:
    payloads = [bytes(size % 50) for size in range(1000)]
    cut = parts(payloads, bytes_max=200, count_max=7)
    assert [payload for part in cut for payload in part] == payloads
    assert all(sum(map(len, part)) <= 200 and len(part) <= 7 for part in cut)
