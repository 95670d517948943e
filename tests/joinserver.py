"""A small master of tests that knows one path: ``/join``, over TLS."""

from __future__ import annotations

import ssl
import threading
from collections.abc import Callable
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

from concurrent.core.errors import NotAllowed
from concurrent.core.items import Host
from concurrent.transport.security.registrar import Registrar
from concurrent.transport.web.httpstream import error_body

__all__ = ["JoinServer", "registered"]

Answer = Callable[[str, bytes], tuple[int, bytes]]
"""Takes the header and the body; returns status and body."""


class JoinServer:
    """Serves in a thread of its own until it is closed.

    :param context: its end of TLS; None: plain HTTP.
    :param answer: what it answers; ``registered`` makes that of a registrar.
    """

    def __init__(self, context: ssl.SSLContext | None, answer: Answer) -> None:
        self.headers: list[str] = []
        self._server = HTTPServer(("127.0.0.1", 0), self._handler(answer))
        if context is not None:
            self._server.socket = context.wrap_socket(
                self._server.socket, server_side=True, do_handshake_on_connect=False
            )
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))
        self._thread.start()

    def __enter__(self) -> JoinServer:
        return self

    def __exit__(self, *_error: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    @property
    def host(self) -> Host:
        return Host("127.0.0.1", self._server.server_address[1])

    def _handler(self, answer: Answer) -> type[BaseHTTPRequestHandler]:
        headers = self.headers

        class Handler(BaseHTTPRequestHandler):
            timeout = 5.0

            def handle(self) -> None:
                with suppress(OSError):  # the client has not trusted it, and is gone
                    super().handle()

            def finish(self) -> None:
                with suppress(OSError, ValueError):
                    super().finish()

            def do_POST(self) -> None:
                headers.append(self.headers["Authorization"])
                body = self.rfile.read(int(self.headers["Content-Length"]))
                status, content = (
                    answer(self.headers["Authorization"], body) if self.path == "/join" else (404, b"")
                )
                self.send_response(status)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *_args: Any) -> None:
                """Say nothing."""

        return Handler


def registered(registrar: Registrar) -> Answer:
    """Return what answers as a master does."""

    def answer(header: str, body: bytes) -> tuple[int, bytes]:
        kind, _, secret = header.partition(" ")
        if kind != "Join":
            return 401, b'{"error": {"message": "no invitation"}}'
        try:
            registrar.check_invitation(secret)
        except NotAllowed as error:
            return 401, error_body(error)
        try:
            return 200, registrar.join(secret, body, "127.0.0.1")
        except NotAllowed as error:
            return 403, error_body(error)

    return answer
