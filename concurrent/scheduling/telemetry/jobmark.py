"""Whose tasks something is of, in what is remembered of them after they are gone. A pure module."""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["JobMark"]


class JobMark(NamedTuple):
    """A job, program or task system.

    :param owner: its number at the master, which no other ever has.
    :param name: what people call it.
    :param maker: who made it, as ``jobmakers.py`` has it: who may read what its tasks say.
    """

    owner: int
    name: str
    maker: str
