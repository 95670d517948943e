"""What becomes of the tasks of workers that have ended: one may be to blame, the others run again.

Loop thread only.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from concurrent.core.loggers import get_log
from concurrent.scheduling.slave.crew import Item
from concurrent.scheduling.slave.dealing import Dealer
from concurrent.scheduling.slave.death import Death, verdict
from concurrent.scheduling.slave.workerlink import WorkerLink
from concurrent.transport.loop.loop import NodeLoop

__all__ = ["Blame"]

ZYGOTE_PATIENCE: Final = 2
"""How often tasks may go down with the zygote, which others may kill too, before they have to run apart."""

log = get_log(__name__)


class Blame:
    """See the module. ``count`` tells how many workers have ended that nobody told to.

    :param dealer: takes back what has not started, and what is not to blame.
    :param charge: called with a task that is to blame and the evidence.
    :param on_judged: called later, when tasks whose fate was open have one.
    """

    def __init__(
        self,
        loop: NodeLoop,
        dealer: Dealer,
        charge: Callable[[Item, bytes], object],
        on_judged: Callable[[], object],
    ) -> None:
        self.count = 0
        self._loop = loop
        self._dealer = dealer
        self._charge = charge
        self._on_judged = on_judged
        self._fallen: list[Death] = []
        self._is_nobodys = False

    @property
    def is_open(self) -> bool:
        """Whether the fate of some tasks is not decided yet."""
        return bool(self._fallen)

    def open_numbers(self) -> list[int]:
        """Return the numbers of these tasks."""
        return [item[0] for death in self._fallen for item in death.started]

    def excuse(self) -> None:
        """Blame nobody from now on: what ends was killed."""
        self._is_nobodys = True

    def died(self, link: WorkerLink, signal: int | None, code: int | None, tail: str) -> Death:
        """Take what a worker had that has ended, and find out which task is to blame."""
        death = Death.of(link, signal, code, tail)
        self._dealer.put_back(death.unstarted)
        self._dealer.begin_anew(death.doubtful)
        self.count += death.is_accident
        if not death.started and death.is_accident:
            log.error("worker %d %s without a task%s", link.pid, death.how, tail and f"; {tail}")
        if link.has_fallen:  # with all workers of its zygote, which are told of in this turn
            if not self._fallen:
                self._loop.call_soon(self._judge_fallen)
            self._fallen.append(death)
        else:
            self._judge([death], patience=1)
        return death

    def _judge_fallen(self) -> None:
        """Find out who killed the zygote, if one of the tasks did."""
        fallen, self._fallen = self._fallen, []
        self._judge(fallen, patience=ZYGOTE_PATIENCE)
        self._on_judged()

    def _judge(self, deaths: Sequence[Death], patience: int) -> None:
        """Charge the task that brought workers down, if that can be told, and have the others run again.

        :param patience: how often a task may go down with others before it has to run apart.
        """
        if self._is_nobodys:
            deaths = [death._replace(candidates=[]) for death in deaths]
        charged, others = verdict(deaths, self._dealer.suspects, patience, self._loop.time())
        self._dealer.put_back(others)
        for item, evidence in charged:
            self._charge(item, evidence)
