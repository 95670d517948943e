"""An application whose task system adds up squares, in two rounds."""

from concurrent.apps import ApplicationNode
from concurrent.scheduling import ITaskSystem, Task


class Square(Task):
    def __init__(self, number):
        super().__init__(f"square of {number}")
        self.number = number

    def __call__(self):
        return self.number**2


class Sums(ITaskSystem):
    def __init__(self, count):
        self.open = count
        self.count = count
        self.total = 0

    def generate_tasks(self, master):
        master.log.warning("the system generates %d tasks", self.count)
        return [Square(number) for number in range(self.count)]

    def task_finished(self, master, task, result, error):
        self.open -= 1
        self.total += result
        if task.number < self.count:
            self.open += 1
            return [Square(task.number + self.count)]
        return None

    def is_complete(self, master):
        return self.open == 0

    def gather_result(self, master):
        return self.total


class SumsApp(ApplicationNode):
    def get_task_system(self):
        return Sums(10)

    def work_finished(self, result, task_system):
        print("total", result)
        self.shutdown_main_loop()
