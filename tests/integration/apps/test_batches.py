"""Tasks pushed in batches: one unit on the way, one outcome for each at home."""

import os
import signal
import threading

from concurrent.apps import ApplicationNode
from concurrent.core import Environment
from concurrent.core.errors import UnpicklableResult, WorkerDied
from concurrent.scheduling import Task

OPTIONS = {"application.workers": "2", "logging.level": "error"}


class Step(Task):
    """Does one of the things that can happen to a task."""

    attempts_max = 1

    def __init__(self, number: int, what: str = "return") -> None:
        super().__init__(f"step {number}")
        self.number = number
        self.what = what
        self.is_cleaned = False

    def __call__(self):
        if self.what == "raise":
            raise ZeroDivisionError(self.number)
        if self.what == "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        if self.what == "unpicklable":
            return threading.Lock()
        return self.number


class Batched(ApplicationNode):
    """Pushes ten tasks in batches of four and keeps what comes."""

    whats: tuple[str, ...] = ("return",) * 10

    def app_init(self) -> None:
        self.seen: dict[int, tuple[object, BaseException | None]] = {}
        self.accepted: list[str] = []

    def start_processing(self) -> None:
        self.ids = self.push_tasks((Step(n, what) for n, what in enumerate(self.whats)), batch_size=4)

    def push_task_response(self, task: Task) -> None:
        self.accepted.append(task.name)

    def task_finished(self, task, result, error) -> None:
        assert task.number not in self.seen, "an outcome came twice"
        self.seen[task.number] = (result, error)

    def work_finished(self, result, task_system) -> None:
        self.shutdown_main_loop(0)  # what fails is meant to


def run(*whats: str) -> Batched:
    cls = type("BatchedHere", (Batched,), {"whats": whats, "__module__": __name__})
    env = Environment(overrides=OPTIONS, variables={})
    env.register(cls)
    app = env[cls]
    assert app.run() == 0
    return app


def test_each_task_of_a_batch_has_its_outcome_and_a_batch_has_one_id() -> None:
    app = run(*["return"] * 10)
    assert app.seen == {n: (n, None) for n in range(10)}
    assert len(set(app.ids)) == 3
    assert sorted(app.accepted) == sorted(f"step {n}" for n in range(10))


def test_a_task_that_raises_or_returns_what_cannot_travel_harms_no_other_of_its_batch() -> None:
    app = run("return", "raise", "unpicklable", "return")
    assert app.seen[0] == (0, None)
    assert app.seen[3] == (3, None)
    assert isinstance(app.seen[1][1], ZeroDivisionError)
    assert isinstance(app.seen[2][1], UnpicklableResult)


def test_a_task_that_kills_its_worker_is_the_only_one_of_its_batch_to_blame() -> None:
    app = run("return", "return", "kill", "return")
    assert {n: app.seen[n][0] for n in (0, 1, 3)} == {0: 0, 1: 1, 3: 3}
    error = app.seen[2][1]
    assert isinstance(error, WorkerDied)
    assert "SIGKILL" in str(error)
