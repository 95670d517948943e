"""A stream as a task, and the task system that goes on until the error is small enough."""

from __future__ import annotations

from typing import ClassVar, NamedTuple

from concurrent.scheduling import ISystemMaster, ITaskSystem, Task

from .estimate import Estimate
from .shield import Shield, generator

__all__ = ["Plan", "ShieldSystem", "StreamTask"]


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


class ShieldSystem(ITaskSystem):
    """Runs at the master: pushes a stream for each that has finished, until the first of them are enough."""

    task_class: ClassVar[type[StreamTask]] = StreamTask

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.estimate = Estimate(plan.particles, plan.goal)
        self.pushed = 0

    def generate_tasks(self, master: ISystemMaster) -> None:
        """Push the first streams."""
        for _ in range(self.plan.ahead):
            self._push_next(master)

    def task_finished(
        self, master: ISystemMaster, task: Task, result: int, error: BaseException | None
    ) -> None:
        """Count a stream, and push the next one; an error ends the system."""
        if error is not None:
            raise error
        assert isinstance(task, StreamTask)
        self.estimate.take(task.stream, result)
        master.progress(self.estimate.streams, self.expected_streams())
        self._push_next(master)

    def is_complete(self, master: ISystemMaster) -> bool:
        """Return whether there are enough; what still runs is cancelled then."""
        return self.estimate.is_good or self.estimate.streams >= self.plan.streams_max

    def gather_result(self, master: ISystemMaster) -> Estimate:
        """Return the estimate."""
        return self.estimate

    def expected_streams(self) -> int:
        """Return how many streams it will take, as far as is known now: the error falls with their root."""
        now = self.estimate
        if now.is_good or not now.through or now.streams < 2:
            return max(now.streams, self.plan.ahead)
        needed = now.streams * (now.error / (self.plan.goal * now.share)) ** 2
        return min(self.plan.streams_max, max(now.streams + 1, round(needed)))

    def _push_next(self, master: ISystemMaster) -> None:
        if self.pushed < self.plan.streams_max:
            master.push_task(self.task_class(self.plan, self.pushed))
            self.pushed += 1
