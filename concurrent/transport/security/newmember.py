"""Makes this machine a member of a cluster, by the line that an admin has printed. Any thread.

The master proves with its certificate that it belongs to the authority in the line, before it is told the
secret.
"""

from __future__ import annotations

import json
import os
import socket
import ssl
from contextlib import closing
from http.client import HTTPConnection, HTTPException, HTTPResponse
from pathlib import Path
from typing import Any, Final, NamedTuple

from concurrent.core.errors import ConfigurationError, ConnectionLost, NotAllowed, ProtocolError, UnknownHost
from concurrent.core.items import Host
from concurrent.transport.security.identity import Identity
from concurrent.transport.security.joinline import JoinLine
from concurrent.transport.security.keyfolder import AUTHORITY, AUTHORITY_KEY, KeyFolder
from concurrent.transport.security.names import check_member_name, dns_name, member_name
from concurrent.transport.security.newkeys import new_folder
from concurrent.transport.security.place import private_folder
from concurrent.transport.security.roles import Role
from concurrent.transport.security.switching import put_in_place, writing

__all__ = ["Joined", "keep_answer", "make_join"]

PATH: Final = "/join"
TIMEOUT_S: Final = 20.0
ANSWER_BYTES_MAX: Final = 64 << 10

REMEDY: Final = "Start the master with --host 0.0.0.0, look at its firewall, or give its address with --master"


class Joined(NamedTuple):
    """What has come of it.

    :param keys: the key folder.
    :param identity: what this machine is in the cluster.
    """

    keys: KeyFolder
    identity: Identity


def make_join(line: str, base: Path, *, name: str = "", master: Host | None = None) -> Joined:
    """Join a cluster and keep the key of this machine.

    :param line: what ``concurrent keys invite`` has printed.
    :param base: what ``keys_base`` returned.
    :param name: what this machine is to be called; empty: what it is called in the network.
    :param master: where the master is, if not where the line says.
    :raises ConfigurationError: if the line is none, or the keys cannot be kept.
    :raises NotAllowed: if what answers is not the master, or does not know the invitation.
    :raises TransportError: if the master cannot be reached.
    """
    from concurrent.transport.security.authority import new_key, request_for

    wanted = JoinLine.parse(line)
    name = check_member_name(name) if name else member_name(socket.gethostname())
    private_folder(base)  # what cannot be kept is not asked for: the invitation would be used up
    _check_old(KeyFolder(base / wanted.cluster))
    key = new_key()
    reached = master or wanted.master
    answer = _ask(wanted, reached, request_for(key, name))
    return keep_answer(base, wanted, reached, key, answer)


def _check_old(old: KeyFolder) -> None:
    if os.path.lexists(old.path(AUTHORITY_KEY)):
        raise ConfigurationError(
            f"this machine has the key of the authority of {old.cluster}, so it need not join",
            thing="cluster",
            value=old.cluster,
            remedy="Join on the other machine; here every command works as it is",
        )


def _ask(line: JoinLine, master: Host, request_pem: bytes) -> dict[str, Any]:
    """Post the request to the master, and return what it answers."""
    from concurrent.transport.security.authority import check_server

    try:
        with socket.create_connection(master, TIMEOUT_S) as plain:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            context.minimum_version = ssl.TLSVersion.TLSv1_3
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE  # no file has the authority yet: the next lines look themselves
            with context.wrap_socket(plain, server_hostname=dns_name(line.cluster, Role.MASTER)) as sock:
                shown = sock.getpeercert(binary_form=True) or b""
                check_server(shown, line.key, dns_name(line.cluster, Role.MASTER))
                return _posted(sock, line.secret, request_pem, master)
    except socket.gaierror as error:
        remedy = (
            f"Type the same line with --master ADDRESS:{master.port}, where the address is that of the master"
        )
        raise UnknownHost(f"there is no host {master.name}", thing=str(master), remedy=remedy) from error
    except ssl.SSLError as error:
        raise ConnectionLost(
            f"{master} does not answer as a master with keys does ({error.reason or error})",
            thing=str(master),
            remedy=f"Look whether the master of {line.cluster} runs there, on that port",
        ) from None
    except OSError as error:
        reason = "it does not answer" if isinstance(error, TimeoutError) else error.strerror or str(error)
        raise ConnectionLost(
            f"{master} cannot be reached: {reason}", thing=str(master), remedy=REMEDY
        ) from None


def _posted(sock: ssl.SSLSocket, secret: str, request_pem: bytes, master: Host) -> dict[str, Any]:
    connection = HTTPConnection(*master, timeout=TIMEOUT_S)
    connection.sock = sock
    with closing(connection):
        try:
            headers = {
                "Authorization": f"Join {secret}",
                "Content-Type": "application/x-pem-file",
                "Connection": "close",
            }
            connection.request("POST", PATH, request_pem, headers)
            response = connection.getresponse()
            return _answer(response, response.read(ANSWER_BYTES_MAX), master)
        except HTTPException as error:
            raise ConnectionLost(f"{master} broke off the connection ({error!r})", thing=str(master)) from None


def _answer(response: HTTPResponse, body: bytes, master: Host) -> dict[str, Any]:
    try:
        values = json.loads(body)
    except ValueError:
        values = None
    if response.status == 200 and isinstance(values, dict):
        return values
    error = values.get("error") if isinstance(values, dict) else None
    if isinstance(error, dict) and 400 <= response.status < 500:
        data = error.get("data")
        remedy = data.get("remedy") if isinstance(data, dict) else None
        raise NotAllowed(
            f"{master} does not take the invitation: {error.get('message')}",
            thing="invitation",
            remedy=str(remedy or "Ask an admin for a new one: concurrent keys invite ROLE"),
        )
    what = f"{response.status} {response.reason}" if response.status != 200 else "no certificate"
    raise ProtocolError(
        f"{master} answered {what}", thing=str(master), remedy="Look into the log of the master"
    )


def keep_answer(base: Path, line: JoinLine, reached: Host, key: bytes, answer: dict[str, Any]) -> Joined:
    """Check what a master has answered, and write it into the key folder.

    :param base: what ``keys_base`` returned.
    :param reached: where the master was reached.
    :param key: the secret key of this machine, as PEM.
    :param answer: the values of the JSON that ``Registrar.join`` returned.
    :raises ProtocolError: if it is not for that key and cluster.
    """
    from concurrent.transport.security.authority import has_key, key_of_authority

    try:
        certificate, authority = (str(answer[one]).encode("ascii") for one in ("certificate", "authority"))
        role = Role(answer["role"])
        others = [Host.parse(one) for one in answer["masters"]]
        is_ours = key_of_authority(authority) == line.key and has_key(certificate, key)
    except (KeyError, TypeError, ValueError, AttributeError):
        is_ours = False
    if not is_ours or answer.get("cluster") != line.cluster:
        raise ProtocolError(
            f"the answer of {reached} is not for this key and cluster",
            thing=str(reached),
            remedy="Have the master run the same release of Concurrent",
        )
    place = KeyFolder(base / line.cluster)
    with writing(base), new_folder(place.folder) as new:
        new.write(AUTHORITY, authority)
        new.write(f"{role}.crt", certificate)
        new.write(f"{role}.key", key)
        new.write_cluster((reached, *(one for one in others if one != reached)), is_authority=False)
        _keep_other_roles(place, new)
        identity = new.tls(role).identity
        put_in_place(new.folder, place.folder)
    return Joined(place, identity)


def _keep_other_roles(old: KeyFolder, new: KeyFolder) -> None:
    """Have this machine stay what else it is, and know who was revoked, while the authority is the same."""
    try:
        if old.certificate != new.certificate:
            return
        new.keep_revoked(old.revoked())
        for role in old.roles:
            if role not in new.roles:
                old.tls(role)
                for name in (f"{role}.crt", f"{role}.key"):
                    new.write(name, old.read(name))
    except ConfigurationError:  # there are none, or they are damaged: joining again is what helps then
        pass
