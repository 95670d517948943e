"""One application at a pool: its code, its tasks, its workers, and the memory of its large arguments.

A worker serves one application from its first task on. What that does to its process (modules, environment,
folder, signal handlers, open files, threads) is met by its own tasks only, and so is its memory.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING

from concurrent.core.errors import SchedulingError
from concurrent.scheduling.tasks.runterms import RunTerms
from concurrent.scheduling.worker.sharedmemory import ArgumentMemory
from concurrent.transport.frames.frames import Frame

if TYPE_CHECKING:
    from concurrent.scheduling.slave.workerlink import WorkerLink

__all__ = ["Crew", "Item"]


class Crew:
    """See the module. Loop thread only.

    :param owner: the number of the application.
    :param new_memory: makes what its workers, and no others, read large arguments from.

    ``links`` has its workers, but for those that are leaving. ``used_s`` is the time of workers that counts for
    its share (``shares.py``), and ``open_count`` tells how many of its tasks are in the pool.
    """

    __slots__ = ("_memory", "_new_memory", "blobs", "links", "open_count", "owner", "used_s", "waiting")

    def __init__(self, owner: int, new_memory: Callable[[], ArgumentMemory]) -> None:
        self.owner = owner
        self._new_memory = new_memory
        self._memory: ArgumentMemory | None = None
        self.blobs: list[bytes] = []
        self.links: list[WorkerLink] = []
        self.waiting: deque[Item] = deque()
        self.open_count = 0
        self.used_s = 0.0

    @property
    def memory(self) -> ArgumentMemory:
        """The memory for large arguments, made when it is first asked for."""
        if self._memory is None:
            self._memory = self._new_memory()
        return self._memory

    def let_go(self) -> None:
        """Have the memory for large arguments freed with the last one who uses it; new one can be asked for."""
        memory, self._memory = self._memory, None
        if memory is not None:
            memory.close()

    def define(self, index: int, blob: bytes) -> None:
        """Keep a blob of the application's code; blobs come in the order of their indices.

        :raises SchedulingError: if one is missing before it.
        """
        if index > len(self.blobs):
            raise SchedulingError(
                f"blob {index} of application {self.owner} came before blob {len(self.blobs)}",
                thing=f"application {self.owner}",
                value=index,
            )
        if index == len(self.blobs):
            self.blobs.append(bytes(blob))


Item = tuple[int, "bytes | Frame", Crew, RunTerms]
"""A task: its number, its payload, the application that it belongs to, and what it asks for.

A plain tuple, for one is made for each task: one with names takes ten times as long to make.
"""
