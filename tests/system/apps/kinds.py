"""An application whose tasks are of three classes, for whoever tells them apart."""

import time

from concurrent.apps import ApplicationNode
from concurrent.scheduling import Task


class Nap(Task):
    def __call__(self):
        time.sleep(0.02)
        return "slept"


class Later(Task):
    def __call__(self):
        return "later"


class Archive(Task):
    name = "archive"
    priority = 10

    def __call__(self):
        print("archiving here")
        return "archived"


class Kinds(ApplicationNode):
    """Pushes naps, of which slaves have some at a time, and then what is less and what is more urgent."""

    def start_processing(self):
        self.push_tasks(Nap() for _ in range(200))
        self.push_tasks([*(Later() for _ in range(6)), *(Archive() for _ in range(6))])

    def task_finished(self, task, result, error):
        print(result)
