"""What a node answers over HTTP of itself: values for programs, pages for people."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from concurrent.apps.status import STATUS_BY_TYPE, Ping, StatsAnswer, status_from_json
from concurrent.core.stats import Stats
from concurrent.transport.calls.answer import Request
from concurrent.transport.calls.methods import jsonremote
from concurrent.transport.loop.loop import NodeLoop
from concurrent.transport.security.roles import OBSERVERS, Role
from concurrent.transport.web.contents import Asset, Query
from concurrent.transport.web.service import JSONService

if TYPE_CHECKING:
    from concurrent.apps.pages.desk import PageDesk

__all__ = ["NodeViews"]

STATUS_TIMEOUT_S: Final = 5.0
PATHS: Final[Mapping[str, tuple[str, ...]]] = {
    "master": ("/", "/tasks", "/failures", "/workers", "/timeline", "/task", "/job"),
    "slave": ("/",),
    "application": ("/",),
}
"""Where the pages of a node are, by its type; ``pages/desk.py`` says what is on each."""

SNAPSHOT_S: Final = 0.05
"""For so long everybody who asks for the status is told the same."""


class NodeViews:
    """See the module. It keeps the latest snapshot, so that many who ask cost no more than one.

    :param service: the node's JSON API, which has not started.
    :param loop: makes the snapshots.
    :param title: the heading of the page.
    :param ping: who the node is.
    :param snapshot: returns what the node is doing, as plain values; called on the loop.
    """

    def __init__(
        self,
        service: JSONService,
        loop: NodeLoop,
        title: str,
        *,
        ping: Ping,
        snapshot: Callable[[], dict[str, Any]],
        stats: Stats,
    ) -> None:
        self._service = service
        self._loop = loop
        self._title = title
        self._ping = ping
        self._make = snapshot
        self._snapshot: dict[str, Any] | None = None
        self._made_at = 0.0
        self._made_desk: PageDesk | None = None
        status = STATUS_BY_TYPE[ping.type]
        service.add_view("/ping", ping.to_json, "That the node lives.", Ping, roles=Role)
        service.add_view("/status", self.status, "What the node is doing.", status)
        service.add_view("/stats", stats.snapshot, "What the node has counted.", StatsAnswer)
        jsonremote(service, "page", roles=OBSERVERS)(self.page)
        service.set_assets(self._asset)
        for path in PATHS[ping.type]:
            service.set_page(path, partial(self._html, path))

    def status(self) -> dict[str, Any]:
        """Return what the node is doing, or did a moment ago. Any thread but the loop's.

        :raises CallTimeout: if the loop is held up.
        """
        return self._loop.call(self._latest, timeout_s=STATUS_TIMEOUT_S)

    def page(self, request: Request, path: str, query: dict[str, str] | None = None) -> list[Any]:
        """Return what the main part of a page has in it now: of each element a list of its tag, its attributes
        and what is in it. ``query`` has the fields of the address of the page."""
        fields = {name: str(value) for name, value in (query or {}).items()}
        return self._desk().main(path, fields, request.identity)

    def _html(self, path: str, query: Query) -> str:
        return self._desk().html(path, query)

    def _desk(self) -> PageDesk:
        if self._made_desk is None:  # few nodes are ever looked at
            from concurrent.apps.pages.desk import PageDesk

            self._made_desk = PageDesk(
                self._service, self._title, self._ping, lambda: status_from_json(self.status())
            )
        return self._made_desk

    @staticmethod
    def _asset(name: str) -> Asset | None:
        from concurrent.apps.pages.assets import asset

        return asset(name)

    def _latest(self) -> dict[str, Any]:
        now = self._loop.time()
        if self._snapshot is None or now - self._made_at >= SNAPSHOT_S:
            self._snapshot, self._made_at = self._make(), now
        return self._snapshot
