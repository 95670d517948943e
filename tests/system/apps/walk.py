"""An application whose task system goes where its results lead it; each task takes down that it runs.

The environment says how it goes: ``WALK_KIND`` one of the classes, ``WALK_COUNT`` how far, ``WALK_FOLDER``
where ``runs.txt`` is.
"""

from __future__ import annotations

import os
import signal
import threading
import time
import uuid
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from concurrent.apps import ApplicationNode
from concurrent.scheduling import ISystemMaster, ITaskSystem, Task

WIDTH = 4
BALLAST_BYTES = 20 << 20


class Step(Task):
    """Takes down its name, and returns a number that depends on all before it."""

    def __init__(self, name: str, state: int, folder: str) -> None:
        super().__init__(name)
        self.state = state
        self.folder = folder

    def __call__(self) -> int:
        time.sleep(0.01)
        with (Path(self.folder) / "runs.txt").open("a") as file:
            file.write(f"{self.name}\n")
        return self.state * 48271 % 2147483647


class Walk(ITaskSystem):
    """Pushes a step when another one has ended, and keeps its master."""

    def __init__(self, count: int, folder: str) -> None:
        self.count = count
        self.folder = folder
        self.state = 1
        self.pushed = 0
        self.ended: list[str] = []

    def init_system(self, master: ISystemMaster) -> None:
        self.master = master

    def step(self) -> Task:
        self.pushed += 1
        return Step(self.name(), self.state, self.folder)

    def name(self) -> str:
        return f"{self.pushed}:{self.state}"

    def generate_tasks(self, master: ISystemMaster) -> Sequence[Task]:
        return [self.step() for _ in range(WIDTH)]

    def task_finished(
        self, master: ISystemMaster, task: Task, result: Any, error: BaseException | None
    ) -> None:
        if error is not None:
            raise error
        self.ended.append(task.name)
        self.state = (self.state * 31 + result) % 2147483647
        if self.pushed < self.count:
            self.master.push_task(self.step())
        self.master.progress(len(self.ended), self.count)

    def is_complete(self, master: ISystemMaster) -> bool:
        return len(self.ended) == self.count

    def gather_result(self, master: ISystemMaster) -> list[str]:
        return self.ended


class Unlike(Walk):
    """Does not do the same twice."""

    def name(self) -> str:
        return str(uuid.uuid4())


class Unpicklable(Walk):
    """Has something that cannot travel."""

    def init_system(self, master: ISystemMaster) -> None:
        super().init_system(master)
        self.lock = threading.Lock()


class Large(Walk):
    """Takes its time to be pickled."""

    def init_system(self, master: ISystemMaster) -> None:
        super().init_system(master)
        self.ballast = bytearray(BALLAST_BYTES)


class Raising(Walk):
    """Fails in the end."""

    def gather_result(self, master: ISystemMaster) -> list[str]:
        raise ValueError(f"{len(self.ended)} steps")


class Deadly(Walk):
    """Ends its process when it has gone a while."""

    def task_finished(
        self, master: ISystemMaster, task: Task, result: Any, error: BaseException | None
    ) -> None:
        if len(self.ended) == 20:
            os.kill(os.getpid(), signal.SIGKILL)
        super().task_finished(master, task, result, error)


class WalkApp(ApplicationNode):
    """Prints the steps that its system was told of."""

    def get_task_system(self) -> ITaskSystem:
        kind = globals()[os.environ["WALK_KIND"]]
        system: ITaskSystem = kind(int(os.environ["WALK_COUNT"]), os.environ["WALK_FOLDER"])
        return system

    def work_finished(self, result: Any, task_system: ITaskSystem | None) -> None:
        print("\n".join(result))
        self.shutdown_main_loop()
