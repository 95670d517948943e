"""What the JSON API answers, whoever asked what: status, headers and body."""

from __future__ import annotations

import base64
import gzip
import hashlib
from collections.abc import Iterable
from typing import Final, NamedTuple

from concurrent.core.dependencies import installed_first
from concurrent.transport.web.httpstream import problem_body

with installed_first("web"):
    import web

__all__ = [
    "HTML_TYPE",
    "JSON_TYPE",
    "NOTHING",
    "Answer",
    "page",
    "policy_header",
    "problem",
    "redirect",
    "send",
]

GZIP_BYTES_MIN: Final = 1024
GZIP_LEVEL: Final = 5

JSON_TYPE: Final = "application/json"
HTML_TYPE: Final = "text/html; charset=utf-8"

SAFE_HEADERS: Final = (
    ("Cache-Control", "no-store"),
    ("X-Content-Type-Options", "nosniff"),
    ("Referrer-Policy", "same-origin"),  # forms of our pages say their origin, and other sites learn no address
    ("Cross-Origin-Resource-Policy", "same-origin"),
    ("Cross-Origin-Opener-Policy", "same-origin"),
)


class Answer(NamedTuple):
    """What is sent.

    :param status: number and phrase.
    """

    status: str
    body: bytes
    content_type: str = JSON_TYPE
    headers: tuple[tuple[str, str], ...] = ()


NOTHING: Final = Answer("204 No Content", b"")


def page(text: str, status: str = "200 OK") -> Answer:
    """Return an answer for a person."""
    return Answer(status, text.encode(errors="replace"), HTML_TYPE)


def problem(status: str, message: str, remedy: str | None = None) -> Answer:
    """Return an answer that says why a request is not accepted."""
    return Answer(status, problem_body(int(status[:3]), message, remedy))


def redirect(path: str, *headers: tuple[str, str]) -> Answer:
    """Return an answer that sends a browser to a path of this node."""
    return Answer("303 See Other", b"{}", headers=(("Location", path), *headers))


def policy_header(styles: Iterable[str]) -> tuple[str, str]:
    """Return the header that has browsers show HTML, images within it and just these styles, and run no script.

    So a name that a peer chose cannot become one.
    """
    hashes = " ".join(f"'sha256-{_digest(style)}'" for style in styles)
    policy = (
        f"default-src 'none'; style-src {hashes}; img-src data:; "
        "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    )
    return ("Content-Security-Policy", policy)


def send(answer: Answer, accepted_encodings: str, *headers: tuple[str, str]) -> bytes:
    """Set status and headers in ``web.ctx`` and return the body. A thread of the service only."""
    body = answer.body
    every = [*SAFE_HEADERS, *headers, *answer.headers]
    if len(body) > GZIP_BYTES_MIN:
        every.append(("Vary", "Accept-Encoding"))
        if _accepts_gzip(accepted_encodings):
            body = gzip.compress(body, GZIP_LEVEL, mtime=0)
            every.append(("Content-Encoding", "gzip"))
    if answer.status[:3] != "204":
        every += [("Content-Type", answer.content_type), ("Content-Length", str(len(body)))]
    web.ctx.status = answer.status
    web.ctx.headers = every
    return b"" if web.ctx.method == "HEAD" else body


def _digest(style: str) -> str:
    return base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()


def _accepts_gzip(header: str) -> bool:
    for item in header.lower().split(","):
        coding, _, weight = item.replace(" ", "").partition(";")
        if coding == "gzip":
            return weight not in ("q=0", "q=0.0", "q=0.00", "q=0.000")
    return False
