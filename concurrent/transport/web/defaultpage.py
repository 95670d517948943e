"""The page of a service that has no other, and that of a path where nothing is. A pure module."""

from __future__ import annotations

import html
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from concurrent.transport.web.loginpage import viewer_line

if TYPE_CHECKING:
    from concurrent.transport.web.admission import Caller

__all__ = ["default_page", "missing_page"]


def default_page(
    title: str,
    name: str,
    views: Mapping[str, str],
    methods: Mapping[str, str],
    documents: Iterable[str],
    *,
    client: Caller,
    warning: str,
) -> str:
    """Return a page that lists what a client may ask.

    :param views: paths and what they show.
    :param methods: how methods are called, and what they do.
    :param documents: the paths of what describes all of that.
    :param client: who sees the page.
    :param warning: what the page has to say first; empty: nothing.
    """
    links = " and ".join(f'<a href="{path}">{path}</a>' for path in documents)
    shown_views = "".join(
        f'<li><a href="{html.escape(path)}">{html.escape(path)}</a> {html.escape(doc)}</li>'
        for path, doc in views.items()
    )
    shown_methods = "".join(
        f"<li><code>{html.escape(usage)}</code> {html.escape(doc)}</li>" for usage, doc in methods.items()
    )
    viewer = viewer_line(client.identity, has_login=client.has_cookie)
    first = f"<p><strong>{html.escape(warning)}</strong></p>" if warning else ""
    return _page(
        title,
        f"{first}{viewer}<p>{html.escape(name)}</p><h2>Views</h2><ul>{shown_views}</ul>"
        f"<h2>Methods</h2><ul>{shown_methods}</ul><p>Described by {links}.</p>",
    )


def missing_page(path: str) -> str:
    """Return the page of a path where nothing is."""
    return _page(
        "Not found",
        f'<p>There is nothing at {html.escape(path)}. <a href="/">The page of the node</a></p>',
    )


def _page(title: str, content: str) -> str:
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{html.escape(title)}</title></head>'
        f"<body><h1>{html.escape(title)}</h1>{content}</body></html>"
    )
