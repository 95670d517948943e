"""A node's client of the compute channel of its master, and where that is.

The master says where in its answer to the registration. As soon as it says something else, another client takes
the place of the former one. Loop thread only, but for ``stop``.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any, Final, NamedTuple

from concurrent.core.component import ComponentManager
from concurrent.core.errors import InvalidArguments, WrongServer
from concurrent.core.items import PORT_MAX
from concurrent.core.stats import Stats
from concurrent.transport.carriers.channels import carriers_named, with_keys
from concurrent.transport.carriers.client import SessionClient
from concurrent.transport.loop.loop import NodeLoop
from concurrent.transport.security.allowed import read_curve_key
from concurrent.transport.security.identity import Identity
from concurrent.transport.security.protection import Protection
from concurrent.transport.session.limits import Limits

__all__ = ["MasterClient", "Reach", "reach_of"]

RETIRE_TIMEOUT_S: Final = 2.0

IN_PLACE: Final = "compute"
"""What the socket of a compute channel is called in the place of a master."""

NO_PORT: Final = -1
"""The port of a master that processes of its user alone can reach."""

ANSWER_SHOWN_MAX: Final = 200
"""How many characters of a wrong answer are in the log."""


class Reach(NamedTuple):
    """What a client is made for: another one is needed as soon as one of these is another.

    ``curve`` is the public key of a channel, or a work queue, that is in CURVE, and ``encrypted`` its carriers;
    ``master`` is who has told it.
    """

    channel: str
    port: int
    manager: str
    curve: bytes = b""
    encrypted: str = ""
    master: Identity | None = None


class MasterClient:
    """See the module. ``current`` is the client, None before the first answer.

    :param host: that of the master.
    :param node_id: whose sessions they are.
    :param register_methods: registers what the master calls, with each new client.
    :param on_open: called whenever a session of the current client has been opened or resumed.
    :param on_cut: called when the connection of one is lost, which may be resumed.
    :param on_lost: called with the reason when one has ended for good.
    :param components: has the carriers of the compute channel that the master names.
    :param protection: what sessions pass through; None: those of a program without keys.
    """

    def __init__(  # noqa: PLR0913  what it is told of its node, by name
        self,
        loop: NodeLoop,
        host: str,
        node_id: str,
        *,
        register_methods: Callable[[SessionClient], object],
        on_open: Callable[[], object],
        on_cut: Callable[[], object],
        on_lost: Callable[[str], object],
        stats: Stats,
        limits: Limits,
        components: ComponentManager,
        protection: Protection | None = None,
    ) -> None:
        self.current: SessionClient | None = None
        self._loop = loop
        self._host = host
        self._node_id = node_id
        self._register_methods = register_methods
        self._on_open = on_open
        self._on_cut = on_cut
        self._on_lost = on_lost
        self._stats = stats
        self._limits = limits
        self._components = components
        self._protection = protection
        self._reach: Reach | None = None
        self._retired: list[threading.Thread] = []

    def move(self, host: str, protection: Protection) -> None:
        """Have the next client go to another machine, or port. Loop thread."""
        self._host = host
        self._protection = protection
        self._reach = None

    def connect(self, reach: Reach) -> bool:
        """Have the client that is needed there; return whether it is a new one."""
        if reach == self._reach:
            return False
        self._retire()
        client = carriers_named(self._components, reach.channel).make_client(
            self._loop,
            self._host,
            reach.port,
            node_id=self._node_id,
            stats=self._stats,
            limits=self._limits,
            protection=self._protection_at(reach),
        )
        self._register_methods(client)
        client.on_open = lambda _handler, _is_new: self._on_open()
        client.on_cut = lambda _handler, _is_silent: self._on_cut()
        client.on_lost = lambda _handler, reason: self._on_lost(reason)
        self.current, self._reach = client, reach
        client.start()
        return True

    @property
    def keys(self) -> dict[str, str]:
        """What the master has to be told of the keys of this node."""
        return self._protection.told if self._protection is not None else {}

    def makes_keys(self, reach: Reach) -> bool:
        """Make the keys that a channel needs; return whether there are new ones, which the master has to know.

        None are needed where the master is reached through its place.
        """
        protection = self._protection
        if not reach.curve or protection is None or protection.curve is not None:
            return False
        if protection.place is not None and protection.place.has(IN_PLACE):
            return False
        self._protection = with_keys(carriers_named(self._components, reach.encrypted), protection)
        return bool(self.keys)

    def _protection_at(self, reach: Reach) -> Protection | None:
        if self._protection is None or not reach.curve:
            return self._protection
        return replace(self._protection, master_curve=reach.curve, master=reach.master)

    def stop(self, timeout_s: float, why: str) -> None:
        """Say goodbye, and wait for the end of all clients. Not the loop's thread.

        :param why: what the master is told.
        """
        if self.current is not None:
            self.current.farewell = why
            self.current.stop(timeout_s)
        for thread in self._retired:
            thread.join(RETIRE_TIMEOUT_S)

    def _retire(self) -> None:
        """Stop a client whose master is at another place now; that waits, so in a thread."""
        client, self.current = self.current, None
        self._reach = None
        if client is None:
            return
        client.on_open = client.on_cut = client.on_lost = None
        self.retire(partial(client.stop, RETIRE_TIMEOUT_S), f"{self._node_id} stops {client}")

    def retire(self, end: Callable[[], object], name: str) -> None:
        """End something whose master is at another place now; that waits, so in a thread. Loop thread.

        :param name: that of the thread.
        """
        thread = threading.Thread(target=end, name=name)
        thread.start()
        self._retired = [one for one in self._retired if one.is_alive()]
        self._retired.append(thread)


def reach_of(answer: Any, master: Identity | None = None) -> Reach:
    """Return where the compute channel is, and for which task manager.

    :param master: who has answered; a channel of TLS finds that out by itself.
    :raises WrongServer: if the answer of the master lacks something that a node needs.
    """
    fields = answer if isinstance(answer, dict) else {}
    channel, port, manager = fields.get("channel"), fields.get("port"), fields.get("manager")
    work = fields.get("work")
    is_of_master = isinstance(fields.get("master"), str) and isinstance(manager, str)
    is_reachable = isinstance(channel, str) and type(port) is int and (0 < port <= PORT_MAX or port == NO_PORT)
    has_work = isinstance(work, dict) and isinstance(work.get("kind"), str)
    is_told_well, curve, encrypted = _key_told(fields, work if isinstance(work, dict) else {})
    if not (is_of_master and is_reachable and has_work and is_told_well):
        raise WrongServer(
            f"its answer is not that of a master: {repr(answer)[:ANSWER_SHOWN_MAX]}",
            thing="register",
            value=answer,
            remedy="See that a master of the same version runs at this address",
        )
    teller = master if curve else None
    return Reach(str(channel), int(fields["port"]), str(manager), curve, encrypted, teller)


def _key_told(fields: dict[str, Any], work: dict[str, Any]) -> tuple[bool, bytes, str]:
    """Return whether the key of CURVE is none or a good one, what it is, and which carriers use it.

    It is that of the channel, or of the work queue if the channel has none.
    """
    for told, carriers in ((fields.get("curve"), fields.get("channel")), (work.get("curve"), work.get("kind"))):
        if told:
            try:
                return True, read_curve_key(told), str(carriers)
            except InvalidArguments:
                return False, b"", ""
    return True, b"", ""
