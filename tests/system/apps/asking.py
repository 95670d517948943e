"""An application whose tasks ask for something in every way in which they can, in tasks and in task systems."""

import time
from pathlib import Path

from concurrent.apps import ApplicationNode
from concurrent.core import ConfigItem
from concurrent.scheduling import ITaskSystem, Retry, Task

RETRY = Retry(3, on=OSError, delay_s=0.05)


class Flaky(Task):
    """Raises until its third run."""

    def __init__(self, folder, what):
        super().__init__(what)
        self.folder = folder
        self.what = what

    def __call__(self):
        runs = Path(self.folder, self.what.replace(" ", "-"))
        with runs.open("a") as file:
            file.write("run\n")
        if len(runs.read_text().splitlines()) < 3:
            raise ConnectionResetError("not yet")
        return "ran three times"


class FlakyItself(Flaky):
    retry = RETRY


class Slow(Task):
    """Takes longer than anybody waits."""

    def __init__(self, folder, what):
        super().__init__(what)
        self.what = what

    def __call__(self):
        time.sleep(600)


class SlowItself(Slow):
    timeout_s = 0.3


class LateItself(Slow):
    deadline_s = 0.5


class Asking(ITaskSystem):
    """Has two tasks, which ask for something themselves, or as they are pushed, or because the system does."""

    def __init__(self, folder, who):
        self.folder = folder
        self.who = who
        self.ends = []

    def generate_tasks(self, master):
        if self.who == "task":
            return [FlakyItself(self.folder, "task in a system"), SlowItself(self.folder, "slow in a system")]
        flaky, slow = Flaky(self.folder, f"{self.who} of a system"), Slow(self.folder, "slow")
        if self.who == "system":
            return [flaky, slow]
        master.push_task(flaky, retry=RETRY)
        master.push_tasks([slow], timeout_s=0.3)
        return None

    def task_finished(self, master, task, result, error):
        self.ends.append(result or type(error).__name__)

    def is_complete(self, master):
        return len(self.ends) == 2

    def gather_result(self, master):
        return f"a system, {self.who}: {', '.join(sorted(self.ends))}"


class AskingApp(ApplicationNode):
    folder = ConfigItem("asking", "folder", "", "Where runs are noted.")
    open_count = 10

    def start_processing(self):
        folder = self.folder
        self.push_tasks([FlakyItself(folder, "task"), SlowItself(folder, "slow"), LateItself(folder, "late")])
        self.push_task(Flaky(folder, "push"), retry=RETRY)
        self.push_tasks([Flaky(folder, "pushes")], retry=RETRY)
        self.push_task(Slow(folder, "slow push"), timeout_s=0.3)
        self.push_task(Slow(folder, "late push"), deadline_s=0.5)
        self.push_tasksystem(Asking(folder, "task"))
        self.push_tasksystem(Asking(folder, "push"))
        self.push_tasksystem(Asking(folder, "system"), retry=RETRY, timeout_s=0.3)

    def task_finished(self, task, result, error):
        self.say(f"{task.what}: {result or type(error).__name__}")

    def work_finished(self, result, task_system):
        if task_system is not None:
            self.say(result)

    def say(self, end):
        print(end)
        self.open_count -= 1
        if not self.open_count:
            self.shutdown_main_loop(0)
