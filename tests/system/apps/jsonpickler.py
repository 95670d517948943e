"""An application whose data travels as JSON, which is seen by tuples that arrive as lists."""

import json

from concurrent.apps import ApplicationNode
from concurrent.core import Component, implements
from concurrent.scheduling import Codec, IPickler, Task


def dumps(value):
    return json.dumps(value).encode()


class JSONPickler(Component):
    implements(IPickler)

    def codec(self):
        return Codec(dumps, json.loads)


class Sum(Task):
    returns_task = True

    def __init__(self, numbers):
        super().__init__()
        self.numbers = numbers

    def __call__(self):
        self.arrived_as = type(self.numbers).__name__
        return {"sum": sum(self.numbers), "pair": (1, 2)}


class Sums(ApplicationNode):
    def start_processing(self):
        self.push_task(Sum({5}))
        self.push_task(Sum((3, 4)))

    def push_task_failed(self, task, error):
        print("refused:", error)

    def task_finished(self, task, result, error):
        print("result:", result if error is None else error, task.arrived_as)
        self.shutdown_main_loop()
