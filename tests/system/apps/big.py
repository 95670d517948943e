"""Pushes more than a small master keeps, from wherever an application or a task system may push."""

import sys
import threading

from concurrent.apps import ApplicationNode
from concurrent.core import ConfigItem, IntItem
from concurrent.scheduling import ITaskSystem, Task

BYTES = 1 << 20


class Big(Task):
    def __init__(self, number):
        super().__init__(f"big {number}")
        self.data = bytes([number % 251]) * BYTES

    def __call__(self):
        return self.data


class Pushes(ITaskSystem):
    """Pushes some tasks with a generator, and the others in callbacks."""

    def __init__(self, how, count):
        self.how, self.count, self.pushed, self.seen = how, count, 0, 0

    def generate_tasks(self, master):
        return self.more(self.count if self.how == "generated" else self.count // 2)

    def more(self, count):
        for _ in range(count):
            if self.pushed < self.count:  # others push while this one waits for room
                self.pushed += 1
                yield Big(self.pushed)

    def task_finished(self, master, task, result, error):
        self.seen += 1
        if self.how == "returned":
            return list(self.more(3))
        if self.how == "pushed":
            for task in self.more(3):
                master.push_task(task)
        return None

    def is_complete(self, master):
        return self.seen == self.count

    def gather_result(self, master):
        return self.seen


class BigApp(ApplicationNode):
    how = ConfigItem("big", "how", "start_processing", "Where it pushes.")
    count = IntItem("big", "count", 160, "How many tasks.")

    def app_init(self):
        self.seen = self.pushed = 0

    def get_task_system(self):
        kind, _, how = self.how.partition("-")
        return Pushes(how, self.count) if kind == "system" else None

    def start_processing(self):
        if self.how in ("start_processing", "fails", "exits", "ends"):
            self.push(self.count)
        elif self.how == "one_by_one":
            for _ in range(self.count):
                self.push(1)
        elif self.how == "callback":
            self.push(self.count // 4)
        elif self.how == "work_finished":
            self.push(1)
        elif self.how == "thread":
            self.push(1)
            threading.Thread(target=self.push, args=[self.count]).start()

    def push(self, count):
        count = min(count, self.count - self.pushed)
        self.pushed += count
        try:
            self.push_tasks(Big(number) for number in range(count))
        except Exception as error:  # boundary: an application may be this careless
            print("the push failed:", error)

    def task_finished(self, task, result, error):
        self.seen += error is None
        if self.how == "callback":
            self.push(3)
        if self.seen == 50 and self.how == "fails":
            raise ValueError("of a callback")
        if self.seen == 50 and self.how == "exits":
            sys.exit(5)
        if self.seen == 50 and self.how == "ends":
            self.shutdown_main_loop(7)

    def work_finished(self, result, task_system):
        if self.how == "work_finished" and self.seen == 1:
            self.push(self.count)
            return
        if task_system is not None or self.seen == self.count:
            print("finished", result or self.seen)
            self.shutdown_main_loop()
