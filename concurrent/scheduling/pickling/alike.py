"""Whether two payloads hold the same.

Pickle writes an object that it has met before as a reference. So the bytes of a payload depend on which of the
equal texts in it are one object, and this is not as it was in a process that goes on from a pickle.
"""

from __future__ import annotations

from typing import Any

from concurrent.scheduling.pickling.code import AppCode
from concurrent.scheduling.pickling.picklers import FastPickler
from concurrent.scheduling.wire.columns import Payload

__all__ = ["alike"]


def alike(payload: Payload, code: AppCode) -> bytes:
    """Return bytes that payloads have in common which hold the same, as far as that can be told.

    Payloads that do not hold the same never have them in common. Foreign code runs: that of what is in it.
    """
    try:
        return b"alike" + bytes(_AlikePickler(code).pickled(code.loads_payload(payload)))
    except Exception:  # boundary: the value's own code runs here, and its payload serves as well
        return bytes(payload)


class _AlikePickler(FastPickler):
    """Takes equal texts for one object. Whether others are one still counts: they may be changed."""

    def __init__(self, code: AppCode) -> None:
        super().__init__(code)
        self._text_by_key: dict[tuple[type, Any], Any] = {}

    def persistent_id(self, thing: Any) -> Any:
        """Called for each object; what is returned is written in its place unless it is None."""
        kind = type(thing)
        return self._text_by_key.setdefault((kind, thing), thing) if kind is str or kind is bytes else None
