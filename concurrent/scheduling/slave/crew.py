"""One application at a pool: its code, its tasks, its workers, and the memory of its large arguments.

A worker serves one application from its first task on. What that does to its process (modules, environment,
folder, signal handlers, open files, threads) is met by its own tasks only, and so is its memory.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from concurrent.core.errors import SchedulingError
from concurrent.scheduling.worker.sharedmemory import ArgumentMemory
from concurrent.transport.frames.frames import Frame

if TYPE_CHECKING:
    from concurrent.scheduling.slave.workerlink import WorkerLink

__all__ = ["Crew", "Item"]


class Crew:
    """See the module. Loop thread only.

    :param owner: the number of the application.
    :param memory: what its workers, and no others, read large arguments from.

    ``links`` has its workers, but for those that are leaving. ``used_s`` is the time of workers that counts for
    its share (``shares.py``), and ``open_count`` tells how many of its tasks are in the pool.
    """

    __slots__ = ("blobs", "links", "memory", "open_count", "owner", "used_s", "waiting")

    def __init__(self, owner: int, memory: ArgumentMemory) -> None:
        self.owner = owner
        self.memory = memory
        self.blobs: list[bytes] = []
        self.links: list[WorkerLink] = []
        self.waiting: deque[Item] = deque()
        self.open_count = 0
        self.used_s = 0.0

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


Item = tuple[int, "bytes | Frame", Crew]
"""A task: its number, its payload and the application that it belongs to."""
