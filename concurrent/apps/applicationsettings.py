"""What applications, and programs with an executor, are told: where their master is, and where they listen."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from concurrent.apps.masteraddress import MasterAddress, MasterItem, find_master, read_master, source_of
from concurrent.apps.project import SIZE_BYTES_MAX, Project
from concurrent.apps.transportsettings import TransportSettings
from concurrent.core.component import Component
from concurrent.core.items import ConfigItem, IntItem, ListItem, PathItem
from concurrent.scheduling.slave.memoryitem import MemoryItem

if TYPE_CHECKING:
    from concurrent.scheduling.projects.packing import PackedProject

__all__ = ["ApplicationSettings"]


class ApplicationSettings(Component):
    """The options of section ``[application]``."""

    master = MasterItem(
        "application", "master", "",
        "Address HOST:PORT of the master's JSON API; joined: that of the cluster that this user has joined; "
        "@FILE: the address is in that file. The environment variable CONCURRENT_MASTER sets it too. "
        "Empty: an application starts an embedded cluster for its run.",
    )  # fmt: skip
    workers = IntItem(
        "application", "workers", 0,
        "How many worker processes an embedded cluster has. 0: one per core.",
        minimum=0, maximum=4096,
    )  # fmt: skip
    project = PathItem(
        "application", "project", "",
        "The folder of the program, which goes along with its tasks: its modules, and what project_include "
        "names. Empty: modules beside the program go along by themselves, but no other files.",
    )  # fmt: skip
    project_include = ListItem(
        "application", "project_include", (),
        "What else of that folder goes along: tables/*.csv, **/*.json",
    )  # fmt: skip
    project_exclude = ListItem(
        "application", "project_exclude", (),
        "What of that folder stays. Hidden files, environments, caches and what was built always do.",
    )  # fmt: skip
    project_size_max = MemoryItem(
        "application", "project_size_max", SIZE_BYTES_MAX,
        "How much a project may have in all; what is more is refused.",
    )  # fmt: skip
    requirements = PathItem(
        "application", "requirements", "",
        "A file of locked requirements, as pip freeze writes it. The workers of the application are of an "
        "environment with them, which each slave makes once. Empty: they are of the slave's interpreter.",
    )  # fmt: skip
    host = ConfigItem("application", "host", "127.0.0.1", "Address of the application's own JSON API.")
    port = IntItem(
        "application", "port", 0, "Port of the application's own JSON API. 0: any free port.",
        minimum=0, maximum=65535,
    )  # fmt: skip

    def named_project(self) -> Project | None:
        """Return the project that is configured, if one is.

        :raises ConfigurationError: if it is not possible.
        """
        if self.project is None:
            return None
        return Project(self.project, self.project_include, self.project_exclude, self.project_size_max)

    def packed_project(self, given: Project | None = None) -> PackedProject | None:
        """Return a project as it travels: one that is given, else that which is configured, if one is.

        :raises ConfigurationError: if it is not possible.
        """
        project = given or self.named_project()
        return None if project is None else project.packed()

    def requirements_text(self) -> str:
        """Return the requirements that are configured; empty if none are.

        :raises ConfigurationError: if they cannot be read, or are nothing that slaves could install.
        """
        if self.requirements is None:
            return ""
        from concurrent.apps.requirementsfile import read_requirements  # few programs have one

        return read_requirements(self.requirements)

    def taken_along(self, given: Project | None = None) -> dict[str, Any]:
        """Return what goes along with the code of a program, as ``ClusterClient`` takes it.

        :param given: a project that is given, as for :meth:`packed_project`.
        :raises ConfigurationError: if something is not possible.
        """
        return {"project": self.packed_project(given), "requirements": self.requirements_text()}

    def named_master(self) -> MasterAddress | None:
        """Return where the master is that is configured, None for an embedded cluster.

        :raises ConfigurationError: if it is not an address.
        """
        if not self.master:
            return None
        return read_master(self.master, self._source, self.env[TransportSettings].access())

    def running_master(self, given: str | None, source: str) -> MasterAddress:
        """Return where a master is that runs already.

        :param given: as it was typed or handed in; None: see ``masteraddress.py``.
        :param source: what was typed or handed in, for people.
        :raises ConfigurationError: if it is not an address, or not clear.
        """
        access = self.env[TransportSettings].access()
        if given is not None:
            return read_master(given, source, access)
        return find_master(self.master, self._source, access)

    @property
    def _source(self) -> str:
        """Who has set the option, for people."""
        return source_of(self.config, "application")
