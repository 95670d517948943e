"""What stands around the views of a node: the whole page as HTML. A pure module.

What is in ``main`` changes while somebody looks; all around it stays as it was when the page was loaded.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from concurrent.apps.pages.elements import Node, element, to_html

__all__ = ["framed"]

FOR_PROGRAMS: Final = (
    ("/status", "/status"),
    ("/stats", "/stats"),
    ("/api/1", "the methods"),
    ("/openapi.json", "all of the API"),
)
WITHOUT_SCRIPTS: Final = (
    "Scripts are off: this is what the node did when the page was loaded. Load it again to see what it does "
    "now. Buttons need scripts; the command line has all that they do."
)


def framed(
    title: str, tabs: Iterable[tuple[str, str]], path: str, main: Iterable[Node], *, assets: str, viewer: str
) -> str:
    """Return a page.

    :param title: its heading.
    :param tabs: the views of the node, as path and name.
    :param path: that of the view that is shown.
    :param main: what the view shows.
    :param assets: the folder of scripts and styles.
    :param viewer: who sees the page, as HTML.
    """
    tabs = list(tabs)
    name = next((name for tab, name in tabs if tab == path and len(tabs) > 1), "")
    head = [
        element("meta", charset="utf-8"),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("title", f"{name} - {title}" if name else title),
        element("link", rel="stylesheet", href=f"{assets}style.css"),
        element("script", type="module", src=f"{assets}app.js"),
    ]
    views = [element("a", name, href=tab, aria_current="page" if tab == path else None) for tab, name in tabs]
    links = [element("li", element("a", text, href=url)) for url, text in FOR_PROGRAMS]
    body = [
        element("a", "Skip to content", href="#main", class_="skip"),
        element(
            "header",
            element("h1", title),
            element("nav", *views, aria_label="Views") if len(views) > 1 else None,
        ),
        element("p", id="connection", role="status"),
        element("noscript", element("p", WITHOUT_SCRIPTS, class_="note")),
        element("main", *main, id="main", tabindex=-1),
    ]
    footer = element(
        "nav", element("h2", "For programs"), element("ul", *links, class_="links"), aria_label="For programs"
    )
    return (
        f'<!doctype html>\n<html lang="en"><head>{to_html(head)}</head>\n<body>\n{to_html(body)}\n'
        f"<footer>{viewer}{to_html([footer])}</footer>\n</body></html>\n"
    )
