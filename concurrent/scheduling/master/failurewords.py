"""What a failure says of itself, in words, which are read without unpickling anything. Pure."""

from __future__ import annotations

from typing import Any

from concurrent.scheduling.ledger.failures import Failure
from concurrent.scheduling.master.storage import loaded
from concurrent.scheduling.wire.failure import failure_text

__all__ = ["read_failure"]


def read_failure(payload: Any) -> Failure | None:
    """Return what an attempt that raised says of itself; None if nobody here can read it.

    :param payload: that of its outcome, wherever it is.
    """
    try:
        found = failure_text(loaded(payload))
    except OSError:  # it is damaged on disk, and whoever asks for the outcome is told
        return None
    if found is None:
        return None
    return Failure(found.type, found.traceback or found.message, found.output, found.where)
