"""Tells what cannot work in a forked copy of its program that it is in one."""

from __future__ import annotations

import os
import weakref
from typing import Final, Protocol

__all__ = ["tell_of_forks"]


class Forked(Protocol):
    """What is told."""

    def forked(self) -> None:
        """This is a copy in a forked child. Main thread."""


_told: Final[weakref.WeakSet[Forked]] = weakref.WeakSet()
"""What to tell in this process: what is called after a fork is known for ever."""


def tell_of_forks(one: Forked) -> None:
    """Have something told in each forked copy of this process, as long as somebody refers to it."""
    _told.add(one)


def _forked() -> None:
    for one in list(_told):
        one.forked()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forked)
