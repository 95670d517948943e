"""The errors of the framework with which a task may end, where its writer looks for them. A pure module."""

from __future__ import annotations

from concurrent.core.errors import (
    TaskCancelled,
    TaskError,
    TaskFailed,
    TaskOutOfMemory,
    TaskTimeout,
    WorkerDied,
)

__all__ = ["TaskCancelled", "TaskError", "TaskFailed", "TaskOutOfMemory", "TaskTimeout", "WorkerDied"]
