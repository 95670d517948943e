"""The pages for people whom the node does not know yet, or does not let see something. A pure module."""

from __future__ import annotations

import html
from typing import Final

from concurrent.core.errors import ConcurrentError
from concurrent.transport.security.identity import Identity

__all__ = ["STYLE", "confirm_page", "login_page", "problem_page", "viewer_line"]

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


def confirm_page(identity: Identity) -> str:
    """Return the page that asks whether a person wants to be logged in by the code in its address.

    The form goes to that address again. A page of another site can lead a browser here, but not send the form.

    :param identity: who the browser is then.
    """
    return _page(
        "Log in?",
        f"<p>You will be {_who(identity)} here.</p>"
        "<p>Go on if you have typed <code>concurrent open</code> just now. If you have only followed a link, "
        "somebody else wants you to use this node under that name: close the page.</p>"
        '<form method="post"><button autofocus>Log in</button></form>',
    )


def viewer_line(identity: Identity, *, has_login: bool) -> str:
    """Return who sees a page, as HTML, with a button that ends the login if there is one.

    :param has_login: whether it is a browser that has logged in.
    """
    if not has_login:
        return f"<p>You are {_who(identity)}.</p>"
    return (
        f'<form method="post" action="/logout"><p>You are logged in as {_who(identity)}. '
        "<button>Log out</button></p></form>"
    )


def problem_page(title: str, error: ConcurrentError) -> str:
    """Return a page that says why something cannot be seen, and what helps."""
    remedy = f"<p>{html.escape(error.remedy)}.</p>" if error.remedy else ""
    return _page(title, f"<p>{html.escape(error.message)}.</p>{remedy}")


def _who(identity: Identity) -> str:
    return f"<strong>{html.escape(identity.name)}</strong>, role {identity.role}"


def _page(title: str, content: str) -> str:
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{html.escape(title)}</title><style>{STYLE}</style></head>"
        f"<body><h1>{html.escape(title)}</h1>{content}</body></html>"
    )
