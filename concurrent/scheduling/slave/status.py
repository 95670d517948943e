"""What the workers of a slave are doing. A pure module."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from concurrent.core.status import Status

__all__ = ["WorkerTaskRow", "WorkersStatus"]


@dataclass(frozen=True, slots=True)
class WorkerTaskRow(Status):
    """A task that has run for a while, and the process that runs it; ``shown`` is its number and what it is."""

    task: int
    worker: int
    run_s: float
    note: str
    shown: str = ""


@dataclass(frozen=True, slots=True)
class WorkersStatus(Status):
    """The workers of a slave; nothing before it has found its master. ``running`` has a task by process.

    ``drained_by`` is who wants the slave to take nothing more; empty if nobody does.
    ``environments`` are lines on those that are being made from requirements.
    ``more`` is what a task manager of a plug-in says beyond that.
    """

    size: int
    idle: int
    running: Mapping[int, int | None]
    tasks: tuple[WorkerTaskRow, ...]
    waiting: int
    deaths: int
    done: int
    window: int
    task_s: float
    drained_by: str = ""
    environments: tuple[str, ...] = ()
    more: Mapping[str, Any] = field(default_factory=dict)
