"""Where a journal is, how sure it has to be, and what it was found to be when it was opened. Plain data."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

__all__ = ["BYTES_MAX", "LEVELS", "JournalFigures", "JournalPlace", "JournalStart"]

LEVELS: Final = ("host", "process")
"""What was kept survives the end of the machine, or that of the process alone."""

BYTES_MAX: Final = 16 << 30


@dataclass(frozen=True, slots=True)
class JournalPlace:
    """What a journal is opened with.

    :param folder: its folder, which is made if there is none. It has one owner at a time.
    :param post: has the loop call a function, as ``NodeLoop.post`` does; any thread.
    :param durability: one of ``LEVELS``.
    :param bytes_max: how large it may become before new work is refused.
    :param allow_network: whether it may lie on a network file system.
    """

    folder: Path
    post: Callable[..., Any]
    durability: str = "host"
    bytes_max: int = BYTES_MAX
    allow_network: bool = False


@dataclass(frozen=True, slots=True)
class JournalStart:
    """What a journal was when it was opened.

    :param cluster_id: random text which the cluster has had since its first start.
    :param epoch: how often it was opened, this time included.
    :param last_epoch_clean: whether it was closed the last time.
    """

    cluster_id: str
    epoch: int
    last_epoch_clean: bool


@dataclass(slots=True)  # not frozen: it is made for each submission
class JournalFigures:
    """How large a journal is.

    :param used_bytes: of its file, without what is free in it.
    :param wanted_bytes: of the rows that are wanted, about.
    :param stored_bytes: of the payloads that are on disk alone, and not in memory.
    :param unwritten_count: how many batches were handed over and are not committed.
    """

    used_bytes: int
    wanted_bytes: int
    stored_bytes: int
    unwritten_count: int
