"""CURVE: what encrypts ZeroMQ, and who may come in by it.

ZeroMQ asks, for each connection that has proved to have the secret half of a key, whether that key may come in:
over a socket of its own in each context, by the protocol ZAP. Nobody may whom that answer does not name: not if
there is no answer either, and not if it goes wrong.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from typing import Final

from concurrent.core.dependencies import installed_first
from concurrent.core.errors import ConfigurationError, NotAllowed
from concurrent.core.loggers import get_log
from concurrent.transport.carriers.zmqsockets import MONITOR_EVENT, Context, Socket
from concurrent.transport.loop.loop import NodeLoop
from concurrent.transport.security.identity import Identity
from concurrent.transport.security.protection import CurveKeys, Protection

with installed_first("zmq"):
    import zmq
    from zmq.utils import z85

__all__ = [
    "ZapHandler",
    "as_curve_client",
    "as_curve_server",
    "check_refusal",
    "identity_of_key",
    "new_curve_keys",
]

ZAP_ADDRESS: Final = "inproc://zeromq.zap.01"
ZAP_VERSION: Final = b"1.0"
DOMAIN: Final = b"concurrent"
MECHANISM: Final = b"CURVE"
LET_IN, REFUSED, BROKEN = b"200", b"400", b"500"

CANARY_TIMEOUT_S: Final = 10.0
_HANDSHAKE_ENDS: Final = (
    zmq.EVENT_HANDSHAKE_SUCCEEDED
    | zmq.EVENT_HANDSHAKE_FAILED_AUTH
    | zmq.EVENT_HANDSHAKE_FAILED_PROTOCOL
    | zmq.EVENT_HANDSHAKE_FAILED_NO_DETAIL
)
_PARTNERS: Final[dict[int, int]] = {zmq.ROUTER: zmq.DEALER, zmq.PUSH: zmq.PULL}

log = get_log(__name__)


def new_curve_keys() -> CurveKeys:
    """Return a new pair of keys. Any thread."""
    public, secret = zmq.curve_keypair()
    return CurveKeys(public, secret)


def as_curve_server(socket: Socket, keys: CurveKeys, handshake_s: float) -> None:
    """Have a socket that will listen let in only whom the handler of ZAP names.

    :param handshake_s: how long that may take, in seconds.
    """
    socket.setsockopt(zmq.CURVE_SERVER, 1)
    socket.setsockopt(zmq.CURVE_PUBLICKEY, keys.public)
    socket.setsockopt(zmq.CURVE_SECRETKEY, keys.secret)
    socket.setsockopt(zmq.ZAP_DOMAIN, DOMAIN)
    socket.setsockopt(zmq.ZAP_ENFORCE_DOMAIN, 1)  # without a handler nobody comes in
    socket.setsockopt(zmq.HANDSHAKE_IVL, int(handshake_s * 1000))


def as_curve_client(socket: Socket, keys: CurveKeys, server_key: bytes) -> None:
    """Have a socket that will connect speak only to the server that has a key."""
    socket.setsockopt(zmq.CURVE_PUBLICKEY, keys.public)
    socket.setsockopt(zmq.CURVE_SECRETKEY, keys.secret)
    socket.setsockopt(zmq.CURVE_SERVERKEY, server_key)


def identity_of_key(protection: Protection, key: bytes) -> Identity:
    """Return who has a key; raises NotAllowed if it may not come in."""
    identity = protection.allowed.identity_of(key)
    protection.trust.check(identity)
    return identity


class ZapHandler:
    """Answers ZeroMQ who may come in, for the sockets of one context. Loop thread only.

    It has to be there before they listen, and owns one socket.

    :param protection: whose keys are allowed.
    :param on_refused: called with the address of somebody who may not, and the reason.
    """

    def __init__(
        self,
        loop: NodeLoop,
        context: Context,
        protection: Protection,
        on_refused: Callable[[str, NotAllowed], object],
    ) -> None:
        self._loop = loop
        self._protection = protection
        self._let_in: set[str] = set()
        self._on_refused = on_refused
        self._canary = b""
        self.socket: Socket = context.socket(zmq.ROUTER)
        self.socket.setsockopt(zmq.LINGER, 0)
        self.socket.bind(ZAP_ADDRESS)
        self._fd = self.socket.getsockopt(zmq.FD)
        loop.add_reader(self._fd, self.answer)
        loop.call_soon(self.answer)

    def answer(self) -> None:
        """Answer all that is asked."""
        while not self.socket.closed:
            try:
                request = self.socket.recv_multipart(zmq.NOBLOCK)
            except zmq.Again:
                return
            sender, _, _version, request_id, *what = request
            code, text, user = self._decide(what)
            self.socket.send_multipart([sender, b"", ZAP_VERSION, request_id, code, text, user, b""])

    def expect(self, canary: bytes) -> None:
        """Say nothing of a stranger that is sent to be refused; the key is its public one."""
        self._canary = canary

    def has_let_in(self, serials: Iterable[str]) -> bool:
        """Tell whether one of these certificates or tokens has brought somebody in."""
        return not self._let_in.isdisjoint(serials)

    def close(self) -> None:
        """Answer no more: nobody comes in."""
        self._loop.remove_reader(self._fd)
        self.socket.close(linger=0)

    def _decide(self, what: list[bytes]) -> tuple[bytes, bytes, bytes]:
        """Return the status, the reason, and the key by which messages of the peer are known.

        :param what: domain, address of the peer, routing id, mechanism, and what the peer has proved to have.
        """
        public = b""
        try:
            domain, address, _routing_id, mechanism, key = what
            if (domain, mechanism) != (DOMAIN, MECHANISM):
                raise NotAllowed(f"only {MECHANISM.decode()} is spoken here", value=mechanism)
            public = z85.encode(key)
            identity = identity_of_key(self._protection, public)
        except NotAllowed as error:
            if not public or public != self._canary:
                self._on_refused(address.decode("ascii", "replace"), error)
            return REFUSED, b"not allowed", b""
        except BaseException:  # boundary: nobody comes in by a mistake
            log.exception("cannot tell whether a peer may come in, so it may not")
            return BROKEN, b"the handler has failed", b""
        self._let_in.add(identity.serial)
        return LET_IN, b"", public


def check_refusal(context: Context, kind: int, endpoint: str, keys: CurveKeys, zap: ZapHandler) -> None:
    """Prove that a key that nobody has told is refused, before anybody is let in. It takes milliseconds.

    :param kind: that of the socket that listens.
    :param endpoint: where.
    :param keys: those of the socket.
    :param zap: answers for it.
    :raises ConfigurationError: if a stranger would come in, or that cannot be told.
    """
    socket: Socket = context.socket(_PARTNERS[kind])
    socket.setsockopt(zmq.LINGER, 0)
    if endpoint.startswith("tcp://["):
        socket.setsockopt(zmq.IPV6, 1)
    stranger = new_curve_keys()
    zap.expect(stranger.public)
    as_curve_client(socket, stranger, keys.public)
    monitor = socket.get_monitor_socket(_HANDSHAKE_ENDS)
    poller = zmq.Poller()
    poller.register(zap.socket, zmq.POLLIN)
    poller.register(monitor, zmq.POLLIN)
    event = status = 0
    try:
        socket.connect(endpoint)
        end = time.monotonic() + CANARY_TIMEOUT_S
        while not event and (left_s := end - time.monotonic()) > 0:
            ready = dict(poller.poll(int(left_s * 1000) + 1))
            zap.answer()
            if monitor in ready:
                event, status = MONITOR_EVENT.unpack(monitor.recv_multipart()[0])
    finally:
        socket.disable_monitor()
        monitor.close(linger=0)
        socket.close(linger=0)
    if (event, status) != (zmq.EVENT_HANDSHAKE_FAILED_AUTH, int(REFUSED)):
        what = "lets in" if event == zmq.EVENT_HANDSHAKE_SUCCEEDED else "cannot be proved to refuse"
        raise ConfigurationError(
            f"the socket at {endpoint} {what} somebody whose key nobody knows",
            thing="transport.channel",
            value=endpoint,
            remedy="Use another version of pyzmq, or transport.channel = tcp",
        )
