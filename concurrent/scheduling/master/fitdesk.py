"""Whether slaves have what programs need, and who is told: installed modules, projects, environments.

A program says what it uses (``uses``), each slave looks and answers (``fits``), once for each of both. What is
wrong is in the log of the master, of the slave and of the program before the first task fails there, and in the
ledger for whoever asks. So is what slaves say of projects and environments that are not there (``preparing``).

Where slaves that lack something are to be avoided, such a slave keeps the program's tasks until it is known
whether another one has all of it. If so it hands them back, as any slave that refuses tasks does, until there
is none any more. Loop thread only.
"""

from __future__ import annotations

import logging
from asyncio import TimerHandle
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

from concurrent.core.loggers import get_log
from concurrent.scheduling.ledger.events import Event, SlaveFits
from concurrent.scheduling.ledger.ledger import Ledger
from concurrent.scheduling.master.notices import Notices
from concurrent.scheduling.master.sessions import Sessions
from concurrent.scheduling.wire.courier import Courier
from concurrent.scheduling.wire.messages import to_slave
from concurrent.transport.loop.loop import NodeLoop

__all__ = ["USES_MAX", "FitDesk"]

USES_MAX: Final = 1000
"""So many modules of a program are kept; slaves do not look for others."""

ANSWER_S: Final = 2.0
"""So long tasks wait at a slave that lacks something for the answers of others."""

ASKED_AT_ONCE: Final = 20
"""So often slaves are asked as soon as a program tells something; what it tells later is gathered."""

TOLD_EACH: Final = 3
"""So many slaves are named one by one to a program; others are gathered too, for so long:"""
GATHER_S: Final = 1.0

NAMES_MAX: Final = 3

TOLD_OF_ONE_MAX: Final = 5
"""So often a program is told of one slave: of one whose words change without end this is enough."""

AVOID: Final = "avoid"
"""What slaves are told of tasks of a program of which they lack something."""

log = get_log(__name__)

Other = Sequence[str]
"""A module that is there in another version: its name, that version, and the one of the program."""


@dataclass(eq=False)
class _Program:
    """What is known of an owner.

    ``uses`` are rows of modules, distributions and versions. ``lacking`` are the slaves that lack one of them,
    ``having`` those that lack none, ``asked`` those that have not answered yet. ``spared`` has the slaves that
    lack something, and whether they hand back its tasks. ``preparing`` has slaves that say of its project or
    its environment that it is not there, ``failing`` those that cannot have it, ``failures`` what it was told
    of them. ``unasked`` is what slaves have still to be asked for.
    """

    name: str
    uses: dict[str, tuple[str, str]] = field(default_factory=dict)
    lacking: set[int] = field(default_factory=set)
    having: set[int] = field(default_factory=set)
    asked: set[int] = field(default_factory=set)
    spared: dict[int, bool] = field(default_factory=dict)
    misfits: dict[int, str] = field(default_factory=dict)
    preparing: dict[int, str] = field(default_factory=dict)
    failures: dict[int, str] = field(default_factory=dict)
    failing: set[int] = field(default_factory=set)
    program: _Program | None = None
    asked_count: int = 0
    unasked: list[tuple[str, str, str]] = field(default_factory=list)
    asking: TimerHandle | None = None
    told_count: int = 0
    told_by_slave: dict[int, int] = field(default_factory=dict)
    gathered: dict[str, list[str]] = field(default_factory=dict)
    gathering: TimerHandle | None = None
    waiting: TimerHandle | None = None

    def forget(self, slave: int) -> None:
        """Know no more of a slave."""
        for group in (self.lacking, self.having, self.asked):
            group.discard(slave)
        self.spared.pop(slave, None)

    def lose(self, slave: int) -> None:
        """Know no more of a slave that is gone."""
        self.forget(slave)
        for words in (self.misfits, self.preparing, self.failures):
            words.pop(slave, None)
        self.failing.discard(slave)
        self.told_by_slave.pop(slave, None)

    def words_of(self, slave: int) -> str:
        """Return what is wrong with a slave, to go on behind its name; empty if nothing is."""
        return "; ".join(filter(None, (self.preparing.get(slave), self.misfits.get(slave))))

    def is_told(self, slave: int, words: str) -> bool:
        """Return whether the program has been told that of a slave, for its own tasks."""
        of = self.program
        return of is not None and words in (of.misfits.get(slave), of.failures.get(slave))

    def close(self) -> None:
        """Wait for nothing more."""
        for timer in (self.asking, self.gathering, self.waiting):
            if timer is not None:
                timer.cancel()


class FitDesk:
    """See the module.

    :param apply: takes an event to the ledger.
    :param lacking: ``avoid`` if slaves that lack something get none of the tasks that another one may have.
    """

    def __init__(
        self,
        loop: NodeLoop,
        ledger: Ledger,
        sessions: Sessions,
        courier: Courier,
        notices: Notices,
        *,
        apply: Callable[[Event], object],
        lacking: str,
    ) -> None:
        self._loop = loop
        self._ledger = ledger
        self._sessions = sessions
        self._courier = courier
        self._notices = notices
        self._apply = apply
        self._lacking = lacking
        self._avoids = lacking == AVOID
        self._program_by_owner: dict[int, _Program] = {}

    def uses(self, owner: int, rows: Sequence[tuple[str, str, str]]) -> None:
        """Take note of modules that an owner uses, and have the slaves look for those that are new."""
        job = self._ledger.owners.get(owner)
        if job is None:
            return
        program = self._program_by_owner.setdefault(owner, _Program(job.title))
        new = [row for row in rows if row[0] not in program.uses][: USES_MAX - len(program.uses)]
        if not new:
            return
        program.uses.update((module, (distribution, version)) for module, distribution, version in new)
        program.asked_count += 1
        program.unasked += new
        if program.asked_count <= ASKED_AT_ONCE:
            self._ask_all(owner, program)
        elif program.asking is None:
            program.asking = self._loop.call_later(GATHER_S, self._ask_all, owner, program)

    def _ask_all(self, owner: int, program: _Program) -> None:
        """Have the slaves look for what they were not asked for."""
        rows, program.unasked, program.asking = program.unasked, [], None
        for slave in list(self._sessions.slaves):
            self._ask(slave, owner, program, rows)
        self._await_answers(owner, program)

    def system_joined(self, owner: int, application: int) -> None:
        """Take it that a task system uses what its program does, for its tasks are of the same code."""
        program = self._program_by_owner.get(application)
        if program is not None:
            self.uses(owner, [(module, *of) for module, of in program.uses.items()])
            if owner in self._program_by_owner:
                self._program_by_owner[owner].program = program

    def slave_joined(self, slave: int) -> None:
        """Have a slave look for what all owners use."""
        for owner, program in self._program_by_owner.items():
            if not program.uses:  # it has an environment or a project alone
                continue
            unasked = {module for module, *_ in program.unasked}
            asked = [(module, *of) for module, of in program.uses.items() if module not in unasked]
            self._ask(slave, owner, program, asked)
            self._await_answers(owner, program)

    def fits(self, slave: int, owner: int, missing: Sequence[str], others: Sequence[Other]) -> None:
        """Take note of what a slave has not, or in another version, of what an owner uses."""
        program = self._program_by_owner.get(owner)
        if program is None or slave not in self._sessions.slaves:
            return  # the owner has left meanwhile
        program.forget(slave)
        (program.lacking if missing else program.having).add(slave)
        words = _words(missing, others)
        is_new = words != program.misfits.get(slave)
        program.misfits[slave] = words
        self._show(owner, program, slave)
        if words and is_new and not program.is_told(slave, words):
            self._tell(owner, program, slave, words)
        self._decide(owner, program)

    def preparing(self, slave: int, owner: int, words: str, *, has_failed: bool) -> None:
        """Take note of what a slave says of the project or the environment of an owner.

        :param words: to go on behind the name of the slave; empty if it is there.
        :param has_failed: whether it cannot be had, so that the owner should know, once however often it is
            tried.
        """
        job = self._ledger.owners.get(owner)
        if job is None or slave not in self._sessions.slaves:
            return
        program = self._program_by_owner.setdefault(owner, _Program(job.title))
        program.preparing[slave] = words
        if has_failed:
            program.failing.add(slave)
        elif not words:
            program.failing.discard(slave)
        self._show(owner, program, slave)
        self._decide(owner, program)
        if has_failed and program.failures.get(slave) != words:
            program.failures[slave] = words
            if not program.is_told(slave, words):
                self._tell(owner, program, slave, words)

    def slave_left(self, slave: int) -> None:
        """Know no more of a slave."""
        for owner, program in self._program_by_owner.items():
            program.lose(slave)
            self._decide(owner, program)

    def slaves_changed(self) -> None:
        """Look again who may have tasks: a slave is silent, drained or wants none, or is it no more."""
        for owner, program in self._program_by_owner.items():
            self._decide(owner, program)

    def owner_left(self, owner: int) -> None:
        """Know no more of an owner."""
        program = self._program_by_owner.pop(owner, None)
        if program is None:
            return
        program.close()
        for slave in list(self._ledger.slaves.values()):
            if owner in slave.misfits:
                self._apply(SlaveFits(slave.slave, owner, program.name, ""))

    def close(self) -> None:
        """Tell nothing more."""
        for program in self._program_by_owner.values():
            program.close()

    def _ask(self, slave: int, owner: int, program: _Program, rows: Sequence[tuple[str, str, str]]) -> None:
        handler = self._sessions.slaves[slave]
        if handler.peer_has(to_slave.USES):
            program.forget(slave)
            program.asked.add(slave)
            self._courier.cast(handler, to_slave.uses, owner, list(map(list, rows)), self._lacking)

    def _await_answers(self, owner: int, program: _Program) -> None:
        """Decide after a while without slaves that do not answer: they may have been paused.

        Slaves that join meanwhile do not prolong that, or some that come and go would hold the tasks for ever.
        """
        if self._avoids and program.asked and program.waiting is None:
            program.waiting = self._loop.call_later(ANSWER_S, self._waited, owner, program)

    def _waited(self, owner: int, program: _Program) -> None:
        program.waiting = None
        program.asked.clear()
        self._decide(owner, program)

    def _decide(self, owner: int, program: _Program) -> None:
        """Have slaves that lack something hand back an owner's tasks, or run them for want of another one."""
        if not self._avoids:
            return
        slaves = self._ledger.slaves
        having = (slaves[one] for one in program.having - program.failing if one in slaves)
        by = next((one.name for one in having if one.window > 0), "")
        if not by and program.asked:
            return
        for slave in program.lacking:
            if program.spared.get(slave) is not bool(by) and slave in self._sessions.slaves:
                program.spared[slave] = bool(by)
                self._courier.cast(self._sessions.slaves[slave], to_slave.spared, owner, by)

    def _show(self, owner: int, program: _Program, slave: int) -> None:
        """Have what is wrong with a slave shown to whoever asks."""
        words = program.words_of(slave)
        if words != self._ledger.slaves[slave].misfits.get(owner, ("", ""))[1]:
            self._apply(SlaveFits(slave, owner, program.name, words))

    def _tell(self, owner: int, program: _Program, slave: int, words: str) -> None:
        """Tell a program what is wrong with a slave; of many they are told together."""
        record = self._ledger.slaves[slave]
        told_before = program.told_by_slave.get(slave, 0)
        if told_before == TOLD_OF_ONE_MAX:
            return
        program.told_by_slave[slave] = told_before + 1
        program.told_count += 1
        if program.told_count <= TOLD_EACH:
            alone = "; there is no other slave" if len(self._ledger.slaves) == 1 else ""
            self._say(owner, program, f"slave {record.given_name or record.name} {words}{alone}")
            return
        if not program.gathered:
            program.gathering = self._loop.call_later(GATHER_S, self._tell_gathered, owner, program)
        program.gathered.setdefault(words, []).append(record.given_name or record.name)

    def _tell_gathered(self, owner: int, program: _Program) -> None:
        gathered, program.gathered = program.gathered, {}
        for words, names in gathered.items():
            more = ", ..." if len(names) > NAMES_MAX else ""
            self._say(owner, program, f"{len(names)} more slaves: {', '.join(names[:NAMES_MAX])}{more} {words}")

    def _say(self, owner: int, program: _Program, text: str) -> None:
        is_told = self._notices.tell(owner, text)
        log.log(logging.INFO if is_told else logging.WARNING, "%s: %s", program.name, text)


def _words(missing: Sequence[str], others: Sequence[Other]) -> str:
    """Return what is wrong with a slave, to go on behind its name; empty if nothing is."""
    return "; ".join(_parts(missing, others))


def _parts(missing: Sequence[str], others: Sequence[Other]) -> Iterator[str]:
    if missing:
        yield f"lacks {', '.join(missing)}"
    if others:
        yield "has " + ", ".join(
            f"{name} {here} where the program has {wanted}" for name, here, wanted in others
        )
