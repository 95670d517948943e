"""Peers that speak another protocol than that of the port which they have reached. A pure module."""

from __future__ import annotations

import json
from typing import Any, Final

from concurrent.transport.session.httphead import last_answer

__all__ = ["MAGIC", "foreign_protocol", "http_refusal", "is_http"]

MAGIC: Final = b"Cc"
"""How each message of the compute channel begins."""

_PROTOCOL_BY_START: Final = ((MAGIC, "the compute channel"), (b"\x16\x03", "TLS"), (b"\xff\x00", "ZeroMQ"))
_VERBS: Final = tuple(
    verb + b" " for verb in b"GET HEAD POST PUT DELETE OPTIONS PATCH TRACE CONNECT PRI".split()
)


def is_http(first: bytes) -> bool:
    """Tell whether a request of HTTP may begin so."""
    return any(verb.startswith(first[: len(verb)]) for verb in _VERBS)


def foreign_protocol(first: bytes) -> str | None:
    """Return the name of the protocol whose peers begin so, None if it is not known.

    :param first: the first two bytes, or more.
    """
    for start, name in _PROTOCOL_BY_START:
        if first.startswith(start):
            return name
    return "HTTP" if is_http(first) else None


def http_refusal(error: dict[str, Any]) -> bytes:
    """Return an answer of HTTP that refuses whatever was asked.

    :param error: why, as an ERROR message says it.
    """
    return last_answer("400 Bad Request", json.dumps({"error": error}, default=str).encode())
