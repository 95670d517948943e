"""How the tasks of an application have ended. A pure module."""

from __future__ import annotations

from dataclasses import dataclass

from concurrent.core.errors import TaskCancelled

__all__ = ["OutcomeTally"]


@dataclass(slots=True)
class OutcomeTally:
    """How many tasks have ended, and of them failed or were cancelled.

    ``ended`` is counted by who runs callbacks, which costs each task less.
    """

    ended: int = 0
    failed: int = 0
    cancelled: int = 0

    def note(self, error: BaseException) -> None:
        """Count one of them that has an error."""
        is_cancelled = isinstance(error, TaskCancelled)
        self.cancelled += is_cancelled
        self.failed += not is_cancelled

    @property
    def summary(self) -> str:
        """What went wrong, for people; empty if nothing did."""
        failed = f"{self.failed} of {self.ended} tasks failed" if self.failed else ""
        if not self.cancelled:
            return failed
        return (
            f"{failed}, {self.cancelled} were cancelled"
            if failed
            else f"{self.cancelled} of {self.ended} tasks were cancelled"
        )
