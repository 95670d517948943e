"""What may stand in the head of a request, and whose first bytes say that they speak no HTTP."""

from __future__ import annotations

import pytest

from concurrent.transport.session.foreign import foreign_protocol, is_http
from concurrent.transport.session.httphead import head_problem


@pytest.mark.parametrize(
    "head",
    [
        b"Host: localhost",
        b"Host: localhost\r\nX-Y_z.9: a\tb, \xe4\r\nEmpty:\r\nSame: 1\r\nSame: 2",
        b"HOST:localhost\r\ncontent-length:5",
    ],
)
def test_a_head_as_the_standard_has_it_is_right(head: bytes) -> None:
    assert head_problem(head, needs_host=True) is None


@pytest.mark.parametrize(
    ("head", "problem"),
    [
        (b"", "no Host"),
        (b"X: y", "no Host"),
        (b"Host: a\r\nhost: b", "more than one Host"),
        (b"Host: a\r\nContent-Length: 1\r\nContent-Length: 1", "more than one Content-Length"),
        (b"Host: a\r\nOrigin: http://a\r\norigin: http://b", "more than one Origin"),
        (b"Host: a\r\nAuthorization: Bearer a\r\nAuthorization: Bearer b", "more than one Authorization"),
        (b"Host: a\r\nCookie: a=1\r\nCookie: a=2", "more than one Cookie"),
        (b"Host: a\r\nSec_Fetch-Site: none", "could be taken for it"),
        (b"Host: a\r\nContent_Length: 1", "could be taken for it"),
        (b"Host : a", "colon right behind"),
        (b"Host\t: a", "colon right behind"),
        (b"Host: a\r\nno colon", "colon right behind"),
        (b"Host: a\r\n: b", "colon right behind"),
        (b"Host: a\r\nX(Y): b", "colon right behind"),
        (b"Host: a\r\n b", "second line"),
        (b"Host: a\r\n\tb", "second line"),
        (b"Host: a\0b", "control character"),
        (b"Host: a\rb", "control character"),
        (b"Host: a\nX: b", "control character"),
        (b"Host: a\x7f", "control character"),
    ],
)
def test_what_two_parsers_could_read_in_two_ways_is_wrong(head: bytes, problem: str) -> None:
    assert problem in (head_problem(head, needs_host=True) or "")


def test_before_http_1_1_there_need_be_no_host() -> None:
    assert head_problem(b"", needs_host=False) is None


@pytest.mark.parametrize(
    ("first", "name"),
    [
        (b"GE", "HTTP"),
        (b"POST /api", "HTTP"),
        (b"\x16\x03\x01", "TLS"),
        (b"\xff\x00\x00", "ZeroMQ"),
        (b"Cc\x01", "the compute channel"),
        (b"\x00\x01", None),
        (b"QQ", None),
    ],
)
def test_a_protocol_is_known_by_how_it_begins(first: bytes, name: str | None) -> None:
    assert foreign_protocol(first) == name
    assert is_http(first) == (name == "HTTP")
