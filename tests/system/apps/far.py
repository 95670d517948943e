"""An application that shows how far it is, while its tasks print."""

from concurrent.apps import ApplicationNode
from concurrent.scheduling import Task


class Print(Task):
    def __call__(self):
        print("said on a worker:", self.name, "-" * 20)


class Far(ApplicationNode):
    def start_processing(self):
        self.done = 0
        self.push_tasks(Print(str(number)) for number in range(40))

    def task_finished(self, task, result, error):
        self.done += 1
        print("finished", task.name)
        self.progress(self.done, 40)
