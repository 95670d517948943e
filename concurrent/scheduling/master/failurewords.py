"""What a failure says of itself, in words, which are read without unpickling anything. Pure."""

from __future__ import annotations

from typing import Any, Final

from concurrent.scheduling.ledger.jobs import TASK_OUT_OF_MEMORY, TASK_TIMEOUT, WORKER_DIED
from concurrent.scheduling.master.storage import loaded
from concurrent.scheduling.tasks.outcome import DIED, OUT_OF_MEMORY, TIMED_OUT, Ended
from concurrent.scheduling.wire.failure import FailureText, failure_text

__all__ = ["OUTPUT_CHARS_MAX", "failure_of", "type_and_words"]

OUTPUT_CHARS_MAX: Final = 1500
"""So much of what a task printed before it failed is kept with its failure: the end."""

UNREADABLE: Final = FailureText("", "", "", "", "")


def type_and_words(payload: Any) -> tuple[str, str] | None:
    """Return the type of the exception and the words of a failed attempt; None if nobody here can read them.

    :param payload: that of its outcome, wherever it is.
    """
    found = _read(payload)
    if found is None:
        return None
    words = found.traceback or found.message
    if found.output:
        words = f"{words.rstrip()}\nThe end of its output:\n{found.output[-OUTPUT_CHARS_MAX:]}"
    return found.type, words


def failure_of(status: int, payload: Any) -> FailureText:
    """Return what an attempt says of itself that did not finish; what nobody here can read is empty.

    :param status: how it ended, see ``outcome.py``; it was not cancelled.
    :param payload: that of its outcome, wherever it is.
    """
    if status == DIED:
        words = bytes(payload).decode("utf-8", "replace").replace("\0", "\n")
        return UNREADABLE._replace(type=WORKER_DIED, message=words)
    if status in (TIMED_OUT, OUT_OF_MEMORY):
        ended = Ended.read(bytes(payload))
        kind = TASK_TIMEOUT if status == TIMED_OUT else TASK_OUT_OF_MEMORY
        return FailureText(kind, ended.reason, "", ended.output, ended.where)
    return _read(payload) or UNREADABLE


def _read(payload: Any) -> FailureText | None:
    try:
        return failure_text(loaded(payload))
    except OSError:  # it is damaged on disk, and whoever asks for the outcome is told
        return None
