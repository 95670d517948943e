"""Have Python look for cyclic garbage less often, in processes that are nodes.

A node holds thousands of small objects at each moment of its work: tasks, numbers, outcomes. They are freed by
their reference counts, but each collection visits all that are young, or all that there are. A program that
only uses the framework decides itself, and so do tasks: their workers keep Python's own setting.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

__all__ = ["collecting_nothing", "collecting_rarely"]

YOUNG_MAX: Final = 10_000
"""After so many new objects a collection takes place, where Python's own setting is 700 to 2,000."""


@contextmanager
def collecting_rarely() -> Iterator[None]:
    """Set it for this process, unless it collects more rarely already, or never."""
    before = gc.get_threshold()
    if 0 < before[0] < YOUNG_MAX:
        gc.set_threshold(YOUNG_MAX, *before[1:])
    try:
        yield
    finally:
        gc.set_threshold(*before)


@contextmanager
def collecting_nothing() -> Iterator[None]:
    """Have no collections at all in this process meanwhile, for a time that is short."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()
