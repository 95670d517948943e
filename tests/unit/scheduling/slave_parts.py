"""What stands in for the loop and the processes of a slave, where its parts are tested one by one."""

from __future__ import annotations

import socket
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from concurrent.scheduling.processes.launcher import Child, OnExit
from concurrent.scheduling.processes.taskoutput import OutputFile
from concurrent.scheduling.slave.crew import Application, Crew
from concurrent.scheduling.worker.sharedmemory import ArgumentMemory


class StillLoop:
    """A loop that turns when it is told to; its time is set."""

    name = "slave-1"

    def __init__(self) -> None:
        self.now = 100.0
        self.readers: dict[socket.socket, Callable[[], object]] = {}
        self.writers: dict[socket.socket, Callable[[], object]] = {}
        self.timers: list[Timer] = []

    def time(self) -> float:
        return self.now

    def add_reader(self, sock: socket.socket, callback: Callable[[], object]) -> None:
        self.readers[sock] = callback

    def remove_reader(self, sock: socket.socket) -> None:
        self.readers.pop(sock, None)

    def add_writer(self, sock: socket.socket, callback: Callable[[], object]) -> None:
        self.writers[sock] = callback

    def remove_writer(self, sock: socket.socket) -> None:
        self.writers.pop(sock, None)

    def call_later(self, delay_s: float, callback: Callable[..., object], *args: Any) -> Timer:
        timer = Timer(self.now + delay_s, partial(callback, *args))
        self.timers.append(timer)
        return timer

    def call_soon(self, callback: Callable[[], object]) -> Timer:
        return self.call_later(0.0, callback)

    def defer(self, callback: Callable[[], object]) -> None:
        self.call_soon(callback)

    def read(self) -> None:
        """Call each reader once."""
        for callback in list(self.readers.values()):
            callback()

    def write(self) -> None:
        """Call each writer once."""
        for callback in list(self.writers.values()):
            callback()

    def go_on(self, seconds: float) -> None:
        """Let time pass, and call what is due by then."""
        self.now += seconds
        due = [timer for timer in self.timers if timer.at <= self.now]
        self.timers = [timer for timer in self.timers if timer.at > self.now]
        for timer in due:
            timer.call()


class Timer:
    def __init__(self, at: float, callback: Callable[[], object]) -> None:
        self.at = at
        self._callback: Callable[[], object] | None = callback

    def when(self) -> float:
        return self.at

    def cancel(self) -> None:
        self._callback = None

    def call(self) -> None:
        if self._callback is not None:
            self._callback()


class StillLauncher:
    """Starts nothing: keeps the ends of the sockets that a worker would have."""

    hash_seed = None

    def __init__(self) -> None:
        self.children: list[Child] = []
        self.ends: list[Sequence[socket.socket]] = []
        self.killed: list[int] = []
        self.terminated: list[int] = []
        self.refuses = False

    def launch(
        self,
        entry: str,
        sockets: Sequence[socket.socket],
        args: Sequence[Any] = (),
        *,
        output: OutputFile | None = None,
        on_exit: OnExit,
    ) -> Child:
        child = Child(self, len(self.children) + 1, entry, output, on_exit)  # type: ignore[arg-type]
        self.children.append(child)
        self.ends.append(sockets)
        child.started(1000 + child.number)
        return child

    def terminate(self, child: Child) -> None:
        self.terminated.append(child.pid)

    def kill(self, child: Child) -> None:
        self.killed.append(child.pid)

    def close(self) -> None:
        for ends in self.ends:
            for end in ends:
                end.close()


def nothing_shared() -> ArgumentMemory:
    """Return memory that is not there."""
    memory = ArgumentMemory(1)
    memory.close()
    return memory


def new_crew(owner: int, new_memory: Callable[[], ArgumentMemory] = nothing_shared) -> Crew:
    """Return the crew without a claim of an application."""
    return Application(owner, new_memory, lambda: 0.0).crew()
