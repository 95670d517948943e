"""Drives the real ledger and scheduler with thousands of simulated slaves, under a clock that costs nothing.

``python -m benchmarks.simulation --slaves 10000 --tasks 10000000``

Slaves differ in speed (0.5 to 4 times the usual), tasks in length. The master's side is the framework's own
code; a slave is a queue, some workers and the way that takes ``LATENCY_S``. What happens within one
``TURN_S`` is one turn of the master's loop, as there. Two questions are answered: what a decision costs as
the number of slaves grows, and how much longer everything takes than on a cluster without any waste, whose
time is the work divided by the speed of all workers.
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
from concurrent.scheduling.slave.pace import Pace
from concurrent.scheduling.tasks.outcome import FINISHED

__all__ = ["Result", "main", "simulate"]

LATENCY_S = 0.0005
"""One way between master and slave."""

TURN_S = 0.001
SUBMIT_COUNT = 20_000
"""How many tasks the application keeps queued at the master."""

SPEEDS = (0.5, 1.0, 1.0, 2.0, 4.0)
PIPE_TASKS = 2
"""Push/pull: how many tasks lie in the pipe of a slave before it has taken them."""


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
    pace: Pace = field(default_factory=Pace)
    queue: deque[int] = field(default_factory=deque)
    busy: int = 0
    window: int = 0


class _Simulation:
    def __init__(self, scheduler: ITaskScheduler, slaves: int, tasks: int, seed: int) -> None:
        self.random = Random(seed)
        self.ledger = Ledger()
        self.scheduler = scheduler
        self.now = 0.0
        self.real_s = 0.0
        self.events: list[tuple[float, int, Any, tuple[Any, ...]]] = []
        self.order = count()
        self.left_to_submit = tasks
        self.left = tasks
        self.work_s = 0.0
        self.next_id = 0
        self.pipe: deque[int] = deque()
        self.done_by_slave: dict[int, list[int]] = {}
        self.slaves = {n: _Slave(n, self.random.choice(SPEEDS), 2) for n in range(2, slaves + 2)}
        self.speed = sum(slave.speed * slave.workers for slave in self.slaves.values())

    def run(self) -> None:
        self.apply(OwnerJoined(1, "application"))
        for slave in self.slaves.values():
            slave.window = slave.pace.window(slave.workers)
            self.apply(SlaveJoined(slave.number, f"slave-{slave.number}", slave.workers, slave.window))
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
        wanted = min(self.left_to_submit, SUBMIT_COUNT - self.ledger.queued_count)
        if wanted > 0:
            self.apply(TasksSubmitted(1, self.next_id, [b""] * wanted))
            self.next_id += wanted
            self.left_to_submit -= wanted
        begin = time.thread_time()
        commands = self.scheduler.schedule(self.ledger)
        self.real_s += time.thread_time() - begin
        for command in commands:
            if isinstance(command, Send):
                self.later(LATENCY_S, self.arrive, self.slaves[command.slave], command.numbers)
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

    def arrive(self, slave: _Slave, numbers: list[int]) -> None:
        slave.queue.extend(numbers)
        self.work(slave)

    def work(self, slave: _Slave) -> None:
        while slave.queue and slave.busy < slave.workers:
            number = slave.queue.popleft()
            length_s = self.random.uniform(0.01, 0.1)
            self.work_s += length_s
            slave.busy += 1
            duration_s = length_s / slave.speed
            self.later(duration_s, self.finish, slave, number, duration_s)

    def finish(self, slave: _Slave, number: int, duration_s: float) -> None:
        slave.busy -= 1
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
        numbers = [slave.queue.pop() for _ in range(min(wanted, len(slave.queue)))]
        self.later(LATENCY_S, self.returned, slave, numbers)

    def returned(self, slave: _Slave, numbers: list[int]) -> None:
        self.apply(TasksReturned(slave.number, numbers))
        self.scheduler.slave_changed(slave.number)

    def pull(self) -> None:
        """ZeroMQ deals what is pushed to the pipes in turn, whoever is fast or slow."""
        slaves = [slave for slave in self.slaves.values() if len(slave.queue) < PIPE_TASKS + slave.window]
        self.random.shuffle(slaves)
        for slave in slaves:
            if not self.pipe:
                return
            numbers = [self.pipe.popleft() for _ in range(min(PIPE_TASKS, len(self.pipe)))]
            self.apply(TasksTaken(slave.number, numbers))
            self.later(LATENCY_S, self.arrive, slave, numbers)


def simulate(
    scheduler: type[Component] = GenericTaskScheduler, *, slaves: int, tasks: int, seed: int = 1
) -> Result:
    """Run one simulation in this thread.

    :param scheduler: the scheduler's class.
    :param slaves: how many, with two workers each.
    """
    env = Environment(variables={})
    simulation = _Simulation(env[scheduler], slaves, tasks, seed)  # type: ignore[arg-type]
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
        simulation.work_s / simulation.speed,
    )


def main() -> None:
    """Print a line for each number of slaves and each scheduler."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--slaves", type=int, nargs="+", default=[10, 100, 1000, 10_000])
    parser.add_argument("--tasks", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    print(f"{'scheduler':<22} {'slaves':>7} {'tasks':>10} {'us/task':>8} {'makespan':>10} {'over bound':>10}")
    for scheduler in (GenericTaskScheduler, ZMQTaskScheduler):
        for slaves in args.slaves:
            one = simulate(scheduler, slaves=slaves, tasks=args.tasks, seed=args.seed)
            print(
                f"{one.scheduler:<22} {one.slaves:>7} {one.tasks:>10} {one.decision_s * 1e6:>8.2f} "
                f"{one.makespan_s:>9.2f}s {one.waste:>9.2%}",
                flush=True,
            )


if __name__ == "__main__":
    main()
