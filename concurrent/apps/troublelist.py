"""What is wrong with a cluster, as a master tells it; ``observed.py`` has the rest. A pure module."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from concurrent.core.status import Status

__all__ = ["NO_TROUBLES", "TroubleRow", "TroublesList"]


@dataclass(frozen=True, slots=True)
class TroubleRow(Status):
    """One thing that is wrong with a cluster.

    :param kind: ``refusing`` (no more tasks are accepted), ``scheduler``, ``silent``, ``lost``, ``short`` (a
        slave that wants no tasks), ``unfit`` (one that lacks what programs need), ``held`` (a job),
        ``waiting``, ``running`` (a task of which something unusual is told), ``failed`` or ``between tries``.
    :param words: what is wrong, in a line.
    :param says: what the tasks that it is about raised, printed or said last.
    :param remedy: what may help, in a few words.
    :param command: what to type for that, or to see more.
    :param page: where the pages of the master have more.
    """

    kind: str
    words: str
    says: str
    remedy: str
    command: str
    page: str

    @property
    def said(self) -> str:
        """What is wrong and what tasks say of it, in one line."""
        return f"{self.words} ({self.says})" if self.says else self.words

    def typed(self, master: str | None) -> str:
        """Return what to type, with where the master is.

        :param master: that as somebody types it; None if it need not be said.
        """
        if not master or not self.command:
            return self.command
        words = self.command.split(" ", 2)  # concurrent, the command, its arguments
        return " ".join([*words[:2], "-m", master, *words[2:]])


@dataclass(frozen=True, slots=True)
class TroublesList(Status):
    """What is wrong with a cluster, the most serious first; some of each kind."""

    items: tuple[TroubleRow, ...]
    total: int
    left_out: int


NO_TROUBLES: Final = TroublesList((), 0, 0)
