"""What the JSON API answers, whoever asked what: status, headers and body."""

from __future__ import annotations

import base64
import gzip
import hashlib
from typing import Final, NamedTuple

from concurrent.core.dependencies import installed_first
from concurrent.transport.web.httpstream import problem_body
from concurrent.transport.web.loginpage import STYLE

with installed_first("web"):
    import web

__all__ = [
    "HTML_TYPE",
    "JSON_TYPE",
    "NOTHING",
    "Answer",
    "page",
    "problem",
    "redirect",
    "scripted",
    "send",
]

GZIP_BYTES_MIN: Final = 1024
GZIP_LEVEL: Final = 5

JSON_TYPE: Final = "application/json"
HTML_TYPE: Final = "text/html; charset=utf-8"

SAFE_HEADERS: Final = (
    ("X-Content-Type-Options", "nosniff"),
    ("Referrer-Policy", "same-origin"),  # forms of our pages say their origin, and other sites learn no address
    ("Cross-Origin-Resource-Policy", "same-origin"),
    ("Cross-Origin-Opener-Policy", "same-origin"),
)


FOR_NOBODY: Final = ("Cache-Control", "no-store")
FOR_ONE: Final = ("Cache-Control", "private, max-age=86400, immutable")
"""What may keep an answer: nothing, or the browser of who has asked, for a day."""


def _policy(what: str) -> tuple[str, str]:
    return (
        "Content-Security-Policy",
        f"default-src 'none'; {what}; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    )


def _digest(style: str) -> str:
    return base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()


WITHOUT_SCRIPTS: Final = _policy(f"style-src 'sha256-{_digest(STYLE)}'; img-src data:")
"""Has browsers show HTML with the style of the login page, and run no script."""

WITH_OWN_SCRIPTS: Final = _policy(
    "script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; "
    "require-trusted-types-for 'script'; trusted-types 'none'"
)
"""Has browsers run scripts that this node serves, none that stands in a page, and none that a script makes of
text; so a name that a peer chose cannot become one."""


class Answer(NamedTuple):
    """What is sent.

    :param status: number and phrase.
    :param is_kept: whether the browser of who has asked may keep it.
    :param policy: what a browser may do with it.
    """

    status: str
    body: bytes
    content_type: str = JSON_TYPE
    headers: tuple[tuple[str, str], ...] = ()
    is_kept: bool = False
    policy: tuple[str, str] = WITHOUT_SCRIPTS


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


def scripted(answer: Answer) -> Answer:
    """Return an answer on which the scripts that this node serves run, and its styles hold."""
    return answer._replace(policy=WITH_OWN_SCRIPTS)


def send(answer: Answer, accepted_encodings: str) -> bytes:
    """Set status and headers in ``web.ctx`` and return the body. A thread of the service only."""
    body = answer.body
    every = [FOR_ONE if answer.is_kept else FOR_NOBODY, *SAFE_HEADERS, answer.policy, *answer.headers]
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


def _accepts_gzip(header: str) -> bool:
    for item in header.lower().split(","):
        coding, _, weight = item.replace(" ", "").partition(";")
        if coding == "gzip":
            return weight not in ("q=0", "q=0.0", "q=0.00", "q=0.000")
    return False
