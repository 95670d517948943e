"""Which slave somebody means: by its number, its whole name, or what its owner calls it. Loop thread only."""

from __future__ import annotations

from typing import Final

from concurrent.core.errors import NodeError
from concurrent.core.nearest import did_you_mean
from concurrent.scheduling.ledger.ledger import Ledger
from concurrent.scheduling.ledger.records import SlaveRecord

__all__ = ["find_slave", "names_of"]

DIGITS_MAX: Final = 20
"""A text of more digits is no number of a slave."""


def names_of(ledger: Ledger) -> dict[str, SlaveRecord]:
    """Return the slaves that there are by their names: of one that has come back, its newest registration."""
    return {slave.name: slave for slave in ledger.slaves.values()}


def find_slave(text: str, ledger: Ledger) -> str:
    """Return the name of the slave that a text means; it may be one that is drained and away.

    :raises NodeError: if there is none, or there are several.
    """
    here = names_of(ledger)
    drained = ledger.drains.by_name
    is_number = text.isdecimal() and len(text) <= DIGITS_MAX
    if is_number and (slave := ledger.slaves.get(int(text))) is not None:
        return slave.name
    if text in here or text in drained:
        return text
    given = {name: slave.given_name for name, slave in here.items()}
    given |= {name: drain.given_name for name, drain in drained.items() if name not in here}
    found = [name for name, one in given.items() if text and one == text]
    if len(found) == 1:
        return found[0]
    if found:
        some = ", ".join(found[:3]) + (", ..." if found[3:] else "")
        raise NodeError(
            f"{len(found)} slaves are called {text!r:.100}: {some}",
            thing="slave",
            value=text,
            remedy="Give the whole name of one, or its number",
        )
    known = sorted({*given, *given.values()} - {""})
    raise NodeError(
        f"there is no slave {text!r:.100} at this master",
        thing="slave",
        value=text,
        remedy=f"{did_you_mean(text, known)}'concurrent status' lists those that there are",
    )
