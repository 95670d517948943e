"""The page of an application: how far it is. A pure module."""

from __future__ import annotations

from concurrent.apps.columns import APPLICATION, Share
from concurrent.apps.pages.elements import Node
from concurrent.apps.pages.parts import bar_line, facts, figures, master_link, note
from concurrent.apps.pages.viewer import Viewer
from concurrent.apps.status import ApplicationStatus

__all__ = ["application_view"]


def application_view(viewer: Viewer) -> list[Node]:
    """Return what an application is doing."""
    status = viewer.status_of_node()
    assert isinstance(status, ApplicationStatus), "of the node itself"
    link = master_link(
        status.master,
        is_encrypted=status.is_protected,
        is_local=viewer.is_local,
    )
    shown: list[Node] = [note(f"It waits: {status.waits_for}")] if status.waits_for else []
    shown.append(figures([*facts(APPLICATION, status), ("master", link)]))
    if len(status.progress_of) > 1:
        return shown + [bar_line(f"{name}: ", Share(*one)) for name, one in status.progress_of.items()]
    share = Share(*(status.progress or (status.finished, status.pushed)))
    return [*shown, bar_line("", share)] if share.total else shown
