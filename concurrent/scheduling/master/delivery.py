"""Tells owners which of their tasks are accepted, and brings them outcomes as fast as each takes them.

What was accepted travels with outcomes if there are any. Loop thread only.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

from concurrent.core.errors import MessageTooLarge
from concurrent.core.loggers import get_log
from concurrent.scheduling.master.courier import Courier
from concurrent.scheduling.tasks.outcome import FAILED
from concurrent.scheduling.wire.columns import Payload, slices
from concurrent.scheduling.wire.failure import too_large, unreadable
from concurrent.scheduling.wire.messages import to_owner
from concurrent.transport.calls.handler import TCPHandler

__all__ = ["Delivery"]

UNCONSUMED_BYTES_MAX: Final = 64 << 20
"""How many bytes of outcomes an owner may have that it has not dealt with."""

log = get_log("concurrent.scheduling.master.delivery")


@dataclass(slots=True)
class _Box:
    """What waits for one owner: outcomes, and that its tasks up to a number are accepted."""

    handler: TCPHandler
    accepted_to: int = -1
    is_told: bool = True
    unconsumed_bytes: int = 0
    ids: list[int] = field(default_factory=list)
    statuses: list[int] = field(default_factory=list)
    payloads: list[Any] = field(default_factory=list)


class Delivery:
    """See the module.

    ``news`` is what :meth:`hand_over` has to tell, by owner. ``waiting_count`` outcomes with ``waiting_bytes``
    of payload wait for owners that do not take them.

    :param load: returns payloads as they travel, wherever they are; may raise OSError.
    """

    def __init__(self, courier: Courier, load: Callable[[list[Any]], list[Any]]) -> None:
        self.waiting_count = 0
        self.waiting_bytes = 0
        self.delivered_bytes = 0
        self.news: dict[int, _Box] = {}
        self._courier = courier
        self._load = load
        self._box_by_owner: dict[int, _Box] = {}

    def join(self, owner: int, handler: TCPHandler) -> None:
        """Keep outcomes for an owner from now on."""
        self._box_by_owner[owner] = _Box(handler)

    def leave(self, owner: int) -> None:
        """Drop what waits for an owner."""
        box = self._box_by_owner.pop(owner)
        self.news.pop(owner, None)
        self.waiting_count -= len(box.ids)
        self.waiting_bytes -= sum(map(len, box.payloads))
        box.payloads.clear()

    def add(self, owner: int, ids: list[int], statuses: list[int], payloads: list[Any]) -> None:
        """Keep outcomes until :meth:`hand_over`; nothing happens if their owner has left."""
        box = self._box_by_owner.get(owner)
        if box is not None:
            box.ids += ids
            box.statuses += statuses
            box.payloads += payloads
            self.waiting_count += len(ids)
            self.waiting_bytes += sum(map(len, payloads))
            self.news[owner] = box

    def accept(self, owner: int, last_id: int) -> None:
        """Have :meth:`hand_over` tell an owner that its tasks up to ``last_id`` are accepted."""
        box = self._box_by_owner[owner]
        box.accepted_to = last_id
        box.is_told = False
        self.news[owner] = box

    def consumed(self, owner: int, size_bytes: int) -> bool:
        """Take note that an owner has dealt with so many bytes; tells whether more waits for it."""
        box = self._box_by_owner.get(owner)
        if box is not None:
            box.unconsumed_bytes = max(0, box.unconsumed_bytes - size_bytes)
        return self.has_room(owner)

    def has_room(self, owner: int) -> bool:
        """Take note that an owner may take more; tells whether more waits for it."""
        box = self._box_by_owner.get(owner)
        if box is None or not box.ids:
            return False
        self.news[owner] = box
        return True

    def hand_over(self) -> None:
        """Send what came since the last call, as far as each owner keeps up."""
        news, self.news = self.news, {}
        for box in news.values():
            if box.ids:
                self._hand_over(box)
            if not box.is_told:
                box.is_told = True
                self._courier.cast(box.handler, to_owner.accepted, box.accepted_to)

    def _hand_over(self, box: _Box) -> None:
        ids, statuses, payloads = box.ids, box.statuses, box.payloads
        box.ids, box.statuses, box.payloads = [], [], []
        for part in slices(payloads):
            if not box.handler.has_room or box.unconsumed_bytes > UNCONSUMED_BYTES_MAX:
                rest = slice(part.start, len(ids))
                box.ids, box.statuses, box.payloads = ids[rest], statuses[rest], payloads[rest]
                return
            size_bytes = sum(map(len, payloads[part]))
            box.unconsumed_bytes += size_bytes
            self.waiting_count -= part.stop - part.start
            self.waiting_bytes -= size_bytes
            self.delivered_bytes += size_bytes
            box.is_told = True
            self._send(box, ids[part], statuses[part], payloads[part])

    def _send(self, box: _Box, ids: list[int], statuses: list[int], payloads: list[Any]) -> None:
        """Send outcomes; in the place of one that cannot be sent, that it cannot."""
        handler, accepted_to = box.handler, box.accepted_to
        failures: list[Payload]
        try:
            loaded = self._load(payloads)
            self._courier.cast_data(handler, to_owner.finished, ids, statuses, loaded, accepted_to)
            return
        except MessageTooLarge:
            failures = [too_large("a result", len(one), handler.peer_bytes_max) for one in payloads]
        except OSError as error:
            failures = [unreadable(error)] * len(ids)
        log.warning("the outcome of %d tasks cannot be sent to %s", len(ids), handler.node_id)
        self._courier.cast(handler, to_owner.finished, ids, [FAILED] * len(ids), failures, accepted_to)
