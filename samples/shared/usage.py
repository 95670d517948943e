"""What a run used: how much data went through the master, how much memory each node had. A pure module."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from concurrent.apps.samples.shared.layout import line
from concurrent.apps.status import ClusterStatus

__all__ = ["Usage"]


class Usage(NamedTuple):
    """What the nodes of a cluster say of themselves.

    :param submitted_bytes: of all tasks that the master was given since it started.
    :param delivered_bytes: of all results that it delivered since.
    :param application_bytes: the most memory that the application had; None where that is not known, as in
        all that follows.
    :param slaves_bytes: of each slave that answered.
    :param system_bytes: of the process of the task system, if there was one.
    """

    submitted_bytes: int
    delivered_bytes: int
    application_bytes: int | None
    master_bytes: int | None
    slaves_bytes: Sequence[int | None]
    system_bytes: int | None = None

    @classmethod
    def of(cls, status: ClusterStatus, own_bytes: int | None, system_bytes: int | None = None) -> Usage:
        """Return what a cluster used.

        :param status: that of ``ApplicationNode.cluster_status``.
        :param own_bytes: what ``peak_memory_bytes`` says in the application.
        :param system_bytes: what it says in the process of the task system.
        """
        master = status.master
        return cls(
            master.tasks.submitted_bytes,
            master.tasks.delivered_bytes,
            own_bytes,
            master.memory_bytes_max,
            [slave.memory_bytes_max for slave in status.slaves],
            system_bytes,
        )

    def lines(self) -> list[str]:
        """Return two lines of a report."""
        tasks, results = self.submitted_bytes, self.delivered_bytes
        peaks = [
            _peak("application", self.application_bytes),
            _peak("master", self.master_bytes),
            self._slaves(),
        ]
        if self.system_bytes is not None:
            peaks.append(_peak("task system", self.system_bytes))
        return [
            line("data", f"{tasks:,} bytes of tasks and {results:,} of results, since the master started"),
            line("memory", f"peaks: {', '.join(peaks)}"),
        ]

    def _slaves(self) -> str:
        known = [size for size in self.slaves_bytes if size is not None]
        if len(self.slaves_bytes) < 2 or not known:
            return _peak("slave", known[0] if known else None)
        return _peak(f"{len(self.slaves_bytes)} slaves at most", max(known))


def _peak(name: str, size_bytes: int | None) -> str:
    return f"{name} {'not known' if size_bytes is None else f'{size_bytes / 1e6:.0f} MB'}"
