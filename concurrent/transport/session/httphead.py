"""Heads of HTTP: that of a request, and that of an answer which ends its connection. A pure module.

A request may have what RFC 9112 has in it and not a byte more. The parser behind it forgives more than that,
and what two parsers read in two ways is how requests are smuggled past the first of them.
"""

from __future__ import annotations

import re
from typing import Final

__all__ = ["has_control", "head_problem", "last_answer"]

_NAME: Final = re.compile(rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
_ONCE: Final = (
    b"host", b"content-length", b"content-type", b"authorization", b"cookie", b"origin", b"sec-fetch-site",
    b"sec-fetch-mode", b"sec-fetch-dest",
)  # fmt: skip
"""What decides on a request, so that it is not said twice."""

_CONTROL: Final = re.compile(rb"[\x00-\x08\x0a-\x1f\x7f]")


def has_control(value: bytes) -> bool:
    """Tell whether there is a character in it that ends or hides something: any control character but a tab."""
    return _CONTROL.search(value) is not None


def head_problem(head: bytes, *, needs_host: bool) -> str | None:
    """Return what is wrong with the headers of a request, or None.

    :param head: the lines behind the first one, without the empty line at their end.
    :param needs_host: whether there must be a Host: since HTTP/1.1 there must.
    """
    seen: dict[bytes, int] = {}
    for line in head.split(b"\r\n") if head else ():
        if line[:1] in (b" ", b"\t"):
            return "a header goes on in a second line"
        name, colon, value = line.partition(b":")
        if not colon or not _NAME.fullmatch(name):
            return "a header must begin with a name, of letters, digits and dashes, and a colon right behind it"
        if has_control(value):
            return f"the header {name.decode()} has a control character"
        meant = name.lower().replace(b"_", b"-")  # as programs behind the server read it
        if meant in _ONCE and b"_" in name:
            return f"the header {name.decode()} is not {meant.decode().title()}, and could be taken for it"
        seen[meant] = seen.get(meant, 0) + 1
    for once in _ONCE:
        if seen.get(once, 0) > 1:
            return f"there is more than one {once.decode().title()}"
    if needs_host and b"host" not in seen:
        return "there is no Host"
    return None


def last_answer(status: str, body: bytes, *headers: str) -> bytes:
    """Return an answer behind which the connection is closed, as it travels.

    :param status: number and phrase.
    :param body: JSON.
    :param headers: more lines for its head.
    """
    lines = (
        f"HTTP/1.1 {status}",
        "Content-Type: application/json",
        *headers,
        f"Content-Length: {len(body)}",
        "Connection: close",
        "",
        "",
    )
    return "\r\n".join(lines).encode() + body
