"""Why no slave takes a task now: one look at all slaves, and each reason once, however many they are. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from operator import attrgetter
from typing import Final, NamedTuple

from concurrent.core.typed import typed
from concurrent.scheduling.ledger.claims import Claims
from concurrent.scheduling.ledger.records import SlaveRecord
from concurrent.scheduling.ledger.slavebook import SlaveBook
from concurrent.scheduling.tasks.claim import CPU, MEMORY, UNIT, Claim, shown_amount

__all__ = ["Hindrances", "hindrances", "listed", "misfits_of"]

NAMES_MAX: Final = 3
"""So many slaves are named for one reason, others are counted."""

REASONS_MAX: Final = 3
"""So many reasons of slaves that want nothing are told; slaves with others are named without."""


class Hindrances(NamedTuple):
    """What keeps slaves from a task.

    :param able: how many could run it if nothing else were there.
    :param waits_for: what it waits for, in a few words.
    :param lines: the reasons.
    :param then: what happens next.
    :param is_infeasible: whether no slave could ever run it, of those that there are.
    """

    able: int
    waits_for: str
    lines: tuple[str, ...]
    then: str
    is_infeasible: bool


def hindrances(
    claims: Claims, book: SlaveBook, claim: Claim, refusers: frozenset[int] = frozenset()
) -> Hindrances:
    """Return what keeps slaves from a task that waits.

    :param claim: what it takes.
    :param refusers: the slaves that have refused it.
    """
    groups = _Groups(claims, claim)
    for slave in book.slaves.values():
        groups.take(slave, is_refused=slave.slave in refusers)
    lines = (*groups.token_lines(), *groups.lines(len(book.slaves), book.silent_s))
    waits_for, then = groups.verdict(has_slaves=bool(book.slaves))
    is_infeasible = bool(book.slaves) and not (groups.able and claims.are_tokens_enough(claim))
    return Hindrances(groups.able, waits_for, lines, then, is_infeasible)


@dataclass(slots=True)
class _Short:
    """Slaves that have too little of something free, and how much of it is taken there."""

    slaves: list[SlaveRecord] = field(default_factory=list)
    taken: int = 0
    offered: int = 0


class _Groups:
    """Sorts slaves by what keeps them from a task with a claim."""

    def __init__(self, claims: Claims, claim: Claim) -> None:
        self._claims = claims
        self._claim = claim
        self._here = claims.at_slave(claim)
        self._wanted = [(CPU, claim.cpu * UNIT), *(one for one in self._here if one[0] != CPU)]
        self._parts = [name for name, units in self._here if units < UNIT and name != MEMORY]
        self.able = 0
        self._lacking: dict[str, int] = {}
        self._most: dict[str, int] = {}
        self._refusing: list[SlaveRecord] = []
        self._silent: list[SlaveRecord] = []
        self._drained: list[SlaveRecord] = []
        self._unwilling: list[SlaveRecord] = []
        self._open: list[SlaveRecord] = []
        self._full: list[SlaveRecord] = []
        self._short: dict[str, _Short] = {}

    def take(self, slave: SlaveRecord, *, is_refused: bool) -> None:
        """Sort in a slave."""
        if self._claim and not self._could(slave):
            return
        self.able += 1
        if is_refused:
            self._refusing.append(slave)
        elif slave.drain is not None:
            self._drained.append(slave)
        elif slave.is_silent:
            self._silent.append(slave)
        elif slave.window <= 0:
            self._unwilling.append(slave)
        elif self._has_room(slave):
            self._open.append(slave)
        else:
            self._note_full(slave)

    def _could(self, slave: SlaveRecord) -> bool:
        offers = slave.offers
        lacks = [name for name, units in self._wanted if offers.get(name, 0) < units]
        if not lacks and self._parts and not slave.could(self._here):
            lacks = self._parts  # it has as much, but no whole one of it to have a part of
        for name in lacks:
            self._lacking[name] = self._lacking.get(name, 0) + 1
            self._most[name] = max(self._most.get(name, 0), offers.get(name, 0))
        return not lacks

    def _has_room(self, slave: SlaveRecord) -> bool:
        if not self._claim:
            return slave.room > 0
        return (slave.fit(self._here) if self._here is self._claim else slave.free(self._here)) > 0

    def _note_full(self, slave: SlaveRecord) -> None:
        for name, units in reversed(self._wanted) if self._claim else ():
            claimed = slave.claimed
            used = claimed.places * UNIT if name == CPU else claimed.units_by_name.get(name, 0)
            if used + units > slave.offers[name]:
                short = self._short.setdefault(name, _Short())
                short.slaves.append(slave)
                short.taken += min(used, slave.offers[name])  # it may have been sent some for later
                short.offered += slave.offers[name]
                return
        self._full.append(slave)

    def token_lines(self) -> Iterator[str]:
        """Yield what is short of tokens."""
        tokens = self._claims.tokens
        for name, units in self._claim:
            if name in tokens:
                given = self._claims.tokens_given(name)
                needs = f"{name}: needs {shown_amount(name, units)}"
                if units > tokens[name]:
                    yield f"{needs}, and there is {shown_amount(name, tokens[name])} for all slaves together"
                elif given + units > tokens[name]:
                    yield (
                        f"{needs}, {shown_amount(name, given)} of {shown_amount(name, tokens[name])} are "
                        "taken, at all slaves together"
                    )

    def lines(self, slave_count: int, silent_s: Callable[[SlaveRecord], float]) -> Iterator[str]:
        """Yield why slaves do not take it, each reason once."""
        if not slave_count:
            yield "no slave has joined"
        for name, count in self._lacking.items():
            needs = shown_amount(name, dict(self._wanted)[name])
            line = f"{name}: needs {needs}, offered by {slave_count - count} of {slave_count} slaves"
            most = self._most[name]
            yield f"{line}; others have {shown_amount(name, most)} at most" if most else line
        if self._refusing:
            yield f"refused, or a worker died of it: {listed(self._refusing)}"
        yield from self._lines_of_drained()
        if self._silent:
            yield self._line_of_silent(silent_s)
        yield from self._lines_of_unwilling()
        for name, short in self._short.items():
            needs = shown_amount(name, dict(self._wanted)[name])
            has = f"{shown_amount(name, short.taken)} of {shown_amount(name, short.offered)} taken"
            yield f"{name}: needs {needs}, too little is free at {listed(short.slaves)}: {has}"
        if self._full:
            held = sum(len(slave.held) for slave in self._full)
            window = sum(slave.window for slave in self._full)
            verb = "has" if len(self._full) == 1 else "have"
            yield f"{listed(self._full)} {verb} no room: {held} of {window} tasks held"
        if self._open:
            verb = "has" if len(self._open) == 1 else "have"
            yield f"{listed(self._open)} {verb} room"

    def _lines_of_drained(self) -> Iterator[str]:
        for by, slaves in _by_reason(self._drained, lambda slave: slave.drain.by if slave.drain else ""):
            verb = "is" if len(slaves) == 1 else "are"
            yield f"{listed(slaves)} {verb} drained by {by or 'others'}"

    def _lines_of_unwilling(self) -> Iterator[str]:
        for reason, slaves in _by_reason(self._unwilling, attrgetter("lacks")):
            line = f"no tasks are wanted now by {listed(slaves)}"
            yield f"{line}: {reason}" if reason else line

    def _line_of_silent(self, silent_s: Callable[[SlaveRecord], float]) -> str:
        longest = sorted(self._silent, key=silent_s, reverse=True)
        since = silent_s(longest[0])
        verb = "is" if len(longest) == 1 else "are"
        how_long = ("for " if len(longest) == 1 else "for up to ") + f"{since:.0f} s" if since >= 1 else "now"
        return f"{listed(longest)} {verb} silent {how_long}"

    def verdict(self, *, has_slaves: bool) -> tuple[str, str]:
        """Return what the task waits for, in a few words, and what happens next."""
        tokens = self._claims.tokens
        beyond = [name for name, units in self._claim if units > tokens.get(name, units)]
        if beyond:
            return f"more {beyond[0]} than there is", "it waits until the master is started with more"
        if not has_slaves:
            return "a slave", "it goes to the first slave that joins and can run it: 'concurrent slave'"
        if not self.able:
            names = " and ".join(self._lacking)
            return f"a slave with enough {names}", "it goes to the first slave that joins and has that"
        if self._claims.tokens_left(self._claim) <= 0:
            names = " and ".join(name for name in self._claim.names() if name in tokens)
            return f"free {names}", "it goes to a slave when a task with such a claim has ended"
        if self._open:
            return "the scheduler", "it goes to a slave when the scheduler gives it to one"
        if len(self._drained) == self.able:
            then = f"'{typed('resume', self._drained[0].name)}' lets that one take tasks again"
            return "a slave that is not drained", then
        if len(self._refusing) == self.able:
            return "a slave that has not refused it", "it is offered again to those that have refused it"
        if self._short:
            return f"free {' or '.join(self._short)}", "it goes to the first slave that has that free"
        return "room at a slave", "it goes to the first slave that has room, when it is its turn"


def misfits_of(owner: int, slaves: Mapping[int, SlaveRecord]) -> Iterator[str]:
    """Yield what slaves have not, or in another version, of what an owner needs."""
    unfit = [slave for slave in slaves.values() if owner in slave.misfits]
    for words, group in _by_reason(unfit, lambda slave: slave.misfits[owner][1]):
        yield f"{listed(group)} {words or 'and more have not all that is needed'}"


def _by_reason(
    slaves: Iterable[SlaveRecord], reason_of: Callable[[SlaveRecord], str]
) -> Iterator[tuple[str, list[SlaveRecord]]]:
    """Yield slaves by what is told of them; of many reasons the last are left out, and are empty."""
    by_reason: dict[str, list[SlaveRecord]] = {}
    for slave in slaves:
        reason = reason_of(slave)
        is_one_more = reason not in by_reason and len(by_reason) >= REASONS_MAX
        by_reason.setdefault("" if is_one_more else reason, []).append(slave)
    yield from by_reason.items()


def listed(slaves: Sequence[SlaveRecord]) -> str:
    """Return which slaves these are: the names of a few, or how many they are and the names of some."""
    names = ", ".join(map(attrgetter("name"), slaves[:NAMES_MAX]))
    if len(slaves) == 1:
        return names
    more = ", ..." if len(slaves) > NAMES_MAX else ""
    return f"{len(slaves)} slaves ({names}{more})"
