"""An application with one task that ends badly, in the way that is configured, and one that does not."""

import os
import signal
import sys
import threading

from concurrent.apps import ApplicationNode
from concurrent.core import ConfigItem
from concurrent.scheduling import Task


class Trouble(Task):
    def __init__(self, kind):
        super().__init__(kind)
        if kind == "unpicklable-task":
            self.lock = threading.Lock()

    def __call__(self):
        if self.name == "raise":
            raise LookupError("nothing there")
        if self.name == "die":
            print("last words", flush=True)
            os.kill(os.getpid(), signal.SIGKILL)
        if self.name == "exit":
            sys.exit(7)
        if self.name == "unpicklable-result":
            return threading.Lock()
        return "fine"


class TroubleApp(ApplicationNode):
    kind = ConfigItem("trouble", "kind", "raise", "What happens.")

    def start_processing(self):
        self.push_task(Trouble("fine"))
        self.push_task(Trouble(self.kind))

    def task_finished(self, task, result, error):
        if task.name == "callback":
            raise LookupError("wrong in the callback")
        if error is None:
            print(f"{task.name}: {result}")
        else:
            super().task_finished(task, result, error)
