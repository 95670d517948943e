"""An application whose tasks wait at a gate, so that a test can do harm while they run."""

from __future__ import annotations

import contextlib
import os
import socket
from collections.abc import Sequence
from typing import Any

from concurrent.apps import ApplicationNode
from concurrent.core import ChoiceItem, IntItem
from concurrent.scheduling import ISystemMaster, ITaskSystem, Task


class HeldTask(Task):
    """Waits at the gate and returns its number."""

    def __init__(self, number: int, port: int) -> None:
        super().__init__(f"held {number}")
        self.number = number
        self.port = port

    def __call__(self) -> int:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port)) as gate:
            gate.sendall(str(os.getpid()).encode())
            gate.recv(1)
        return self.number


class HeldSystem(ITaskSystem):
    """Returns the sorted numbers of its tasks."""

    def __init__(self, count: int, port: int) -> None:
        self.count = count
        self.port = port
        self.numbers: list[int] = []

    def generate_tasks(self, master: ISystemMaster) -> Sequence[Task]:
        return [HeldTask(number, self.port) for number in range(self.count)]

    def task_finished(
        self, master: ISystemMaster, task: Task, result: Any, error: BaseException | None
    ) -> None:
        if error is not None:
            raise error
        self.numbers.append(result)

    def is_complete(self, master: ISystemMaster) -> bool:
        return len(self.numbers) == self.count

    def gather_result(self, master: ISystemMaster) -> list[int]:
        return sorted(self.numbers)


class Held(ApplicationNode):
    """Says ``each once`` if each task came back exactly once."""

    count = IntItem("held", "count", 100, "How many tasks there are.")
    port = IntItem("held", "port", 1, "The port of the gate.")
    mode = ChoiceItem("held", "mode", "tasks", "Who pushes the tasks.", choices=("tasks", "system"))

    def app_init(self) -> None:
        self.numbers: list[int] = []

    def get_task_system(self) -> ITaskSystem | None:
        return HeldSystem(self.count, self.port) if self.mode == "system" else None

    def start_processing(self) -> None:
        self.push_tasks(HeldTask(number, self.port) for number in range(self.count))

    def task_finished(self, task: Task, result: Any, error: BaseException | None) -> None:
        if error is not None:
            super().task_finished(task, result, error)
        else:
            self.numbers.append(result)

    def work_finished(self, result: Any, task_system: ITaskSystem | None) -> None:
        numbers = sorted(self.numbers) if result is None else result
        is_right = numbers == list(range(self.count))
        print("each once" if is_right else f"wrong: {numbers}")
        self.shutdown_main_loop(0 if is_right else 1)
