"""What is around a ledger, for tests: a journal, honest slaves, and programs that note what they are told."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field
from typing import Any, Final

from concurrent.scheduling.ledger.events import (
    Accept,
    AskBack,
    CancelRun,
    Command,
    Deliver,
    ForgetJob,
    JobHeld,
    JobReleased,
    OwnerJoined,
    Push,
    Recall,
    Record,
    Recordable,
    Send,
    SlaveAway,
    SlaveBack,
    SlaveDrained,
    SlaveHolding,
    SlaveJoined,
    SlaveLost,
    SlaveResumed,
    TasksDone,
    TasksEnded,
    TasksRenumbered,
    TasksReturned,
    TasksRunning,
    TasksSubmitted,
    TasksTaken,
    TasksTried,
    TimePassed,
)
from concurrent.scheduling.ledger.failures import Failure
from concurrent.scheduling.ledger.jobspec import JobSpec
from concurrent.scheduling.ledger.ledger import Ledger
from concurrent.scheduling.ledger.returning import AWAITED_S
from concurrent.scheduling.tasks.claim import NO_CLAIM, Claim
from concurrent.scheduling.tasks.outcome import CANCELLED, DIED, FINISHED, RETRIABLE, TIMED_OUT
from concurrent.scheduling.tasks.retry import Retry
from concurrent.scheduling.tasks.terms import Terms
from tests.model.journal import Journal

__all__ = ["RETURN_S", "Program", "Slave", "World"]

RETURN_S: Final = 20.0
EPOCH: Final = 1e9
ATTEMPTS: Final = 2
RETRY: Final = Retry(1, delay_s=3.0)
NO_OUTCOME: Final = (DIED, RETRIABLE, TIMED_OUT)
"""With these a run may end and the task goes on."""


@dataclass(eq=False)
class Slave:
    """A slave process. It keeps what it has until it knows that the master keeps it.

    ``held`` are the tasks that it has, by their numbers; ``finished`` are statuses, payloads and how many rows
    the journal had when the master took them, 0 before that. ``told`` is what it told in its session to run,
    ``late`` what it had when it was back too late, ``missed`` what it was told to cancel while it was cut off.
    ``was_known`` says whether the journal had kept that it had joined before, and ``is_asked`` whether it shall
    hand back what it has not begun.
    """

    name: str
    number: int = 0
    joined_row: int = 0
    held: dict[int, bytes] = field(default_factory=dict)
    finished: dict[int, tuple[int, bytes, int]] = field(default_factory=dict)
    told: set[int] = field(default_factory=set)
    late: set[int] = field(default_factory=set)
    missed: set[int] = field(default_factory=set)
    cut_at: float | None = None
    was_known: bool = False
    is_asked: bool = False

    @property
    def is_connected(self) -> bool:
        """Whether it has a session."""
        return self.cut_at is None


@dataclass(eq=False)
class Program:
    """What the program of a job was told, in all its sessions."""

    owner: int
    next_id: int = 0
    accepted_to: int = -1
    consumed_to: int = 0
    attachment: int = 1
    is_attached: bool = True
    is_forgotten: bool = False
    held_because: str = ""
    given_to: int = 0
    outcome_by_number: dict[int, tuple[int, int, bytes]] = field(default_factory=dict)
    number_by_id: dict[int, int] = field(default_factory=dict)


class World:
    """See the module. It checks what has to hold whenever a command is carried out."""

    def __init__(self) -> None:
        self.journal = Journal()
        self.epoch = 0
        self.now = 0.0
        self.started_at = 0.0
        self.run_count = 0
        self.slave_count = 0
        self.slaves: list[Slave] = []
        self.coming_back: Slave | None = None
        self.drained: set[str] = set()
        self.sessions: dict[int, float] = {}  # those of slaves that are cut off, and since when
        self.queue: dict[int, bytes] = {}
        self.waiting: list[tuple[int, Command]] = []
        self.recalls: list[Recall] = []
        self.programs = {owner: Program(owner) for owner in (1, 2)}
        self.start()
        for owner, keep_s in ((1, 1e9), (2, 0.0)):
            self.apply(OwnerJoined(owner, f"job{owner}", JobSpec(keep_s=keep_s, keeps_results=True)))
        self.commit()

    def start(self) -> None:
        """Start a master: with a new ledger, which is told what the journal has."""
        self.epoch += 1
        self.started_at = self.now
        self.ledger = Ledger(
            is_recorded=True,
            batch_max=3,
            first_number=self.epoch << 40 | 1,
            return_s=RETURN_S,
            read_failure=lambda payload: Failure("Error", payload.decode()),
            tokens={"database": 2000},
        )
        self.ledger.restore(self.journal.replay())

    def apply(self, event: Any) -> None:
        """Tell the ledger of an event, and carry out what it wants."""
        self.perform(self.ledger.apply(event))

    def perform(self, commands: list[Command]) -> None:
        """Carry out commands; those that rest on what is recorded wait for the commit."""
        for command in commands:
            if isinstance(command, Record):
                self.check_deaths(command.what)
                self.journal.append(command.what)
            elif isinstance(command, (Accept, Deliver)):
                self.waiting.append((len(self.journal.rows), command))
            elif isinstance(command, Recall):
                self.recalls.append(command)
            elif isinstance(command, Send):
                assert not self.programs[command.owner].held_because, "it is held"
                slave = self.slave(command.slave)
                assert slave.name not in self.drained, "it is drained"
                self.check_claims()
                for number, payload in zip(command.numbers, command.payloads, strict=True):
                    self.check_that_nobody_has(number, slave)
                    slave.held[number] = payload
            elif isinstance(command, Push):
                assert not self.programs[command.owner].held_because, "it is held"
                for number, payload in zip(command.numbers, command.payloads, strict=True):
                    self.check_that_nobody_has(number, None)
                    self.queue[number] = payload
            elif isinstance(command, CancelRun):
                for slave in self.slaves:
                    if slave.number == command.slave:
                        slave.missed.update(command.numbers)
                        if slave.is_connected:
                            self.hear_of_cancelled(slave)
            elif isinstance(command, AskBack):
                self.slave(command.slave).is_asked = True
            elif isinstance(command, ForgetJob):
                self.programs[command.owner].is_forgotten = True

    def commit(self) -> None:
        """Have the journal keep all that it has, and tell who waits for that."""
        self.journal.commit()
        waiting, self.waiting = self.waiting, []
        for row, command in waiting:
            assert row <= self.journal.committed
            program = self.programs[command.owner]  # type: ignore[union-attr]
            if isinstance(command, Accept) and program.is_attached:
                program.accepted_to = max(program.accepted_to, command.last_id)
            elif isinstance(command, Deliver) and program.is_attached:
                self.deliver(program, command)
        for slave in self.slaves:
            for number, (*_, row) in list(slave.finished.items()):
                if row and row <= self.journal.committed and slave.is_connected:
                    del slave.finished[number]

    def deliver(self, program: Program, command: Deliver) -> None:
        """Give outcomes to a program: each number has one outcome for ever, and each task one number."""
        first = command.up_to - len(command.ids) + 1
        assert first == program.given_to + 1, "an outcome is missing, or comes twice in a session"
        program.given_to = command.up_to
        columns = zip(command.ids, command.statuses, command.payloads, strict=True)
        for number, outcome in enumerate(columns, first):
            assert program.outcome_by_number.setdefault(number, outcome) == outcome, "it has changed"
            assert program.number_by_id.setdefault(outcome[0], number) == number, "two for a task"
            assert outcome[1] != RETRIABLE, "another try is no outcome"
            if outcome[1] == DIED:
                deaths = set(re.findall(rb"run (\d+)", outcome[2]))
                assert len(deaths) == ATTEMPTS, "a death was counted twice"

    def hear_of_cancelled(self, slave: Slave) -> None:
        """Have a slave cancel what it was told to."""
        for number in slave.missed:
            self.check_that_it_is_over(slave, number, slave.held.pop(number, b""))
            slave.finished.pop(number, None)
        numbers = list(slave.missed)
        slave.missed.clear()
        count = len(numbers)
        self.apply(TasksDone(slave.number, numbers, [CANCELLED] * count, [b""] * count))

    def check_deaths(self, what: Recordable) -> None:
        """A task that is given up has killed as many workers as it may, all of which are recorded."""
        if isinstance(what, TasksEnded):
            died = [one for one, status in zip(what.ids, what.statuses, strict=True) if status == DIED]
            tried = [row for row in self.journal.rows if isinstance(row, TasksTried)]
            for client_id in died:
                count = sum(row.owner == what.owner and client_id in row.ids for row in tried)
                assert count == ATTEMPTS - 1, "a death was forgotten"

    def check_that_nobody_has(self, number: int, taker: Slave | None) -> None:
        """A task that a slave has is given to no other while the master has to wait for that one."""
        for slave in self.slaves:
            has = number in slave.held or slave.finished.get(number, (DIED,))[0] not in NO_OUTCOME
            has = has and number not in slave.late and (slave.is_connected or number in slave.told)
            assert slave is taker or not (has and self.is_waited_for(slave)), "it runs twice"

    def check_claims(self) -> None:
        """What slaves have is counted by what it claims, and no more tokens are given away than there are."""
        runs = self.ledger.places.ending.runs
        gone = [run.claim for (one, _), run in runs.items() if one not in self.ledger.slaves]
        tokens = sum(claim.units("database") for claim in gone)
        for slave in self.ledger.slaves.values():
            claims = [task.terms.resources for task in slave.held.values() if task.terms.resources]
            claims += [run.claim for (one, _), run in runs.items() if run.claim and one == slave.slave]
            found = Counter(map(self.ledger.claims.at_slave, claims))
            assert slave.claimed.count_by_claim == found, "what a slave has is counted wrongly"
            tokens += sum(claim.units("database") for claim in claims)
        assert self.ledger.claims.tokens_given("database") == tokens, "tokens are counted wrongly"

    def give_claimed(self, number: int) -> None:
        """Give a slave what claims something, as far as it has room."""
        for lane in self.ledger.claimed_lanes:
            slave = self.ledger.slaves[number]
            room = self.ledger.claims.room(slave, lane.claim)
            count = len(slave.held)
            self.perform(self.ledger.assign(number, 10**6, lane))
            assert len(self.ledger.slaves[number].held) - count <= room, "it was given too much"

    def check_that_it_is_over(self, slave: Slave, number: int, payload: bytes) -> None:
        """What a slave is told to cancel when it comes back is not wanted, or another slave has it."""
        if payload and slave is self.coming_back and slave.was_known:
            owner, client_id = map(int, payload.split(b":"))
            job = self.ledger.owners.get(owner)
            if job and client_id in job.number_by_id and self.numbers()[owner, client_id] == number:
                assert self.ledger.task_by_number[number].slave not in (0, slave.number), "it is wanted"

    def numbers(self) -> dict[tuple[int, int], int]:
        """Return the numbers of all tasks, by their owners and ids, as the journal has them."""
        numbers: dict[tuple[int, int], int] = {}
        for row in self.journal.rows:
            if isinstance(row, TasksSubmitted):
                ids = range(row.first_id, row.first_id + len(row.payloads))
                numbers |= {(row.owner, one): row.first_number + place for place, one in enumerate(ids)}
            elif isinstance(row, TasksRenumbered):
                numbers |= {(row.owner, one): row.first_number + place for place, one in enumerate(row.ids)}
        return numbers

    def is_waited_for(self, slave: Slave) -> bool:
        """Whether the master has to keep the tasks of a slave for it."""
        if slave.joined_row > self.journal.committed:
            return False
        if slave.cut_at is None:
            return True
        if self.now - slave.cut_at >= RETURN_S:
            return False
        is_from_before = slave.number >> 40 != self.epoch
        return not is_from_before or (slave.joined_row > 0 and self.now - self.started_at < AWAITED_S)

    def slave(self, number: int) -> Slave:
        """Return a slave by its number."""
        return next(one for one in self.slaves if one.number == number)

    def connected(self) -> list[Slave]:
        """Return the slaves that have a session."""
        return [slave for slave in self.slaves if slave.is_connected]

    def open(self) -> list[Slave]:
        """Return those that may be given tasks."""
        return [slave for slave in self.connected() if slave.name not in self.drained]

    def drain(self, slave: Slave, timeout_s: int) -> None:
        """Have a slave get nothing more; after a time it has nothing, if there is one."""
        self.drained.add(slave.name)
        at = EPOCH + self.now
        self.apply(SlaveDrained(slave.name, "admin:kim", at, ends_at=at + timeout_s if timeout_s else 0.0))

    def let_take_again(self, name: str) -> None:
        """Have a slave take tasks again; it may be away."""
        self.drained.discard(name)
        self.apply(SlaveResumed(name))

    def hand_back(self, slave: Slave) -> None:
        """Have a slave hand back what it was asked for: all that its two workers have not begun."""
        slave.is_asked = False
        numbers = list(slave.held)[2:]
        for number in numbers:
            del slave.held[number]
        self.apply(TasksReturned(slave.number, numbers))

    def join(self, slave: Slave) -> None:
        """Have a slave come, or come back, with all that it has."""
        self.slave_count += 1
        is_back = slave.cut_at is not None
        slave.was_known = slave.joined_row > 0
        has = {*slave.held, *slave.finished}
        slave.late = has - slave.told if self.is_waited_for(slave) else has
        slave.told = set()
        if slave.number in self.sessions:  # the master hears soon that this one has ended
            self.sessions[slave.number] -= RETURN_S
        slave.number = self.epoch << 40 | self.slave_count
        slave.cut_at = None
        slave.is_asked = False
        slave.missed.clear()
        slave.finished = {one: (*kept[:2], 0) for one, kept in slave.finished.items()}
        if slave not in self.slaves:
            self.slaves.append(slave)
        data = {"resources": {"gpu": 1}}
        self.apply(SlaveJoined(slave.number, slave.name, workers=2, window=3, data=data, returns=True))
        slave.joined_row = len(self.journal.rows)
        if is_back:
            self.coming_back = slave
            self.apply(SlaveHolding(slave.number, list(slave.held), list(slave.finished)))
            self.coming_back = None
            self.report(slave)

    def report(self, slave: Slave) -> None:
        """Have a slave bring the outcomes that it has not brought in its session."""
        numbers = [number for number, (*_, row) in slave.finished.items() if not row]
        if not numbers:
            return
        statuses = [slave.finished[number][0] for number in numbers]
        payloads = [slave.finished[number][1] for number in numbers]
        self.apply(TasksDone(slave.number, numbers, statuses, payloads))
        row = max(1, len(self.journal.rows))
        for number in numbers:
            if number in slave.finished:
                slave.finished[number] = *slave.finished[number][:2], row

    def finish(self, slave: Slave, status: int) -> None:
        """Have a slave end the first task that it has; each run has another result."""
        number = next(iter(slave.held))
        payload = slave.held.pop(number)
        self.run_count += 1
        slave.finished[number] = status, payload + b" run %d" % self.run_count, 0
        if slave.is_connected:
            self.report(slave)

    def cut(self, slave: Slave) -> None:
        """Cut a slave off: its session waits for it, and the master keeps for it what it runs."""
        slave.cut_at = self.now
        self.sessions[slave.number] = self.now
        self.apply(SlaveAway(slave.number))

    def resume(self, slave: Slave) -> None:
        """Have a slave go on with the session that it had."""
        del self.sessions[slave.number]
        slave.late |= {*slave.held, *slave.finished} - slave.told
        slave.cut_at = None
        self.apply(SlaveBack(slave.number))
        self.hear_of_cancelled(slave)
        self.report(slave)

    def kill(self, slave: Slave) -> None:
        """Have a slave die, with all that it has."""
        self.slaves.remove(slave)
        if slave.is_connected or slave.number in self.sessions:
            self.sessions.pop(slave.number, None)
            self.apply(SlaveLost(slave.number, "killed"))

    def take(self, slave: Slave) -> None:
        """Have a slave take the oldest task from the work queue."""
        number = next(iter(self.queue))
        slave.held[number] = self.queue.pop(number)
        self.apply(TasksTaken(slave.number, [number]))

    def submit(self, program: Program, count: int, *, urgent: bool, claim: Claim = NO_CLAIM) -> None:
        """Have a program push tasks."""
        first_id = program.next_id
        program.next_id += count
        payloads = [b"%d:%d" % (program.owner, first_id + index) for index in range(count)]
        terms = Terms(attempts_max=ATTEMPTS, retry=RETRY, resources=claim)
        urgently = Terms(attempts_max=ATTEMPTS, priority=1, deadline_s=9.0)
        changes = ((count // 2, urgently),) if urgent and count > 1 else ()
        self.apply(TasksSubmitted(program.owner, first_id, payloads, terms, changes))

    def hold(self, program: Program, reason: str) -> None:
        """Hold a job for a reason, or release it if there is none."""
        self.apply(JobHeld(program.owner, reason) if reason else JobReleased(program.owner))
        program.held_because = reason

    def wait(self, seconds: int) -> None:
        """Let time pass; slaves say what they run."""
        for _ in range(seconds):
            self.now += 1
            for slave in self.connected():
                slave.told = set(slave.held)
                columns = list(slave.held), [1] * len(slave.held), [1.0] * len(slave.held)
                self.apply(TasksRunning(slave.number, *columns, [""] * len(slave.held), self.now))
            self.apply(TimePassed(self.now, EPOCH + self.now))
            for number, cut_at in list(self.sessions.items()):
                if self.now - cut_at >= RETURN_S:
                    del self.sessions[number]
                    self.apply(SlaveLost(number, "silent"))

    def kill_the_master(self, lost_count: int) -> None:
        """Have the master die, with what was not committed, and start again; slaves and programs go on."""
        self.journal.lose(min(lost_count, len(self.journal.rows) - self.journal.committed))
        self.waiting.clear()
        self.recalls.clear()
        self.queue.clear()
        self.sessions.clear()
        self.drained.clear()
        for row in self.journal.rows:
            if isinstance(row, SlaveDrained):
                self.drained.add(row.name)
            elif isinstance(row, SlaveResumed):
                self.drained.discard(row.name)
        for slave in self.slaves:
            if slave.joined_row > self.journal.committed:
                slave.joined_row = 0
            slave.cut_at = self.now if slave.cut_at is None else slave.cut_at
            slave.told = {*slave.held, *slave.finished}
            slave.missed.clear()
        for program in self.programs.values():
            program.is_attached = False
            program.is_forgotten = program.owner not in [
                row.owner for row in self.journal.replay() if isinstance(row, OwnerJoined)
            ]
            holds = [
                row.reason if isinstance(row, JobHeld) else ""
                for row in self.journal.rows
                if isinstance(row, (JobHeld, JobReleased)) and row.owner == program.owner
            ]
            program.held_because = holds[-1] if holds else ""
        self.start()

    def end(self) -> None:
        """Have everything come to its end: all that was accepted has one outcome."""
        self.wait(int(2 * RETURN_S))
        for slave in list(self.slaves):
            self.kill(slave)
        self.join(last := Slave("last"))
        self.ledger.slaves[last.number].window = 10**6
        for _ in range(50):
            for number in list(self.queue):
                if number in self.queue:
                    self.take(last)
            self.perform(self.ledger.assign(last.number, 10**6))
            self.give_claimed(last.number)
            self.perform([*self.ledger.pass_on()])
            while last.held:
                self.finish(last, FINISHED)
            self.wait(1)
        self.commit()
