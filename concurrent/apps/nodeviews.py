"""What a node answers over HTTP of itself: values for programs, a page for people."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, Final

from concurrent.apps.pagestyle import STYLE
from concurrent.apps.status import STATUS_BY_TYPE, Ping, StatsAnswer, status_from_json
from concurrent.core.errors import ConcurrentError
from concurrent.core.stats import Stats
from concurrent.transport.loop.loop import NodeLoop
from concurrent.transport.security.hosts import is_loopback
from concurrent.transport.security.roles import Role
from concurrent.transport.web.loginpage import viewer_line
from concurrent.transport.web.service import JSONService

__all__ = ["NodeViews"]

STATUS_TIMEOUT_S: Final = 5.0
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
        status = STATUS_BY_TYPE[ping.type]
        service.add_view("/ping", ping.to_json, "That the node lives.", Ping, roles=Role)
        service.add_view("/status", self.status, "What the node is doing.", status)
        service.add_view("/stats", stats.snapshot, "What the node has counted.", StatsAnswer)
        service.set_page(self.page, styles=(STYLE,))

    def status(self) -> dict[str, Any]:
        """Return what the node is doing, or did a moment ago. Any thread but the loop's.

        :raises CallTimeout: if the loop is held up.
        """
        return self._loop.call(self._latest, timeout_s=STATUS_TIMEOUT_S)

    def page(self) -> str:
        """Return the page for people; of a node that cannot answer it says so. Any thread but the loop's."""
        from concurrent.apps.pages import render_page, render_problem  # few nodes are ever looked at

        now = time.time()
        client, warning = self._service.client, self._service.warning
        viewer = viewer_line(client.identity, has_login=client.has_cookie)
        try:
            status = status_from_json(self.status())
        except ConcurrentError as error:  # the page goes on asking
            return render_problem(self._title, self._ping, str(error), warning=warning, viewer=viewer)
        is_local = is_loopback(self._service.client_ip)
        return render_page(self._title, status, now, is_local=is_local, warning=warning, viewer=viewer)

    def _latest(self) -> dict[str, Any]:
        now = self._loop.time()
        if self._snapshot is None or now - self._made_at >= SNAPSHOT_S:
            self._snapshot, self._made_at = self._make(), now
        return self._snapshot
