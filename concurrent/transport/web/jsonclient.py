"""The client of the JSON API: the calls of a proxy as JSON-RPC 2.0 over HTTP."""

from __future__ import annotations

import itertools
import json
import socket
import ssl
import time
import zlib
from collections.abc import Callable
from concurrent.futures import Future
from functools import partial
from http.client import BadStatusLine, HTTPException, HTTPResponse, RemoteDisconnected
from typing import Any, Final

from concurrent.core.callthread import CallThread
from concurrent.core.errors import (
    CallTimeout,
    ConcurrentError,
    ConnectionLost,
    InvalidArguments,
    MalformedMessage,
    MessageTooLarge,
    NotAllowed,
    RemoteError,
    TransportError,
    UnknownHost,
    UnknownMethod,
    WrongServer,
)
from concurrent.core.items import Host
from concurrent.transport.calls.methods import error_from_wire
from concurrent.transport.calls.proxy import RemoteProxy
from concurrent.transport.loop.loop import run_call
from concurrent.transport.loop.sockets import time_left
from concurrent.transport.security.identity import Identity
from concurrent.transport.security.protection import Protection
from concurrent.transport.security.trust import Trust
from concurrent.transport.web.jsonrpc import (
    INVALID_PARAMS,
    METHOD_NOT_FOUND,
    decode_json,
    encode_json,
)
from concurrent.transport.web.nodeconnection import NodeConnection, tls_problem

__all__ = ["JSONClient"]

ANSWER_BYTES_MAX: Final = 64 * 1024 * 1024
CHUNK_BYTES: Final = 64 * 1024
CONNECT_TIMEOUT_S: Final = 5.0
GZIP_WINDOW_BITS: Final = 31

AWAY_STATUSES: Final = frozenset({408, 429, 502, 503, 504})
"""What a proxy answers in the place of a node that is not there."""

WRONG_REMEDY: Final = "Give the port of a node's JSON API; that of a master is 8750 unless configured"


class JSONClient:
    """Calls the methods and gets the views of one JSON API. Any thread.

    Calls are made one after the other, in the thread of the client; callbacks of their futures run
    there too. A call is never sent twice. A node that is revoked gets no call any more, and who waits for its
    answer waits no longer.

    :param host: the server's address.
    :param port: the server's port.
    :param timeout_s: how long each call may take, waiting for its turn included, in seconds.
    :param path: where calls are posted.
    :param protection: the key of this node, and the place of that one: each connection is made there if
        somebody listens, else with TLS. None, or one that is open and has no keys, connects without encryption.
    :param server_name: the name in the server's certificate; by default that of a master.
    :param source: who says that the server is there, as words that follow *from*, for errors.
    """

    def __init__(
        self,
        host: str,
        port: int,
        *,
        timeout_s: float = 30.0,
        path: str = "/api/1",
        protection: Protection | None = None,
        server_name: str | None = None,
        source: str = "",
    ) -> None:
        self.host = host
        self.port = port
        self._timeout_s = timeout_s
        self._path = path
        self._protection = protection
        self._server_name = server_name
        self._source = f"; the address is from {source}" if source else ""
        self._call_ids = itertools.count(1)
        self._connection: NodeConnection | None = None
        self._server: Identity | None = None
        self._left: Identity | None = None
        self._is_closed = False
        self._trust = protection.trust if protection is not None else Trust()
        self._trust.listen(self._leave_revoked)
        self._thread = CallThread(f"json-{host}:{port}")
        self._thread.start()

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of {self.address}>"

    @property
    def address(self) -> str:
        """Where the server listens, as ``host:port``."""
        return str(Host(self.host, self.port))

    @property
    def server(self) -> Identity | None:
        """Who has answered last; None: nobody yet. Any thread."""
        return self._server

    def call(self, method: str, /, *args: Any, timeout_s: float | None = None, **kwargs: Any) -> Future[Any]:
        """Call a method; the future gets its result, or any error that was met.

        :param args: all arguments by position, or none if there are ``kwargs``.
        :param timeout_s: seconds after which the future fails with CallTimeout.
        """
        try:
            if args and kwargs:
                raise InvalidArguments(
                    f"{method}: JSON-RPC takes arguments by position or by name, not both",
                    thing=method,
                    remedy="Pass all of them by name.",
                )
            call_id = next(self._call_ids)
            call = {"jsonrpc": "2.0", "id": call_id, "method": method, "params": kwargs or args}
            body = encode_json(call, f"an argument of {method}")
        except InvalidArguments as error:
            return _failed(error)

        def work(deadline: float) -> Any:
            return self._result(call_id, self._exchange(body, self._path, deadline))

        return self._submit(method, timeout_s, work)

    def proxy(self, timeout_s: float | None = None) -> RemoteProxy:
        """Return an object whose methods are those of the server and return futures."""
        return RemoteProxy(self, self._timeout_s if timeout_s is None else timeout_s)

    def get(self, path: str, timeout_s: float | None = None) -> Future[Any]:
        """Get a view, for example ``/status``; the future gets its value."""
        return self._submit(
            path, timeout_s, lambda deadline: self._decoded(self._exchange(None, path, deadline))
        )

    def get_text(self, path: str, timeout_s: float | None = None) -> Future[str]:
        """Get a view as the text that is sent, whatever that is."""
        return self._submit(
            path, timeout_s, lambda deadline: self._exchange(None, path, deadline).decode("utf-8", "replace")
        )

    def close(self) -> None:
        """Cancel the calls that have not begun, break off the one that has, and end the thread.

        Not the client's thread; may be repeated. Waits no longer than a connection may take to open.
        """
        self._trust.ignore(self._leave_revoked)
        self._is_closed = True  # what has not begun is cancelled
        self._thread.end()
        connection = self._connection
        if connection is not None:
            connection.break_off()
        self._thread.join()
        self._disconnect()

    def _submit(self, what: str, timeout_s: float | None, work: Callable[[float], Any]) -> Future[Any]:
        timeout_s = self._timeout_s if timeout_s is None else timeout_s
        deadline = time.monotonic() + timeout_s

        def run() -> Any:
            try:
                return self._attempt(work, what, timeout_s, deadline)
            except ConcurrentError:
                left, self._left = self._left, None
                if left is not None:
                    self._trust.check(left)
                raise

        if self._is_closed:
            return _failed(self._closed_error())
        future: Future[Any] = Future()
        self._thread.put(partial(self._run, future, run))
        return future

    def _attempt(self, work: Callable[[float], Any], what: str, timeout_s: float, deadline: float) -> Any:
        """Do what a call is; what goes wrong is said as an error of the framework. Client thread."""
        try:
            return work(deadline)
        except ConcurrentError:  # some of these are TimeoutErrors too
            raise
        except RemoteDisconnected as error:  # a BadStatusLine too
            self._disconnect()
            raise ConnectionLost(
                f"{self.address} closed the connection without an answer", thing=self.address
            ) from error
        except TimeoutError as error:
            self._disconnect()
            raise CallTimeout(
                f"{self.address} did not answer {what} within {timeout_s} s",
                thing=what,
                value=timeout_s,
            ) from error
        except ssl.SSLError as error:  # said by the server when it has seen the key of this node
            self._disconnect()
            raise tls_problem(self.address, self.address, error) from error
        except BadStatusLine as error:
            self._disconnect()
            raise _not_http(self.address) from error
        except (OSError, HTTPException, zlib.error) as error:
            self._disconnect()
            raise ConnectionLost(
                f"{self.address} cannot be reached or broke off: {str(error) or type(error).__name__}",
                thing=self.address,
                remedy=f"Check that the node runs and that the address is right{self._source}",
            ) from error

    def _run(self, future: Future[Any], work: Callable[[], Any]) -> None:
        """Make a call unless it is not wanted any more. Client thread."""
        if self._is_closed:
            future.cancel()
        run_call(future, work)

    def _closed_error(self) -> ConnectionLost:
        return ConnectionLost(f"the client of {self.address} is closed", thing=self.address)

    def _exchange(self, body: bytes | None, path: str, deadline: float) -> bytes:
        """Send one request and return the body of its answer. Client thread."""
        connection = self._connect(deadline)
        headers = {"Accept-Encoding": "gzip", "Host": connection.name}
        if body is None:
            connection.request("GET", path, headers=headers)
        else:
            headers["Content-Type"] = "application/json"
            connection.request("POST", path, body, headers)
        connection.sock.settimeout(time_left(deadline))
        with connection.getresponse() as response:
            answer = self._read(connection, response, deadline)
        self._server = connection.identity
        if response.will_close:
            self._disconnect()
        if response.status == 200:
            return answer
        raise _error_of(response.status, answer, self.address)

    def _connect(self, deadline: float) -> NodeConnection:
        if self._is_closed:
            raise self._closed_error()
        connection = self._connection
        if connection is not None and connection.sock is not None:
            if not connection.has_ended() and not connection.has_better_way():
                connection.sock.settimeout(time_left(deadline))
                return connection
        self._disconnect()
        connection = NodeConnection(
            self.host,
            self.port,
            self._protection,
            self._server_name,
            timeout_s=min(CONNECT_TIMEOUT_S, time_left(deadline)),
        )
        try:
            connection.connect()
        except (socket.gaierror, UnicodeError) as error:
            raise UnknownHost(
                f"the host {self.host!r} cannot be found: {getattr(error, 'strerror', None) or error}",
                thing=self.address,
                value=self.host,
                remedy=f"Check the name, or give an IP address{self._source}",
            ) from error
        except TimeoutError:
            time_left(deadline)
            raise ConnectionLost(
                f"{self.address} did not accept a connection within {CONNECT_TIMEOUT_S} s",
                thing=self.address,
                remedy=f"Check that the node runs and that the address is right{self._source}",
            ) from None
        connection.sock.settimeout(time_left(deadline))
        self._connection, self._left = connection, None
        if self._is_closed:  # which missed the new connection
            raise self._closed_error()
        try:
            self._trust.check(connection.identity)
        except NotAllowed:
            self._disconnect()
            raise
        return connection

    def _leave_revoked(self, serials: frozenset[str]) -> None:
        """Break off the connection to a node that has just been revoked. The thread that says so."""
        connection = self._connection
        if connection is not None and connection.identity.serial in serials:
            self._left = connection.identity
            connection.break_off()

    def _disconnect(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()

    def _read(self, connection: NodeConnection, response: HTTPResponse, deadline: float) -> bytes:
        is_gzip = response.headers.get("Content-Encoding") == "gzip"
        unpacker = zlib.decompressobj(GZIP_WINDOW_BITS) if is_gzip else None
        answer = bytearray()
        sock = connection.sock
        while chunk := response.read1(CHUNK_BYTES):
            answer += unpacker.decompress(chunk, ANSWER_BYTES_MAX + 1) if unpacker else chunk
            if len(answer) > ANSWER_BYTES_MAX:
                self._disconnect()
                raise MessageTooLarge(f"{self.address} answered more than {ANSWER_BYTES_MAX} bytes")
            if sock is not None:
                sock.settimeout(time_left(deadline))
        if response.length or (unpacker is not None and not unpacker.eof):
            self._disconnect()
            raise ConnectionLost(f"{self.address} broke off in an answer", thing=self.address)
        return bytes(answer)

    def _decoded(self, answer: bytes) -> Any:
        try:
            return decode_json(answer)
        except MalformedMessage as error:
            raise MalformedMessage(
                f"{self.address} answered something else than JSON: {error}",
                thing=self.address,
                remedy=WRONG_REMEDY,
            ) from error

    def _result(self, call_id: int, answer: bytes) -> Any:
        """Return the result in an answer, or raise its error."""
        reply = self._decoded(answer)
        if not isinstance(reply, dict) or reply.get("id") not in (call_id, None):
            raise MalformedMessage(f"{self.address} answered something else than JSON-RPC 2.0")
        if "error" in reply:
            raise _error_of_call(reply["error"])
        if "result" not in reply:
            raise MalformedMessage(f"{self.address} answered with neither result nor error")
        return reply["result"]


def _not_http(address: str) -> WrongServer:
    return WrongServer(f"what listens at {address} does not speak HTTP", thing=address, remedy=WRONG_REMEDY)


def _failed(error: ConcurrentError) -> Future[Any]:
    future: Future[Any] = Future()
    future.set_exception(error)
    return future


def _error_of_call(error: Any) -> ConcurrentError:
    fields = error if isinstance(error, dict) else {}
    if isinstance(fields.get("data"), dict) and "code" in fields["data"]:
        return error_from_wire(fields["data"])
    message = str(fields.get("message", error))  # a server that is not ours
    if fields.get("code") == METHOD_NOT_FOUND:
        return UnknownMethod(message)
    if fields.get("code") == INVALID_PARAMS:
        return InvalidArguments(message)
    return RemoteError(message, data=fields.get("data"))


def _error_of(status: int, answer: bytes, address: str) -> ConcurrentError:
    try:
        reply = json.loads(answer)
        wire = reply["error"]
        if "jsonrpc" in reply:
            return _error_of_call(wire)
    except (ValueError, KeyError, TypeError, RecursionError):
        is_away = status in AWAY_STATUSES
        return (TransportError if is_away else WrongServer)(
            f"{address} answered with HTTP status {status}",
            thing=address,
            value=status,
            remedy=None if is_away else WRONG_REMEDY,
        )
    return error_from_wire(wire)
