"""The HTTP server of the JSON API: cheroot's, with another way to give connections to threads.

cheroot hands a connection to a thread when it opens, so a hundred clients that send nothing stop it.
Here one loop thread waits for all clients, and a thread gets a connection when a request is there. A
client that sends slowly costs a place among the connections, and loses it first when all are taken.
"""

from __future__ import annotations

import logging
import queue
import selectors
import socket
import ssl
import threading
import time
from collections import deque
from collections.abc import Callable
from functools import partial
from http import HTTPStatus
from typing import Any, Final

from concurrent.core.dependencies import installed_first
from concurrent.core.errors import AddressError, ConcurrentError, NotAllowed, ProtocolError, QueueFull
from concurrent.core.loggers import get_log
from concurrent.core.rarely import RareLine, RareTexts
from concurrent.transport.loop.sockets import hang_up
from concurrent.transport.security.place import Place
from concurrent.transport.security.protection import Protection
from concurrent.transport.session.foreign import MAGIC, foreign_protocol, is_http
from concurrent.transport.web.greeting import HANDSHAKE_TIMEOUT_S, Greeting, handshake_problem
from concurrent.transport.web.httpstream import HTTPLimits, WebConnection

with installed_first("cheroot"):
    from cheroot import wsgi

__all__ = ["WebServer"]

BACKLOG: Final = 512
SWEEP_S: Final = 0.5
ACCEPT_PAUSE_S: Final = 0.2
THREADS_FOR_WHOLE_REQUESTS: Final = 2
"""So many threads never wait for the body of a request, so that slow clients cannot take them all."""

PLACE_SOCKET: Final = "http"
LOOPBACK: Final = ("127.0.0.1", 0)
"""The address that clients at the socket in the place are said to have."""

LINGER_S: Final = 1.0
FORCED_END_S: Final = 1.0

TOO_MANY: Final = QueueFull("the server has too many requests", remedy="Try again later.")

log = get_log(__name__)


class WebServer(wsgi.Server):
    """Serves a WSGI application at one address with a fixed number of threads.

    Its port is taken when it is made; whoever connects waits until it starts. With a protection that has a
    place it serves a socket there too.

    :param name: the first part of the names of its threads.
    :param host: the address to listen on.
    :param port: the port to listen on; 0 lets the system choose, see ``port``.
    :param app: the WSGI application.
    :param limits: what clients may send and how long they may take.
    """

    def __init__(self, name: str, host: str, port: int, app: Callable[..., Any], limits: HTTPLimits) -> None:
        super().__init__((host, port), app, numthreads=limits.threads, server_name="Concurrent")
        self.max_request_header_size = limits.header_bytes_max
        self.max_request_body_size = limits.body_bytes_max
        self.software = "Concurrent"
        self._limits = limits
        self._listener = _listen(host, port)
        self._listeners: dict[socket.socket, Callable[[], object]] = {self._listener: self._accept_stranger}
        self.bind_addr = self._listener.getsockname()[:2]
        self._greeting = Greeting(None)
        self._place: Place | None = None
        self._wake_end, self._woken_end = socket.socketpair()
        self._wake_end.setblocking(False)
        self._woken_end.setblocking(False)
        self._selector = selectors.DefaultSelector()
        self._connections: set[WebConnection] = set()
        self._deadline_by_waiting: dict[WebConnection, float] = {}
        self._returned: deque[tuple[WebConnection, bool]] = deque()
        self._slow: set[WebConnection] = set()
        self._slow_waiting: deque[WebConnection] = deque()
        self._complete: queue.SimpleQueue[WebConnection | None] = queue.SimpleQueue()
        self._refusal_line = RareLine()
        self._refusals = RareTexts()
        self._is_accepting = False
        self._is_started = False
        self._is_short_of_files = False
        self._accept_from = 0.0
        self._loop_thread = threading.Thread(target=self.serve, name=f"{name}-http", daemon=True)
        self._workers = [
            threading.Thread(target=self._work, name=f"{name}-http-{number}", daemon=True)
            for number in range(limits.threads)
        ]

    @property
    def port(self) -> int:
        """The port that is listened on."""
        return int(self.bind_addr[1])

    @property
    def can_add_keepalive_connection(self) -> bool:
        """Whether a connection may stay open after its answer."""
        return bool(self.ready)

    def clear_stats(self) -> None:
        """Count nothing; cheroot would register the server in a global for good."""
        self.stats = {"Enabled": False}

    def error_log(self, msg: str = "", level: int = logging.INFO, traceback: bool = False) -> None:  # noqa: FBT001, FBT002  cheroot's
        """Log what cheroot has to say; its clients' mistakes are no error of ours."""
        log.log(level, "%s", msg, exc_info=traceback)

    def listen_in(self, place: Place) -> None:
        """Listen in a place too, whose folder has been made. Before ``start``; whoever connects waits for that.

        :raises AddressError: if the socket cannot be made.
        """
        listener = place.listen(PLACE_SOCKET)
        self._place = place
        self._listeners[listener] = partial(self._accept_this_user, listener)

    def start(self, protection: Protection | None = None) -> None:
        """Start the threads and return.

        :param protection: what connections pass through; None lets everybody in.
        :raises AddressError: if the socket in the place cannot be made.
        """
        self._greeting = Greeting(protection)
        if protection is not None and protection.place is not None and self._place is None:
            self.listen_in(protection.place)
        self.ready = self._is_started = True
        self._selector.register(self._woken_end, selectors.EVENT_READ, self._take_back)
        self._set_accepting(is_accepting=True)
        for thread in (*self._workers, self._loop_thread):
            thread.start()

    def stop(self, timeout_s: float = 5.0) -> None:
        """Close everything. Requests that are complete are answered first, if that is possible in time.

        :param timeout_s: how long to wait for the methods that run, in seconds.
        """
        if self._is_started and not self.ready:
            return
        deadline = time.monotonic() + timeout_s
        self.ready = False
        if self._is_started:
            self._end_threads(deadline)
        else:
            self._close_listeners()
        self._selector.close()
        self._wake_end.close()
        self._woken_end.close()

    def _end_threads(self, deadline: float) -> None:
        self._wake()
        self._loop_thread.join(max(0.0, deadline - time.monotonic()))
        for _ in self._workers:
            self._complete.put(None)
        for thread in self._workers:
            thread.join(max(0.0, deadline - time.monotonic()))
        for connection in self._connections:
            connection.close()
        for thread in self._workers:
            thread.join(FORCED_END_S)
            if thread.is_alive():
                log.error("%s: a method does not end; its thread %s is left behind", self, thread.name)
                break

    def serve(self) -> None:
        """Wait for clients until the server is stopped. Runs in a thread of its own."""
        try:
            while self.ready:
                for key, _events in self._selector.select(SWEEP_S if self._is_accepting else ACCEPT_PAUSE_S):
                    key.data()
                self._sweep()
        finally:
            self._set_accepting(is_accepting=False)
            self._close_listeners()
            for connection in tuple(self._deadline_by_waiting):
                self._close(connection)

    def _close_listeners(self) -> None:
        if self._place is not None:
            self._place.forget(PLACE_SOCKET)
        for listener in self._listeners:
            hang_up(listener)

    def _accept_stranger(self) -> None:
        """Take a connection to the port."""
        if (accepted := self._accept(self._listener)) is not None:
            sock, address = accepted
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            connection = WebConnection(self, sock, address, self._limits)
            connection.own_ip = sock.getsockname()[0]
            self._add(connection)

    def _accept_this_user(self, listener: socket.socket) -> None:
        """Take a connection to the socket in the place."""
        if (accepted := self._accept(listener)) is None:
            return
        connection = WebConnection(self, accepted[0], LOOPBACK, self._limits)
        try:
            self._greeting.of_place(connection)
        except NotAllowed as error:
            self._log_refusal(connection, f": {error}")
            self._connections.add(connection)
            self._refuse(connection, error, HTTPStatus.FORBIDDEN)
        else:
            self._add(connection)

    def _accept(self, listener: socket.socket) -> tuple[socket.socket, Any] | None:
        try:
            accepted = listener.accept()
        except BlockingIOError:
            return None
        except OSError as error:  # no file descriptors left, for example
            if not self._is_short_of_files:
                log.error("%s: cannot accept connections for now: %s", self, error)
            self._is_short_of_files = True
            self._accept_from = time.monotonic() + ACCEPT_PAUSE_S
            self._set_accepting(is_accepting=False)
            return None
        self._is_short_of_files = False
        return accepted

    def _add(self, connection: WebConnection) -> None:
        if len(self._connections) >= self._limits.connections_max and self._deadline_by_waiting:
            self._close(next(iter(self._deadline_by_waiting)))
        self._connections.add(connection)
        if len(self._connections) > self._limits.connections_max:
            self._refuse(connection)  # a client that means to use TLS sees the end of the connection at least
        else:
            self._await(connection, self._limits.request_timeout_s)

    def _set_accepting(self, *, is_accepting: bool) -> None:
        for listener, accept in self._listeners.items():
            if is_accepting and not self._is_accepting:
                self._selector.register(listener, selectors.EVENT_READ, accept)
            elif self._is_accepting and not is_accepting:
                self._selector.unregister(listener)
        self._is_accepting = is_accepting

    def _await(self, connection: WebConnection, timeout_s: float) -> None:
        """Wait for what the client sends next."""
        connection.socket.setblocking(False)
        self._deadline_by_waiting[connection] = time.monotonic() + timeout_s
        self._selector.register(connection.socket, selectors.EVENT_READ, partial(self._read, connection))

    def _read(self, connection: WebConnection) -> None:
        if connection not in self._deadline_by_waiting:  # closed by an event of the same turn
            return
        try:
            if connection.is_lingering:
                is_open = connection.discard()
            elif not connection.is_greeted and not self._is_greeted(connection):
                return
            else:
                is_idle = not connection.reader.has_data()
                is_open = connection.reader.fill()
                if is_open and is_idle and self._is_foreign(connection):
                    return
                if is_open and is_idle:
                    deadline = time.monotonic() + self._limits.request_timeout_s
                    self._deadline_by_waiting[connection] = deadline
        except BlockingIOError:
            return
        except OSError:  # reset by the client
            is_open = False
        if not is_open:
            self._close(connection)
        elif not connection.is_lingering and connection.reader.is_complete(self._limits):
            self._forget(connection)
            self._hand_over(connection)

    def _is_greeted(self, connection: WebConnection) -> bool:
        """Go on with how a connection begins; tells whether requests may follow. Raises OSError."""
        try:
            if not connection.is_encrypted:
                if not self._greeting.begins_tls(connection):
                    return True
                self._deadline_by_waiting[connection] = time.monotonic() + HANDSHAKE_TIMEOUT_S
            self._greeting.shake_hands(connection)
        except (ssl.SSLWantReadError, ssl.SSLWantWriteError) as error:
            is_full = isinstance(error, ssl.SSLWantWriteError)
            self._watch(connection, selectors.EVENT_WRITE if is_full else selectors.EVENT_READ)
            return False
        except ssl.SSLError as error:
            self._log_refusal(connection, f": {handshake_problem(error)}")
            raise
        except NotAllowed as error:
            self._log_refusal(connection, f": {error}")
            self._forget(connection)
            status = HTTPStatus.FORBIDDEN if connection.is_encrypted else HTTPStatus.BAD_REQUEST
            self._refuse(connection, error, status)
            return False
        self._watch(connection, selectors.EVENT_READ)
        self._deadline_by_waiting[connection] = time.monotonic() + self._limits.request_timeout_s
        return True

    def _watch(self, connection: WebConnection, events: int) -> None:
        self._selector.modify(connection.socket, events, partial(self._read, connection))

    def _log_refusal(self, connection: WebConnection, why: str) -> None:
        now, who = time.monotonic(), connection.remote_addr
        if not self._refusals.is_due(f"{who}{why}", now):
            return
        suffix = self._refusal_line.suffix(now)
        if suffix is not None:
            log.warning("the JSON API at port %d: refused %s%s%s", self.port, who, why, suffix)

    def _is_foreign(self, connection: WebConnection) -> bool:
        """Refuse a client that does not speak HTTP at all; tells whether it is one."""
        first = connection.reader.begins()
        if first.startswith(b"\r\n") or is_http(first) or (first[:1].isalpha() and first[:2] != MAGIC):
            return False
        protocol = foreign_protocol(first)
        self._log_refusal(connection, f", which speaks {protocol or 'another protocol'}")
        self._forget(connection)
        error = ProtocolError(
            f"this port speaks HTTP without encryption, and not {protocol or 'what was sent'}",
            remedy="Use http:// and see that the port is that of the JSON API",
        )
        self._refuse(connection, error, HTTPStatus.BAD_REQUEST)
        return True

    def _hand_over(self, connection: WebConnection) -> None:
        """Give a request to a thread, or let it wait for one."""
        is_whole = connection.reader.is_whole(self._limits)
        ahead = self._complete.qsize() if is_whole else len(self._slow_waiting)
        if ahead >= self._limits.queue_max:
            self._refuse(connection)
        elif is_whole:
            self._complete.put(connection)
        else:
            self._slow_waiting.append(connection)
            self._hand_over_slow()

    def _hand_over_slow(self) -> None:
        """Give requests whose body has still to come to threads, but not to all of them."""
        slow_max = max(1, self._limits.threads - THREADS_FOR_WHOLE_REQUESTS)
        while self._slow_waiting and len(self._slow) < slow_max:
            connection = self._slow_waiting.popleft()
            self._slow.add(connection)
            self._complete.put(connection)

    def _refuse(
        self,
        connection: WebConnection,
        error: ConcurrentError = TOO_MANY,
        status: HTTPStatus = HTTPStatus.SERVICE_UNAVAILABLE,
    ) -> None:
        try:
            connection.refuse(status, error)
        except OSError:  # it does not listen: so be it
            self._close(connection)
        else:
            self._linger(connection)

    def _linger(self, connection: WebConnection) -> None:
        """Close the sending half only, so that the answer arrives whatever the client still sends."""
        connection.is_lingering = True
        try:
            connection.finish_sending()
        except OSError:  # it is gone already
            self._close(connection)
        else:
            self._await(connection, LINGER_S)

    def _take_back(self) -> None:
        """Take connections whose request has been answered."""
        self._woken_end.recv(4096)
        while self._returned:
            connection, is_kept = self._returned.popleft()
            self._slow.discard(connection)
            if not is_kept:
                self._linger(connection)
            elif connection.reader.is_complete(self._limits):
                self._hand_over(connection)
            else:
                has_begun = connection.reader.has_data()
                limits = self._limits
                self._await(connection, limits.request_timeout_s if has_begun else limits.idle_timeout_s)
        self._hand_over_slow()

    def _sweep(self) -> None:
        now = time.monotonic()
        expired = [one for one, deadline in self._deadline_by_waiting.items() if deadline < now]
        for connection in expired:
            self._close(connection)
        if self.ready and now >= self._accept_from:
            self._set_accepting(is_accepting=True)

    def _forget(self, connection: WebConnection) -> None:
        if self._deadline_by_waiting.pop(connection, None) is not None:
            self._selector.unregister(connection.socket)

    def _close(self, connection: WebConnection) -> None:
        self._forget(connection)
        self._connections.discard(connection)
        connection.close()

    def _wake(self) -> None:
        try:
            self._wake_end.send(b"\0")
        except OSError:  # it is awake already, or has ended
            pass

    def _work(self) -> None:
        """Answer complete requests. Runs in each thread of the pool."""
        while (connection := self._complete.get()) is not None:
            is_kept = False
            try:
                is_kept = connection.serve()
            except BaseException:  # boundary: one connection must not end a thread of the pool
                log.info("%s: a connection failed", self, exc_info=True)
            self._returned.append((connection, is_kept))
            self._wake()


def _listen(host: str, port: int) -> socket.socket:
    try:
        family, _kind, _protocol, _name, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        listener = socket.create_server(address[:2], family=family, backlog=BACKLOG)
    except (OSError, ValueError) as error:  # a ValueError if the name cannot be one
        raise AddressError(
            f"cannot listen on {host}:{port}: {getattr(error, 'strerror', None) or error}",
            thing="port",
            value=port,
            remedy="Stop what uses the address, choose another port of this machine, or use port 0.",
        ) from error
    listener.setblocking(False)
    return listener
