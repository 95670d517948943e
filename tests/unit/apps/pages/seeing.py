"""Pages as somebody sees them: what a node would answer is given, and what can be read is returned."""

from __future__ import annotations

from html.parser import HTMLParser
from typing import Any

from concurrent.apps.pages.desk import PageDesk
from concurrent.apps.status import Ping, status_from_json
from concurrent.transport.calls.methods import MethodRegistry
from concurrent.transport.security.identity import Identity
from concurrent.transport.security.roles import Role
from concurrent.transport.web.admission import Caller

__all__ = ["ADMIN", "EVIL", "NOW", "OBSERVER", "Page", "Service", "html_of", "page_of"]

EVIL = "<script>alert(1)</script>\"'&"
VOID = {"meta", "br", "link", "input"}
NOW = 1_000_000.0
ADMIN = Identity(Role.ADMIN, "ann")
OBSERVER = Identity(Role.OBSERVE, "wall")

NOTHING: dict[str, dict[str, Any]] = {
    "now": {"words": "nothing to do: no task is open"},
    "progress": {},
    "series": {},
    "tasks": {},
    "failures": {},
    "workers": {},
    "timeline": {},
    "task": {},
}
"""What a master answers observers that has nothing to say; what is missing is blank."""


class Page(HTMLParser):
    """Checks that elements are nested, and collects texts and attributes."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.texts: list[str] = []
        self.tags: set[str] = set()
        self.attributes: list[tuple[str, str | None]] = []
        self.methods: list[str] = []
        self._open: list[str] = []
        self.feed(text)
        self.close()
        assert not self._open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes += attrs
        self.methods += [str(value) for name, value in attrs if name == "data-method"]
        if tag not in VOID:
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        if data.strip():
            self.texts.append(data.strip())

    @property
    def text(self) -> str:
        """All that can be read."""
        return " ".join(self.texts)


class Service:
    """A JSON API without one.

    :param answers: what methods return, by name; they are for everybody.
    :param commands: methods that are for admins.
    """

    warning = ""

    def __init__(
        self,
        answers: dict[str, Any],
        identity: Identity = ADMIN,
        client_ip: str = "127.0.0.1",
        commands: tuple[str, ...] = (),
    ) -> None:
        self.client_ip = client_ip
        self.client = Caller(identity, has_cookie=True)
        self.methods = MethodRegistry()
        self.asked: list[tuple[str, dict[str, Any]]] = []
        for name, answer in answers.items():
            self.methods.register(self._answering(name, answer), name, roles=("observe", "submit"))
        for name in commands:
            self.methods.register(self._answering(name, None), name)

    def _answering(self, name: str, answer: Any) -> Any:
        def method(_request: Any, **params: Any) -> Any:
            self.asked.append((name, params))
            if isinstance(answer, Exception):
                raise answer
            return answer

        return method


def html_of(
    status: dict[str, Any], path: str = "/", service: Any = None, title: str = "A node", **query: str
) -> str:
    """Return a page as HTML.

    :param service: answers what the page asks; one that has nothing to say by default.
    """
    ping = Ping.from_json(status)
    desk = PageDesk(service or Service(NOTHING), title, ping, lambda: status_from_json(status))
    return desk.html(path, query)


def page_of(status: dict[str, Any], path: str = "/", service: Any = None, **query: str) -> Page:
    """Return a page, read."""
    return Page(html_of(status, path, service, **query))
