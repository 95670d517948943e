"""What a page is made of: elements with attributes and children, as HTML and as JSON. A pure module.

Texts and attributes may be what peers chose. They are escaped in HTML; of the JSON the script of the page makes
texts, never markup.
"""

from __future__ import annotations

import html
from collections.abc import Iterable, Mapping
from typing import Any, Final, NamedTuple, TypeAlias

__all__ = ["Element", "Node", "element", "to_html", "to_json"]

VOID: Final = frozenset({"br", "input", "link", "meta"})
"""What has no end in HTML."""


class Element(NamedTuple):
    """An element of HTML or SVG."""

    tag: str
    attributes: Mapping[str, str]
    children: tuple[Node, ...]


Node: TypeAlias = Element | str
"""An element or a text."""


def element(tag: str, *children: Node | None, **attributes: object) -> Element:
    """Return an element.

    :param children: those that are None are left out.
    :param attributes: with ``_`` for ``-``, and one at the end where Python has a word of that name; of those
        that are None or False nothing is written, of True only the name.
    """
    named = {
        name.rstrip("_").replace("_", "-"): "" if value is True else str(value)
        for name, value in attributes.items()
        if value is not None and value is not False
    }
    return Element(tag, named, tuple(child for child in children if child is not None))


def to_html(nodes: Iterable[Node]) -> str:
    """Return elements as HTML."""
    parts: list[str] = []
    for node in nodes:
        _write(node, parts)
    return "".join(parts)


def _write(node: Node, parts: list[str]) -> None:
    if isinstance(node, str):
        parts.append(html.escape(node, quote=False))
        return
    attributes = "".join(f' {name}="{html.escape(value)}"' for name, value in node.attributes.items())
    parts.append(f"<{node.tag}{attributes}>")
    if node.tag not in VOID:
        for child in node.children:
            _write(child, parts)
        parts.append(f"</{node.tag}>")


def to_json(node: Node) -> Any:
    """Return an element as ``[tag, {attribute: value}, child...]``, a text as it is."""
    if isinstance(node, str):
        return node
    return [node.tag, dict(node.attributes), *map(to_json, node.children)]
