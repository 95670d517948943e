"""The smallest application: tasks that greet, and a callback that counts the greetings."""

from concurrent.apps import ApplicationNode
from concurrent.scheduling import Task


class Greet(Task):
    def __call__(self):
        print("said on a worker:", self.name)
        return f"hello {self.name}"


class Hello(ApplicationNode):
    def start_processing(self):
        self.push_tasks(Greet(name) for name in ("ada", "grace"))

    def task_finished(self, task, result, error):
        print(result)
