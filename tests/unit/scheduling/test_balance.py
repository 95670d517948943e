"""Whatever a strategy prefers, slaves share the work, and few messages are sent for it."""

from __future__ import annotations

import heapq
from collections import deque
from itertools import count
from random import Random

import pytest

from concurrent.core.component import Component
from concurrent.core.environment import Environment
from concurrent.core.interface import implements
from concurrent.scheduling.interfaces import ITaskScheduleStrategy
from concurrent.scheduling.ledger.events import (
    AskBack,
    OwnerJoined,
    Send,
    SlaveJoined,
    TasksDone,
    TasksReturned,
    TasksSubmitted,
)
from concurrent.scheduling.ledger.ledger import Ledger
from concurrent.scheduling.schedulers.generic import GenericTaskScheduler
from concurrent.scheduling.tasks.outcome import FINISHED

LATENCY_S = 0.001
WINDOW = 82


class Constant(Component):
    """All slaves are the same to it."""

    implements(ITaskScheduleStrategy)

    def rate(self, slave):
        return 1.0


class Careful(Component):
    """The one of the documentation."""

    implements(ITaskScheduleStrategy)

    def rate(self, slave):
        return -slave.died_count


class First(Component):
    """Prefers the first slave, whatever that has to do."""

    implements(ITaskScheduleStrategy)

    def rate(self, slave):
        return -slave.slave


class Fullest(Component):
    """Prefers who has most to do."""

    implements(ITaskScheduleStrategy)

    def rate(self, slave):
        return len(slave.held)


class Chance(Component):
    """Has no opinion, a new one each time."""

    implements(ITaskScheduleStrategy)

    def __init__(self):
        self._random = Random(1)

    def rate(self, slave):
        return self._random.random()


class Failing(Component):
    """Can rate nobody."""

    implements(ITaskScheduleStrategy)

    def rate(self, slave):
        return float("nan")


class Boastful(First):
    """The same, and claims to know how much each has to do."""

    def weighs_load(self):
        return True


STRATEGIES = [Constant, Careful, First, Fullest, Chance, Failing, Boastful]


class Cluster:
    """A master and slaves of two workers each, under a clock of its own."""

    def __init__(self, strategy: str, slaves: int, task_s: float) -> None:
        env = Environment(variables={}, overrides={"scheduling.strategy": strategy})
        env.register(*STRATEGIES)
        self.scheduler = env[GenericTaskScheduler]
        self.ledger = Ledger()
        self.task_s = task_s
        self.now = 0.0
        self.asked_count = self.sent_count = 0
        self._order = count()
        self._events: list = []
        self._queues = {slave: deque() for slave in range(1, slaves + 1)}
        self._running = dict.fromkeys(self._queues, 0)
        self.ledger.apply(OwnerJoined(100, "app"))
        for slave in self._queues:
            self.ledger.apply(SlaveJoined(slave, f"s{slave}", 2, WINDOW))
            self.scheduler.slave_changed(slave)

    def run(self, tasks: int) -> None:
        """Have so many tasks run, and count what that takes."""
        self.ledger.apply(TasksSubmitted(100, self.ledger.jobs.submitted_count, [b""] * tasks))
        self._turn()
        while self._events:
            self.now, _, happen, args = heapq.heappop(self._events)
            happen(*args)
            self._turn()
        assert not self.ledger.task_by_number

    def _later(self, delay_s, happen, *args) -> None:
        heapq.heappush(self._events, (self.now + delay_s, next(self._order), happen, args))

    def _turn(self) -> None:
        for command in self.scheduler.schedule(self.ledger):
            if isinstance(command, Send):
                self.sent_count += len(command.numbers)
                self._later(LATENCY_S, self._arrive, command.slave, command.numbers)
            elif isinstance(command, AskBack):
                self.asked_count += 1
                self._later(LATENCY_S, self._give_back, command.slave, command.count)

    def _arrive(self, slave, numbers) -> None:
        self._queues[slave].extend(numbers)
        self._work(slave)

    def _work(self, slave) -> None:
        while self._queues[slave] and self._running[slave] < 2:
            self._running[slave] += 1
            self._later(self.task_s, self._finish, slave, self._queues[slave].popleft())

    def _finish(self, slave, number) -> None:
        self._running[slave] -= 1
        self._work(slave)
        self._later(LATENCY_S, self._tell, TasksDone(slave, [number], [FINISHED], [b""], self.task_s))

    def _give_back(self, slave, wanted) -> None:
        queue = self._queues[slave]
        numbers = [queue.pop() for _ in range(min(wanted, len(queue)))]
        self._later(LATENCY_S, self._tell, TasksReturned(slave, numbers))

    def _tell(self, event) -> None:
        self.ledger.apply(event)
        self.scheduler.slave_changed(event.slave)


@pytest.mark.parametrize(("slaves", "tasks"), [(2, 8), (2, 16), (2, 40), (2, 400), (3, 7), (5, 100)])
@pytest.mark.parametrize("strategy", STRATEGIES, ids=lambda cls: cls.__name__)
def test_slaves_share_the_work(strategy, slaves, tasks) -> None:
    cluster = Cluster(strategy.__name__, slaves, 0.5)
    cluster.run(tasks)
    rounds = -(-tasks // (2 * slaves))
    assert cluster.now < 0.5 * rounds * 1.02 + 0.5 * (rounds > 2)


@pytest.mark.parametrize(("slaves", "tasks"), [(2, 8), (2, 40), (2, 400), (5, 100), (20, 1000)])
@pytest.mark.parametrize("strategy", STRATEGIES, ids=lambda cls: cls.__name__)
def test_few_messages_are_sent(strategy, slaves, tasks) -> None:
    cluster = Cluster(strategy.__name__, slaves, 0.05)
    cluster.run(tasks)
    assert cluster.sent_count <= 2 * tasks
    assert cluster.asked_count <= tasks


@pytest.mark.parametrize("strategy", STRATEGIES, ids=lambda cls: cls.__name__)
def test_few_tasks_wait_behind_others_for_no_reason(strategy) -> None:
    cluster = Cluster(strategy.__name__, 2, 1.0)
    cluster.run(4)
    assert cluster.now < 1.1 if strategy is not Boastful else cluster.now < 2.1


def test_among_idle_workers_the_best_rated_get_the_work() -> None:
    cluster = Cluster("First", 3, 1.0)
    cluster.run(2)
    assert [cluster.ledger.slaves[slave].counts.finished for slave in (1, 2, 3)] == [2, 0, 0]
