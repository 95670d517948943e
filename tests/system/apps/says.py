"""A task that says how far it is, and goes on when its application has heard that."""

import time
from pathlib import Path

from concurrent.apps import ApplicationNode
from concurrent.core import ConfigItem
from concurrent.scheduling import Task, current_task


class Say(Task):
    def __init__(self, gate):
        super().__init__("say")
        self.gate = gate

    def __call__(self):
        task = current_task()
        print("begins as", task.name)
        task.progress(1, 2, "waits")
        while not Path(self.gate).exists():
            time.sleep(0.05)
        task.progress(2, 2)
        return task.number


class Says(ApplicationNode):
    gate = ConfigItem("says", "gate", "", "The file that the task waits for.")

    def start_processing(self):
        self.first = self.push_task(Say(self.gate))

    def task_progress(self, task, progress):
        print(task.name, progress.done, progress.total, progress.text, flush=True)
        print("output:", self.task_output(self.first), end="", flush=True)
        Path(self.gate).touch()

    def task_finished(self, task, result, error):
        print("finished", result, error)
        print("output:", self.task_output(self.first), end="")
