"""The pages for people whom the node does not know, or does not let see something. A pure module."""

from __future__ import annotations

import html
from typing import Final

from concurrent.core.errors import ConcurrentError

__all__ = ["STYLE", "login_page", "problem_page"]

STYLE: Final = (
    "body{font:16px/1.5 system-ui,sans-serif;max-width:36rem;margin:4rem auto;padding:0 1rem}"
    "code{background:#8882;padding:.1rem .3rem}input{font:inherit;width:100%;box-sizing:border-box}"
    "button{font:inherit;margin-top:.5rem}"
)


def login_page(reason: ConcurrentError, host: str) -> str:
    """Return the page that says how to be let in, with a form for a token.

    It tells nothing of the node, for anybody can see it.

    :param reason: why the node does not know who asks.
    :param host: where the browser has asked, ``HOST:PORT``.
    """
    return _page(
        "Who are you?",
        f"<p>{html.escape(reason.message)}.</p>"
        f"<p>On the machine of the node, type <code>concurrent open -m {html.escape(host)}</code>: "
        "it opens this page for you.</p>"
        '<form method="post" action="/login"><p><label>Or paste a token here, as '
        "<code>concurrent keys token ROLE</code> prints it:"
        '<input type="password" name="token" autocomplete="off" required></label></p>'
        "<button>Log in</button></form>",
    )


def problem_page(title: str, error: ConcurrentError) -> str:
    """Return a page that says why something cannot be seen, and what helps."""
    remedy = f"<p>{html.escape(error.remedy)}.</p>" if error.remedy else ""
    return _page(title, f"<p>{html.escape(error.message)}.</p>{remedy}")


def _page(title: str, content: str) -> str:
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{html.escape(title)}</title><style>{STYLE}</style></head>"
        f"<body><h1>{html.escape(title)}</h1>{content}</body></html>"
    )
