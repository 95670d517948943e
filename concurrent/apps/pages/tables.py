"""Tables of pages: columns of rows, which each viewer sorts and searches for himself. A pure module.

What a viewer wants is in the address, so it is there after a reload, can be sent to others, and needs no
script.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Generic

from concurrent.apps.columns import Column, Link, Row, Share, count
from concurrent.apps.pages.elements import Element, Node, element
from concurrent.apps.pages.parts import bar, link, section
from concurrent.transport.web.contents import address

__all__ = ["LINES_MAX", "Table", "hidden_fields", "search_form"]

LINES_MAX: Final = 250
"""So many lines of a table are shown at most; nobody reads more, and what is left out is said."""

DIGITS_MAX: Final = 20
"""A text of more digits is no number."""

BACKWARDS: Final = "-"
"""Stands before the title of the column by which a table is sorted from the largest on."""


@dataclass(frozen=True)
class Table(Generic[Row]):
    """A table that a view fills.

    :param key: its name on the page, and the field of the query that says how it is sorted.
    :param columns: one without a title has no head to sort by, as that of buttons.
    :param key_of: what tells a row from the others, so that it is the same one when the table is shown again.
    :param empty: what is said if there are no rows; without it there is no table then.
    """

    key: str
    title: str
    columns: Sequence[Column[Row]]
    key_of: Callable[[Row], object] = field(default=lambda _row: "")
    empty: str = ""

    def shown(
        self,
        rows: Iterable[Row],
        path: str,
        query: Mapping[str, str],
        *,
        left_out: int = 0,
        above: Sequence[Node] = (),
    ) -> list[Node]:
        """Return the table as a section of a page, or nothing.

        :param path: that of the page.
        :param query: what its address says.
        :param left_out: how many rows there are that are not among these.
        :param above: what stands between heading and table.
        """
        rows = self._sorted(list(rows), query.get(self.key, ""))
        if not rows and not self.empty:
            return []
        if not rows:
            return [section(self.key, self.title, *above, element("p", self.empty))]
        shown = rows[:LINES_MAX]
        left_out += len(rows) - len(shown)
        more = element("p", f"{count(left_out)} more are not shown.", class_="more") if left_out else None
        return [section(self.key, self.title, *above, self._table(shown, path, query), more)]

    def _table(self, rows: Sequence[Row], path: str, query: Mapping[str, str]) -> Element:
        heads = element("tr", *(self._head(one, path, query) for one in self.columns))
        lines = [
            element("tr", *(_cell(one, row) for one in self.columns), data_key=self.key_of(row) or None)
            for row in rows
        ]
        table = element("table", element("thead", heads), element("tbody", *lines))
        return element("div", table, class_="wide", tabindex=0, role="region", aria_label=self.title)

    def _head(self, column: Column[Row], path: str, query: Mapping[str, str]) -> Element:
        title = column.title
        if not title:
            return element("td")
        wanted = query.get(self.key, "")
        order = {title: "ascending", f"{BACKWARDS}{title}": "descending"}.get(wanted)
        starts_backwards = column.is_number and order is None
        following = f"{BACKWARDS}{title}" if starts_backwards or order == "ascending" else title
        url = address(path, {**query, self.key: following})
        return element(
            "th",
            element("a", title, href=url, rel="nofollow"),
            scope="col",
            class_=_class_of(column),
            aria_sort=order,
        )

    def _sorted(self, rows: list[Row], wanted: str) -> list[Row]:
        title = wanted.removeprefix(BACKWARDS)
        for column in self.columns:
            if column.title == title and title:
                return sorted(rows, key=lambda row: _rank(column.value(row)), reverse=title != wanted)
        return rows


def hidden_fields(query: Mapping[str, str], others: Container[str]) -> list[Node]:
    """Return what keeps the fields of an address in a form, but those that the form itself has."""
    return [
        element("input", type="hidden", name=name, value=value)
        for name, value in query.items()
        if name not in others
    ]


def search_form(path: str, query: Mapping[str, str], name: str, label: str) -> Element:
    """Return a form that says what a list shall show; what else the address says stays."""
    field = element("input", type="search", name=name, value=query.get(name, ""))
    return element(
        "form",
        *hidden_fields(query, {name}),
        element("label", f"{label} ", field),
        element("button", "Show", type="submit"),
        action=path,
        method="get",
        class_="search",
        role="search",
    )


def _class_of(column: Column[Any]) -> str | None:
    return "number" if column.is_number else None


def _cell(column: Column[Row], row: Row) -> Element:
    value = column.value(row)
    inner: Sequence[Node]
    if isinstance(value, Element):
        inner = [value]
    elif isinstance(value, Link):
        inner = [link(value.text, value.url)]
    elif isinstance(value, Share):
        inner = [bar(value)]
    elif isinstance(value, list):
        inner = value
    else:
        inner = [column.format(value)]
    return element("td", *inner, class_=_class_of(column), data_title=column.title or None)


def _rank(value: Any) -> tuple[int, Any]:
    """Return what a value is sorted by: numbers before texts."""
    if isinstance(value, Share):
        return (0, value.done / max(value.total, 1))
    if isinstance(value, (int, float)):
        return (0, value)
    text = _text_of(value)
    number = text.replace(",", "")
    is_number = number.isdecimal() and len(number) <= DIGITS_MAX
    return (0, int(number)) if is_number else (1, text.casefold())


def _text_of(value: Any) -> str:
    if isinstance(value, Link):
        return value.text
    if isinstance(value, Element):
        return "".join(map(_text_of, value.children))
    if isinstance(value, list):
        return "".join(map(_text_of, value))
    return str(value)
