"""Tells owners which of their tasks are accepted, and brings them outcomes as fast as each session takes them.

What leaves in one turn of the loop leaves together. What was accepted travels with outcomes if there are any
soon. Which outcomes an owner is given the ledger decides, and keeps them until they are consumed. Loop thread
only.
"""

from __future__ import annotations

from asyncio import TimerHandle
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

from concurrent.core.loggers import get_log
from concurrent.scheduling.ledger.events import Accept, Deliver
from concurrent.scheduling.master.recaller import Recaller
from concurrent.scheduling.master.sessions import Sessions
from concurrent.scheduling.tasks.outcome import FAILED
from concurrent.scheduling.wire.columns import each_of, slices
from concurrent.scheduling.wire.courier import Courier
from concurrent.scheduling.wire.failure import unreadable
from concurrent.scheduling.wire.messages import to_owner
from concurrent.transport.calls.handler import TCPHandler
from concurrent.transport.loop.loop import NodeLoop

__all__ = ["Delivery"]

ACCEPTED_S: Final = 0.005
"""How long the word that tasks are accepted may wait for outcomes to travel with."""

log = get_log(__name__)


@dataclass(slots=True)
class _Box:
    """What leaves for one owner: outcomes, and that its tasks up to a number are accepted."""

    accepted_to: int = -1
    is_told: bool = True
    ids: list[int] = field(default_factory=list)
    statuses: list[int] = field(default_factory=list)
    payloads: list[Any] = field(default_factory=list)
    recaller: Recaller | None = None


class Delivery:
    """See the module.

    ``waiting_count`` outcomes are on the way to owners whose sessions are full.

    :param load: returns payloads as they travel, wherever they are; may raise OSError.
    """

    def __init__(
        self, loop: NodeLoop, sessions: Sessions, courier: Courier, load: Callable[[list[Any]], list[Any]]
    ) -> None:
        self.waiting_count = 0
        self.delivered_bytes = 0
        self._loop = loop
        self._handlers = sessions.owners
        self._courier = courier
        self._load = load
        self._box_by_owner: dict[int, _Box] = {}
        self._news: dict[int, _Box] = {}  # these two by owner
        self._untold: dict[int, _Box] = {}
        self._timer: TimerHandle | None = None

    def join(self, owner: int, recaller: Recaller | None = None) -> None:
        """Bring an owner its outcomes from now on.

        :param recaller: brings what it lacks before that.
        """
        self._box_by_owner[owner] = _Box(recaller=recaller)

    def leave(self, owner: int) -> None:
        """Bring an owner nothing more; nothing happens if it has no session."""
        box = self._box_by_owner.pop(owner, None)
        if box is None:
            return
        self._news.pop(owner, None)
        self._untold.pop(owner, None)
        self.waiting_count -= len(box.ids)

    def deliver(self, command: Deliver) -> None:
        """Have outcomes leave at the end of the turn; nothing happens if their owner has left."""
        owner = command.owner
        box = self._box_by_owner.get(owner)
        if box is not None:
            box.ids += command.ids
            box.statuses += command.statuses
            box.payloads += command.payloads
            self.waiting_count += len(command.ids)
            self._news[owner] = box

    def accept(self, command: Accept) -> None:
        """Tell an owner that tasks are accepted, soon."""
        box = self._box_by_owner.get(command.owner)
        if box is not None:
            box.accepted_to = command.last_id
            box.is_told = False
            self._untold[command.owner] = box

    def has_room(self, owner: int) -> bool:
        """Take note that an owner's session is not full any more; tells whether more waits for it."""
        box = self._box_by_owner.get(owner)
        if box is None or not box.ids:
            return False
        self._news[owner] = box
        return True

    def end_turn(self) -> None:
        """Send the outcomes of this turn, and what is accepted with them; or that alone, before long."""
        if self._news:
            self._send_all()
        elif self._untold and self._timer is None:
            self._timer = self._loop.call_later(ACCEPTED_S, self._send_late)

    def close(self) -> None:
        """Send nothing more."""
        if self._timer is not None:
            self._timer.cancel()

    def _send_late(self) -> None:
        self._timer = None
        self._send_all()

    def _send_all(self) -> None:
        news, self._news = self._news, {}
        untold, self._untold = self._untold, {}
        for owner, box in news.items():
            self._hand_over(self._handlers[owner], box)
        for owner, box in untold.items():
            if not box.is_told:
                box.is_told = True
                self._courier.cast(self._handlers[owner], to_owner.accepted, box.accepted_to)

    def _hand_over(self, handler: TCPHandler, box: _Box) -> None:
        ids, statuses, payloads = box.ids, box.statuses, box.payloads
        box.ids, box.statuses, box.payloads = [], [], []
        for part in slices(payloads):
            if not handler.has_room:
                rest = slice(part.start, len(ids))
                box.ids, box.statuses, box.payloads = ids[rest], statuses[rest], payloads[rest]
                return
            self.waiting_count -= part.stop - part.start
            box.is_told = True
            if box.recaller is not None:
                box.recaller.before(handler, ids[part])
            self._send(handler, ids[part], statuses[part], payloads[part], box.accepted_to)

    def _send(
        self, handler: TCPHandler, ids: list[int], statuses: list[int], payloads: list[Any], accepted_to: int
    ) -> None:
        """Send outcomes, one by one if one cannot be read; in its place, that it cannot be sent."""
        try:
            columns = ids, statuses, self._load(payloads)
        except OSError as error:
            if len(ids) > 1:
                for one in each_of(slice(0, len(ids))):
                    self._send(handler, ids[one], statuses[one], payloads[one], accepted_to)
                return
            log.warning("an outcome cannot be sent to %s: %s", handler.node_id, error)
            columns = ids, [FAILED], [unreadable(error)]
        self.delivered_bytes += sum(map(len, payloads))
        self._courier.cast_outcomes(handler, to_owner.finished, columns, accepted_to)
