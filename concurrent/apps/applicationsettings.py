"""What applications, and programs with an executor, are told: where their master is, and where they listen."""

from __future__ import annotations

from concurrent.apps.access import JOINED
from concurrent.apps.api import parse_address
from concurrent.apps.transportsettings import TransportSettings
from concurrent.core.component import Component
from concurrent.core.items import ConfigItem, Host, IntItem

__all__ = ["ApplicationSettings"]


class ApplicationSettings(Component):
    """The options of section ``[application]``."""

    master = ConfigItem(
        "application", "master", "",
        "Address HOST:PORT of the master's JSON API; joined: that of the cluster that this user has joined. "
        "Empty: start an embedded cluster for this run.",
    )  # fmt: skip
    workers = IntItem(
        "application", "workers", 0,
        "How many worker processes an embedded cluster has. 0: one per core.",
        minimum=0, maximum=4096,
    )  # fmt: skip
    host = ConfigItem("application", "host", "127.0.0.1", "Address of the application's own JSON API.")
    port = IntItem(
        "application", "port", 0, "Port of the application's own JSON API. 0: any free port.",
        minimum=0, maximum=65535,
    )  # fmt: skip

    def master_host(self) -> Host | None:
        """Return the address of the master, None for an embedded cluster.

        :raises ConfigurationError: if it is not an address.
        """
        if not self.master:
            return None
        if self.master == JOINED:
            return self.env[TransportSettings].access().joined_master()
        remedy = "Write HOST:PORT, 'joined', or nothing for an embedded cluster"
        return parse_address(self.master, "application.master", remedy)

    def running_master(self, given: str | None, thing: str) -> Host:
        """Return the address of a master that runs already.

        :param given: as it was typed or handed in; nothing: that of ``application.master``, else that of the
            cluster that was joined, else that of this machine.
        :param thing: what the text is of, for the error.
        :raises ConfigurationError: if it is not an address, or not clear.
        """
        access = self.env[TransportSettings].access()
        if given == JOINED:
            return access.joined_master()
        if given is not None:
            return parse_address(given, thing)
        return self.master_host() or access.default_master()
