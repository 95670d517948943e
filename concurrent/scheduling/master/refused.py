"""The master's hand for tasks that slaves refused: passes them on, and offers again what nobody will have.

So it is for tasks whose worker died, if the slaves at which they have not been are gone meanwhile.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Final

from concurrent.core.backoff import Backoff
from concurrent.core.loggers import get_log
from concurrent.scheduling.ledger.events import Event, RefusalsOutdated, Send
from concurrent.scheduling.ledger.ledger import Ledger
from concurrent.transport.loop.loop import NodeLoop

__all__ = ["RefusedTasks"]

OFFER_AGAIN_S: Final = 1.0
OFFER_AGAIN_MAX_S: Final = 60.0
"""After so long, and then later each time, tasks that all slaves have refused are offered to them again."""

log = get_log("concurrent.scheduling.master.refused")


class RefusedTasks:
    """See the module. Loop thread only.

    :param send: carries out a command of the ledger.
    :param apply: takes an event to the ledger.
    :param tell: tells an owner, by its number, that all slaves refuse tasks of its.
    """

    def __init__(
        self,
        loop: NodeLoop,
        ledger: Ledger,
        send: Callable[[Send], object],
        apply: Callable[[Event], object],
        *,
        tell: Callable[[int, str], object],
    ) -> None:
        self._loop = loop
        self._ledger = ledger
        self._send = send
        self._apply = apply
        self._tell = tell
        self._backoff = Backoff(OFFER_AGAIN_S, OFFER_AGAIN_MAX_S)
        self._is_watched = False

    def pass_on(self) -> None:
        """Send what slaves refused to others that have room. For each turn in which there are refusals."""
        for send in self._ledger.pass_on():
            self._send(send)
        if self._ledger.refusals.waiting_count and not self._is_watched:
            self._is_watched = True
            self._loop.call_later(self._backoff.next_delay(), self._check)

    def _check(self) -> None:
        """Offer again what all slaves have refused."""
        self._is_watched = False
        stuck = self._ledger.refusals.stuck(self._ledger.slaves.values())
        if not stuck:
            self._backoff.reset()
            self.pass_on()
            return
        story = self._ledger.explain(stuck[0].number)
        lost_workers = " or lost workers with" if any(task.evidence for task in stuck) else ""
        text = f"all slaves refused{lost_workers} %d tasks, which are offered to them again"
        log.warning(f"{text}: %s", len(stuck), story)
        for owner, count in Counter(task.owner.owner for task in stuck).items():
            self._tell(owner, text % count)
        self._apply(RefusalsOutdated())
