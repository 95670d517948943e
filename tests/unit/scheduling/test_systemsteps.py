"""What becomes of a task system whose process is lost at any moment."""

from __future__ import annotations

import random
import re
import threading
import uuid
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from concurrent.core.errors import SchedulingError
from concurrent.scheduling import ITaskSystem, Task
from concurrent.scheduling.owner.pacing import INTERVAL_MAX_S
from concurrent.scheduling.tasks.outcome import CANCELLED, DIED
from tests.unit.scheduling.systemhosts import BYTES_MAX, Host, Master


class Node(Task):
    """A node of a tree of numbers; every seventh fails."""

    def __init__(self, number: int) -> None:
        super().__init__(f"node {number}")
        self.number = number

    def __call__(self) -> int:
        return self.number // (self.number % 7 and 1)


class Tree(ITaskSystem):
    """Walks a tree whose shape depends on the order of the results: the children of a node are pushed when it
    has ended, and each second time those of the parent's number plus one, too."""

    def __init__(self, count: int, batch_size: int = 1) -> None:
        self.count = count
        self.batch_size = batch_size
        self.story: list[str] = []
        self.open = 0

    def push(self, master: Any, numbers: Sequence[int]) -> None:
        self.open += len(numbers)
        self.count -= len(numbers)
        master.push_tasks(list(map(self.make, numbers)), self.batch_size)

    def make(self, number: int) -> Task:
        return Node(number)

    def generate_tasks(self, master: Any) -> Sequence[Task] | None:
        self.push(master, [1, 2, 3])
        return None

    def task_finished(self, master: Any, task: Any, result: Any, error: Any) -> Sequence[Task] | None:
        self.open -= 1
        self.story.append(f"{task.number}:{result if error is None else type(error).__name__}")
        if self.count > 0:
            numbers = [2 * task.number, 2 * task.number + 1, len(self.story)]
            self.push(master, numbers[: 2 + len(self.story) % 2])
        return None

    def is_complete(self, master: Any) -> bool:
        return self.open == 0

    def gather_result(self, master: Any) -> list[str]:
        return self.story


class Drawn(Tree):
    """Draws the numbers of its tasks."""

    def make(self, number: int) -> Task:
        return Node(random.randrange(10**9))


class Unlike(Tree):
    """Pushes other tasks each time."""

    def make(self, number: int) -> Task:
        return Node(uuid.uuid4().int)


class Unpicklable(Tree):
    """Has what no pickle can have, once it has begun."""

    def init_system(self, master: Any) -> None:
        self.lock = threading.Lock()


class Large(Tree):
    """Is larger than a message may be."""

    def init_system(self, master: Any) -> None:
        self.ballast = bytes(2 * BYTES_MAX)


class Hooked(Unpicklable):
    """Says itself what it goes on from."""

    def checkpoint(self) -> Any:
        return self.count, self.story, self.open

    def restore(self, state: Any) -> None:
        self.count, self.story, self.open = state


class Killed(Exception):
    """The process of the system is no more."""


class Play:
    """Has a system run to its end; what happens when is a matter of chance."""

    def __init__(self, system: Tree, seed: int, kills_max: int) -> None:
        self.chance = random.Random(seed)
        self.master = Master(system)
        self.kills_left = kills_max
        self.unstepped_count = 0
        self.result = self._run()

    @property
    def cancelled_count(self) -> int:
        return sum(status == CANCELLED for _, status, _ in self.master.outcomes)

    @property
    def expected(self) -> list[str]:
        """What the system has to be told, if it is told everything in its order."""
        story = []
        for task_id, status, payload in self.master.outcomes:
            if status != CANCELLED and not (status == DIED and self.master.is_batch(task_id)):
                for task, result, error in self.master.loaded(task_id, status, payload):
                    story.append(f"{task.number}:{result if error is None else type(error).__name__}")
        return story

    def _run(self) -> list[str]:
        while True:
            host = Host(self.master, self._act)
            try:
                return host.drive.complete()
            except Killed:
                continue

    def _act(self, host: Host) -> None:
        master, chance = self.master, self.chance
        action = chance.choices(["run", "die", "deliver", "tell", "wait", "kill"], [8, 1, 8, 6, 2, 2])[0]
        if action == "run" and master.open:
            master.run(min(master.open) if chance.random() < 0.5 else chance.choice(list(master.open)))
        elif action == "die" and master.open:
            master.run(chance.choice(list(master.open)), DIED)
        elif action == "deliver":
            host.deliver(chance.randint(1, 4))
        elif action == "tell":
            host.tell()
        elif action == "wait":
            master.now += chance.choice([0.01, INTERVAL_MAX_S])
            host.go_on()
        elif action == "kill" and self.kills_left:
            self.kills_left -= 1
            next_id = master.step[1] if master.step is not None else 1
            self.unstepped_count += sum(task_id >= next_id for task_id in master.payload_by_id)
            raise Killed


SEEDS = st.integers(0, 2**32)
PLAYS = settings(max_examples=25, deadline=None)


@pytest.mark.parametrize("kind", [Tree, Drawn, Unpicklable, Large, Hooked])
@pytest.mark.parametrize("batch_size", [1, 2])
@PLAYS
@given(seed=SEEDS)
def test_a_system_that_does_again_what_it_did_has_nothing_run_twice(
    kind: type[Tree], batch_size: int, seed: int
) -> None:
    play = Play(kind(25, batch_size), seed, kills_max=12)
    assert play.result == play.expected
    assert play.cancelled_count == 0


@PLAYS
@given(seed=SEEDS)
def test_of_a_system_that_does_something_else_only_what_it_did_since_its_last_step_is_in_vain(
    seed: int,
) -> None:
    play = Play(Unlike(25), seed, kills_max=12)
    assert len(set(play.result)) == len(play.result) >= 25
    assert set(play.result) <= set(play.expected)
    assert len(play.expected) - len(play.result) + play.cancelled_count <= play.unstepped_count


def test_a_step_is_made_when_a_system_has_begun_and_when_it_was_idle_for_a_while() -> None:
    master = Master(Tree(25))
    host = host_of(master)
    assert (master.step_count, host.steps.due_in_s) == (1, None)
    master.run(2)
    host.settle()
    assert (master.step_count, host.steps.due_in_s) == (1, pytest.approx(0.2))
    master.now += 0.2
    host.settle()
    assert (master.step_count, host.steps.due_in_s) == (2, None)
    assert master.step is not None
    assert master.step[:2] == (1, 7)


def test_a_step_is_told_when_the_master_has_what_it_rests_on() -> None:
    master = Master(Tree(25))
    host = host_of(master)
    master.run(1)
    host.deliver(1)
    master.now += INTERVAL_MAX_S
    host.go_on()
    assert master.step is not None
    assert master.step[:2] == (0, 4)
    host.tell()
    host.tell()
    assert master.step[:2] == (1, 7)


@pytest.mark.parametrize(
    ("kind", "what"),
    [(Unpicklable, "cannot be pickled: "), (Large, "has 21[0-9]+ bytes when pickled, more than a message")],
)
def test_people_are_told_once_of_a_system_that_cannot_go_on(kind: type[Tree], what: str) -> None:
    master = Master(kind(25))
    host = host_of(master)
    for _ in range(5):
        master.run(min(master.open))
        master.now += INTERVAL_MAX_S
        host.settle()
    (notice,) = master.notices
    assert re.search(f"the task system {kind.__name__} {what}", notice)
    assert notice.endswith("if its process is lost it begins anew, though nothing that has ended is run again")
    assert master.step is None


def test_what_was_cancelled_in_vain_and_is_pushed_again_after_all_is_run() -> None:
    master = Master(Unpicklable(0))
    host_of(master)
    master.cancel([2])
    host_of(master)
    assert sorted(master.open) == [1, 3, 4]


def test_what_somebody_else_cancels_a_system_is_told_and_it_is_not_pushed_again() -> None:
    master = Master(Tree(3))
    host = host_of(master)
    master.run(2, CANCELLED)
    host.settle()
    assert sorted(master.open) == [1, 3]
    for task_id in (1, 3):
        master.run(task_id)
    host.settle()
    assert host.drive.complete() == ["2:TaskCancelled", "1:1", "3:3"]


def test_an_outcome_whose_task_nobody_knows_ends_the_system() -> None:
    master = Master(Tree(25))
    host_of(master)
    master.run(2)
    host = Host(master, lambda _host: None)
    with pytest.raises(SchedulingError, match="the outcome of task 2 has come, but not the task"):
        host.deliver(1, with_tasks=False)


def host_of(master: Master) -> Host:
    """Return a host that has begun or has taken over, and has told all."""
    host = Host(master, lambda _host: None)
    host.settle()
    return host
