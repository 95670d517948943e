"""What the history of a job keeps of a failure."""

from __future__ import annotations

from concurrent.scheduling.master.failurewords import OUTPUT_CHARS_MAX, type_and_words
from concurrent.scheduling.wire.failure import dumps_failure


class _Stored:
    def load(self) -> bytes:
        raise OSError("the checksum is another")


def test_the_words_of_a_failure_end_with_what_the_task_printed_last() -> None:
    kept = type_and_words(dumps_failure(ValueError("wrong"), None, "x" * OUTPUT_CHARS_MAX + "the last line"))
    assert kept is not None
    kind, words = kept
    assert kind == "ValueError"
    assert "wrong" in words
    assert words.endswith("the last line")
    assert len(words) < OUTPUT_CHARS_MAX + 500


def test_of_a_task_that_printed_nothing_there_is_the_traceback_alone() -> None:
    kept = type_and_words(dumps_failure(ValueError("wrong"), None, ""))
    assert kept is not None
    assert "output" not in kept[1]


def test_a_failure_that_is_damaged_or_of_another_kind_has_no_words() -> None:
    assert type_and_words(_Stored()) is None
    assert type_and_words(b"no map") is None
