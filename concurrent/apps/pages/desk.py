"""Answers the pages of a node, as HTML and as what their script asks for. Any thread of the JSON API."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple

from concurrent.apps.columns import duration, trouble_text
from concurrent.apps.pages.applicationview import application_view
from concurrent.apps.pages.assets import assets_folder
from concurrent.apps.pages.elements import Node, element, to_json
from concurrent.apps.pages.failuresview import failures_view
from concurrent.apps.pages.frame import framed
from concurrent.apps.pages.jobview import job_view
from concurrent.apps.pages.nowview import now_view
from concurrent.apps.pages.parts import note
from concurrent.apps.pages.slaveview import slave_view
from concurrent.apps.pages.tasksview import tasks_view
from concurrent.apps.pages.taskview import task_view
from concurrent.apps.pages.timelineview import timeline_view
from concurrent.apps.pages.viewer import Viewer
from concurrent.apps.pages.workersview import workers_view
from concurrent.apps.status import NodeStatus, Ping
from concurrent.core.errors import ConcurrentError, InvalidArguments
from concurrent.transport.security.hosts import is_loopback
from concurrent.transport.security.identity import Identity
from concurrent.transport.web.contents import Query
from concurrent.transport.web.loginpage import viewer_line
from concurrent.transport.web.service import JSONService

__all__ = ["PageDesk"]


class View(NamedTuple):
    """A view of a node; one without a name is no tab, for something has to be chosen first."""

    name: str
    show: Callable[[Viewer], list[Node]]


VIEWS: Final[Mapping[str, Mapping[str, View]]] = {
    "master": {
        "/": View("Now", now_view),
        "/tasks": View("Tasks", tasks_view),
        "/failures": View("Failures", failures_view),
        "/workers": View("Workers", workers_view),
        "/timeline": View("Timeline", timeline_view),
        "/task": View("", task_view),
        "/job": View("", job_view),
    },
    "slave": {"/": View("Slave", slave_view)},
    "application": {"/": View("Application", application_view)},
}
"""By what ``type`` says, and by path; ``nodeviews.py`` has the paths too."""


class PageDesk:
    """See the module.

    :param service: the JSON API of the node.
    :param title: the heading of its pages.
    :param ping: who the node is.
    :param status: returns what the node is doing, or raises ConcurrentError.
    """

    def __init__(self, service: JSONService, title: str, ping: Ping, status: Callable[[], NodeStatus]) -> None:
        self._service = service
        self._title = title
        self._ping = ping
        self._status = status
        self._views = VIEWS[ping.type]

    def html(self, path: str, query: Query) -> str:
        """Return a page for the person whose request this thread answers."""
        client = self._service.client
        return framed(
            self._title,
            [(tab, view.name) for tab, view in self._views.items() if view.name],
            path,
            self._main(path, query, client.identity),
            assets=assets_folder(),
            viewer=viewer_line(client.identity, has_login=client.has_cookie),
        )

    def main(self, path: str, query: Query, identity: Identity) -> list[Any]:
        """Return what the main part of a page has in it now, as JSON.

        :param identity: who asks.
        :raises InvalidArguments: if there is no such page.
        """
        if path not in self._views:
            raise InvalidArguments(
                f"there is no page {path!r:.100}",
                thing="path",
                value=path,
                remedy=f"Ask for one of {', '.join(self._views)}",
            )
        return [to_json(node) for node in self._main(path, query, identity)]

    def _main(self, path: str, query: Query, identity: Identity) -> list[Node]:
        now = time.time()
        viewer = Viewer(
            path,
            query,
            now,
            identity,
            is_local=is_loopback(self._service.client_ip),
            peer_ip=self._service.client_ip,
            methods=self._service.methods,
            status_of_node=self._status,
        )
        warning = self._service.warning
        nodes: list[Node] = [note(warning)] if warning else []
        try:
            status = self._status()
            nodes += [note(trouble_text(one)) for one in status.plugin_troubles]
            nodes += self._views[path].show(viewer)
        except ConcurrentError as error:  # the page goes on asking
            return [*nodes, note(str(error)), element("p", _who(self._ping))]
        age = duration(now - status.started_at)
        return [*nodes, element("p", f"{_who(status)}, up for {age}", class_="who")]


def _who(ping: Ping) -> str:
    return f"{ping.node_id}, process {ping.pid}, version {ping.version}"
