"""Drives the real ledger and scheduler with thousands of simulated slaves, under a clock that costs nothing.

``python -m benchmarks.simulation --slaves 10000 --tasks 10000000 [--resources]``

Slaves differ in speed (0.5 to 4 times the usual), tasks in length. The master's side is the framework's own
code; a slave is a queue, some workers and the way that takes ``LATENCY_S``. What happens within one
``TURN_S`` is one turn of the master's loop, as there. Two questions are answered: what a decision costs as
the number of slaves grows, and how much longer everything takes than on a cluster without any waste, whose
time is the work divided by the speed of all workers.

With ``--resources`` slaves have four workers, different amounts of memory, and some of them devices or
licences, and a third of the tasks claim one of that or two processors. The time without any waste is then that
of whatever is scarcest.
"""

from __future__ import annotations

import argparse
import gc
import heapq
import time
from collections import deque
from dataclasses import dataclass, field
from itertools import count
from random import Random
from typing import Any

from concurrent.core import Component, Environment
from concurrent.scheduling import GenericTaskScheduler, ITaskScheduler, Ledger, ZMQTaskScheduler
from concurrent.scheduling.ledger.events import (
    AskBack,
    OwnerJoined,
    Push,
    Send,
    SlaveJoined,
    TasksDone,
    TasksReturned,
    TasksSubmitted,
    TasksTaken,
    WindowChanged,
)
from concurrent.scheduling.schedulers.guard import GuardedScheduler
from concurrent.scheduling.slave.pace import Pace
from concurrent.scheduling.tasks.claim import Claim
from concurrent.scheduling.tasks.outcome import FINISHED
from concurrent.scheduling.tasks.terms import DEFAULT_TERMS, Terms

__all__ = ["Result", "main", "simulate"]

LATENCY_S = 0.0005
"""One way between master and slave."""

TURN_S = 0.001
SUBMIT_COUNT = 20_000
"""How many tasks the application keeps queued at the master."""

SPEEDS = (0.5, 1.0, 1.0, 2.0, 4.0)
PIPE_TASKS = 2
"""Push/pull: how many tasks lie in the pipe of a slave before it has taken them."""

MEMORY_BYTES = 8 << 30
"""So much may the master have: 10,000 slaves that work fast want to hold a million tasks."""

GIB = 1 << 30
CLAIMS = tuple(map(Claim.of, ({"cpu": 2}, {"gpu": 1}, {"licence": 1}, {"memory": 8 * GIB})))
KINDS = (*(Terms(resources=claim) for claim in CLAIMS), DEFAULT_TERMS)
"""What tasks ask for, in the order in which a slave begins them."""

LOAD = 0.8
"""How much of the whole time devices and licences are needed for; two processors and memory are claimed by a
fifth of the work each."""


@dataclass(frozen=True)
class Result:
    """What one simulation came to.

    :param decision_s: what the ledger and the scheduler took for one task, in seconds of processor time.
    :param makespan_s: simulated seconds until the last task was done.
    :param bound_s: the work divided by the speed of all workers.
    """

    scheduler: str
    slaves: int
    tasks: int
    decision_s: float
    makespan_s: float
    bound_s: float

    @property
    def waste(self) -> float:
        """How much longer than the bound it took, as a part of that."""
        return self.makespan_s / self.bound_s - 1.0


@dataclass(eq=False, slots=True)
class _Slave:
    number: int
    speed: float
    workers: int
    resources: dict[str, int] = field(default_factory=dict)
    pace: Pace = field(default_factory=Pace)
    queues: dict[Terms, deque[int]] = field(default_factory=lambda: {terms: deque() for terms in KINDS})
    free: dict[str, int] = field(default_factory=dict)
    busy: int = 0
    window: int = 0

    def __post_init__(self) -> None:
        self.free = dict(Claim.of(self.resources))

    @property
    def waiting_count(self) -> int:
        return sum(map(len, self.queues.values()))

    def next_task(self) -> tuple[int, Terms] | None:
        """Take out the task that begins now, and what it asks for; None if none fits."""
        for terms, queue in self.queues.items():
            claim = terms.resources
            if queue and all(self.free.get(name, 0) >= units for name, units in claim if name != "cpu"):
                if self.busy + claim.cpu > self.workers:
                    return None  # it is not overtaken
                self.take(claim, 1)
                return queue.popleft(), terms
        return None

    def take(self, claim: Claim, count: int) -> None:
        self.busy += count * claim.cpu
        for name, units in claim:
            if name != "cpu":
                self.free[name] -= count * units


class _Simulation:
    def __init__(
        self, scheduler: ITaskScheduler, slaves: int, tasks: int, seed: int, *, has_resources: bool = False
    ) -> None:
        self.random = Random(seed)
        self.ledger = Ledger(memory_bytes_max=MEMORY_BYTES)
        self.scheduler = scheduler
        self.now = 0.0
        self.real_s = 0.0
        self.events: list[tuple[float, int, Any, tuple[Any, ...]]] = []
        self.order = count()
        self.left = tasks
        self.work_s = dict.fromkeys(KINDS, 0.0)
        self.next_id = 0
        self.pipe: deque[int] = deque()
        self.done_by_slave: dict[int, list[int]] = {}
        self.slaves = {n: self.make_slave(n, has_resources=has_resources) for n in range(2, slaves + 2)}
        self.speed = sum(slave.speed * slave.workers for slave in self.slaves.values())
        self.left_to_submit = self.mixture(tasks) if has_resources else {DEFAULT_TERMS: tasks}

    def make_slave(self, number: int, *, has_resources: bool) -> _Slave:
        speed = self.random.choice(SPEEDS)
        if not has_resources:
            return _Slave(number, speed, 2)
        resources = {"memory": self.random.choice((16, 32, 64)) * GIB}
        if self.random.random() < 0.1:
            resources["gpu"] = self.random.choice((1, 2))
        if self.random.random() < 0.2:
            resources["licence"] = 1
        return _Slave(number, speed, 4, resources)

    def capacity(self, name: str) -> float:
        """Return how many tasks that claim one of something are done at once, at the usual speed."""
        return sum(slave.speed * slave.resources.get(name, 0) for slave in self.slaves.values())

    def mixture(self, tasks: int) -> dict[Terms, int]:
        """Return how many tasks there are of each kind."""
        two, gpu, licence, memory, plain = KINDS
        shares = {
            two: 0.1,
            gpu: LOAD * self.capacity("gpu") / self.speed,
            licence: LOAD * self.capacity("licence") / self.speed,
            memory: 0.2,
        }
        counts = {terms: int(tasks * share) for terms, share in shares.items()}
        return {**counts, plain: tasks - sum(counts.values())}

    @property
    def bound_s(self) -> float:
        """How long it takes without any waste: as long as what takes longest."""
        times = [sum(terms.resources.cpu * s for terms, s in self.work_s.items()) / self.speed]
        for terms in KINDS[1:3]:
            (name,) = terms.resources.names()
            if self.work_s[terms]:
                times.append(self.work_s[terms] / self.capacity(name))
        return max(times)

    def run(self) -> None:
        self.apply(OwnerJoined(1, "application"))
        for slave in self.slaves.values():
            slave.window = slave.pace.window(slave.workers)
            data = {"resources": slave.resources}
            name = f"slave-{slave.number}"
            self.apply(SlaveJoined(slave.number, name, slave.workers, slave.window, data))
            self.scheduler.slave_changed(slave.number)
        while self.left:
            self.turn()
            if not self.events:
                raise RuntimeError(f"{self.left} tasks are left and nothing happens any more")
            end = max(self.now + TURN_S, self.events[0][0])
            while self.events and self.events[0][0] <= end:
                self.now, _, happen, args = heapq.heappop(self.events)
                happen(*args)
            self.now = end

    def turn(self) -> None:
        """One turn of the master's loop: what came in, then one round of scheduling."""
        for number, numbers in self.done_by_slave.items():
            size, task_s = len(numbers), self.slaves[number].pace.duration_s
            self.apply(TasksDone(number, numbers, [FINISHED] * size, [b""] * size, task_s))
            self.scheduler.slave_changed(number)
        self.done_by_slave.clear()
        for terms, left in self.left_to_submit.items():
            queued_count = self.ledger.owners[1].lanes.lane(terms).count
            wanted = min(left, SUBMIT_COUNT // len(self.left_to_submit) - queued_count)
            if wanted > 0:
                self.apply(TasksSubmitted(1, self.next_id, [b""] * wanted, terms))
                self.next_id += wanted
                self.left_to_submit[terms] -= wanted
        begin = time.thread_time()
        commands = self.scheduler.schedule(self.ledger)
        self.real_s += time.thread_time() - begin
        for command in commands:
            if isinstance(command, Send):
                self.later(LATENCY_S, self.arrive, self.slaves[command.slave], command.numbers, command.terms)
            elif isinstance(command, Push):
                self.pipe.extend(command.numbers)
            elif isinstance(command, AskBack):
                self.later(LATENCY_S, self.give_back, self.slaves[command.slave], command.count)
        if self.pipe:
            self.pull()

    def apply(self, event: Any) -> None:
        begin = time.thread_time()
        self.ledger.apply(event)
        self.real_s += time.thread_time() - begin

    def later(self, delay_s: float, happen: Any, *args: Any) -> None:
        heapq.heappush(self.events, (self.now + delay_s, next(self.order), happen, args))

    def arrive(self, slave: _Slave, numbers: list[int], terms: Terms = DEFAULT_TERMS) -> None:
        slave.queues[terms].extend(numbers)
        self.work(slave)

    def work(self, slave: _Slave) -> None:
        while slave.busy < slave.workers and (begun := slave.next_task()) is not None:
            number, terms = begun
            length_s = self.random.uniform(0.01, 0.1)
            self.work_s[terms] += length_s
            duration_s = length_s / slave.speed
            self.later(duration_s, self.finish, slave, number, duration_s, terms.resources)

    def finish(self, slave: _Slave, number: int, duration_s: float, claim: Claim) -> None:
        slave.take(claim, -1)
        self.left -= 1
        slave.pace.note_durations(1, duration_s)
        self.work(slave)
        self.later(LATENCY_S, self.report, slave, number)

    def report(self, slave: _Slave, number: int) -> None:
        self.done_by_slave.setdefault(slave.number, []).append(number)
        window = slave.pace.window(slave.workers)
        if window != slave.window:
            slave.window = window
            self.apply(WindowChanged(slave.number, window))

    def give_back(self, slave: _Slave, wanted: int) -> None:
        numbers: list[int] = []
        for queue in reversed(slave.queues.values()):
            numbers += [queue.pop() for _ in range(min(wanted - len(numbers), len(queue)))]
        self.later(LATENCY_S, self.returned, slave, numbers)

    def returned(self, slave: _Slave, numbers: list[int]) -> None:
        self.apply(TasksReturned(slave.number, numbers))
        self.scheduler.slave_changed(slave.number)

    def pull(self) -> None:
        """ZeroMQ deals what is pushed to the pipes in turn, whoever is fast or slow."""
        slaves = [slave for slave in self.slaves.values() if slave.waiting_count < PIPE_TASKS + slave.window]
        self.random.shuffle(slaves)
        for slave in slaves:
            if not self.pipe:
                return
            numbers = [self.pipe.popleft() for _ in range(min(PIPE_TASKS, len(self.pipe)))]
            self.apply(TasksTaken(slave.number, numbers))
            self.later(LATENCY_S, self.arrive, slave, numbers)


def simulate(
    scheduler: type[Component] = GenericTaskScheduler,
    *,
    slaves: int,
    tasks: int,
    seed: int = 1,
    has_resources: bool = False,
) -> Result:
    """Run one simulation in this thread.

    :param scheduler: the scheduler's class.
    :param slaves: how many, with two workers each, or four.
    :param has_resources: whether slaves have resources, and tasks claim some.
    """
    env = Environment(variables={})
    chosen: Any = env[scheduler]
    if has_resources:
        chosen = GuardedScheduler(chosen, env, lambda _delay_s: None, lambda: 0.0)
    simulation = _Simulation(chosen, slaves, tasks, seed, has_resources=has_resources)
    gc.disable()  # it would mostly look through what the simulation itself keeps
    try:
        simulation.run()
    finally:
        gc.enable()
    return Result(
        scheduler.__name__,
        slaves,
        tasks,
        simulation.real_s / tasks,
        simulation.now,
        simulation.bound_s,
    )


def main() -> None:
    """Print a line for each number of slaves and each scheduler."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--slaves", type=int, nargs="+", default=[10, 100, 1000, 10_000])
    parser.add_argument("--tasks", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--resources", action="store_true", help="slaves have resources, and tasks claim some")
    args = parser.parse_args()
    print(f"{'scheduler':<22} {'slaves':>7} {'tasks':>10} {'us/task':>8} {'makespan':>10} {'over bound':>10}")
    for scheduler in (GenericTaskScheduler, ZMQTaskScheduler):
        for slaves in args.slaves:
            one = simulate(
                scheduler, slaves=slaves, tasks=args.tasks, seed=args.seed, has_resources=args.resources
            )
            print(
                f"{one.scheduler:<22} {one.slaves:>7} {one.tasks:>10} {one.decision_s * 1e6:>8.2f} "
                f"{one.makespan_s:>9.2f}s {one.waste:>9.2%}",
                flush=True,
            )


if __name__ == "__main__":
    main()
