"""The life of a task system: which of its methods is called when, by whatever drives it."""

from __future__ import annotations

import pickle
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from concurrent.core.errors import SchedulingError
from concurrent.scheduling import InProcessMaster, ITaskSystem, Task
from concurrent.scheduling.tasks.drive import SystemDrive


class Number(Task):
    """Finishes with its number, and notes what its callback is told."""

    def __init__(self, number: int) -> None:
        super().__init__(f"number {number}")
        self.number = number
        self.told: Any = None

    def __call__(self) -> int:
        return self.number

    def finished(self, result: Any, error: BaseException | None) -> None:
        self.told = result, error


class Returned(Number):
    """A task that comes home itself, with what it set on its way."""

    returns_task = True

    def __call__(self) -> int:
        self.name = "was there"
        return self.number


class Countdown(ITaskSystem):
    """Pushes a task less each time, and notes what happens to it."""

    def __init__(self, count: int, task_type: type[Number] = Number) -> None:
        self.count = count
        self.task_type = task_type
        self.events: list[str] = []
        self.names: list[str] = []

    def init_system(self, master: Any) -> None:
        self.events.append("init")

    def generate_tasks(self, master: Any) -> Sequence[Task] | None:
        self.events.append("generate")
        return [self.task_type(self.count)]

    def task_finished(self, master: Any, task: Task, result: Any, error: Any) -> Sequence[Task] | None:
        self.events.append(f"{result or error}")
        self.names.append(task.name)
        self.count -= 1
        return [self.task_type(self.count)] if self.count else None

    def is_complete(self, master: Any) -> bool:
        return self.count == 0

    def gather_result(self, master: Any) -> Any:
        self.events.append("gather")
        return self.events, self.names


class Hooked(Countdown):
    """Goes on from what it says itself, and has something that cannot be pickled."""

    def __init__(self, count: int) -> None:
        super().__init__(count)
        self.restored = 0

    def init_system(self, master: Any) -> None:
        super().init_system(master)
        self.unpicklable = (one for one in ())

    def checkpoint(self) -> Any:
        return self.count, self.events, self.names

    def restore(self, state: Any) -> None:
        self.count, self.events, self.names = state
        self.restored += 1
        self.events.append("restored")


class Master:
    """Keeps what is pushed."""

    def __init__(self) -> None:
        self.pushed: list[Task] = []

    def push_tasks(self, tasks: Sequence[Task], batch_size: int = 1) -> None:
        self.pushed += tasks


def drive_of(system: ITaskSystem, run: Callable[[Any], tuple[Any, BaseException | None]]) -> SystemDrive:
    master = Master()

    def go_on() -> bool:
        tasks, master.pushed = master.pushed, []
        drive.take([(task, *run(task)) for task in tasks])
        return bool(tasks)

    drive = SystemDrive(system, master, go_on)  # type: ignore[arg-type]
    return drive


def test_methods_are_called_in_their_order_and_the_result_is_the_last() -> None:
    drive = drive_of(Countdown(2), lambda task: (task.number, None))
    assert drive.run()[0] == ["init", "generate", "2", "1", "gather"]
    assert drive.finished_count == 2


def test_a_task_is_told_of_its_outcome_before_the_system_is() -> None:
    task, error = Number(1), ValueError("wrong")
    drive_of(Countdown(1), lambda _: (None, None)).take([(task, None, error)])
    assert task.told == (None, error)


def test_a_task_that_comes_home_takes_the_place_of_the_one_that_was_pushed() -> None:
    home = Returned(7)
    system = Countdown(1, Returned)
    drive_of(system, lambda _: ((1, home), None)).run()
    assert (home.told, system.names) == ((1, None), [home.name])


@pytest.mark.parametrize("task_type", [Number, Returned])
def test_a_test_master_drives_it_in_the_same_way(task_type: type[Number]) -> None:
    events, names = InProcessMaster().run(Countdown(2, task_type))
    assert events == ["init", "generate", "2", "1", "gather"]
    assert names == (["was there"] * 2 if task_type is Returned else ["number 2", "number 1"])


def test_another_copy_goes_on_from_a_checkpoint_in_the_place_of_the_beginning() -> None:
    former = drive_of(Countdown(2), lambda task: (task.number, None))
    former.begin()
    former.take([(Number(2), 2, None)])
    checkpoint = pickle.loads(pickle.dumps(former.checkpoint()))
    drive = drive_of(Countdown(2), lambda task: (task.number, None))
    drive.restore(Countdown(2), checkpoint)
    drive.take([(Number(1), 1, None)])
    assert drive.complete()[0] == ["init", "generate", "2", "1", "gather"]
    assert (checkpoint.is_whole, drive.finished_count) == (True, 2)


def test_a_system_may_say_itself_what_it_goes_on_from() -> None:
    system = Hooked(2)
    drive = drive_of(system, lambda task: (task.number, None))
    drive.begin()
    drive.take([(Number(2), 2, None)])
    checkpoint = drive.checkpoint()
    drive.restore(Hooked(2), pickle.loads(pickle.dumps(checkpoint)))
    drive.take([(Number(1), 1, None)])
    assert drive.complete()[0] == ["init", "generate", "2", "restored", "1", "gather"]
    assert system.restored == 0


def test_a_system_that_says_what_to_go_on_from_has_to_say_how() -> None:
    class Half(Countdown):
        def checkpoint(self) -> Any:
            return 1

    drive = drive_of(Half(1), lambda task: (task.number, None))
    with pytest.raises(NotImplementedError, match=r"Half must define restore\(self, state\)"):
        drive.restore(Half(1), drive.checkpoint())


@pytest.mark.parametrize(("system", "restored"), [(Countdown(3), 0), (Hooked(3), 4)])
def test_a_test_master_can_have_another_copy_go_on_after_each_outcome(system: Countdown, restored: int) -> None:
    events, names = InProcessMaster(restarts=True).run(system)
    assert [one for one in events if one != "restored"] == ["init", "generate", "3", "2", "1", "gather"]
    assert events.count("restored") == restored
    assert names == ["number 3", "number 2", "number 1"]


class Keeper(Countdown):
    """Pushes over the master that it has kept."""

    def init_system(self, master: Any) -> None:
        super().init_system(master)
        self.master = master

    def task_finished(self, master: Any, task: Task, result: Any, error: Any) -> Sequence[Task] | None:
        assert master is self.master
        for more in super().task_finished(master, task, result, error) or ():
            self.master.push_task(more)
        return None


def test_a_system_may_keep_its_master() -> None:
    assert InProcessMaster(restarts=True).run(Keeper(3))[0] == ["init", "generate", "3", "2", "1", "gather"]


@pytest.mark.parametrize(
    "run", [InProcessMaster().run, lambda system: drive_of(system, lambda _: (1, None)).run()]
)
def test_a_system_that_is_not_complete_and_has_no_task_is_told_so(run: Callable[[ITaskSystem], Any]) -> None:
    with pytest.raises(SchedulingError, match=r"no unfinished task, but is_complete\(\) says no"):
        run(Stuck())


class Stuck(Countdown):
    """Pushes nothing and is never complete."""

    def __init__(self) -> None:
        super().__init__(1)

    def generate_tasks(self, master: Any) -> Sequence[Task] | None:
        return None
