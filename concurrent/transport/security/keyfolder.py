"""The folder with the keys of one cluster on one machine.

On the machines of masters it has the key of the authority; on each other machine a key and a certificate for
each role that the machine has joined with. Whatever is missing, damaged, of another cluster or readable by
others is an error that names it: nothing here falls back to less. Any thread; writers take a lock, readers
never wait.

========================== =======================================================
``cluster.json``           the name of the cluster, and where its masters are
``ca.crt``, ``ca.key``     the authority; its key at masters only
``ROLE.crt``, ``ROLE.key`` this machine as a member
``revoked.json``           who was revoked, as masters have told, at others only
``members.json``           who has a certificate or token, at masters only
``invitations.json``       who may join, at masters only
``audit.jsonl``            what was done with the keys, at masters only
========================== =======================================================
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import ssl
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from concurrent.core.errors import ConfigurationError
from concurrent.core.items import Host
from concurrent.core.nearest import nearest
from concurrent.transport.security.membership import Membership
from concurrent.transport.security.names import CLUSTER, check_cluster_name
from concurrent.transport.security.place import private_folder
from concurrent.transport.security.privatefiles import damaged, read_private, write_private
from concurrent.transport.security.protection import TLSKeys
from concurrent.transport.security.roles import Role
from concurrent.transport.security.switching import is_unfinished, settled, writing
from concurrent.transport.security.tlskeys import check_pair, tls_keys

__all__ = ["AUTHORITY", "AUTHORITY_KEY", "INVITATIONS", "MEMBERS", "KeyFolder"]

VERSION: Final = 1
CLUSTER_FILE: Final = "cluster.json"
AUTHORITY: Final = "ca.crt"
AUTHORITY_KEY: Final = "ca.key"
MEMBERS: Final = "members.json"
INVITATIONS: Final = "invitations.json"
REVOKED: Final = "revoked.json"
AUDIT: Final = "audit.jsonl"


@dataclass(frozen=True, slots=True)
class _Settings:
    """What is in ``cluster.json``."""

    is_authority: bool
    masters: tuple[Host, ...]


class KeyFolder:
    """See the module. Making one reads nothing; all else may raise ConfigurationError, which names the file.

    :param folder: the folder; its name is that of the cluster.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.cluster = folder.name
        self._revoked: tuple[tuple[int, ...], frozenset[str]] | None = None

    def __repr__(self) -> str:
        return f"<KeyFolder {self.folder}>"

    @classmethod
    def all(cls, base: Path) -> list[KeyFolder]:
        """Return the key folders of this user, sorted by the names of their clusters."""
        try:
            names = os.listdir(base)
            if any(map(is_unfinished, names)):
                with writing(base):
                    names = os.listdir(base)
        except FileNotFoundError:
            return []
        except OSError as error:
            raise damaged(base, error.strerror or str(error), "Make it a folder of yours") from None
        return [cls(base / name) for name in sorted(filter(CLUSTER.fullmatch, names))]

    @classmethod
    def open(cls, base: Path, cluster: str) -> KeyFolder:
        """Return the key folder of a cluster.

        :raises ConfigurationError: if there is none; says which there are.
        """
        found = cls(base / check_cluster_name(cluster))
        settled(base, cluster)
        if os.path.lexists(found.folder):
            return found
        known = [one.cluster for one in cls.all(base)]
        near = nearest(cluster, known)
        raise ConfigurationError(
            f"there are no keys of cluster {cluster!r} in {base}",
            thing="cluster",
            value=cluster,
            remedy=f"Did you mean {near}?" if near
            else f"Name one that is there: {', '.join(known)}" if known
            else f"Type 'concurrent join LINE' to join it, or 'concurrent keys init --cluster {cluster}'",
        )  # fmt: skip

    @property
    def is_authority(self) -> bool:
        """Whether the key of the authority belongs here: this is a machine of masters."""
        return self._settings().is_authority

    @property
    def masters(self) -> tuple[Host, ...]:
        """Where the masters of the cluster are, as far as that was told."""
        return self._settings().masters

    @property
    def roles(self) -> tuple[Role, ...]:
        """The roles that this machine has keys for."""
        return tuple(role for role in Role if any(os.path.lexists(self.path(n)) for n in _files_of(role)))

    @property
    def audit_path(self) -> Path:
        """Where it is kept what was done with the keys."""
        return self.path(AUDIT)

    @property
    def certificate(self) -> bytes:
        """The certificate of the authority, as PEM."""
        return self.read(AUTHORITY)

    @property
    def remedy(self) -> str:
        """What to do where a file is missing or damaged."""
        if os.path.lexists(self.path(AUTHORITY_KEY)) or os.path.lexists(self.path(MEMBERS)):
            return (
                "Bring it back from a backup; or end all trust and begin anew with "
                f"'concurrent keys rotate --cluster {self.cluster}'"
            )
        return "Join the cluster again: an admin of it prints the command with 'concurrent keys invite ROLE'"

    def path(self, name: str) -> Path:
        """Return the path of a file in it."""
        return self.folder / name

    def read(self, name: str) -> bytes:
        """Return what is in a file of it, which only this user can have read."""
        return read_private(self.path(name), self.remedy)

    def tls(self, role: Role) -> TLSKeys:
        """Return the keys of this machine in a role, when every file is there, this user's alone, and fits."""
        self.check()
        if role not in self.roles and not (role is Role.MASTER and self.is_authority):
            have = ", ".join(self.roles) or "none"
            raise ConfigurationError(
                f"{self.folder} has no key of role {role}; it has {have}",
                thing=f"{role}.key",
                value=str(self.folder),
                remedy=f"Ask an admin of {self.cluster} for a line: concurrent keys invite {role}",
            )
        for name in _files_of(role):
            self.read(name)
        keys = tls_keys(self.folder, self.cluster, role, self.remedy)
        if keys.identity.serial in self.revoked():
            raise damaged(self.path(f"{role}.crt"), "it has been revoked", self.remedy)
        return keys

    def check(self) -> None:
        """Raise ConfigurationError unless the folder, and what it has of the cluster, is as it has to be."""
        self._check_folder()
        if self.is_authority:
            self._check_authority_pair()
            self.membership()
        elif os.path.lexists(self.path(AUTHORITY_KEY)):
            raise damaged(
                self.path(AUTHORITY_KEY),
                "the key of the authority belongs on machines of masters only",
                "Remove it; this machine needs only the keys of its roles",
            )

    def revoked(self) -> frozenset[str]:
        """Return the serials of those whose trust has ended, on other machines than masters' as far as told.

        It looks whether the file is another one, which is one system call, and reads it if so.
        """
        stamp = self.stamp()
        if self._revoked is None or self._revoked[0] != stamp:
            self._revoked = (stamp, self.membership().revoked if self.is_authority else self._told())
        return self._revoked[1]

    def keep_revoked(self, serials: Iterable[str]) -> None:
        """Remember, on a machine that is no master's, that these serials are revoked.

        It takes no lock: who is told of a few at the same moment is told of all when it joins a master again.
        """
        known, told = self.revoked(), frozenset(serials)
        if not told <= known:
            self.write_json(REVOKED, {"serials": sorted(known | told)})

    def stamp(self) -> tuple[int, ...]:
        """Return what differs whenever members have changed; whoever watches them keeps what it has seen.

        One system call, or two on a machine that is no master's.
        """
        for name in (MEMBERS, REVOKED):
            with contextlib.suppress(FileNotFoundError):
                status = os.stat(self.path(name))
                return status.st_ino, status.st_mtime_ns, status.st_size
        return ()

    def membership(self) -> Membership:
        """Return who is a member and who is invited, as they are now."""
        members, invitations = self.read_json(MEMBERS), self.read_json(INVITATIONS)
        try:
            return Membership.from_json(members, invitations)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise damaged(
                self.path(MEMBERS), f"it does not have the expected form ({error!r})", self.remedy
            ) from None

    @contextlib.contextmanager
    def changing(self) -> Iterator[Membership]:
        """Change who is a member and who is invited: alone, and kept at the end unless the block raises."""
        with writing(self.folder.parent):
            self._check_folder()
            self.check_authority()
            self._check_authority_pair()
            membership = self.membership()
            yield membership
            membership.clean(time.time())
            members, invitations = membership.to_json()
            self.write_json(INVITATIONS, invitations)  # what is used up is so, whatever comes
            self.write_json(MEMBERS, members)

    def check_authority(self) -> None:
        """Raise ConfigurationError unless this is a machine of masters."""
        if not self.is_authority:
            raise ConfigurationError(
                f"the key of the authority of {self.cluster} is not on this machine",
                thing="ca.key",
                value=str(self.folder),
                remedy="Type the command on the machine of its master",
            )

    def read_json(self, name: str) -> dict[str, Any]:
        """Return the values in a file of JSON, which has to be of this version, cluster and authority."""
        path = self.path(name)
        try:
            values = json.loads(self.read(name))
        except (ValueError, RecursionError):
            raise damaged(path, "it is cut short, or is not JSON", self.remedy) from None
        if not isinstance(values, dict):
            raise damaged(path, "it does not have the expected form", self.remedy)
        if values.get("version") != VERSION:
            wrong = f"it has version {values.get('version')!r}, and this release reads version {VERSION}"
            raise damaged(path, wrong, "Use the release of Concurrent that has made it, or a later one")
        if values.get("cluster") != self.cluster:
            raise damaged(path, f"it belongs to cluster {values.get('cluster')!r}", self.remedy)
        if values.get("authority") != self._authority_hash():
            raise damaged(path, f"it belongs to another authority than {AUTHORITY}", self.remedy)
        return values

    def write_json(self, name: str, values: Mapping[str, Any]) -> None:
        """Write a file of JSON, as a whole."""
        head = {"version": VERSION, "cluster": self.cluster, "authority": self._authority_hash()}
        self.write(name, json.dumps({**head, **values}, indent=1).encode())

    def write(self, name: str, content: bytes) -> None:
        """Write a file that only this user may read, as a whole."""
        try:
            write_private(self.path(name), content)
        except OSError as error:
            raise damaged(
                self.path(name), error.strerror or str(error), "Make room there, and let this user write"
            ) from error

    def write_cluster(self, masters: tuple[Host, ...], *, is_authority: bool) -> None:
        """Write ``cluster.json``."""
        values = {"is_authority": is_authority, "masters": [str(one) for one in masters]}
        self.write_json(CLUSTER_FILE, values)

    def _told(self) -> frozenset[str]:
        if not os.path.lexists(self.path(REVOKED)):
            return frozenset()
        serials = self.read_json(REVOKED).get("serials")
        if not isinstance(serials, list) or not all(isinstance(one, str) for one in serials):
            raise damaged(self.path(REVOKED), "it has another form than expected", self.remedy)
        return frozenset(serials)

    def _settings(self) -> _Settings:
        values = self.read_json(CLUSTER_FILE)
        try:
            masters = tuple(Host.parse(one) for one in values["masters"])
            return _Settings(bool(values["is_authority"]), masters)
        except (KeyError, TypeError, ValueError, AttributeError):
            raise damaged(self.path(CLUSTER_FILE), "it does not have the expected form", self.remedy) from None

    def _authority_hash(self) -> str:
        pem = self.certificate
        try:
            return hashlib.sha256(ssl.PEM_cert_to_DER_cert(pem.decode("ascii").strip())).hexdigest()
        except ValueError:
            raise damaged(
                self.path(AUTHORITY), "it is cut short, or is not a certificate", self.remedy
            ) from None

    def _check_authority_pair(self) -> None:
        self.read(AUTHORITY_KEY)
        check_pair(self.path(AUTHORITY), self.path(AUTHORITY_KEY), self.remedy)

    def _check_folder(self) -> None:
        private_folder(self.folder.parent)
        if not os.path.lexists(self.folder):
            raise damaged(self.folder, "it is missing", self.remedy)
        private_folder(self.folder)


def _files_of(role: Role) -> tuple[str, str]:
    return f"{role}.crt", f"{role}.key"
