"""A byte channel that encrypts: TLS without certificates, as two processes of one test need no more."""

from __future__ import annotations

import socket
import ssl
from collections import deque
from collections.abc import Callable
from functools import partial

from concurrent.transport.carriers.bytechannel import MakeChannel, SocketChannel
from concurrent.transport.frames.frames import Buffer
from concurrent.transport.loop.loop import NodeLoop

CIPHER = "AECDH-AES128-SHA:@SECLEVEL=0"
READ_BYTES = 256 * 1024
SEND_BYTES = 64 * 1024


def tls_channels(*, is_server: bool) -> MakeChannel:
    """Return what makes the channels of one end."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER if is_server else ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers(CIPHER)
    return partial(TLSChannel, context, is_server)


class TLSChannel:
    """TLS over another channel; see ``IByteChannel``."""

    def __init__(self, context: ssl.SSLContext, is_server: bool, loop: NodeLoop, sock: socket.socket) -> None:
        self._inner = SocketChannel(loop, sock)
        self.peer_ip = self._inner.peer_ip
        self._loop = loop
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._incoming, self._outgoing, server_side=is_server)
        self._space = memoryview(bytearray(READ_BYTES))
        self._backlog: deque[Buffer] = deque()
        self._reader: Callable[[], object] | None = None
        self._writer: Callable[[], object] | None = None
        self._error: OSError | None = None
        self._is_greeted = False
        self._is_drained = True
        self._is_finishing = False
        self._is_closed = False
        self._greet()

    def receive_into(self, space: memoryview) -> int:
        """Decrypt what has come."""
        if self._error is not None:
            raise self._error
        self._pull()
        count = 0
        self._is_drained = False
        try:
            while count < len(space) and (more := self._tls.read(len(space) - count, space[count:])):
                count += more
        except ssl.SSLWantReadError:
            self._is_drained = True
            if not count and not self._incoming.eof:
                raise BlockingIOError from None
        except (ssl.SSLZeroReturnError, ssl.SSLEOFError):
            self._is_drained = True
        return count

    def send(self, pieces: deque[Buffer]) -> int:
        """Encrypt and send a part, unless the greeting or an earlier part is still under way."""
        if self._error is not None:
            raise self._error
        if not self._is_greeted or self._backlog:
            raise BlockingIOError
        piece = memoryview(pieces.popleft())
        count = self._tls.write(piece[:SEND_BYTES]) if len(piece) else 0
        if count < len(piece):
            pieces.appendleft(piece[count:])
        self._flush()
        return count

    def want_read(self, fn: Callable[[], object] | None) -> None:
        """Read from the socket, and what is decrypted already."""
        self._reader = fn
        self._watch()
        if fn is not None and not self._is_drained:
            self._loop.call_soon(self._go_on)

    def want_write(self, fn: Callable[[], object] | None) -> None:
        """Tell when the greeting is over and nothing waits for the socket."""
        self._writer = fn
        self._watch()

    def finish_sending(self) -> None:
        """Say goodbye, and close this direction after that."""
        self._is_finishing = True
        try:
            self._tls.unwrap()
        except ssl.SSLWantReadError:
            pass
        self._flush()

    def close(self) -> None:
        """Close the socket."""
        self._is_closed = True
        self._inner.close()

    def _greet(self) -> None:
        try:
            self._tls.do_handshake()
            self._is_greeted = True
        except ssl.SSLWantReadError:
            if self._incoming.eof:
                self._error = ConnectionResetError("the peer closed the connection")
        except OSError as error:
            self._error = error
        self._flush()

    def _pull(self) -> None:
        try:
            if count := self._inner.receive_into(self._space):
                self._incoming.write(self._space[:count])
            else:
                self._incoming.write_eof()
        except BlockingIOError:
            pass

    def _flush(self) -> None:
        if data := self._outgoing.read():
            self._backlog.append(data)
        try:
            while self._backlog:
                self._inner.send(self._backlog)
        except BlockingIOError:
            pass
        else:
            if self._is_finishing:
                self._inner.finish_sending()
        self._watch()

    def _watch(self) -> None:
        if self._is_closed:
            return
        self._inner.want_read(self._on_readable if self._reader or not self._is_greeted else None)
        can_write = self._backlog or (self._is_greeted and self._writer)
        self._inner.want_write(self._on_writable if can_write else None)

    def _on_readable(self) -> None:
        if not self._is_greeted and self._error is None:
            try:
                self._pull()
            except OSError as error:
                self._error = error
            else:
                self._greet()
        if self._is_greeted or self._error is not None:
            self._go_on()

    def _go_on(self) -> None:
        if self._reader is not None and not self._is_closed:
            self._reader()
        if self._reader is not None and not self._is_closed and not self._is_drained:
            self._loop.call_soon(self._go_on)

    def _on_writable(self) -> None:
        try:
            self._flush()
        except OSError as error:
            self._error = error
            self._go_on()
        if self._writer is not None and not self._backlog and not self._is_closed:
            self._writer()
