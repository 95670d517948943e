"""Decoders of what comes to the doors of a node: HTTP, JSON, names, tokens, certificates and invitations."""

from __future__ import annotations

import base64
import json
import ssl
from contextlib import suppress
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Final

from benchmarks.fuzz.decoder import Decoder
from concurrent.apps.registry import check_registration
from concurrent.core.errors import (
    ConcurrentError,
    ConfigurationError,
    InvalidArguments,
    NotAllowed,
    ProtocolError,
)
from concurrent.core.items import Host
from concurrent.transport.calls.methods import MethodRegistry
from concurrent.transport.security.audit import AuditLog, read_audit
from concurrent.transport.security.authority import (
    Authority,
    check_server,
    name_in_request,
    new_key,
    request_for,
)
from concurrent.transport.security.certificate import identity_of_certificate, uri_of
from concurrent.transport.security.identity import THIS_USER, Identity
from concurrent.transport.security.joinline import JoinLine
from concurrent.transport.security.keyfolder import KeyFolder
from concurrent.transport.security.members import Members
from concurrent.transport.security.newkeys import make_cluster
from concurrent.transport.security.roles import Role
from concurrent.transport.security.tokens import Tokens
from concurrent.transport.session.httphead import head_problem
from concurrent.transport.web.admission import Head
from concurrent.transport.web.httpstream import HTTPLimits, WebConnection
from concurrent.transport.web.jsonrpc import JSONRPCAnswerer
from concurrent.transport.web.sites import is_from_elsewhere, is_navigation, is_own_name

__all__ = ["decoders"]

CLUSTER: Final = "office-4kd2"
ANNA: Final = Identity(Role.SUBMIT, "anna", CLUSTER, "a1b2")
REQUESTS: Final = (
    b"GET /ping HTTP/1.1\r\nHost: localhost:8750\r\n\r\n",
    b"POST /json HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 4\r\n\r\nnull",
    b"POST /join HTTP/1.1\r\nHost:a\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\na b",
    b"GET /status?a=%20b HTTP/1.0\r\nCookie: concurrent-a-1=x; b=y\r\nAuthorization: Bearer t\r\n\r\n",
    b"GET http://a/b HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
)


def decoders(folder: Path) -> list[Decoder]:
    """Return them.

    :param folder: where keys and what else is read from files may be.
    """
    keys = make_cluster(folder / "keys", CLUSTER)
    return [
        _requests(), _heads(), _headers(), _json_rpc(), _registrations(), _join_lines(), _join_requests(),
        _tokens(keys), _certificates(), _server_certificates(keys), _key_files(keys), _audit(folder),
    ]  # fmt: skip


class _Socket:
    """A client that has sent something and has closed."""

    def __init__(self, data: bytes) -> None:
        self._parts = [data[:100], data[100:]]
        self.sent = bytearray()

    def recv(self, _size: int) -> bytes:
        return self._parts.pop(0) if self._parts else b""

    def settimeout(self, _timeout_s: float) -> None:
        """There is nothing to wait for."""

    def sendall(self, data: bytes) -> None:
        self.sent += data

    def send(self, data: bytes) -> int:
        self.sent += data
        return len(data)


class _Gateway:
    """Answers a request as the service does: it looks at the head, then reads the body."""

    def __init__(self, request: Any) -> None:
        self._request = request

    def respond(self) -> None:
        with suppress(ProtocolError):  # the service says so to the client
            self._request.read_body()
        self._request.status = b"200 OK"
        self._request.outheaders = [(b"Content-Length", b"0")]
        self._request.ensure_headers_sent()


def _requests() -> Decoder:
    """Whole requests, as the server reads them."""
    limits = HTTPLimits(body_bytes_max=10_000, request_timeout_s=0.5)
    server = SimpleNamespace(
        peercreds_enabled=False,
        peercreds_resolve_enabled=False,
        max_request_header_size=limits.header_bytes_max,
        max_request_body_size=limits.body_bytes_max,
        protocol="HTTP/1.1",
        gateway=_Gateway,
        stats={"Enabled": False},
        server_name="localhost",
        proxy_mode=False,
        strict_mode=True,
        can_add_keepalive_connection=True,
        ssl_adapter=None,
        error_log=_failed,
    )

    def read(data: bytes) -> None:
        sock: Any = _Socket(data)
        connection = WebConnection(server, sock, ("192.0.2.1", 5), limits)
        while connection.reader.fill():
            connection.reader.begins()
            connection.reader.is_whole(limits)
            if connection.reader.is_complete(limits):
                break
        connection.serve()

    return Decoder("requests", read, (ConcurrentError, TimeoutError), REQUESTS)


def _failed(message: str = "", **details: object) -> None:
    """Raise what the server would have logged as a crash of its own."""
    if details.get("traceback"):
        raise AssertionError(message)


def _heads() -> Decoder:
    heads = tuple(one.partition(b"\r\n")[2].partition(b"\r\n\r\n")[0] for one in REQUESTS)
    return Decoder("heads", lambda data: head_problem(data, needs_host=True), (), heads)


def _headers() -> Decoder:
    names = (
        "Host",
        "Origin",
        "Sec-Fetch-Site",
        "Sec-Fetch-Mode",
        "Sec-Fetch-Dest",
        "Authorization",
        "Cookie",
        "Accept",
    )
    values: dict[str, Any] = dict(
        zip(
            names,
            (
                "a:8750",
                "https://a:8750",
                "same-origin",
                "navigate",
                "document",
                "Bearer x",
                "a=b; c=d",
                "text/html",
            ),
            strict=True,
        )
    )

    def read(data: bytes) -> None:
        texts = data.decode("latin-1").split("\n")
        headers = dict(zip(names, texts, strict=False))
        head = Head("GET", "/", "", headers, "192.0.2.1", "192.0.2.2", is_encrypted=True, identity=None)
        head.credentials("Bearer")
        head.cookies("a")
        assert not is_own_name(headers.get("Host", ""), ["a"]) or headers["Host"].lower().startswith(
            ("a", "localhost", "127.", "[::1]", "[", "::1")
        )
        is_from_elsewhere(headers, is_encrypted=True, must_say=True)
        is_navigation(headers)

    def pack(value: Any) -> bytes:
        return "\n".join(map(str, dict(value).values())).encode("latin-1", "replace")

    return Decoder("headers", read, (), (pack(values),), (values,), pack)


def _json_rpc() -> Decoder:
    methods = MethodRegistry()

    def add(_request: Any, a: int, b: int = 0) -> int:
        return a + b

    def echo(_request: Any, value: Any) -> Any:
        return value

    for function in (add, echo):
        methods.register(function)
    answerer = JSONRPCAnswerer(methods, batch_max=20, call_timeout_s=1.0, on_event=str)

    def read(body: bytes) -> None:
        reply = answerer.answer(body, "192.0.2.1", THIS_USER)
        if reply.body is not None:
            json.loads(reply.body)

    values: tuple[Any, ...] = (
        {"jsonrpc": "2.0", "id": 1, "method": "add", "params": [1, 2]},
        {"jsonrpc": "2.0", "id": "x", "method": "echo", "params": {"value": {"a": [1.5, None, "\u00e4"]}}},
        [{"jsonrpc": "2.0", "method": "add", "params": [1]}, {"jsonrpc": "2.0", "id": 2, "method": "echo"}],
    )
    return Decoder("JSON-RPC", read, (), tuple(map(_json, values)), values, _json)


def _registrations() -> Decoder:
    def read(data: bytes) -> None:
        values = json.loads(data)
        if type(values) is list and len(values) == 3:
            check_registration(*values)

    values = (["slave-1", 8751, {"workers": 2, "curve": "x" * 40}],)
    return Decoder("registrations", read, (ValueError, RecursionError, InvalidArguments), (), values, _json)


def _join_lines() -> Decoder:
    lines = [
        JoinLine(CLUSTER, b"\x02" * 33, "s" * 22, Host(host, 8750)).text.encode()
        for host in ("10.0.0.5", "master.example.org", "::1")
    ]
    return Decoder(
        "join lines",
        lambda data: JoinLine.parse(data.decode("latin-1")),
        (ConfigurationError,),
        (*lines, b"concurrent join " + lines[0]),
    )


def _join_requests() -> Decoder:
    pem = request_for(new_key(), "rack")

    def pack(der: bytes) -> bytes:
        lines = base64.encodebytes(der)
        return b"-----BEGIN CERTIFICATE REQUEST-----\n" + lines + b"-----END CERTIFICATE REQUEST-----\n"

    der = base64.b64decode(b"".join(pem.splitlines()[1:-1]))
    return Decoder("join requests", name_in_request, (NotAllowed,), (pem,), (der,), pack)


def _tokens(keys: KeyFolder) -> Decoder:
    tokens = Tokens(keys)
    text = tokens.make(Role.OBSERVE, ttl_s=1e6)
    authority = Authority(keys.read("ca.key"), keys.certificate)
    body = text.split(".")[1]
    values = json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))

    def pack(value: Any) -> bytes:
        said = base64.urlsafe_b64encode(_json(value)).rstrip(b"=")
        signature = base64.urlsafe_b64encode(authority.sign(b"concurrent token 1\0" + said)).rstrip(b"=")
        return b"ct1." + said + b"." + signature

    def read(data: bytes) -> None:
        tokens.identity_of(data.decode("latin-1"))

    return Decoder("tokens", read, (NotAllowed,), (text.encode(),), (values,), pack)


def _certificates() -> Decoder:
    """Names in certificates that the library has verified."""
    value = {"subjectAltName": [["DNS", "node.office"], ["URI", uri_of(ANNA)]], "serialNumber": "A1B2"}

    def read(data: bytes) -> None:
        names = data.decode("utf-8", "replace").split("\n")
        pairs = [("URI" if index else "DNS", name) for index, name in enumerate(names)]
        found = identity_of_certificate({"subjectAltName": pairs, "serialNumber": "A1B2"}, CLUSTER)
        assert found.cluster == CLUSTER

    names = "\n".join(name for _, name in value["subjectAltName"]).encode()
    return Decoder("names in certificates", read, (NotAllowed,), (names, names.replace(b"submit", b"admin")))


def _server_certificates(keys: KeyFolder) -> Decoder:
    authority = Authority(keys.read("ca.key"), keys.certificate)
    identity = Identity(Role.MASTER, "head", CLUSTER, "abc1")
    der = ssl.PEM_cert_to_DER_cert(authority.issue(request_for(new_key(), "head"), identity).decode())

    def read(data: bytes) -> None:
        check_server(data, authority.public, f"master.{CLUSTER}")

    return Decoder("certificates of servers", read, (NotAllowed,), (der,))


def _key_files(keys: KeyFolder) -> Decoder:
    """The file with invitations, as somebody has edited it."""
    Members(keys).invite(Role.SLAVE)
    name = "invitations.json"
    values = keys.read_json(name)

    def read(data: bytes) -> None:
        keys.path(name).write_bytes(data)
        keys.membership()

    return Decoder("invitations", read, (ConfigurationError,), (_json(values),), (values,), _json)


def _audit(folder: Path) -> Decoder:
    path = folder / "audit.jsonl"
    with_lines = folder / "lines.jsonl"
    log = AuditLog(with_lines)
    for action in ("join", "refuse"):
        log.write(action, ANNA, "192.0.2.1", "rack", "done")
    lines = with_lines.read_bytes()

    def read(data: bytes) -> None:
        path.write_bytes(data)
        list(read_audit([path]))

    return Decoder("audit logs", read, (), (lines,))


def _json(value: Any) -> bytes:
    return json.dumps(value).encode()
