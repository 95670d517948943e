"""Makes the key folder of a cluster on the machine of its master, and makes it anew.

A folder is made beside its place and put there when it is whole; see ``switching``. Any thread.
"""

from __future__ import annotations

import contextlib
import dataclasses
import os
import secrets
import shutil
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from concurrent.core.errors import ConfigurationError
from concurrent.core.items import Host
from concurrent.transport.security.audit import audit_files
from concurrent.transport.security.certificate import serial_text
from concurrent.transport.security.keyfolder import (
    AUTHORITY,
    AUTHORITY_KEY,
    INVITATIONS,
    MEMBERS,
    KeyFolder,
)
from concurrent.transport.security.membership import Member, Membership
from concurrent.transport.security.names import check_cluster_name, cluster_name, member_name
from concurrent.transport.security.roles import Role
from concurrent.transport.security.switching import empty_folder, put_in_place, writing

__all__ = ["ensure_cluster", "make_cluster", "new_folder", "new_serial", "rotate"]

ENDING_ALPHABET: Final = "abcdefghjkmnpqrstuvwxyz23456789"
"""Without what looks like something else."""


def make_cluster(base: Path, name: str | None = None) -> KeyFolder:
    """Make a new cluster: an authority, and the key of its master on this machine.

    :param base: what ``keys_base`` returned.
    :param name: what it is called; None: the name of this machine, and four characters of chance.
    :raises ConfigurationError: if it cannot be called so, is there already, or cannot be written.
    """
    name = check_cluster_name(name if name is not None else _new_name())
    with writing(base):
        return _make(base, name)


def ensure_cluster(base: Path) -> KeyFolder:
    """Return the first cluster whose authority is on this machine, made if there is none.

    Two processes that do so at once get the same.
    """
    with writing(base):
        own = [one for one in KeyFolder.all(base) if one.is_authority]
        return own[0] if own else _make(base, _new_name())


def rotate(keys: KeyFolder) -> KeyFolder:
    """Give a cluster a new authority: nobody is trusted any more who was, and every member has to join again.

    It does not need the old files to be whole.
    """
    base, old = keys.folder.parent, Membership()
    with writing(base):
        masters: tuple[Host, ...] = ()
        with contextlib.suppress(ConfigurationError):  # damaged keys are one reason to do it
            masters, old = keys.masters, keys.membership()
        now = time.time()
        ended = [
            dataclasses.replace(one, revoked_at=now, why="rotated") for one in old.members if not one.revoked_at
        ]
        with new_folder(keys.folder) as new:
            members = [*(one for one in old.members if one.revoked_at), *ended]
            _fill(new, Membership(members, former=old.former), masters)
            for file in audit_files(keys.audit_path):
                shutil.copy2(file, new.path(file.name))
            put_in_place(new.folder, keys.folder)
    return KeyFolder(keys.folder)


@contextlib.contextmanager
def new_folder(place: Path) -> Iterator[KeyFolder]:
    """Have an empty key folder beside its place for the time of a block, unless it is put there."""
    with empty_folder(place) as folder:
        yield KeyFolder(folder)


def new_serial() -> str:
    """Return a number for a certificate that no other one has."""
    return serial_text(secrets.randbits(126) | 1 << 126)


def _make(base: Path, name: str) -> KeyFolder:
    place = base / name
    if os.path.lexists(place):
        raise ConfigurationError(
            f"there are keys of cluster {name} in {base} already",
            thing="cluster",
            value=name,
            remedy="Give another name with --cluster, or begin that one anew with 'concurrent keys rotate'",
        )
    with new_folder(place) as new:
        _fill(new, Membership(), ())
        put_in_place(new.folder, place)
    return KeyFolder(place)


def _fill(new: KeyFolder, membership: Membership, masters: tuple[Host, ...]) -> None:
    """Write all files of the machine of a master."""
    from concurrent.transport.security.authority import Authority, new_key, request_for

    authority = Authority.new(new.cluster)
    member = Member(Role.MASTER, member_name(socket.gethostname()), new_serial(), time.time())
    key = new_key()
    certificate = authority.issue(request_for(key, member.name), member.identity(new.cluster))
    membership.members.append(member)
    members, invitations = membership.to_json()
    new.write(AUTHORITY, authority.certificate_pem)
    new.write(AUTHORITY_KEY, authority.key_pem)
    new.write(f"{Role.MASTER}.crt", certificate)
    new.write(f"{Role.MASTER}.key", key)
    new.write_json(MEMBERS, members)
    new.write_json(INVITATIONS, invitations)
    new.write_cluster(masters, is_authority=True)


def _new_name() -> str:
    ending = "".join(secrets.choice(ENDING_ALPHABET) for _ in range(4))
    return cluster_name(socket.gethostname(), ending)
