"""An application and a task system that leave a callback in any way there is."""

import asyncio
import sys

from concurrent.apps import ApplicationNode
from concurrent.core import ConfigItem
from concurrent.scheduling import ITaskSystem, Task


class One(Task):
    def __call__(self):
        return 1


def leave(how):
    if how == "exit":
        sys.exit(4)
    if how == "text":
        sys.exit("the last words")
    raise {
        "interrupt": KeyboardInterrupt,
        "cancel": asyncio.CancelledError,
        "generator": GeneratorExit,
        "error": ValueError,
    }[how]("of a callback")


class Leaves(ITaskSystem):
    def __init__(self, where, how):
        self.where, self.how = where, how

    def generate_tasks(self, master):
        self.at("generate_tasks")
        return [One()]

    def task_finished(self, master, task, result, error):
        self.at("system_task_finished")

    def is_complete(self, master):
        return True

    def gather_result(self, master):
        self.at("gather_result")

    def at(self, where):
        if where == self.where:
            leave(self.how)

    def __setstate__(self, state):
        self.__dict__.update(state)
        self.at("unpickled")


class LeavesApp(ApplicationNode):
    where = ConfigItem("leaves", "where", "", "In which callback.")
    how = ConfigItem("leaves", "how", "exit", "With what.")
    is_system = ConfigItem("leaves", "system", "", "Anything for a task system.")

    def at(self, where):
        if where == self.where:
            leave(self.how)

    def app_init(self):
        self.at("app_init")

    def get_task_system(self):
        self.at("get_task_system")
        return Leaves(self.where, self.how) if self.is_system else None

    def start_processing(self):
        self.at("start_processing")
        self.push_task(One())

    def push_task_response(self, task):
        self.at("push_task_response")

    def task_finished(self, task, result, error):
        self.at("task_finished")

    def work_finished(self, result, task_system):
        self.at("work_finished")
        self.shutdown_main_loop()
