"""Keys for tests: a cluster, and other machines that have joined it without a network."""

from __future__ import annotations

import json
from pathlib import Path

from concurrent.core.items import Host
from concurrent.transport.security.authority import key_of_authority, new_key, request_for
from concurrent.transport.security.joinline import JoinLine
from concurrent.transport.security.keyfolder import KeyFolder
from concurrent.transport.security.members import Members
from concurrent.transport.security.newmember import keep_answer
from concurrent.transport.security.registrar import Registrar
from concurrent.transport.security.roles import Role

__all__ = ["MASTER", "join"]

MASTER = Host("127.0.0.1", 8750)


def join(
    cluster: KeyFolder, base: Path, role: Role, name: str = "rack", *, is_ephemeral: bool = False
) -> KeyFolder:
    """Return the key folder of a machine that has joined a cluster.

    :param cluster: that of its master, as ``make_cluster`` returned it.
    :param base: where the key folders of the machine are.
    """
    secret = Members(cluster).invite(role, name="" if is_ephemeral else name, is_ephemeral=is_ephemeral)
    line = JoinLine(cluster.cluster, key_of_authority(cluster.certificate), secret, MASTER)
    key = new_key()
    answer = json.loads(Registrar(cluster, (MASTER,)).join(secret, request_for(key, name), "192.0.2.7"))
    return keep_answer(base, line, MASTER, key, answer).keys
