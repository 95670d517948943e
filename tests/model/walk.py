"""A random walk through all that can happen to a durable master, its slaves and its programs."""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Final, TypeVar

from concurrent.core.errors import JobTaken
from concurrent.scheduling.ledger.events import (
    CancelRequested,
    OutcomesConsumed,
    PushedLost,
    SessionAttached,
    SessionDetached,
    TasksAgain,
    TasksReturned,
)
from concurrent.scheduling.ledger.states import TaskState
from concurrent.scheduling.tasks.claim import Claim
from concurrent.scheduling.tasks.outcome import DIED, FAILED, FINISHED, RETRIABLE, TIMED_OUT
from tests.model.world import Program, Slave, World

__all__ = ["Walk"]

SLAVES_MAX: Final = 4

CLAIMS: Final[list[dict[str, float]]] = [{}, {}, {}, {"gpu": 1}, {"gpu": 0.5, "database": 1}]

ENDS: Final = (FINISHED, FAILED, DIED, DIED, DIED, RETRIABLE, TIMED_OUT)
"""How runs end; a limit of time that was passed is tried again, too."""

T = TypeVar("T")


class Walk:
    """See the module. The same seed goes the same way."""

    def __init__(self, seed: int) -> None:
        self.world = World()
        self._random = Random(seed)
        self._weight_by_step: dict[Callable[[], object], int] = {
            self.submit: 3,
            self.commit: 8,
            self.join: 3,
            self.assign: 8,
            self.give_claimed: 8,
            self.offer: 3,
            self.take: 4,
            self.lose_what_is_pushed: 2,
            self.finish: 8,
            self.hand_back: 1,
            self.pass_on: 4,
            self.cut_off: 2,
            self.come_back: 8,
            self.kill_a_slave: 1,
            self.kill_the_master: 3,
            self.wait: 2,
            self.detach: 1,
            self.attach: 8,
            self.take_over: 1,
            self.consume: 3,
            self.cancel: 1,
            self.hold: 1,
            self.release: 2,
            self.bring_back: 3,
            self.begin_again: 2,
            self.drain: 1,
            self.let_take_again: 2,
            self.answer: 3,
        }

    def go(self, step_count: int) -> None:
        """Take so many steps, and then have everything come to its end."""
        steps, weights = list(self._weight_by_step), list(self._weight_by_step.values())
        for step in self._random.choices(steps, weights, k=step_count):
            step()
            self.check()
        self.end()

    def submit(self) -> None:
        for program in self._one_of(self._programs(is_attached=True)):
            claim = Claim.of(self._random.choice(CLAIMS))
            is_urgent = self._random.random() < 0.5
            self.world.submit(program, self._random.randint(1, 4), urgent=is_urgent, claim=claim)

    def commit(self) -> None:
        self.world.commit()

    def join(self) -> None:
        if len(self.world.slaves) < SLAVES_MAX:
            self.world.join(Slave(f"slave{self.world.slave_count}"))

    def assign(self) -> None:
        for slave in self._one_of(self.world.open()):
            self.world.perform(self.world.ledger.assign(slave.number, self._random.randint(1, 5)))

    def give_claimed(self) -> None:
        for slave in self._one_of(self.world.connected()):
            self.world.give_claimed(slave.number)

    def offer(self) -> None:
        self.world.perform(self.world.ledger.offer(self._random.randint(1, 5)))

    def take(self) -> None:
        for slave in self._one_of(self.world.connected()):
            if self.world.queue:
                self.world.take(slave)

    def lose_what_is_pushed(self) -> None:
        self.world.queue.clear()
        self.world.apply(PushedLost())

    def finish(self) -> None:
        for slave in self._one_of([slave for slave in self.world.slaves if slave.held]):
            self.world.finish(slave, self._random.choice(ENDS))

    def hand_back(self) -> None:
        for slave in self._one_of([slave for slave in self.world.connected() if slave.held]):
            number = next(iter(slave.held))
            del slave.held[number]
            self.world.apply(TasksReturned(slave.number, [number]))

    def pass_on(self) -> None:
        self.world.perform([*self.world.ledger.pass_on()])

    def cut_off(self) -> None:
        for slave in self._one_of(self.world.connected()):
            self.world.cut(slave)

    def come_back(self) -> None:
        """A slave goes on with its session, or comes with another while the master still waits for that one."""
        for slave in self._one_of([slave for slave in self.world.slaves if not slave.is_connected]):
            may_resume = slave.number in self.world.sessions
            if may_resume and self._random.random() < 0.5:
                self.world.resume(slave)
            else:
                self.world.join(slave)

    def kill_a_slave(self) -> None:
        for slave in self._one_of(self.world.slaves):
            self.world.kill(slave)

    def kill_the_master(self) -> None:
        self.world.kill_the_master(self._random.choice([0, 1, 3, 99]))

    def wait(self) -> None:
        self.world.wait(self._random.choice([1, 2, 6, 25]))

    def detach(self) -> None:
        for program in self._one_of(self._programs(is_attached=True)):
            program.is_attached = False
            self.world.apply(SessionDetached(program.owner))

    def attach(self) -> None:
        for program in self._one_of(self._programs(is_attached=False)):
            attach(self.world, program, from_start=self._random.random() < 0.3)

    def take_over(self) -> None:
        """Another program goes on with a job; the former one may not come back."""
        for program in self._one_of(self._programs(is_attached=True)):
            before = program.attachment
            attach(self.world, program, from_start=False)
            assert program.attachment > before, "two sessions have the same number"
            try:
                self.world.apply(SessionAttached(program.owner, before))
            except JobTaken:
                continue
            raise AssertionError("two programs share a job")

    def consume(self) -> None:
        for program in self._one_of(self._programs(is_attached=True)):
            up_to = self._random.randint(0, program.given_to)
            program.consumed_to = max(program.consumed_to, up_to)
            self.world.apply(OutcomesConsumed(program.owner, up_to))

    def cancel(self) -> None:
        for program in self._one_of(self._programs(is_attached=True)):
            ids = [self._random.randint(0, program.next_id) for _ in range(2)]
            self.world.apply(CancelRequested(program.owner, ids, self._random.choice([0.0, 9.0])))

    def hold(self) -> None:
        for program in self._one_of(self._present()):
            self.world.hold(program, "another Python")

    def release(self) -> None:
        for program in self._one_of(self._present()):
            self.world.hold(program, "")

    def bring_back(self) -> None:
        bring_back(self.world)

    def begin_again(self) -> None:
        numbers = list(self.world.ledger.task_by_number)
        chosen = [*self._one_of(numbers), *self._one_of(numbers)]
        self.world.apply(TasksAgain(chosen))

    def drain(self) -> None:
        for slave in self._one_of(self.world.slaves):
            self.world.drain(slave, self._random.choice([0, 0, 5]))

    def let_take_again(self) -> None:
        for name in self._one_of(sorted(self.world.drained)):
            self.world.let_take_again(name)

    def answer(self) -> None:
        """A slave hands back what it has not begun, when it was asked for that."""
        for slave in self._one_of([slave for slave in self.world.connected() if slave.is_asked]):
            self.world.hand_back(slave)

    def check(self) -> None:
        """Each open task is in one place."""
        self.world.check_claims()
        ledger = self.world.ledger
        held = [number for slave in ledger.slaves.values() for number in slave.held]
        queued = [
            task.number
            for job in ledger.owners.values()
            for lane in job.lanes
            for task in lane.tasks
            if task.state is TaskState.QUEUED
        ]
        tasks = ledger.task_by_number
        apart = [
            number for number, task in tasks.items() if task.state in (TaskState.REFUSED, TaskState.WAITING)
        ]
        assert set(ledger.places.retries.waiting) <= set(apart)
        assert sorted([*held, *queued, *ledger.pushed, *apart]) == sorted(tasks)
        waiting_count = ledger.queue.count + ledger.queue.claimed_count + ledger.places.parked.count
        assert len(queued) == waiting_count
        assert ledger.held_total == len(held)
        assert set(ledger.drains.by_name) == self.world.drained, "who is drained is not known"
        assert ledger.window_total == sum(slave.window for slave in ledger.slaves.values())
        assert ledger.budget.open_bytes == sum(len(one.payload) for one in tasks.values())
        for job in ledger.owners.values():
            assert job.life is not None
            assert job.life.held_because == self.world.programs[job.owner].held_because, "a hold is not known"
            assert sum(row[2] for row in job.life.failures.rows()) == job.counts.failed, (
                "a failure is not known"
            )

    def end(self) -> None:
        """Whatever happened, one honest slave finishes what is left, and each task has one outcome."""
        world = self.world
        for program in self._programs(is_attached=False):
            attach(world, program, from_start=True)
        for program in self._programs(is_attached=True):
            world.hold(program, "")
            assert program.accepted_to < program.next_id, "what was accepted is not known"
        world.end()
        for program in self._programs(is_attached=True):
            attach(world, program, from_start=True)
            bring_back(world)
            world.commit()
            assert set(range(program.accepted_to + 1)) <= program.number_by_id.keys(), "one was lost"
            assert program.given_to == world.ledger.owners[program.owner].next_id, "one has no outcome"

    def _programs(self, *, is_attached: bool) -> list[Program]:
        programs = self.world.programs.values()
        return [one for one in programs if one.is_attached is is_attached and not one.is_forgotten]

    def _present(self) -> list[Program]:
        return [*self._programs(is_attached=True), *self._programs(is_attached=False)]

    def _one_of(self, things: list[T]) -> list[T]:
        return [self._random.choice(things)] if things else []


def attach(world: World, program: Program, *, from_start: bool) -> None:
    """Have a program go on with its job: it is told what the master has."""
    bring_back(world)
    world.commit()
    world.apply(SessionAttached(program.owner, from_start=from_start))
    job = world.ledger.owners[program.owner]
    assert job.life is not None
    rows = [row for row in world.journal.rows if isinstance(row, OutcomesConsumed)]
    consumed_to = max((row.up_to for row in rows if row.owner == program.owner), default=0)
    assert job.outbox.consumed_to == consumed_to <= program.consumed_to, "what was consumed is not known"
    program.is_attached = True
    program.attachment = job.life.attachment
    program.next_id = job.next_id
    program.consumed_to = job.outbox.consumed_to
    program.given_to = 0 if from_start else program.consumed_to


def bring_back(world: World) -> None:
    """Have the journal answer what it was asked."""
    while world.recalls:
        recall = world.recalls.pop(0)
        world.commit()
        if recall.owner in world.ledger.owners:
            world.apply(world.journal.recalled(recall))
