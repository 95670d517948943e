"""A task system that fails in the method that is configured, or does harm to its own process."""

import os
import signal

from concurrent.apps import ApplicationNode
from concurrent.core import ConfigItem
from concurrent.scheduling import ITaskSystem, Task


class One(Task):
    def __call__(self):
        if self.name == "raise":
            raise LookupError("nothing there")
        return 1


class BadSystem(ITaskSystem):
    def __init__(self, bad):
        self.bad = bad
        self.results = 0

    def fail_in(self, method):
        if self.bad == method:
            raise LookupError(f"wrong in {method}")

    def init_system(self, master):
        self.fail_in("init_system")
        if self.bad == "killed":
            os.kill(os.getpid(), signal.SIGKILL)
        if self.bad == "exit":
            print("going", flush=True)
            os._exit(9)

    def generate_tasks(self, master):
        self.fail_in("generate_tasks")
        return [One("raise" if self.bad == "task" else "one"), One("two")]

    def task_finished(self, master, task, result, error):
        self.fail_in("task_finished")
        if error is not None:
            raise error
        self.results += 1

    def is_complete(self, master):
        self.fail_in("is_complete")
        return self.results == 2 and self.bad != "never"

    def gather_result(self, master):
        self.fail_in("gather_result")
        return (number for number in ()) if self.bad == "result" else self.results


class BadApp(ApplicationNode):
    bad = ConfigItem("bad", "bad", "", "What goes wrong.")

    def get_task_system(self):
        return BadSystem(self.bad)

    def push_tasksystem_response(self, task_system):
        print("the master hosts it")
