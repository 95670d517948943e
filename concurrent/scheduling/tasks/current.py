"""What a task can say of itself while it runs, and what it can ask: ``current_task()``."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Final, NamedTuple, Protocol

__all__ = ["NOBODY", "CurrentTask", "TaskProgress", "TaskVoice", "current_task", "speak_through"]


class TaskProgress(NamedTuple):
    """How far a task says that it is.

    :param done: how much it has done, in whatever it counts.
    :param total: how much there is; 0 if it does not know.
    :param text: what it does now, in a few words.
    """

    done: float
    total: float
    text: str = ""

    @property
    def words(self) -> str:
        """How people read it, in one line: ``3 of 10, training``."""
        done = f"{self.done:.6g}" if isinstance(self.done, float) else f"{self.done}"
        total = f"{self.total:.6g}" if isinstance(self.total, float) else f"{self.total}"
        figures = f"{done} of {total}" if self.total else done
        text = " ".join(self.text.split())
        return f"{figures}, {text}" if text else figures


class TaskVoice(Protocol):
    """What passes on what tasks say. Any thread; it raises nothing, and waits for nobody."""

    def progress(self, number: int, done: float, total: float, text: str) -> None:
        """Say how far a task is."""

    def log(self, number: int, text: str, level: int) -> None:
        """Write a line into the output of a task."""

    def name(self, number: int) -> str:
        """Return the name of a task, empty if it is over."""

    def is_cancelled(self, number: int) -> bool:
        """Tell whether a task has been told to end."""


class CurrentTask:
    """The task that runs in this process, as :func:`current_task` returns it. Any thread, and its forks.

    What a task says is for people: it may be lost, and the latest counts. To say it raises nothing and waits
    for nobody, and once the task is over it is dropped.

    :param voice: what passes it on; None for nothing.
    :param number: the number of the task at the master, as in logs; 0 outside of tasks.
    """

    def __init__(self, voice: TaskVoice | None = None, number: int = 0) -> None:
        self.number = number
        self._voice = voice

    @property
    def name(self) -> str:
        """What its function or class is called; empty outside of tasks."""
        return "" if self._voice is None else self._voice.name(self.number)

    @property
    def is_cancelled(self) -> bool:
        """Whether it has been told to end, for its time is over or nobody wants it any more.

        The main thread is told so by an exception; see ``cancel(grace_s=)``.
        """
        return self._voice is not None and self._voice.is_cancelled(self.number)

    def progress(self, done: float, total: float, text: str = "") -> None:
        """Say how far it is. As often as it likes: a few times a second it is looked at.

        :param done: how much it has done, in whatever it counts.
        :param total: how much there is; 0 if that is not known.
        :param text: what it does now, in a few words; of long ones the beginning is shown.
        """
        if self._voice is not None:
            self._voice.progress(self.number, done, total, text)

    def log(self, text: str, level: int = logging.INFO) -> None:
        """Write a line into the task's output, with time and level.

        :param level: one of those of Python's ``logging``.
        """
        if self._voice is not None:
            self._voice.log(self.number, text, level)


NOBODY: Final = CurrentTask()
"""Stands for the task where none runs, so that functions can be tried alone: nobody hears what it says."""


class _Process:
    """What this process knows of its tasks."""

    def __init__(self) -> None:
        self.find: Callable[[], CurrentTask] = lambda: NOBODY


_process: Final = _Process()


def current_task() -> CurrentTask:
    """Return the task that runs in this process; outside of workers a stand-in that does nothing. Any thread.

    A thread that may outlive the task is better given the object: it belongs to this task alone.
    """
    return _process.find()


def speak_through(find: Callable[[], CurrentTask]) -> None:
    """Have :func:`current_task` return what ``find`` returns. A worker calls this once."""
    _process.find = find
