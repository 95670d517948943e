"""What the history of a job keeps of a failure."""

from __future__ import annotations

from concurrent.scheduling.ledger.failures import OUTPUT_CHARS_MAX
from concurrent.scheduling.master.failurewords import read_failure
from concurrent.scheduling.wire.failure import dumps_failure


class _Stored:
    def load(self) -> bytes:
        raise OSError("the checksum is another")


def test_the_words_of_a_failure_end_with_what_the_task_printed_last() -> None:
    kept = read_failure(dumps_failure(ValueError("wrong"), None, "x" * OUTPUT_CHARS_MAX + "the last line"))
    assert kept is not None
    words = kept.words
    assert kept.type == "ValueError"
    assert "wrong" in words
    assert words.endswith("the last line")
    assert len(words) < OUTPUT_CHARS_MAX + 500


def test_of_a_task_that_printed_nothing_there_is_the_traceback_alone() -> None:
    kept = read_failure(dumps_failure(ValueError("wrong"), None, ""))
    assert kept is not None
    assert "output" not in kept.words


def test_a_failure_that_is_damaged_or_of_another_kind_has_no_words() -> None:
    assert read_failure(_Stored()) is None
    assert read_failure(b"no map") is None
