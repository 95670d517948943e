"""What all programs of the storm have done, and the log that they keep of it."""

from __future__ import annotations

import os
import time
from pathlib import Path

from concurrent.scheduling import Task

__all__ = ["Work", "note", "right_result", "work"]


def work(folder: str, number: int) -> int:
    """Note that this runs, take a while, a tenth of a second at most, and return the result. On a worker."""
    note(folder, "runs", number)
    time.sleep(0.1 if number % 5 == 0 else (1 + number * 7 % 19) / 1000)
    return right_result(number)


class Work(Task):
    """The same as a task."""

    def __init__(self, folder: str, number: int) -> None:
        super().__init__(f"work {number}")
        self.folder = folder
        self.number = number

    def __call__(self) -> int:
        return work(self.folder, self.number)


def right_result(number: int) -> int:
    """Return what the task of a number has to return."""
    return number * number + 1


def note(folder: str, name: str, *values: object) -> None:
    """Append a line to a log of the job; one write, so lines of several processes do not mix."""
    line = " ".join(map(str, (os.getpid(), *values)))
    descriptor = os.open(Path(folder, name), os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        os.write(descriptor, f"{line}\n".encode())
    finally:
        os.close(descriptor)
