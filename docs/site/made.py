"""What the site has beyond the text of the pages: its tables of contents, and the tables of options.

Both are made of what is there: the contents of the lists of links that pages show to readers, the options of
their declarations. These are functions of text and of options alone.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from itertools import groupby
from typing import Any

_HEADING = re.compile(r"^## +(.+)$")
_MARKED = re.compile(r"~(?:\w+\.)*~?")
_ENTRY = re.compile(r"^- \[([^\]]+)\]\(([^)#]+)\.md\)")


def entries_of(page: str) -> dict[str, list[tuple[str, str]]]:
    """Return (title, page without its suffix) of each list item that begins with a link to a page, by heading.

    A page is in the list where it stands first; items before the first heading are under an empty one.
    """
    entries: dict[str, list[tuple[str, str]]] = {}
    heading = ""
    seen = set()
    for line in page.splitlines():
        if found := _HEADING.match(line):
            heading = found[1]
        elif (found := _ENTRY.match(line)) and found[2] not in seen:
            seen.add(found[2])
            entries.setdefault(heading, []).append((found[1], found[2]))
    return entries


def contents_of(page: str) -> str:
    """Return the tables of contents, in the words of MyST, that the lists of links of a page stand for."""
    return "\n".join(_toctree(heading, entries) for heading, entries in entries_of(page).items())


def _toctree(caption: str, entries: list[tuple[str, str]]) -> str:
    lines = [f"{title} <{page}>" for title, page in entries]
    return "\n".join(
        ["", "```{toctree}", ":hidden:", f":caption: {caption}" if caption else "", "", *lines, "```", ""]
    )


def without_modules(signature: str) -> str:
    """Return a signature with names only of those types that have ``~`` and their module before them."""
    return _MARKED.sub("", signature)


def tables_of(options: Iterable[Any]) -> str:
    """Return a table of each section of a configuration, in Markdown.

    :param options: items of a configuration; those of a section follow one another.
    """
    return "\n".join(line for section in groupby(options, lambda one: one.section) for line in _table(*section))


def _table(section: str, options: Iterable[Any]) -> Iterator[str]:
    yield from ("", f"## {section}", "", "| option | default | what it does |", "|---|---|---|")
    for one in options:
        name = f"`{one.name}`{{#{section}-{one.name}}}"
        default = f"`{one.default_text}`" if one.default_text else ""
        text = f"{_in_cell(one.doc.removesuffix('.'))}. *Allowed: {_in_cell(one.allowed)}.*"
        yield f"| {name} | {_in_cell(default)} | {text} |"


def _in_cell(text: str) -> str:
    return text.replace("|", "\\|").replace("*", "\\*").replace("<", "&lt;")
