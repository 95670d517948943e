"""What the tests of a protected JSON API share: a cluster with members, its service, and clients."""

from __future__ import annotations

import socket
import ssl
import tempfile
import threading
from concurrent.futures import Future
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

from concurrent.transport import HTTPLimits, jsonremote
from concurrent.transport.security.authority import Authority, new_key, request_for
from concurrent.transport.security.identity import Identity
from concurrent.transport.security.keyfolder import KeyFolder
from concurrent.transport.security.newkeys import make_cluster
from concurrent.transport.security.place import Place
from concurrent.transport.security.protection import Protection, TLSKeys
from concurrent.transport.security.registrar import Registrar
from concurrent.transport.security.roles import OBSERVERS, Role
from concurrent.transport.security.tokens import Tokens
from concurrent.transport.security.trust import Trust
from tests.clusterkeys import MASTER, join
from tests.integration.transport.http_peers import TIMEOUT_S, Peer, Reply

OWN_FORM = {"Content-Type": "application/x-www-form-urlencoded", "Sec-Fetch-Site": "same-origin"}
"""The headers of a form of the node's own pages."""

MEMBERS = (Role.ADMIN, Role.SUBMIT, Role.OBSERVE, Role.SLAVE)


class Cluster:
    """A cluster, its tokens, and a machine for each role that has joined it."""

    def __init__(self, folder: Path, name: str) -> None:
        self.keys: KeyFolder = make_cluster(folder / "master", name)
        self.master = self.keys.tls(Role.MASTER)
        self.tokens = Tokens(self.keys)
        self.tls_by_role: dict[Role, TLSKeys] = {
            role: join(self.keys, folder / role, role, f"the-{role}").tls(role) for role in MEMBERS
        }
        self.tls_by_role[Role.MASTER] = self.master

    def expired_client(self) -> ssl.SSLContext:
        """Return a client whose certificate ended yesterday."""
        authority = Authority(self.keys.read("ca.key"), self.keys.certificate)
        key = new_key()
        identity = Identity(Role.ADMIN, "old", self.keys.cluster, "abc")
        certificate = authority.issue(request_for(key, "old"), identity, days=-1)
        return self.client_with(key, certificate)

    def client_with(self, key: bytes, certificate: bytes) -> ssl.SSLContext:
        """Return a client that has a certificate, whatever is wrong with it."""
        context = self.client_without_key()
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, "keys.pem")
            path.write_bytes(key + certificate)
            context.load_cert_chain(path)
        return context

    def client_without_key(self) -> ssl.SSLContext:
        """Return a client that knows the authority and has no certificate."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.load_verify_locations(cadata=self.keys.certificate.decode())
        return context


class Audit:
    """Keeps what it is told in memory."""

    def __init__(self, lines: list[tuple[str, Identity | None, str, str, str]]) -> None:
        self._lines = lines

    def write(self, action: str, identity: Identity | None, address: str, obj: str, result: str) -> None:
        self._lines.append((action, identity, address, obj, result))


class ProtectedPeer(Peer):
    """The JSON API of the master of a cluster, at a port of loopback and in its place."""

    def __init__(
        self, cluster: Cluster, place: Place, limits: HTTPLimits | None = None, **options: Any
    ) -> None:
        self.cluster = cluster
        self.trust = Trust()
        self.audited: list[tuple[str, Identity | None, str, str, str]] = []
        super().__init__(limits, **options)
        self.protection = Protection(tls=cluster.master, place=place, trust=self.trust)
        registrar = Registrar(cluster.keys, (MASTER,))
        self.service.protect(
            self.protection,
            tokens=cluster.tokens,
            registrar=registrar,
            audit=Audit(self.audited),
        )
        self.service.add_view("/secret", lambda: "only for admins", "For admins.", roles=())

        self.asked = threading.Event()

        @jsonremote(self.service)
        def wait_until_told(request: Any) -> Future[Any]:
            self.asked.set()
            return self.never

        @jsonremote(self.service, roles=OBSERVERS)
        def whoami(request: Any) -> str:
            return str(request.identity)

    def cookie_of(self, identity: Identity) -> str:
        return f"{self.cookie}={self.service.logins.log_in(identity)}"

    @property
    def cookie(self) -> str:
        return f"concurrent-{self.cluster.keys.cluster}-{self.service.port}"

    def connect_tls(self, context: ssl.SSLContext, name: str = "") -> ssl.SSLSocket:
        plain = socket.create_connection(("127.0.0.1", self.service.port), TIMEOUT_S)
        return context.wrap_socket(plain, server_hostname=name or self.cluster.master.master_name)

    def ask_tls(
        self,
        context: ssl.SSLContext,
        verb: str,
        path: str,
        body: bytes | None = None,
        headers: dict[str, str] | None = None,
    ) -> Reply:
        """Send a request with TLS. Raises OSError."""
        connection = HTTPConnection("127.0.0.1", self.service.port, timeout=TIMEOUT_S)
        connection.sock = self.connect_tls(context)
        try:
            connection.request(verb, path, body, headers or {})
            response = connection.getresponse()
            return Reply(response.status, dict(response.getheaders()), response.read())
        finally:
            connection.close()
