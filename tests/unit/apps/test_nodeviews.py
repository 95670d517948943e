"""What a node answers over HTTP of itself, however many ask and whatever its loop does."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from concurrent.apps import nodeviews
from concurrent.apps.nodeviews import NodeViews
from concurrent.apps.status import Ping
from concurrent.core.errors import CallTimeout, InvalidArguments
from concurrent.core.stats import Stats
from concurrent.transport.calls.answer import Request
from concurrent.transport.calls.methods import MethodRegistry
from concurrent.transport.security.identity import Identity
from concurrent.transport.security.roles import Role
from concurrent.transport.web.admission import Caller
from concurrent.transport.web.contents import Asset

PING = Ping("slave-1", "slave", "1", 7)


class Service:
    """A JSON API that keeps what is registered."""

    client_ip = "127.0.0.1"
    warning = ""
    client = Caller(Identity(Role.OBSERVE, "wall"), has_cookie=True)

    def __init__(self) -> None:
        self.views: dict[str, Callable[[], Any]] = {}
        self.pages: dict[str, Callable[[dict[str, str]], str]] = {}
        self.methods = MethodRegistry()

    def add_view(self, path: str, view: Callable[[], Any], doc: str, answer: Any, **_options: Any) -> None:
        self.views[path] = view

    def set_page(self, path: str, page: Callable[[dict[str, str]], str]) -> None:
        self.pages[path] = page

    def set_assets(self, asset: Callable[[str], Asset | None]) -> None:
        self.asset = asset


class Loop:
    """A loop whose time a test sets, and that may be held up."""

    def __init__(self) -> None:
        self.now = 100.0
        self.is_held_up = False

    def time(self) -> float:
        return self.now

    def call(self, fn: Callable[[], Any], *, timeout_s: float) -> Any:
        if self.is_held_up:
            raise CallTimeout("the loop is held up")
        return fn()


class Node:
    """A node with views; counts its snapshots."""

    def __init__(self) -> None:
        self.count = 0
        self.service = Service()
        self.loop = Loop()
        self.views = NodeViews(
            self.service,  # type: ignore[arg-type]
            self.loop,  # type: ignore[arg-type]
            "A slave",
            ping=PING,
            snapshot=self.snapshot,
            stats=Stats(),
        )

    def snapshot(self) -> dict[str, Any]:
        self.count += 1
        return {**PING.to_json(), "state": f"state {self.count}", "workers": {}, "mine": 7}


@pytest.fixture
def node() -> Iterator[Node]:
    return Node()


def test_all_who_ask_within_a_moment_are_told_the_same(node: Node) -> None:
    first = node.views.status()
    node.loop.now += nodeviews.SNAPSHOT_S / 2
    assert node.views.status() is first
    node.loop.now += nodeviews.SNAPSHOT_S
    assert node.views.status()["state"] == "state 2"


def test_programs_get_all_that_the_node_says(node: Node) -> None:
    assert node.service.views["/ping"]() == PING.to_json()
    assert node.service.views["/status"]()["mine"] == 7
    assert set(node.service.views["/stats"]()) == {"counts", "gauges", "averages", "units"}


def test_people_get_the_same_as_a_page(node: Node) -> None:
    page = node.service.pages["/"]({})
    assert "state 1" in page
    assert "logged in as <strong>wall</strong>, role observe" in page


def test_a_script_gets_what_the_page_has_in_it(node: Node) -> None:
    request = Request("page", 1, "127.0.0.1", node.service.client.identity)
    main = node.service.methods.dispatch("page", (request,), (), {"path": "/", "query": {}})
    assert ["dd", {}, "state 1"] in main[0][2:][1][2:]
    assert node.service.methods.dispatch("page", (request,), ("/", {"workers": 7}), {}) == main
    with pytest.raises(InvalidArguments, match="there is no page '/workers'"):
        node.service.methods.dispatch("page", (request,), ("/workers",), {})


def test_the_scripts_of_a_page_are_served_where_it_says(node: Node) -> None:
    page = node.service.pages["/"]({})
    paths = re.findall(r'(?:src|href)="/assets/([^"]+)"', page)
    assert len(paths) == 2
    for path in paths:
        asset = node.service.asset(path)
        assert asset is not None
        assert asset.is_kept
    assert node.service.asset("app.py") is None
    assert node.service.asset("../desk.py") is None
    old = node.service.asset("0123/app.js")
    assert old is not None
    assert not old.is_kept


def test_the_page_of_a_node_whose_loop_is_held_up_says_so(node: Node) -> None:
    node.loop.is_held_up = True
    assert "the loop is held up" in node.service.pages["/"]({})
    assert "<strong>wall</strong>" in node.service.pages["/"]({})
    with pytest.raises(CallTimeout):
        node.views.status()
