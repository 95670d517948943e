"""An application for jobs: its tasks note each run, its callbacks each outcome; a test may hold both back."""

import contextlib
import os
import socket

from concurrent.apps import ApplicationNode
from concurrent.core import BoolItem, ChoiceItem, IntItem, PathItem
from concurrent.scheduling import ISystemMaster, ITaskSystem, Task


def note(file, text):
    """Append a line, whole whoever else does."""
    descriptor = os.open(file, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    os.write(descriptor, f"{text}\n".encode())
    os.close(descriptor)


def pass_gate(port):
    """Wait until the test opens the gate at a port."""
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port)) as gate:
        gate.sendall(str(os.getpid()).encode())
        gate.recv(1)


class Number(Task):
    def __init__(self, number, port, folder):
        super().__init__(f"number {number}")
        self.number = number
        self.port = port
        self.file = f"{folder}/runs"

    def __call__(self):
        note(self.file, self.number)
        pass_gate(self.port)
        if self.number < 0:
            raise ValueError(f"{self.number} is less than zero")
        return self.number


class Numbers(ITaskSystem):
    def __init__(self, tasks):
        self.tasks = tasks
        self.found = []

    def generate_tasks(self, master: ISystemMaster):
        return self.tasks

    def task_finished(self, master: ISystemMaster, task, result, error):
        self.found.append(result)

    def is_complete(self, master: ISystemMaster):
        return len(self.found) == len(self.tasks)

    def gather_result(self, master: ISystemMaster):
        return sorted(self.found)


class LongJob(ApplicationNode):
    first = IntItem("longjob", "first", 0, "The first number.")
    count = IntItem("longjob", "count", 10, "How many tasks there are.")
    port = IntItem("longjob", "port", 1, "The port of the gate that holds the tasks.")
    push_port = IntItem("longjob", "push_port", 1, "The port of the gate that holds the push, in its middle.")
    call_port = IntItem("longjob", "call_port", 1, "The port of the gate that holds each callback.")
    end_port = IntItem("longjob", "end_port", 1, "The port of the gate that holds the callback of the end.")
    stays = BoolItem("longjob", "stays", False, "Whether it goes on when all is finished.")
    notes = PathItem("longjob", "notes", ".", "Where notes are written.")
    mode = ChoiceItem("longjob", "mode", "tasks", "Who pushes the tasks.", choices=("tasks", "system"))
    batch_size = IntItem("longjob", "batch_size", 1, "How many tasks travel together.")

    def make_tasks(self):
        for number in range(self.first, self.first + self.count):
            if number == self.first + self.count // 2:
                pass_gate(self.push_port)
            yield Number(number, self.port, self.notes)

    def get_task_system(self):
        return Numbers(list(self.make_tasks())) if self.mode == "system" else None

    def start_processing(self):
        self.push_tasks(self.make_tasks(), self.batch_size)

    def task_finished(self, task, result, error):
        pass_gate(self.call_port)
        value = type(error).__name__ if error is not None else result
        note(f"{self.notes}/outcomes", f"{task.number} {value} {isinstance(task, Number)}")

    def work_finished(self, result, task_system):
        note(f"{self.notes}/ends", result)
        pass_gate(self.end_port)
        if not self.stays:
            self.shutdown_main_loop(0)


if __name__ == "__main__":
    LongJob.run()
