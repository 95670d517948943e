"""What the history of a job keeps of a failure: words, which are read without unpickling anything. Pure."""

from __future__ import annotations

from typing import Any, Final

from concurrent.scheduling.master.storage import loaded
from concurrent.scheduling.wire.failure import failure_text

__all__ = ["OUTPUT_CHARS_MAX", "type_and_words"]

OUTPUT_CHARS_MAX: Final = 1500
"""So much of what a task printed before it failed is kept with its failure: the end."""


def type_and_words(payload: Any) -> tuple[str, str] | None:
    """Return the type of the exception and the words of a failed attempt; None if nobody here can read them.

    :param payload: that of its outcome, wherever it is.
    """
    try:
        found = failure_text(loaded(payload))
    except OSError:  # it is damaged on disk, and whoever asks for the outcome is told
        return None
    if found is None:
        return None
    words = found.traceback or found.message
    if found.output:
        words = f"{words.rstrip()}\nThe end of its output:\n{found.output[-OUTPUT_CHARS_MAX:]}"
    return found.type, words
