"""Counts to a number, as a program of its own."""

from concurrent.apps import ApplicationNode
from concurrent.core import BoolItem, IntItem
from concurrent.scheduling import Task


class One(Task):
    def __call__(self):
        return 1


class Bad(Task):
    def __call__(self):
        raise ValueError("bad")


class Counts(ApplicationNode):
    count = IntItem("counts", "count", 3, "How far.")
    bad = IntItem("counts", "bad", 0, "How many tasks fail.")
    is_fine = BoolItem("counts", "is_fine", False, "Whether that is fine.")
    goes_on = BoolItem("counts", "goes_on", False, "Whether nobody ends it.")

    def app_init(self):
        self.total = 0

    def start_processing(self):
        self.push_tasks([*(One() for _ in range(self.count)), *(Bad() for _ in range(self.bad))])

    def task_finished(self, task, result, error):
        if error is None:
            self.total += result

    def task_finnished(self, task, result, error):
        raise AssertionError("nobody calls that")

    def work_finished(self, result, task_system):
        print(self.total)
        if not self.goes_on:
            self.shutdown_main_loop(0 if self.is_fine else None)


if __name__ == "__main__":
    Counts.run()
    print("and goes on")
