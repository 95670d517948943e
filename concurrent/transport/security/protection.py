"""What the connections of one node pass through, and whom it lets in.

A server with a protection listens in its place for processes of its user, and at its port for those that have
a key, if it has keys itself. A client looks into the place of the node that it wants to reach, and uses its key
where nobody listens there. A server or client that is given none is one of a program that uses ``transport``
alone: its peers are anybody.
"""

from __future__ import annotations

import ssl
from dataclasses import dataclass, field

from concurrent.transport.security.allowed import AllowedKeys
from concurrent.transport.security.identity import Identity
from concurrent.transport.security.place import Place
from concurrent.transport.security.trust import Trust

__all__ = ["CurveKeys", "Protection", "TLSKeys"]


@dataclass(frozen=True, slots=True)
class TLSKeys:
    """The certificate of this node, as both ends use it. It is never changed.

    :param cluster: whose authority it trusts.
    :param identity: what the certificate says this node is.
    :param server: the context for connections that come in: TLS 1.3, asks for a certificate of the cluster.
    :param client: the context for connections that go out: TLS 1.3, demands one.
    """

    cluster: str
    identity: Identity
    server: ssl.SSLContext
    client: ssl.SSLContext

    @property
    def master_name(self) -> str:
        """The name that the certificate of a master has."""
        return f"master.{self.cluster}"

    @property
    def node_name(self) -> str:
        """The name that the certificate of any other member has."""
        return f"node.{self.cluster}"


@dataclass(frozen=True, slots=True)
class CurveKeys:
    """A pair of keys for CURVE, made at the start of a process; 40 characters of Z85 each."""

    public: bytes
    secret: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Protection:
    """See the module.

    :param tls: the keys of this node; None if it has none.
    :param curve: the keys for ZeroMQ, besides those for TLS; None if it has none.
    :param master_curve: the public key of the master whose client this is; empty if none is known.
    :param master: who that master is, as its certificate said where it told the key; None if nobody said so.
    :param allowed: of a server the keys for ZeroMQ that are let in.
    :param place: of a server its own sockets for processes of the same user, of a client those of the node that
        it wants to reach; None if there are none.
    :param trust: who was revoked.
    :param is_open: nothing protects this node: plain connections of anybody are taken, and made.
    """

    tls: TLSKeys | None = None
    curve: CurveKeys | None = None
    place: Place | None = None
    trust: Trust = field(default_factory=Trust)
    is_open: bool = False
    master_curve: bytes = b""
    master: Identity | None = None
    allowed: AllowedKeys = field(default_factory=AllowedKeys)

    @property
    def told(self) -> dict[str, str]:
        """What the other end has to be told of the keys, over the JSON API."""
        return {} if self.curve is None else {"curve": self.curve.public.decode()}

    @property
    def is_closed(self) -> bool:
        """Whether there is no way to know a peer."""
        return self.tls is None and self.curve is None and self.place is None and not self.is_open
