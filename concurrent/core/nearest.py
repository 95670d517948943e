"""Which name somebody may have meant who wrote another one. A pure module."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import islice
from typing import Final

__all__ = ["did_you_mean", "nearest"]

NAME_CHARS_MAX: Final = 100
KNOWN_MAX: Final = 1000
"""Nobody mistypes longer names, and of more that are known the rest is not looked at: it takes long."""


def nearest(name: str, known: Iterable[str], likeness: float = 0.6) -> str:
    """Return the known name that is most like one that is not known; empty if none is like it.

    :param likeness: how much alike two names have to be, from 0 to 1.
    """
    if len(name) > NAME_CHARS_MAX:
        return ""
    from difflib import get_close_matches  # only who makes a mistake needs it

    return next(iter(get_close_matches(name, list(islice(known, KNOWN_MAX)), 1, likeness)), "")


def did_you_mean(name: str, known: Sequence[str]) -> str:
    """Return a sentence with the known name that is nearest, and a space behind it; nothing if none is near."""
    near = nearest(name.lower(), map(str.lower, known))
    return f"Did you mean {next(one for one in known if one.lower() == near)}? " if near else ""
