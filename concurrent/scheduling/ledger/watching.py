"""Who is told how tasks end, and remembers it for people. Pure: the ledger itself remembers nothing of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple, Protocol

from concurrent.scheduling.ledger.failures import Failure
from concurrent.scheduling.ledger.records import TaskRecord

__all__ = ["KEPT_COUNT", "NOWHERE", "Ending", "IWatcher", "Where"]

KEPT_COUNT: Final = 10_000
"""So many tasks that have finished are remembered, the latest, and as many that have ended otherwise."""

Where = tuple[str, float, float]
"""Where tasks ended together: the name of the slave, empty if no slave said so; when, in seconds since the
epoch, 0 if that is not known; how long tasks took there lately, in seconds, or 0. A plain tuple: each report
of a slave makes one."""

NOWHERE: Final[Where] = ("", 0.0, 0.0)


class Ending(NamedTuple):
    """How one task ended.

    :param status: see ``outcome.py``.
    :param outcome: the number of its outcome, as its job counts them.
    :param slave: the name of the slave that had it; empty if none had.
    :param at: when, in seconds since the epoch.
    :param tries: how many more tries than one there were.
    :param deaths: how many workers died of it before its last run.
    """

    status: int
    outcome: int
    slave: str
    at: float
    tries: int
    deaths: int


class IWatcher(Protocol):
    """See the module. It is called once for what ends together, and must not change what it is given."""

    def ended(
        self,
        tasks: list[TaskRecord],
        ids: list[int],
        statuses: list[int],
        failures: Sequence[Failure | None],
        where: Where,
    ) -> None:
        """Know how tasks of one job have ended, whose outcomes are the last ones that its outbox has got.

        :param ids: what their program calls them; nobody changes this column and the next one after that.
        :param failures: what those say that failed; empty if none has.
        """

    def tried(self, tries: list[tuple[TaskRecord, int, Failure | None]]) -> None:
        """Know of tries of tasks, with status and failure, that were not the last ones."""

    def ending(self, owner: int, task_id: int) -> Ending | None:
        """Return how a task ended, by the number that its program gave it; None if it is not known any more."""
