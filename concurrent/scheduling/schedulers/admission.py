"""Lets newcomers in when one owner has filled the slaves: gives tasks beyond the windows.

Every owner of open tasks may have a part of all windows by its weight, whoever came first. Tasks with a claim
do not need that: they are given by what slaves have for them. A pure module.
"""

from __future__ import annotations

from heapq import nlargest
from operator import attrgetter
from typing import Final

from concurrent.scheduling.ledger.events import Command
from concurrent.scheduling.ledger.ledger import Ledger
from concurrent.scheduling.ledger.records import JobRecord, SlaveRecord

__all__ = ["let_in"]

LATELY: Final = 4
"""A slave has reported lately if the others have since then reported fewer times than this, each."""


def let_in(ledger: Ledger) -> list[Command]:
    """Give tasks beyond their windows to slaves, of owners that have less than their share there.

    Call it when no slave has room: what one owner has filled them with is then in nobody's way.
    """
    owners = ledger.owners.values()
    if len(owners) == 1:
        return []
    commands: list[Command] = []
    weights = sum(owner.weight for owner in owners if owner.number_by_id)
    for owner in owners:
        share = ledger.window_total * owner.weight // max(1, weights)
        count = min(owner.lanes.plain.count, share - owner.given_count)
        if count > 0 and owner.queue is ledger.queue:
            commands += _spread(ledger, owner, count)
    return commands


def _spread(ledger: Ledger, owner: JobRecord, count: int) -> list[Command]:
    """Give up to ``count`` tasks of an owner to slaves that get on, the latest to report first."""
    slaves = _latest(ledger, count)
    commands: list[Command] = []
    for index, slave in enumerate(slaves):
        part = min(-(-count // (len(slaves) - index)), slave.window + slave.room)
        count -= max(0, part)
        while part > 0:
            lane = owner.lanes.first()
            size = min(part, lane.count)
            commands += ledger.assign(slave.slave, size, lane)
            part -= size
    return commands


def _latest(ledger: Ledger, count: int) -> list[SlaveRecord]:
    """Return up to ``count`` slaves that get on, the latest to report first."""
    slaves = nlargest(count, ledger.slaves.values(), key=attrgetter("reported_at"))
    patience = LATELY * len(ledger.slaves)
    return [slave for slave in slaves if slaves[0].reported_at - slave.reported_at <= patience]
