"""The options of a node's connections."""

from __future__ import annotations

from dataclasses import replace

from concurrent.apps.access import Access, KeySettings
from concurrent.core.component import Component
from concurrent.core.extensionitems import ExtensionPointItem
from concurrent.core.items import BoolItem, FloatItem, IntItem, ListItem
from concurrent.transport.carriers.channels import CHANNELS, ICarrierFactory
from concurrent.transport.session.limits import MIB, Limits

__all__ = ["TransportSettings"]


class TransportSettings(Component):
    """The options of section ``[transport]``."""

    channel = ExtensionPointItem(
        "transport", "channel", ICarrierFactory, "tcp",
        "What carries the compute channel: plain TCP, which is faster, or ZeroMQ, whose sockets push/pull "
        "scheduling then uses.",
        short_names=CHANNELS,
    )  # fmt: skip
    heartbeat_s = FloatItem(
        "transport", "heartbeat_s", 2.0, "Send a sign of life after this long without any other message.",
        minimum=0.05, unit="seconds",
    )  # fmt: skip
    silence_s = FloatItem(
        "transport", "silence_s", 10.0, "Treat a connection as lost after this much silence.",
        minimum=0.1, unit="seconds",
    )  # fmt: skip
    resume_s = FloatItem(
        "transport", "resume_s", 5.0,
        "A peer whose machine has closed the connection, as when its process is killed, may come back within "
        "this time. After it the peer is given up, and the tasks of a slave go to others.",
        minimum=0.1, unit="seconds",
    )  # fmt: skip
    return_s = FloatItem(
        "transport", "return_s", 60.0,
        "A peer that has fallen silent, because it is paused or its network is cut, may come back within this "
        "time after its last word and go on. After it the peer is given up, and others get what a slave runs.",
        minimum=0.1, unit="seconds",
    )  # fmt: skip
    message_bytes_max = IntItem(
        "transport", "message_bytes_max", 256 * MIB, "Largest message that a node accepts.",
        minimum=8 * MIB, unit="bytes",
    )  # fmt: skip
    sessions_per_address_max = IntItem(
        "transport", "sessions_per_address_max", 0,
        "How many nodes of one address a master accepts. 0: seven eighths of all that it can have, which is "
        "1024, or half of the files that its process may open if that is less.",
        minimum=0,
    )  # fmt: skip
    allow_insecure = BoolItem(
        "transport", "allow_insecure", False,
        "Protect nothing: no keys, nothing encrypted, and whoever reaches this node can run code here. For "
        "tests in closed networks.",
    )  # fmt: skip

    names = ListItem(
        "transport", "names", (),
        "Names under which browsers and programs may reach the pages and the JSON API, for example those of a "
        "proxy. Loopback, the address that is listened on and the name of the machine always do.",
    )  # fmt: skip

    @property
    def channel_name(self) -> str:
        """What carries the compute channel, as nodes tell each other."""
        return str(self.config.value(type(self).channel))

    def limits(self) -> Limits:
        """Return the limits of connections."""
        limits = Limits(
            message_bytes_max=self.message_bytes_max,
            heartbeat_s=self.heartbeat_s,
            silence_s=self.silence_s,
            resume_s=self.resume_s,
            return_s=self.return_s,
        )
        if not self.sessions_per_address_max:
            return limits
        return replace(limits, sessions_per_address_max=self.sessions_per_address_max)

    def access(self) -> Access:
        """Return the way to keys."""
        return Access(self.env[KeySettings], is_open=self.allow_insecure)
