"""What pages show again and again: notes, figures, bars, buttons, links and texts. A pure module."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any, Final

from concurrent.apps.columns import Column, Row, Share, count, page_url
from concurrent.apps.pages.elements import Element, Node, element
from concurrent.core.items import Host
from concurrent.transport.security.hosts import is_loopback

__all__ = [
    "BAD",
    "GOOD",
    "PLAIN",
    "SOFT",
    "bar",
    "bar_line",
    "button",
    "facts",
    "figures",
    "link",
    "master_link",
    "note",
    "section",
    "text_block",
    "toned",
]

BAD: Final = "bad"
GOOD: Final = "good"
SOFT: Final = "soft"
PLAIN: Final = ""
"""How something is meant; a page says it in words too, for not everybody sees colours."""


BAR_WIDTH: Final = 100
BAR_MIN: Final = 3.0
"""How wide a bar is, and that of what failed at least."""


def link(text: str, url: str) -> Node:
    """Return a text that leads somewhere, if there is somewhere to go."""
    return element("a", text, href=url) if url else text


def toned(text: str, tone: str) -> Node:
    """Return a text in a tone."""
    return element("span", text, class_=tone) if tone else text


def note(*children: Node, tone: str = BAD) -> Element:
    """Return a line that people shall read first."""
    return element("p", *children, class_=f"note {tone}".strip())


def section(key: str, title: str, *children: Node | None, lasting: str = "") -> Element:
    """Return a part of a page with a heading.

    :param key: its name on the page.
    :param lasting: an address of what is shown that is good for longer than the one that was asked for.
    """
    heading = element("h2", title, id=f"{key}-title")
    return element(
        "section",
        heading,
        *children,
        id=key,
        aria_labelledby=f"{key}-title",
        data_address=lasting or None,
    )


def facts(columns: Iterable[Column[Row]], row: Row) -> list[tuple[str, Node]]:
    """Return titles and texts of one row, for :func:`figures`."""
    return [(one.title, one.format(one.value(row))) for one in columns]


def figures(items: Iterable[tuple[str, Node]]) -> Element:
    """Return what is said in a word or a number each."""
    parts = [element("div", element("dt", title), element("dd", shown)) for title, shown in items]
    return element("dl", *parts)


def bar(share: Share) -> Element:
    """Return how much is done of how much, as a bar; what failed of it is told apart."""
    total = max(share.total, 1)
    done = BAR_WIDTH * min(max(share.done, 0), total) / total
    failed = min(BAR_WIDTH * max(share.failed, 0) / total, done)
    if share.failed:
        failed = max(failed, BAR_MIN)  # one of a million is to be seen, too
    parts = [("", 0.0, done), ("bad", max(0.0, done - failed), failed)]
    return element(
        "svg",
        *(
            element("rect", class_=tone or None, x=f"{x:.1f}", width=f"{width:.1f}", height=1)
            for tone, x, width in parts
            if width > 0
        ),
        viewBox=f"0 0 {BAR_WIDTH} 1",
        preserveAspectRatio="none",
        role="img",
        aria_label=str(share),
        class_="bar",
    )


def bar_line(name: str, share: Share) -> Element:
    """Return a bar with its numbers in words."""
    return element("p", f"{name}{count(share.done)} of {count(share.total)} ", bar(share))


def button(label: str, method: str, params: Mapping[str, Any], ask: str = "", name: str = "") -> Element:
    """Return what calls a method of the node.

    :param ask: what a person has to confirm first; empty: nothing.
    :param name: what somebody is told who does not see where it stands.
    """
    return element(
        "button",
        label,
        type="button",
        data_method=method,
        data_params=json.dumps(params, separators=(",", ":")),
        data_ask=ask or None,
        aria_label=f"{label} {name}" if name else None,
    )


def text_block(label: str, text: str) -> Element:
    """Return lines as they are, such as a traceback."""
    return element("pre", text, tabindex=0, role="region", aria_label=label)


def master_link(master: str, *, is_encrypted: bool, is_local: bool) -> Node:
    """Return the address of a master, which leads to its page for those who can go there.

    :param master: ``HOST:PORT``.
    :param is_encrypted: whether nodes of the cluster speak TLS to other machines.
    :param is_local: whether the page is seen on the node's own machine.
    """
    try:
        host = Host.parse(master)
    except ValueError:
        return master
    can_go = is_local or not is_loopback(host.name)
    return link(master, page_url(host, is_encrypted=is_encrypted) if can_go else "")
