"""What a service answers to a GET, by path: values for programs, pages for people, and what pages are made of.

It is filled before the service starts and asked in its threads; nothing is kept from one request to the next.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final, NamedTuple
from urllib.parse import parse_qsl, urlencode

from concurrent.core.errors import ConfigurationError
from concurrent.transport.security.roles import OBSERVERS, Role, roles_of
from concurrent.transport.web.answers import JSON_TYPE, Answer, page, problem, scripted
from concurrent.transport.web.jsonrpc import encode_json

__all__ = ["ASSETS_PATH", "Asset", "Contents", "Query", "address"]

ASSETS_PATH: Final = "/assets/"
"""Below it lie the scripts and styles of pages."""

FIELDS_MAX: Final = 32
"""So many fields of a query are read at most; pages have fewer."""

Query = Mapping[str, str]
"""What stands behind the question mark of an address."""


class Asset(NamedTuple):
    """A script or style that pages refer to; browsers keep it if its path changes with its content."""

    body: bytes
    content_type: str
    is_kept: bool = True


class View(NamedTuple):
    """What is answered at a path as a value, and what the documents of the API say of it.

    :param is_ok: tells of a value whether it is good news; what is not is answered with the status 503.
    """

    value: Callable[[], Any]
    doc: str
    answer: Any
    content_type: str
    is_ok: Callable[[Any], bool]


class Contents:
    """See the module.

    :param reserved: paths that the service itself answers.
    """

    def __init__(self, reserved: Iterable[str]) -> None:
        self._reserved = frozenset(reserved)
        self._page_by_path: dict[str, Callable[[Query], str]] = {}
        self._asset: Callable[[str], Asset | None] = lambda _name: None
        self.view_by_path: dict[str, View] = {}
        self.roles_by_path: dict[str, frozenset[Role]] = {ASSETS_PATH: OBSERVERS}

    def __contains__(self, path: str) -> bool:
        return path in self._page_by_path or path in self.view_by_path or path.startswith(ASSETS_PATH)

    def add_view(self, path: str, view: View, roles: Iterable[Role | str]) -> None:
        """See :meth:`JSONService.add_view`."""
        is_taken = path in self._reserved or path in self
        if not path.startswith("/") or path == "/" or is_taken:
            raise ConfigurationError(
                f"{path!r} cannot be the path of a view",
                thing="path",
                value=path,
                remedy="Begin it with a slash, and choose one that is not in use.",
            )
        self.view_by_path[path] = view
        self.roles_by_path[path] = roles_of(roles)

    def set_page(self, path: str, render: Callable[[Query], str]) -> None:
        """See :meth:`JSONService.set_page`."""
        self._page_by_path[path] = render
        self.roles_by_path.setdefault(path, OBSERVERS)

    def set_assets(self, asset: Callable[[str], Asset | None]) -> None:
        """See :meth:`JSONService.set_assets`."""
        self._asset = asset

    def roles(self, path: str) -> frozenset[Role]:
        """Return who may get what is at a path that is here."""
        return self.roles_by_path[ASSETS_PATH if path.startswith(ASSETS_PATH) else path]

    def answer(self, path: str, query: str) -> Answer:
        """Return what is at a path that is here.

        :param query: what stands behind the question mark.
        """
        if path in self._page_by_path:
            return scripted(page(self._page_by_path[path](_fields(query))))
        if path.startswith(ASSETS_PATH):
            asset = self._asset(path[len(ASSETS_PATH) :])
            if asset is None:
                return problem("404 Not Found", f"there is nothing at {path!r}")
            return Answer("200 OK", asset.body, asset.content_type, is_kept=asset.is_kept)
        view = self.view_by_path[path]
        value = view.value()
        if view.content_type != JSON_TYPE:
            return Answer("200 OK", str(value).encode(errors="replace"), view.content_type)
        return Answer("200 OK" if view.is_ok(value) else "503 Service Unavailable", encode_json(value, path))


def address(path: str, query: Mapping[str, object]) -> str:
    """Return a path with a query, for a link; fields without a value are left out."""
    fields = {name: value for name, value in query.items() if value not in (None, "")}
    return f"{path}?{urlencode(fields, errors='replace')}" if fields else path


def _fields(query: str) -> dict[str, str]:
    """Return the fields of a query, of each the last value; none of one that has too many."""
    try:
        return dict(parse_qsl(query, max_num_fields=FIELDS_MAX))
    except ValueError:
        return {}
