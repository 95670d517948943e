"""One HTTP connection: what its client has sent, what it is sent, and how long each may take.

cheroot parses requests and writes answers; the classes here take the place of its file objects, which
know a timeout for each read and write but none for a whole request.
"""

from __future__ import annotations

import errno
import json
import re
import socket
import ssl
import time
from contextlib import suppress
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Final

from concurrent.core.dependencies import installed_first
from concurrent.core.errors import (
    CallTimeout,
    ConcurrentError,
    MessageTooLarge,
    NodeError,
    NotAllowed,
    ProtocolError,
    QueueFull,
    UnknownMethod,
)
from concurrent.transport.calls.methods import error_to_wire
from concurrent.transport.loop.sockets import time_left
from concurrent.transport.security.identity import Identity
from concurrent.transport.security.peeruser import is_of_other_user
from concurrent.transport.session.httphead import has_control, head_problem, last_answer
from concurrent.transport.session.limits import check_positive

with installed_first("cheroot"):
    from cheroot import server as cheroot_server

__all__ = ["HTTPLimits", "StrictRequest", "WebConnection", "error_body", "problem_body"]

MIB: Final = 1024 * 1024
CHUNK_BYTES: Final = 64 * 1024
FIRST_BYTES: Final = 8
BODY_AWAITED_BYTES: Final = 64 * 1024
"""So much of a body is waited for before a request gets a thread."""

_CONTENT_LENGTH: Final = re.compile(rb"\ncontent-length:[ \t]*(\d{1,18})[ \t]*\r", re.IGNORECASE)
_REQUEST_LINE: Final = re.compile(rb"(?:\r\n)?[^\s]+ [^\r\n]* HTTP/\d[^\r\n]*\r\n")
_EXPECT: Final = re.compile(rb"\nexpect:", re.IGNORECASE)

CONTINUE: Final = b"HTTP/1.1 100 Continue\r\n\r\n"

_ERROR_BY_STATUS: Final[dict[int, type[ConcurrentError]]] = {
    401: NotAllowed,
    403: NotAllowed,
    404: UnknownMethod,
    408: CallTimeout,
    413: MessageTooLarge,
    414: MessageTooLarge,
    500: NodeError,
    503: QueueFull,
}


@dataclass(frozen=True)
class HTTPLimits:
    """What the JSON API accepts from its clients, and how long it waits.

    :param body_bytes_max: the largest body of a request, in bytes.
    :param header_bytes_max: the largest head of a request (its first line and headers), in bytes.
    :param connections_max: connections at a time; one more closes the one that is silent longest.
    :param threads: how many requests are worked on at a time.
    :param queue_max: how many complete requests may wait for a thread; more are answered with 503.
    :param request_timeout_s: seconds that a client may take to send one request, and again to take
        in its answer.
    :param idle_timeout_s: seconds that a connection is kept between two requests.
    :param call_timeout_s: seconds that a future which a method returned is waited for.
    :param batch_max: how many calls a batch may hold.
    :raises ConfigurationError: if a limit is not positive.
    """

    body_bytes_max: int = 4 * MIB
    header_bytes_max: int = 16 * 1024
    connections_max: int = 256
    threads: int = 16
    queue_max: int = 64
    request_timeout_s: float = 10.0
    idle_timeout_s: float = 30.0
    call_timeout_s: float = 30.0
    batch_max: int = 1000

    def __post_init__(self) -> None:
        check_positive(self)


def problem_body(status: int, message: str, remedy: str | None = None) -> bytes:
    """Return the JSON body of an answer that says why a request was not accepted."""
    return error_body(_ERROR_BY_STATUS.get(status, ProtocolError)(message, remedy=remedy))


def error_body(error: ConcurrentError) -> bytes:
    """Return the JSON body of an answer that says what went wrong."""
    return json.dumps({"error": error_to_wire(error)}, default=str).encode()


class RequestReader:
    """The bytes of a client; the loop fills it without waiting, a worker thread reads with a deadline."""

    def __init__(self, sock: socket.socket) -> None:
        self.closed = False
        self.bytes_read = 0
        self.deadline = 0.0
        self.sock = sock
        self._buffer = bytearray()

    def fill(self) -> bool:
        """Take what has arrived; false if the client has closed. Raises OSError.

        What TLS has decrypted is taken to its end, for the socket does not tell of it.
        """
        try:
            data = self.sock.recv(CHUNK_BYTES)
            self._buffer += data
            while data and isinstance(self.sock, ssl.SSLSocket) and self.sock.pending():
                self._buffer += self.sock.recv(CHUNK_BYTES)
        except (ssl.SSLWantReadError, ssl.SSLWantWriteError):
            raise BlockingIOError from None
        except ssl.SSLError as error:
            raise ConnectionResetError(errno.ECONNRESET, str(error)) from None
        return bool(data)

    def has_data(self) -> bool:
        """Tell whether the client has sent anything that was not read."""
        return bool(self._buffer)

    def is_complete(self, limits: HTTPLimits) -> bool:
        """Tell whether a worker can begin: the head is there, and the body if it is small."""
        end = self._buffer.find(b"\r\n\r\n")
        is_asking_first = end >= 0 and _EXPECT.search(self._buffer, 0, end) is not None
        return is_asking_first or self._has_arrived(limits, BODY_AWAITED_BYTES)

    def is_whole(self, limits: HTTPLimits) -> bool:
        """Tell whether a worker would not have to wait for anything."""
        return self._has_arrived(limits, limits.body_bytes_max)

    def begins(self) -> bytes:
        """Return the first bytes of what was not read."""
        return bytes(self._buffer[:FIRST_BYTES])

    def headers(self) -> bytes | None:
        """Return the lines of the headers, the first of which is next to be read; None if some are missing."""
        if self._buffer.startswith(b"\r\n"):
            return b""
        end = self._buffer.find(b"\r\n\r\n")
        return bytes(self._buffer[:end]) if end >= 0 else None

    def has_bare_line_ends(self) -> bool:
        """Tell whether the headers end as those of other protocols do."""
        return b"\n\n" in self._buffer

    def _has_arrived(self, limits: HTTPLimits, body_awaited_bytes: int) -> bool:
        end = self._buffer.find(b"\r\n\r\n")
        if end < 0:
            return len(self._buffer) > limits.header_bytes_max or self._is_malformed()
        match = _CONTENT_LENGTH.search(self._buffer, 0, end + 2)
        body_bytes = int(match[1]) if match else 0
        if body_bytes > limits.body_bytes_max:
            return True
        return len(self._buffer) >= end + 4 + min(body_bytes, body_awaited_bytes)

    def _is_malformed(self) -> bool:
        """Tell whether what has arrived of a head cannot become one: there is no need to wait for the rest."""
        line_end = self._buffer.find(b"\n", len(b"\r\n"))
        has_line = line_end >= 0 and _REQUEST_LINE.match(self._buffer, 0, line_end + 1) is not None
        return b"\n\n" in self._buffer or (line_end >= 0 and not has_line)

    def wait_for(self, size: int) -> bool:
        """Wait until ``size`` bytes are there; false if the client closes before. Raises TimeoutError."""
        while len(self._buffer) < size:
            if not self._receive():
                return False
        return True

    def read(self, size: int) -> bytes:
        """Return ``size`` bytes, fewer only if the client has closed. Raises TimeoutError."""
        self.wait_for(size)
        return self._take(size)

    def readline(self, size: int) -> bytes:
        """Return up to ``size`` bytes up to the next line end. Raises TimeoutError."""
        while True:
            end = self._buffer.find(b"\n", 0, size) + 1
            if end or len(self._buffer) >= size or not self._receive():
                return self._take(end or size)

    def close(self) -> None:
        """Forget what was not read."""
        self.closed = True
        self._buffer.clear()

    def _receive(self) -> bool:
        self.sock.settimeout(time_left(self.deadline))
        return self.fill()

    def _take(self, size: int) -> bytes:
        data = bytes(self._buffer[:size])
        del self._buffer[:size]
        self.bytes_read += len(data)
        return data


class AnswerWriter:
    """Sends to a client, with one deadline for each answer."""

    def __init__(self, sock: socket.socket, timeout_s: float) -> None:
        self.bytes_written = 0
        self.sock = sock
        self._timeout_s = timeout_s
        self._deadline: float | None = None

    def begin(self) -> None:
        """Be ready for the next answer: its time runs from its first byte."""
        self._deadline = None

    def write(self, data: bytes) -> int:
        """Send all of ``data``. Raises TimeoutError."""
        if self._deadline is None:
            self._deadline = time.monotonic() + self._timeout_s
        if isinstance(self.sock, ssl.SSLSocket):
            self._encrypt(self.sock, memoryview(data), self._deadline)
        else:
            self.sock.settimeout(time_left(self._deadline))
            self.sock.sendall(data)
        self.bytes_written += len(data)
        return len(data)

    @staticmethod
    def _encrypt(sock: ssl.SSLSocket, data: memoryview, deadline: float) -> None:
        """Send in pieces: ``sendall`` of TLS has a timeout for each record and none for all of them."""
        try:
            while data:
                sock.settimeout(time_left(deadline))
                data = data[sock.send(data[:CHUNK_BYTES]) :]
        except TimeoutError:
            raise TimeoutError("timed out") from None
        except ssl.SSLError as error:
            raise ConnectionResetError(errno.ECONNRESET, str(error)) from None


class StrictRequest(cheroot_server.HTTPRequest):
    """A request whose body has a known length; what cannot be parsed is answered as JSON.

    The body is awaited by whoever wants it, when it is clear that the client may send one.
    """

    def __init__(self, server: Any, conn: WebConnection) -> None:
        super().__init__(server, conn)
        conn.request = self
        self._is_asking_first = False
        self._is_body_here = False

    def read_request_line(self) -> bool:
        """Read the first line; false if the request was refused."""
        try:
            if not super().read_request_line():  # type: ignore[no-untyped-call]
                return False
        except ValueError:  # of what takes the address apart
            self.simple_response("400 Bad Request", "the address of the request is malformed")
            return False
        if has_control(self.uri):
            self.simple_response("400 Bad Request", "the path has a control character")
            return False
        return True

    def read_request_headers(self) -> bool:
        """Read the headers and wait for the body; false if the request was refused."""
        needs_host = self.request_protocol not in (b"HTTP/0.9", b"HTTP/1.0")
        headers = self.conn.reader.headers()
        if headers is None:
            self._refuse_endless_head()
            return False
        problem = head_problem(headers, needs_host=needs_host)
        if problem is not None:
            self.simple_response("400 Bad Request", problem)
            return False
        if not super().read_request_headers():  # type: ignore[no-untyped-call]
            return False
        if b"Transfer-Encoding" in self.inheaders:
            self.simple_response("411 Length Required", "send the body with a Content-Length")
            return False
        if not self.inheaders.get(b"Content-Length", b"0").isdigit():
            self.simple_response("400 Bad Request", "Content-Length is not a number")
            return False
        return True

    def _refuse_endless_head(self) -> None:
        """Say what is wrong with headers without an end, which the parser behind this must not see."""
        if self.conn.reader.has_bare_line_ends():
            self.simple_response("400 Bad Request", "the lines of headers must end with a CR before the LF")
        else:
            self.simple_response("413 Content Too Large", "the headers are too long")

    def header_reader(self, stream: Any, headers: dict[bytes, bytes]) -> None:
        """Read the headers, and keep cheroot from inviting the body at once."""
        cheroot_server.HeaderReader()(stream, headers)
        self._is_asking_first = headers.pop(b"Expect", b"").lower() == b"100-continue"

    @property
    def body_bytes(self) -> int:
        """How long the body is said to be."""
        return int(self.inheaders.get(b"Content-Length", b"0"))

    def read_body(self) -> bytes:
        """Return the body, which may have to be awaited.

        :raises TimeoutError: if that takes too long.
        :raises ProtocolError: if the client closes before.
        """
        if self._is_asking_first and self.body_bytes:
            self.conn.wfile.write(CONTINUE)
        if not self.conn.reader.wait_for(self.body_bytes):
            raise ProtocolError("the body ended before its Content-Length")
        self._is_body_here = True
        return bytes(self.rfile.read())

    def send_headers(self) -> None:
        """Send the head of the answer; the connection ends with it if a body may still come."""
        if self.body_bytes and not self._is_body_here:
            self.close_connection = True
        super().send_headers()

    def simple_response(self, status: str | int, msg: str = "") -> None:
        """Say why the request is refused; the connection is closed after that."""
        code = int(str(status)[:3])
        body = problem_body(code, str(msg) or HTTPStatus(code).phrase)
        self.close_connection = True
        self.sent_headers = True
        self.conn.wfile.write(last_answer(f"{code} {HTTPStatus(code).phrase}", body))


class WebConnection(cheroot_server.HTTPConnection):
    """One client. It belongs to the loop while it waits and to one worker while it is served.

    ``identity`` is who is at the other end, as far as the connection itself says so: None is a stranger, who
    may have a token or a cookie. It is known when the connection ``is_greeted``. ``own_ip`` is the address of
    this machine that the client has reached; empty in the place. ``request`` is the one that is answered.
    """

    RequestHandlerClass = StrictRequest
    request: StrictRequest

    def __init__(self, server: Any, sock: socket.socket, address: tuple[Any, ...], limits: HTTPLimits) -> None:
        self.limits = limits
        self.reader = RequestReader(sock)
        self.writer = AnswerWriter(sock, limits.request_timeout_s)
        super().__init__(server, sock, lambda _sock, mode, _size: self.reader if "r" in mode else self.writer)
        self.remote_addr, self.remote_port = address[:2]
        self.identity: Identity | None = None
        self.own_ip = ""
        self.is_greeted = False
        self.is_lingering = False
        self.ssl_env: dict[str, Any] = {"concurrent.connection": self}

    @property
    def is_encrypted(self) -> bool:
        """Whether all that is sent and received goes through TLS."""
        return isinstance(self.socket, ssl.SSLSocket)

    def is_of_other_user(self) -> bool:
        """Whether another user of this machine is at the other end, who is not root; see ``peeruser``."""
        return is_of_other_user(self.socket)

    def begins_with(self, first: bytes) -> bool:
        """Tell whether a new client has begun so; nothing is taken. Loop thread.

        :raises OSError: if it is gone, also if it has closed without a word.
        """
        begun = self.socket.recv(len(first), socket.MSG_PEEK)
        if not begun:
            raise ConnectionResetError("the client has closed without a word")
        return bool(begun == first)

    def encrypt(self, context: ssl.SSLContext) -> None:
        """Go on with TLS, whose handshake has still to be made. Raises OSError; loop thread."""
        self.socket = context.wrap_socket(self.socket, server_side=True, do_handshake_on_connect=False)
        self.reader.sock = self.writer.sock = self.socket
        self.ssl_env["wsgi.url_scheme"] = "https"

    def serve(self) -> bool:
        """Read one request and answer it; true if another may follow. Worker thread."""
        self.reader.deadline = time.monotonic() + self.limits.request_timeout_s
        self.writer.begin()
        return bool(self.communicate())  # type: ignore[no-untyped-call]

    def refuse(self, status: HTTPStatus, error: ConcurrentError) -> None:
        """Say why nothing more is taken, without waiting. Loop thread."""
        headers = ("Retry-After: 1",) if status is HTTPStatus.SERVICE_UNAVAILABLE else ()
        self.socket.setblocking(False)
        self.socket.send(last_answer(f"{status.value} {status.phrase}", error_body(error), *headers))

    def finish_sending(self) -> None:
        """Close the sending half. Raises OSError."""
        if isinstance(self.socket, ssl.SSLSocket):
            self.socket.setblocking(False)
            with suppress(OSError, ValueError):  # its goodbye is sent; that of the client is not waited for
                self.socket.unwrap()
        self.socket.shutdown(socket.SHUT_WR)

    def close(self) -> None:
        """Close it, in whatever state it is: what TLS could not begin on has no descriptor any more."""
        self.reader.close()
        with suppress(OSError):  # it is gone already
            self.socket.shutdown(socket.SHUT_RDWR)
        self.socket.close()

    def discard(self) -> bool:
        """Throw away what the client still sends; false when it has closed."""
        return bool(self.socket.recv(CHUNK_BYTES))
