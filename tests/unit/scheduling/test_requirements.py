"""Requirements among the code of a program: they come first, and are no code."""

from __future__ import annotations

import pickle

import pytest

from concurrent.scheduling.pickling.code import EMPTY_BLOB, ReceivedCode
from concurrent.scheduling.pickling.codebook import CodeBook
from concurrent.scheduling.wire.requirementsblob import is_requirements, requirements_blob, requirements_of
from concurrent.transport.frames.frames import Frame

TEXT = "grid_tools==2.1.0\n# größer\n"


def twice(number: int) -> int:
    return 2 * number


@pytest.mark.parametrize("wrap", [bytes, Frame])
def test_they_are_known_by_their_first_bytes(wrap: type) -> None:
    blob = wrap(requirements_blob(TEXT))
    assert is_requirements(blob)
    assert requirements_of(blob) == TEXT
    assert not is_requirements(EMPTY_BLOB)


def test_they_are_the_first_blob_and_workers_find_no_code_in_it() -> None:
    book = CodeBook([__name__], requirements=TEXT)
    payload = book.dumps((twice, (2,), {}))
    assert [requirements_of(book.blob_at(0)), book.blob_count] == [TEXT, 2]
    assert not book.uses  # the environment has what is locked
    worker = ReceivedCode()
    for index in range(book.blob_count):
        worker.take(index, book.blob_at(index))
    function, arguments, _ = worker.loads_payload(payload)
    assert function(*arguments) == 4
    assert worker.blob_at(0) == EMPTY_BLOB


def test_a_program_that_goes_on_with_a_job_leaves_it_the_requirements_that_it_began_with() -> None:
    book = CodeBook([__name__], requirements=TEXT)
    book.reserve(3)
    assert not any(map(is_requirements, book.blobs))
    fresh = CodeBook([__name__], requirements=TEXT)
    fresh.reserve(0)
    assert is_requirements(fresh.blob_at(0))
    assert pickle.loads(CodeBook().dumps(7)) == 7
