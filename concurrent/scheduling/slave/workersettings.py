"""The options of a slave that bound its workers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from concurrent.core.component import Component
from concurrent.core.items import ChoiceItem, FloatItem, IntItem, PathItem
from concurrent.scheduling.processes.cgroups import Groups, open_groups
from concurrent.scheduling.slave.environments import EnvironmentRules
from concurrent.scheduling.slave.limits import Bounds
from concurrent.scheduling.slave.memoryitem import MemoryItem

if TYPE_CHECKING:
    from concurrent.scheduling.projects.cache import ProjectCache

__all__ = ["WorkerSettings"]


class WorkerSettings(Component):
    """See the module. Any thread."""

    tasks_per_worker_max = IntItem(
        "slave", "tasks_per_worker_max", 0,
        "After so many tasks, or batches, a worker process ends and another takes its place; 0: never.",
        minimum=0,
    )  # fmt: skip
    worker_memory_max = MemoryItem(
        "slave", "worker_memory_max", 0,
        "A worker process that has more memory of its own is ended after its task, and another takes its "
        "place; 0: never.",
    )  # fmt: skip
    memory_reserve = MemoryItem(
        "slave", "memory_reserve", 256 << 20,
        "While less memory is free on the machine, or in the control group of the slave, it takes no more "
        "tasks; 0: it takes them all the same.",
    )  # fmt: skip

    cgroup = ChoiceItem(
        "slave", "cgroup", "auto",
        "Whether a worker whose tasks ask for memory gets a control group that holds it to that: auto has the "
        "kernel do so where the group of the slave was delegated to it, off has memory measured alone.",
        choices=("auto", "off"),
    )  # fmt: skip

    project_folder = PathItem(
        "slave", "project_folder", "",
        "Where the projects of applications are unpacked, for this user alone, in a folder user-ID. "
        "Empty: in the user's cache, ~/.cache/concurrent/projects, or else among temporary files.",
    )  # fmt: skip
    project_cache_max = MemoryItem(
        "slave", "project_cache_max", 4 << 30,
        "How much unpacked projects may take there. When it is more, those go first that were not used for "
        "longest; what is used stays.",
    )  # fmt: skip

    environments = ChoiceItem(
        "slave", "environments", "yes",
        "Whether environments are made here from the requirements of applications. If not, the slave takes no "
        "tasks of applications that have some.",
        choices=("yes", "no"),
    )  # fmt: skip
    environment_folder = PathItem(
        "slave", "environment_folder", "",
        "Where they are made, for this user alone, in a folder user-ID. "
        "Empty: in the user's cache, ~/.cache/concurrent/environments, or else among temporary files.",
    )  # fmt: skip
    environment_cache_max = MemoryItem(
        "slave", "environment_cache_max", 20 << 30,
        "How much environments may take there. When it is more, those go first that were not used for "
        "longest; what is used stays.",
    )  # fmt: skip
    environment_timeout_s = FloatItem(
        "slave", "environment_timeout_s", 900.0,
        "How long it may take to make one. Then the slave hands the tasks back.",
        minimum=1.0, unit="seconds",
    )  # fmt: skip

    def environment_rules(self) -> EnvironmentRules:
        """Return how environments are made here."""
        return EnvironmentRules(
            self.environments == "yes",
            self.environment_folder,
            self.environment_cache_max,
            self.environment_timeout_s,
        )

    def projects(self) -> ProjectCache:
        """Return what unpacks projects, which its caller closes."""
        from concurrent.scheduling.projects.cache import ProjectCache  # most slaves meet none

        return ProjectCache(self.project_folder, self.project_cache_max)

    def bounds(self) -> Bounds:
        """Return what is allowed to all tasks."""
        return Bounds(self.tasks_per_worker_max, self.worker_memory_max, self.memory_reserve)

    def new_groups(self) -> Groups | None:
        """Return what makes control groups for workers, which its caller closes; None if there can be none."""
        return open_groups() if self.cgroup == "auto" else None
