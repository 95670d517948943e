"""Which keys a node or a command of this user has, and what they protect.

A node that serves has a protection of its own; whoever reaches for a node asks for one towards it. On one
machine the places of a user's nodes do, and nobody else can use them; a node elsewhere is reached with a key of
its cluster, which ``concurrent join`` has put into the key folder.
"""

from __future__ import annotations

from contextlib import closing, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple, TypeVar

from concurrent.apps.api import PORT_DEFAULT, NodeType
from concurrent.core.component import Component
from concurrent.core.errors import ConfigurationError, NotAllowed
from concurrent.core.items import ConfigItem, Host, PathItem
from concurrent.core.loggers import get_log
from concurrent.transport.security.howtojoin import how_to_join
from concurrent.transport.security.place import is_of_this_machine, keys_base, place_of
from concurrent.transport.security.protection import Protection
from concurrent.transport.security.roles import Role
from concurrent.transport.security.trust import Trust

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from concurrent.transport.security.keyfolder import KeyFolder
    from concurrent.transport.security.tokens import Tokens
    from concurrent.transport.web.jsonclient import JSONClient

__all__ = ["MANAGING", "OBSERVING", "ROLES_BY_TYPE", "Access", "KeySettings", "Way"]

MANAGING: Final = (Role.SUBMIT, Role.ADMIN, Role.MASTER)
"""As whom commands act that see to jobs: the weaker role first."""

OBSERVING: Final = (Role.OBSERVE, Role.SUBMIT, Role.ADMIN, Role.MASTER)
"""As whom commands act that only look."""

ROLES_BY_TYPE: Final = {
    NodeType.master: (Role.MASTER,),
    NodeType.slave: (Role.SLAVE, Role.ADMIN, Role.MASTER),
    NodeType.application: MANAGING,
}
"""As whom nodes act."""

INVITABLE: Final = (Role.OBSERVE, Role.SUBMIT, Role.SLAVE, Role.ADMIN)
"""As whom somebody can be invited: who may do less first."""

Answer = TypeVar("Answer")

log = get_log(__name__)


class Way(NamedTuple):
    """Where a node is, and how it is reached.

    ``source`` is who says that it is there, for errors; empty where nobody has to be told.
    """

    address: Host
    protection: Protection
    source: str = ""

    def client(self, *, is_master: bool = True) -> JSONClient:
        """Return a client of its JSON API, which the caller closes.

        :param is_master: whether it has to prove to be a master; else to be any other member of the cluster.
        """
        from concurrent.transport.web.jsonclient import JSONClient

        tls = self.protection.tls
        server_name = tls.node_name if tls is not None and not is_master else None
        return JSONClient(
            self.address.name,
            self.address.port,
            protection=self.protection,
            server_name=server_name,
            source=self.source,
        )

    def ask(self, question: Callable[[JSONClient], Answer]) -> Answer:
        """Return what a node answers, be it a master or another one.

        :raises ConcurrentError: if it does not; what a master would have said, if it is no member at all.
        """
        try:
            with closing(self.client()) as client:
                return question(client)
        except NotAllowed:
            if self.protection.tls is None:
                raise
            with suppress(NotAllowed), closing(self.client(is_master=False)) as client:
                return question(client)
            raise


class KeySettings(Component):
    """The options of section ``[keys]``."""

    folder = PathItem(
        "keys", "folder", "",
        "Where the keys of clusters are, a folder for each. Empty: concurrent/keys in the user's folder for "
        "configuration.",
    )  # fmt: skip
    cluster = ConfigItem(
        "keys", "cluster", "",
        "The cluster whose keys are used. Empty: the one that has a master at the address, or the only one.",
    )  # fmt: skip

    def base(self) -> Path:
        """Return the folder in which each cluster has one.

        :raises ConfigurationError: if none is named, and this user has no home.
        """
        return Path(self.folder) if self.folder else keys_base()

    @property
    def has_place(self) -> bool:
        """Whether this user may have keys at all."""
        try:
            self.base()
        except ConfigurationError:
            return False
        return True


class Access:
    """See the module. Any thread.

    :param settings: where keys are.
    :param is_open: nothing protects this node, nor those that it reaches.
    """

    def __init__(self, settings: KeySettings, *, is_open: bool) -> None:
        self.is_open = is_open
        self._settings = settings

    def master(self) -> KeyFolder | None:
        """Return the keys of the cluster that a master of this machine serves, made if there are none.

        None if nothing is protected.

        :raises ConfigurationError: if they are not whole, are those of several clusters, or cannot be made.
        """
        from concurrent.transport.security.keyfolder import KeyFolder
        from concurrent.transport.security.newkeys import ensure_cluster

        if self.is_open:
            return None
        base = self._settings.base()
        if self._settings.cluster:
            return KeyFolder.open(base, self._settings.cluster)
        own = [one for one in KeyFolder.all(base) if one.is_authority]
        if len(own) > 1:
            raise _several(own)
        keys = ensure_cluster(base)
        if not own:
            log.info("made the keys of cluster %s in %s", keys.cluster, keys.folder)
        return keys

    def default_master(self) -> Host:
        """Return where the master is that a node of this machine works for if it is told nothing else.

        :raises ConfigurationError: if the keys are those of several clusters.
        """
        return self._joined() or Host("127.0.0.1", PORT_DEFAULT)

    def joined_master(self) -> Host:
        """Return where the master is of the cluster that this user has joined.

        :raises ConfigurationError: if there is none, or there are several.
        """
        master = self._joined()
        if master is None and not any(one.is_authority for one in self._folders()):
            raise ConfigurationError(
                "this user has joined no cluster",
                thing="application.master",
                value="joined",
                remedy="At a master type 'concurrent keys invite submit', and here what that prints",
            )
        return master or Host("127.0.0.1", PORT_DEFAULT)

    @property
    def has_joined(self) -> bool:
        """Whether this user has joined a cluster whose master is elsewhere."""
        return self._joined() is not None

    def _joined(self) -> Host | None:
        """Return the master of the cluster that was joined; None if there is none, or it is on this machine."""
        folders = self._folders()
        if len(folders) > 1 and any(one.masters for one in folders):
            raise _several(folders)
        masters = folders[0].masters if folders and not folders[0].is_authority else ()
        return masters[0] if masters else None

    def way_to_own(self, address: Host) -> Way:
        """Return the way between a node and one that it has started for itself: the place, and nothing else."""
        return Way(address, Protection(place=place_of(address.port), is_open=self.is_open))

    def way(self, address: Host, roles: Sequence[Role], source: str = "") -> Way:
        """Return the way to a node; see :meth:`towards`.

        :param source: who says that it is there, for errors.
        """
        return Way(address, self.towards(address, roles), source)

    def towards(self, address: Host, roles: Sequence[Role]) -> Protection:
        """Return what a connection to a node passes through.

        :param address: that of the node's JSON API.
        :param roles: as whom to act: the first of these for which there is a key.
        :raises NotAllowed: if there is no way to the node.
        :raises ConfigurationError: if keys that are there are not whole, or are those of several clusters, of
            which none is known to have a master there.
        """
        place = place_of(address.port) if is_of_this_machine(address.name) else None
        if self.is_open:
            return Protection(place=place, is_open=True)
        folder = self._folder_towards(address)
        role = next((one for one in roles if folder is not None and one in folder.roles), None)
        if folder is None or role is None:
            if place is None and folder is None and len(folders := self._folders()) > 1:
                raise _several(folders)
            if place is None:
                raise _no_key(address, roles, folder)
            return Protection(place=place)
        return Protection(tls=folder.tls(role), place=place, trust=_trust_of(folder))

    def tokens(self, address: Host) -> Tokens | None:
        """Return what knows the tokens of the cluster of a node; None if this user has no key of it."""
        folder = None if self.is_open else self._folder_towards(address)
        if folder is None:
            return None
        from concurrent.transport.security.tokens import Tokens

        return Tokens(folder)

    def _folder_towards(self, address: Host) -> KeyFolder | None:
        folders = self._folders()
        near = [one for one in folders if address in one.masters]
        if len(near) == 1:
            return near[0]
        return folders[0] if len(folders) == 1 else None

    def _folders(self) -> list[KeyFolder]:
        """Return the key folders that may be meant; none of a user who has no home to keep them in."""
        settings = self._settings
        if not settings.cluster and not (settings.has_place and settings.base().exists()):
            return []  # without the modules that read them
        from concurrent.transport.security.keyfolder import KeyFolder

        if settings.cluster:
            return [KeyFolder.open(settings.base(), settings.cluster)]
        return KeyFolder.all(settings.base())


def _trust_of(folder: KeyFolder) -> Trust:
    """Return whom a node trusts no more; what masters tell it is remembered on its machine."""
    trust = Trust(folder.revoked())

    def keep(serials: frozenset[str]) -> None:
        try:
            folder.keep_revoked(serials)
        except (ConfigurationError, OSError) as error:  # a folder that cannot be written, as in a container
            log.warning("who was revoked is not remembered when this process has ended: %s", error)

    if not folder.is_authority:
        trust.listen(keep)
    return trust


def _several(folders: Sequence[KeyFolder]) -> ConfigurationError:
    names = ", ".join(one.cluster for one in folders)
    return ConfigurationError(
        f"this user has the keys of {len(folders)} clusters: {names}",
        thing="keys.cluster",
        remedy="Name one of them: -o keys.cluster=NAME",
    )


def _no_key(address: Host, roles: Sequence[Role], folder: KeyFolder | None) -> NotAllowed:
    """Say what is missing and what to type."""
    role = next(one for one in INVITABLE if one in roles)
    has = f"none but {', '.join(folder.roles)} (cluster {folder.cluster})" if folder is not None else "none"
    return NotAllowed(
        f"the node at {address} wants a key of role {role}, and this user has {has}",
        thing="keys",
        value=str(address),
        remedy=how_to_join(role),
    )
