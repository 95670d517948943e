"""A stream as a task, which of them are sent, and the task system that goes on until there are enough."""

from __future__ import annotations

from typing import ClassVar, NamedTuple

from concurrent.scheduling import ISystemMaster, ITaskSystem, Task

from .estimate import Estimate
from .shield import Shield, generator

__all__ = ["Plan", "ShieldSystem", "StreamTask", "Streams"]


class Plan(NamedTuple):
    """What is to be estimated.

    :param particles: in each stream.
    :param goal: the relative standard error to reach.
    :param ahead: how many streams are on their way at a time. It changes how long it takes, not what is found.
    :param streams_max: after so many it ends, whatever the error is.
    """

    shield: Shield
    seed: int
    particles: int
    goal: float
    ahead: int
    streams_max: int


class StreamTask(Task):
    """Sends the particles of one stream."""

    def __init__(self, plan: Plan, stream: int) -> None:
        super().__init__(f"stream {stream}")
        self.plan = plan
        self.stream = stream

    def __call__(self) -> int:
        """Return how many get through. It may run twice, or elsewhere: the number of the stream decides."""
        rng = generator(self.plan.seed, self.stream)
        return self.plan.shield.count_through(self.plan.particles, rng)


class Streams:
    """Which streams are sent, and what those that have finished say. Whoever pushes tasks has one."""

    def __init__(self, plan: Plan, task_class: type[StreamTask] = StreamTask) -> None:
        self.estimate = Estimate(plan.particles, plan.goal)
        self._plan = plan
        self._task_class = task_class
        self._sent = 0

    def first_tasks(self) -> list[StreamTask]:
        """Return those to begin with."""
        return [task for _ in range(self._plan.ahead) for task in self._next()]

    def finish(self, task: StreamTask, through: int) -> list[StreamTask]:
        """Count a stream; return what to send in its place, if anything."""
        self.estimate.take(task.stream, through)
        return [] if self.is_over else self._next()

    @property
    def is_over(self) -> bool:
        """Whether there are enough; what still runs is not needed then."""
        return self.estimate.is_good or self.estimate.streams >= self._plan.streams_max

    def expected(self) -> int:
        """Return how many it will take, as far as is known now: the error falls with their root."""
        now = self.estimate
        if now.is_good or not now.through or now.streams < 2:
            return max(now.streams, self._plan.ahead)
        needed = now.streams * (now.error / (self._plan.goal * now.share)) ** 2
        return min(self._plan.streams_max, max(now.streams + 1, round(needed)))

    def _next(self) -> list[StreamTask]:
        if self._sent == self._plan.streams_max:
            return []
        self._sent += 1
        return [self._task_class(self._plan, self._sent - 1)]


class ShieldSystem(ITaskSystem):
    """Runs at the master: pushes a stream for each that has finished, until the first of them are enough."""

    task_class: ClassVar[type[StreamTask]] = StreamTask

    def __init__(self, plan: Plan) -> None:
        self.streams = Streams(plan, self.task_class)

    def generate_tasks(self, master: ISystemMaster) -> None:
        """Push the first streams."""
        for task in self.streams.first_tasks():
            master.push_task(task)

    def task_finished(
        self, master: ISystemMaster, task: Task, result: int, error: BaseException | None
    ) -> None:
        """Count a stream, and push the next one; an error ends the system."""
        if error is not None:
            raise error
        assert isinstance(task, StreamTask)
        following = self.streams.finish(task, result)
        master.progress(self.streams.estimate.streams, self.streams.expected())
        for one in following:
            master.push_task(one)

    def is_complete(self, master: ISystemMaster) -> bool:
        """Return whether there are enough; what still runs is cancelled then."""
        return self.streams.is_over

    def gather_result(self, master: ISystemMaster) -> Estimate:
        """Return the estimate."""
        return self.streams.estimate
