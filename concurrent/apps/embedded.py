"""A cluster for one program: a master that is its own slave, in a process of its own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from concurrent.apps.childnode import ChildNode
from concurrent.core.items import Host
from concurrent.core.process.cores import core_count
from concurrent.scheduling.processes.launcher import Launcher
from concurrent.transport.loop.loop import NodeLoop

__all__ = ["PRELOAD", "EmbeddedCluster"]

ENTRY: Final = "concurrent.apps.embeddedmaster:serve_master"

PRELOAD: Final = (
    "concurrent.apps.embeddedmaster",
    "concurrent.transport.carriers.tcp",
    "encodings.idna",  # what looks hosts up
)
"""What its processes share, once their launcher has imported it; the program itself needs none of it."""


class EmbeddedCluster:
    """See the module. Not on the loop's thread.

    :param launcher: what starts the master.
    :param recipe: the environment that it shall have.
    :param on_ended: called on the loop, with what happened, when it has ended without being told to. What it
        was given is lost.
    """

    def __init__(
        self,
        loop: NodeLoop,
        launcher: Launcher,
        recipe: dict[str, Any],
        on_ended: Callable[[str], object] | None = None,
    ) -> None:
        self._child = ChildNode("the embedded cluster", loop, launcher, on_ended)
        self._recipe = recipe

    def start(self, workers: int = 0) -> Host:
        """Start it, and return the address of its master when that can be joined.

        :param workers: how many worker processes; 0: one for each core.
        :raises NodeError: if it does not start.
        """
        self._child.start(ENTRY, self._recipe, workers or core_count())
        return Host("127.0.0.1", int(self._child.wait_told()))

    def wait_workers(self) -> None:
        """Wait until it has workers, so that whoever pushes next finds them; not for ever.

        :raises NodeError: if it never will.
        """
        self._child.wait_told()

    def stop(self) -> None:
        """Stop it; what still runs is killed soon."""
        self._child.stop()
