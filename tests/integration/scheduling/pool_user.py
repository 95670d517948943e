"""Uses a pool as a slave does, from the thread of the test."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import psutil

from concurrent.scheduling.pickling.codebook import CodeBook
from concurrent.scheduling.processes.cgroups import Groups
from concurrent.scheduling.processes.launcher import Launcher
from concurrent.scheduling.slave.bars import BarColumns
from concurrent.scheduling.slave.limits import NO_BOUNDS, Bounds
from concurrent.scheduling.slave.offer import NOTHING, Offer
from concurrent.scheduling.slave.pool import WorkerPool
from concurrent.scheduling.slave.status import WorkersStatus
from concurrent.scheduling.slave.workerfacts import FactColumns
from concurrent.scheduling.slave.workerwatch import RunningTask
from concurrent.scheduling.tasks.current import TaskProgress
from concurrent.scheduling.tasks.outcome import FAILED, FINISHED
from concurrent.scheduling.tasks.runterms import USUAL, RunTerms
from concurrent.scheduling.wire.failure import loads_failure
from concurrent.scheduling.worker.sharedmemory import ArgumentMemory
from concurrent.transport.frames.blocks import new_block
from concurrent.transport.frames.frames import Frame
from concurrent.transport.loop.loop import NodeLoop

TIMEOUT_S = 20.0
APP = 7
OTHER_APP = 8


class PoolUser:
    """A pool, the code book of one application, and what the pool reported."""

    def __init__(
        self,
        loop: NodeLoop,
        launcher: Launcher,
        size: int,
        own_modules: Sequence[str],
        *,
        offer: Offer = NOTHING,
        bounds: Bounds = NO_BOUNDS,
        groups: Groups | None = None,
    ) -> None:
        self.book = CodeBook(own_modules)
        self.numbers: list[int] = []
        self.reports: list[list[int]] = []
        self.windows: list[int] = []
        self.lacks: list[str] = []
        self.running: list[RunningTask] = []
        self.progress: dict[int, list[TaskProgress]] = {}
        self.printed: dict[int, str] = {}
        self.bars: list[BarColumns] = []
        self.facts: list[FactColumns] = []
        self._outcome_by_number: dict[int, tuple[int, Any]] = {}
        self._next_number = 0
        self._sent_blobs = 0
        self._changed = threading.Condition()
        self._loop = loop
        self.receives_into_memory = False
        self.pool = WorkerPool(
            loop,
            launcher,
            size=size,
            offer=offer,
            bounds=bounds,
            groups=groups,
            on_done=self._done,
            on_window=self.windows.append,
            on_lacks=self.lacks.append,
            on_running=self.running.extend,
            on_said=self._said,
            on_observed=self._observed,
        )
        self.on_loop(self.pool.start)

    def on_loop(self, fn: Callable[..., Any], *args: Any) -> Any:
        return self._loop.call(fn, *args, timeout_s=TIMEOUT_S)

    def push(self, *whats: Any, terms: RunTerms = USUAL) -> list[int]:
        """Push tasks, or (function, argument ...) tuples; return their numbers."""
        payloads = []
        for what in whats:
            call = (what[0], what[1:], {}) if isinstance(what, tuple) else what
            payload = self.book.dumps_payload(call)
            if isinstance(payload, Frame):
                payload = Frame(self.received(bytes(payload)))
            payloads.append(payload)
        return self.push_payloads(payloads, terms)

    def received(self, data: bytes) -> memoryview:
        """Return memory with data as it comes from a master, which workers can read if that is so."""
        size = len(data)
        block = self.on_loop(self.pool.new_block, APP, size) if self.receives_into_memory else new_block(size)
        block[:] = data
        return block

    @property
    def memory(self) -> ArgumentMemory:
        """What the workers of the application read large arguments from."""
        memory: ArgumentMemory = self.on_loop(lambda: self.pool._crews.of(APP).memory)
        return memory

    def push_of_another(
        self, payloads: Sequence[Any], app: int = OTHER_APP, terms: RunTerms = USUAL
    ) -> list[int]:
        """Push tasks of an application without code of its own."""
        numbers = self._numbers_for(payloads)
        self.on_loop(self.pool.run, app, 0, numbers, payloads, terms)
        return numbers

    def push_payloads(self, payloads: Sequence[Any], terms: RunTerms = USUAL) -> list[int]:
        numbers = self._numbers_for(payloads)
        for index in range(self._sent_blobs, len(self.book.blobs)):
            self.on_loop(self.pool.define, APP, index, self.book.blobs[index])
        self._sent_blobs = len(self.book.blobs)
        self.on_loop(self.pool.run, APP, self._sent_blobs, numbers, payloads, terms)
        return numbers

    def outcome(self, number: int) -> tuple[int, Any]:
        """Wait for the status and payload of a task."""
        with self._changed:
            assert self._changed.wait_for(lambda: number in self._outcome_by_number, TIMEOUT_S), number
            return self._outcome_by_number[number]

    def taken(self, number: int) -> tuple[int, Any]:
        """Wait for the status and payload of a task, and keep nothing of them."""
        outcome = self.outcome(number)
        with self._changed:
            del self._outcome_by_number[number]
        return outcome

    def status(self, number: int) -> int:
        return self.outcome(number)[0]

    def result(self, number: int) -> Any:
        status, payload = self.outcome(number)
        assert status == FINISHED, (status, payload)
        return self.book.loads_payload(payload)

    def error(self, number: int) -> BaseException:
        status, payload = self.outcome(number)
        assert status == FAILED, (status, payload)
        return loads_failure(payload, self.book)

    def results(self, *whats: Any) -> list[Any]:
        return [self.result(number) for number in self.push(*whats)]

    def pool_status(self) -> WorkersStatus:
        return self.on_loop(self.pool.status)

    def stop(self, timeout_s: float = 0.0) -> list[int]:
        numbers: list[int] = self.on_loop(self.pool.stop, timeout_s).result(TIMEOUT_S)
        return numbers

    def close(self) -> None:
        """Stop the pool, and drop the outcomes: large ones hold the memory that their workers shared."""
        self.stop()
        with self._changed:
            self._outcome_by_number.clear()

    def abandon(self) -> list[int]:
        """Stop the pool at once; return the numbers of the tasks that were reported by then."""

        def abandon() -> list[int]:
            self.pool.stop(0)
            return list(self.numbers)

        numbers: list[int] = self.on_loop(abandon)
        return numbers

    def _numbers_for(self, payloads: Sequence[Any]) -> list[int]:
        numbers = list(range(self._next_number, self._next_number + len(payloads)))
        self._next_number += len(numbers)
        return numbers

    def _observed(self, bars: BarColumns | None, facts: FactColumns | None) -> None:
        if bars is not None:
            self.bars.append(bars)
        if facts is not None:
            self.facts.append(facts)

    def _said(self, progress: dict[int, TaskProgress], printed: dict[int, str]) -> None:
        for number, one in progress.items():
            self.progress.setdefault(number, []).append(one)
        self.printed |= printed

    def _done(self, numbers: list[int], statuses: list[int], payloads: list[Any]) -> None:
        with self._changed:
            self.reports.append(numbers)
            for number, status, payload in zip(numbers, statuses, payloads, strict=True):
                assert number not in self._outcome_by_number, f"task {number} was reported twice"
                self.numbers.append(number)
                self._outcome_by_number[number] = (status, payload)
            self._changed.notify_all()


class Gate:
    """Holds tasks that call ``workloads.hold(port)``."""

    def __init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._listener.settimeout(TIMEOUT_S)
        self._held: dict[int, socket.socket] = {}

    @property
    def port(self) -> int:
        return int(self._listener.getsockname()[1])

    def wait_for_one(self) -> int:
        """Wait until one more process is held; return its pid."""
        connection, _ = self._listener.accept()
        connection.settimeout(TIMEOUT_S)
        pid = int(connection.recv(32))
        self._held[pid] = connection
        return pid

    def release(self, pid: int) -> None:
        with self._held.pop(pid) as connection, contextlib.suppress(OSError):
            connection.sendall(b"x")

    def close(self) -> None:
        for pid in list(self._held):
            self.release(pid)
        self._listener.close()


def wait_for_ends(processes: Iterable[psutil.Process]) -> None:
    """Wait until all processes have ended; a zombie has."""
    alive = list(processes)

    def is_nobody_alive() -> bool:
        alive[:] = [process for process in alive if not _has_ended(process)]
        return not alive

    wait_until(is_nobody_alive, f"the end of {alive}")


def _has_ended(process: psutil.Process) -> bool:
    try:
        return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def wait_until(is_so: Callable[[], bool], what: str) -> None:
    """Ask until it is so, for what no event tells of."""
    end = time.monotonic() + TIMEOUT_S
    pause = threading.Event()
    while not is_so():
        assert time.monotonic() < end, f"not in {TIMEOUT_S} s: {what}"
        pause.wait(0.005)
