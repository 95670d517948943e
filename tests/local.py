"""Gets pages and views of a node as its user does, through the socket in its place."""

from __future__ import annotations

import socket
from collections.abc import Mapping
from http.client import HTTPConnection
from typing import NamedTuple

from concurrent.transport.security.place import place_of
from concurrent.transport.security.protection import Protection
from concurrent.transport.web.service import JSONService

TIMEOUT_S = 30.0


class Fetched(NamedTuple):
    """An answer, read."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class PlaceConnection(HTTPConnection):
    """HTTP over the socket of the node whose JSON API is at a port."""

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(place_of(self.port).path("http"))


def protected_by_place(service: JSONService, *, is_open: bool = False) -> Protection:
    """Take the port of a service and have it protected by its place, which the caller removes.

    :param is_open: whether anybody may come to the port.
    """
    place = place_of(service.bind())
    place.make()
    protection = Protection(place=place, is_open=is_open)
    service.protect(protection)
    return protection


def fetch(
    address: str, path: str, body: bytes | None = None, headers: Mapping[str, str] | None = None
) -> Fetched:
    """Get a path, or post a body to it.

    :param address: ``HOST:PORT`` of the node's JSON API.
    """
    connection = PlaceConnection(address, timeout=TIMEOUT_S)
    try:
        connection.request("GET" if body is None else "POST", path, body, dict(headers or {}))
        answer = connection.getresponse()
        return Fetched(answer.status, dict(answer.headers), answer.read())
    finally:
        connection.close()
