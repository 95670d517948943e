"""Bytes that pass through TLS: the channel over another one, and what all such channels of an endpoint share.

TLS itself works in memory, so that it waits for no socket and wants to write only when it was asked to. Nothing
of a peer is given to the carrier before the greeting is over and its certificate has said who it is.
"""

from __future__ import annotations

import enum
import ssl
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from typing import Final

from concurrent.core.errors import ConfigurationError, NotAllowed, ProtocolError
from concurrent.transport.carriers.bytechannel import IByteChannel
from concurrent.transport.carriers.strangers import (
    broken_greeting,
    is_alert,
    is_tls,
    no_certificate,
    not_encrypted,
    unencrypted_server,
    unknown_here,
    wrong_server,
)
from concurrent.transport.frames.frames import Buffer
from concurrent.transport.loop.loop import NodeLoop
from concurrent.transport.security.certificate import identity_of_certificate
from concurrent.transport.security.identity import Identity
from concurrent.transport.security.protection import TLSKeys
from concurrent.transport.security.trust import Trust

__all__ = ["TLSChannel", "TLSEnd"]

ROOM_BYTES: Final = 128 * 1024
"""How much is taken from the channel below at a time; each connection may keep as much of it."""

SEND_BYTES: Final = 128 * 1024
"""How much is encrypted at a time."""

JOINED_BYTES: Final = 64 * 1024
"""So much of small pieces is encrypted by one call: a call, and a record of TLS, cost more than a copy."""

GREETING_BYTES: Final = 16 * 1024
FIRST_BYTES: Final = 16

CUT: Final = "the connection was cut"
CUT_AT_ONCE: Final = f"{CUT} before anything was sent; the other end may not accept this node's key"

GREETINGS_PER_TURN: Final = 8
"""How many connections go on with their greetings in one turn of the loop, for half a millisecond each: those
that are open do not wait for all that want to be."""


class TLSEnd:
    """What the TLS connections of one server or client have in common. The thread of their loop.

    :param keys: the certificate of this node.
    :param trust: who was revoked.
    :param is_server: whether connections come in.
    :raises ConfigurationError: if the keys would let in somebody whose certificate nobody has looked at.
    """

    def __init__(self, keys: TLSKeys, trust: Trust, *, is_server: bool) -> None:
        self.cluster = keys.cluster
        self.is_server = is_server
        self.room = memoryview(bytearray(ROOM_BYTES))
        self._greetings = 0
        self._context = keys.server if is_server else keys.client
        self._server_name = None if is_server else keys.master_name
        self._trust = trust
        is_strict = self._context.verify_mode == ssl.CERT_REQUIRED and self._context.check_hostname
        is_asking = is_server and self._context.verify_mode != ssl.CERT_NONE
        if not (is_asking or is_strict) or self._context.minimum_version != ssl.TLSVersion.TLSv1_3:
            raise ConfigurationError(
                "a TLS context must verify certificates, and allow nothing older than TLS 1.3",
                thing="keys",
                value=str(self._context.verify_mode),
            )

    def wrap(self, incoming: ssl.MemoryBIO, outgoing: ssl.MemoryBIO) -> ssl.SSLObject:
        """Return the engine of one connection."""
        return self._context.wrap_bio(
            incoming, outgoing, server_side=self.is_server, server_hostname=self._server_name
        )

    def has_turn(self, loop: NodeLoop) -> bool:
        """Tell whether one more connection may go on with its greeting in this turn."""
        if self._greetings == 0:
            loop.defer(self._end_turn)
        self._greetings += 1
        return self._greetings <= GREETINGS_PER_TURN

    def _end_turn(self) -> None:
        self._greetings = 0

    def identity_of(self, tls: ssl.SSLObject) -> Identity:
        """Return who is at the other end of a connection that has greeted; raises NotAllowed."""
        certificate = tls.getpeercert()
        if not certificate:
            raise no_certificate(self.cluster)
        identity = identity_of_certificate(certificate, self.cluster)
        self._trust.check(identity)
        return identity

    def not_tls(self, first: bytes) -> ProtocolError:
        """Return the error for a peer that begins with something else."""
        return not_encrypted(first, self.cluster) if self.is_server else unencrypted_server(first, self.cluster)

    def broken(self, error: ssl.SSLError) -> ProtocolError:
        """Return the error for a greeting that has failed."""
        return broken_greeting(error, self.cluster) if self.is_server else wrong_server(error, self.cluster)


class _Stage(enum.Enum):
    GREETING = 1
    """Nothing can be sent or received yet."""
    OPEN = 2
    DEAF = 3
    """What comes is thrown away: the peer is refused, or this end has said its last."""


GREETING, OPEN, DEAF = _Stage  # looked up for each message, which costs more at the class


class TLSChannel:
    """See the module, and ``IByteChannel`` for what it owes its carrier.

    A peer that is refused can be told why: in TLS if the greeting went well, plainly if the peer speaks none.

    :param loop: the node's loop.
    :param inner: what its bytes travel through; owned by this channel.
    :param end: what it has in common with others.
    :raises OSError: if the peer has gone already.
    """

    def __init__(self, loop: NodeLoop, inner: IByteChannel, end: TLSEnd) -> None:
        self.peer_ip = inner.peer_ip
        self.identity: Identity | None = None
        self._loop = loop
        self._inner = inner
        self._end = end
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = end.wrap(self._incoming, self._outgoing)
        self._stage: _Stage = GREETING
        self._first = b""
        self._has_keys = False
        self._is_plain = False
        self._has_more = False
        self._has_received = False
        self._is_ended = False
        self._is_finishing = False
        self._is_closed = False
        self._problem: OSError | ProtocolError | None = None
        self._backlog: deque[Buffer] = deque()
        self._reader: Callable[[], object] | None = None
        self._writer: Callable[[], object] | None = None
        self._is_watching_room = False
        if not end.is_server:
            with suppress(ssl.SSLWantReadError):
                self._tls.do_handshake()
            self._flush()
        inner.want_read(self._on_readable)

    def receive_into(self, space: memoryview) -> int:
        """Decrypt what has come."""
        if self._stage is not OPEN:
            return self._receive_unheard(space)
        size, room = len(space), self._end.room
        count = self._decrypt(space, 0) if self._has_more else 0
        while count < size and not self._is_ended and self._problem is None:
            try:
                taken = self._inner.receive_into(room)
            except BlockingIOError:
                if count:
                    break
                raise
            if not taken:
                self._fail(ConnectionResetError(CUT if self._has_received else CUT_AT_ONCE))
                break
            self._incoming.write(room[:taken])
            count = self._decrypt(space, count)
            if taken < len(room):
                break
        if count:
            return count
        if self._problem is not None:
            return self._receive_unheard(space)
        if self._is_ended:
            return 0
        raise BlockingIOError

    def send(self, pieces: deque[Buffer]) -> int:
        """Encrypt and send a part, unless the greeting or an earlier part is still under way."""
        if self._backlog or self._stage is GREETING:
            raise BlockingIOError
        if not self._has_keys:
            return self._send_unencrypted(pieces)
        written = 0
        while pieces and written < SEND_BYTES:
            if part := _taken(pieces, SEND_BYTES - written):
                written += self._tls.write(part)
        self._flush()
        return written

    def want_read(self, fn: Callable[[], object] | None) -> None:
        """Call when the channel below has something, and as long as something is left here."""
        self._reader = fn
        if self._stage is not GREETING:
            self._inner.want_read(None if fn is None else self._on_readable)
        if fn is not None and (self._has_more or self._problem is not None):
            self._loop.call_soon(self._read_on)

    def want_write(self, fn: Callable[[], object] | None) -> None:
        """Call when the greeting is over and nothing waits here."""
        self._writer = fn
        self._watch_room()

    def finish_sending(self) -> None:
        """Say the last word of TLS, and close this direction when all has left."""
        self._say_last()
        self._is_finishing = True
        self._has_more = False
        self._stage = DEAF
        self._flush()

    def close(self) -> None:
        """Give up the channel below, with a last word if there is room for it."""
        if self._is_closed:
            return
        if self._stage is OPEN and not self._backlog:
            self._say_last()
            with suppress(OSError):  # it is not owed
                self._inner.send(deque([self._outgoing.read()]))
        self._is_closed = True
        self._reader = self._writer = None
        self._backlog.clear()
        self._inner.close()

    def _decrypt(self, space: memoryview, count: int) -> int:
        """Decrypt behind ``count`` bytes that are in the memory already; returns how many are there then."""
        size, incoming, read = len(space), self._incoming, self._tls.read
        start = count
        try:
            while count < size:
                more = int(read(size - count, space[count:] if count else space))
                count += more
                if not more:
                    self._is_ended = True
                    break
                if not incoming.pending and count < size:
                    break
        except ssl.SSLWantReadError:
            pass
        except ssl.SSLError as error:
            is_refused = is_alert(error) and not self._has_received and not count and not self._end.is_server
            self._fail(unknown_here(error, self._end.cluster) if is_refused else _broken_off(error))
        self._has_received |= count > start
        has_news = self._is_ended and count > start  # the end was with it, and the carrier does not know yet
        self._has_more = (count == size or has_news) and self._problem is None
        if self._outgoing.pending:  # the peer has asked for an answer of TLS itself
            self._flush()
        return count

    def _receive_unheard(self, space: memoryview) -> int:
        """Raise why nothing more is let through, once; then only tell when the peer has ended."""
        if self._stage is GREETING:
            raise BlockingIOError
        problem, self._problem = self._problem, None
        if problem is not None:
            try:
                raise problem
            finally:
                del problem  # else it and this frame keep each other, and what TLS has
        return self._inner.receive_into(space)

    def _send_unencrypted(self, pieces: deque[Buffer]) -> int:
        """Answer a peer that speaks no TLS; one that began with it and failed could not read an answer."""
        if self._is_plain:
            return self._inner.send(pieces)
        count = sum(map(len, pieces))
        pieces.clear()
        return count

    def _fail(self, problem: OSError | ProtocolError) -> None:
        """Let nothing more through, and have the carrier hear why."""
        self._problem = problem
        self._stage = DEAF

    def _greet(self) -> bool:
        """Go on with the greeting; tells whether it is over, for better or worse."""
        room = self._end.room
        try:
            taken = self._inner.receive_into(room[:GREETING_BYTES])
            if not taken:
                self._fail(ConnectionResetError("the peer closed the connection during the TLS handshake"))
            elif self._speaks_tls(room[:taken]):
                self._incoming.write(room[:taken])
                self._shake_hands()
                self._flush()
        except BlockingIOError:
            pass
        except OSError as error:
            self._fail(error)
        return self._stage is not GREETING

    def _shake_hands(self) -> None:
        """Let TLS see what has come, and look at the peer's certificate when it is content."""
        try:
            self._tls.do_handshake()
            self._has_keys = True
            self.identity = self._end.identity_of(self._tls)
            self._stage = OPEN
        except ssl.SSLWantReadError:
            pass
        except ssl.SSLError as error:
            self._fail(self._end.broken(error))
        except NotAllowed as error:
            self._fail(error)

    def _speaks_tls(self, data: memoryview) -> bool:
        """Tell by the first bytes whether the peer speaks TLS."""
        if is_tls(self._first):
            return True
        self._first += bytes(data[:FIRST_BYTES])
        if is_tls(self._first):
            return True
        if len(self._first) > 1:
            self._is_plain = True
            self._fail(self._end.not_tls(self._first))
        return False

    def _on_readable(self) -> None:
        if self._stage is not GREETING:
            self._read_on()
        elif self._end.has_turn(self._loop) and self._greet():
            self._greeted()

    def _greeted(self) -> None:
        """Now it is the carrier's turn."""
        self._watch_room()
        if self._reader is None:
            self._inner.want_read(None)
        if self._stage is OPEN and self._writer is not None and not self._backlog:
            self._writer()
        self._has_more = self._stage is OPEN and self._incoming.pending > 0
        if self._has_more or self._problem is not None:
            self._read_on()

    def _read_on(self) -> None:
        if self._reader is not None:
            self._reader()
        if self._reader is not None and (self._has_more or self._problem is not None):
            self._loop.call_soon(self._read_on)

    def _on_writable(self) -> None:
        try:
            self._flush()
        except OSError as error:
            self._fail(error)
            self._read_on()
        if self._writer is not None and not self._backlog:
            self._writer()

    def _flush(self) -> None:
        """Send what TLS has to say, as far as there is room; raises OSError."""
        backlog = self._backlog
        if self._outgoing.pending:
            backlog.append(self._outgoing.read())
        try:
            while backlog:
                self._inner.send(backlog)
        except BlockingIOError:
            pass
        else:
            if self._is_finishing:
                self._is_finishing = False
                self._inner.finish_sending()
        if backlog or self._is_watching_room:
            self._watch_room()

    def _watch_room(self) -> None:
        if self._is_closed:
            return
        has_writer = self._writer is not None and self._stage is not GREETING
        is_watching = bool(self._backlog) or has_writer
        if is_watching is not self._is_watching_room:
            self._is_watching_room = is_watching
            self._inner.want_write(self._on_writable if is_watching else None)

    def _say_last(self) -> None:
        if self._has_keys:
            with suppress(ssl.SSLError):  # the peer has not said its last word yet
                self._tls.unwrap()


def _taken(pieces: deque[Buffer], bytes_max: int) -> Buffer:
    """Take out of the pieces what is encrypted next, at most so much of it; what is small is joined."""
    first = pieces.popleft()
    size = len(first)
    if size > bytes_max:
        pieces.appendleft(memoryview(first)[bytes_max:])
        return memoryview(first)[:bytes_max]
    joined_max = min(bytes_max, JOINED_BYTES)
    parts = [first]
    while pieces and size + len(pieces[0]) <= joined_max:
        size += len(pieces[0])
        parts.append(pieces.popleft())
    return b"".join(parts) if len(parts) > 1 else first


def _broken_off(error: ssl.SSLError) -> OSError:
    reason = (error.reason or str(error)).replace("_", " ").lower()
    return ConnectionResetError(f"the TLS connection failed: {reason}")
