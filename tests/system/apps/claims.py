"""An application whose tasks ask for devices, processors and licences, and tell when they had them."""

import os
import time
from typing import ClassVar

from concurrent.apps import ApplicationNode
from concurrent.scheduling import Task


class Using(Task):
    def __call__(self):
        begun_at = time.time()
        time.sleep(0.02)
        return begun_at, time.time()


class OnDevice(Using):
    resources: ClassVar = {"gpu": 1}

    def __call__(self):
        slave = os.getppid()
        device = os.environ["CUDA_VISIBLE_DEVICES"]
        return (f"gpu {slave} {device}", *super().__call__())


class Licensed(Using):
    resources: ClassVar = {"licence": 1}

    def __call__(self):
        return (f"licence {os.getppid()}", *super().__call__())


class Wide(Using):
    resources: ClassVar = {"cpu": 2}

    def __call__(self):
        return (f"threads {os.environ['OMP_NUM_THREADS']}", *super().__call__())


class Plain(Using):
    priority = 5

    def __call__(self):
        return ("plain", *super().__call__())


class Claims(ApplicationNode):
    """Pushes tasks of each kind by turns, and prints what each has had, and from when to when."""

    def start_processing(self):
        self.push_tasks(kind() for _ in range(20) for kind in (OnDevice, Licensed, Wide, Plain))

    def task_finished(self, task, result, error):
        print(*(result or [error]), sep=";")
