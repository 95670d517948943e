"""A cluster for one program: a master that is its own slave, in a process of its own."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from concurrent.apps.childnode import ChildNode, run_child
from concurrent.apps.master import MasterNode
from concurrent.apps.masterjournal import NO_DURABILITY
from concurrent.apps.nodeclass import node_class
from concurrent.apps.slave import core_count
from concurrent.core.environment import Environment
from concurrent.core.items import Host
from concurrent.scheduling.processes.launcher import Launcher
from concurrent.scheduling.processes.processend import FINISH_S
from concurrent.transport.loop.loop import NodeLoop

if TYPE_CHECKING:
    from socket import socket

__all__ = ["EmbeddedCluster", "serve_master"]

SLAVE_TIMEOUT_S: Final = 10.0
ORDERLY_END_S: Final = 2.0
"""How much longer a slave waits for a worker than that may take for its end."""

ENTRY: Final = "concurrent.apps.embedded:serve_master"


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
        """Start it, and return the address of its master when that is ready.

        :param workers: how many worker processes; 0: one for each core.
        :raises NodeError: if it does not start.
        """
        self._child.start(ENTRY, self._recipe, workers or core_count())
        return Host("127.0.0.1", int(self._child.wait_ready()))

    def stop(self) -> None:
        """Stop it; what still runs is killed soon."""
        self._child.stop()


def serve_master(control: socket, recipe: dict[str, Any], workers: int) -> None:
    """Run such a master. Main thread of a process of its own."""
    own = {
        "master.host": "127.0.0.1",
        "master.port": "0",
        "master.compute_port": "-1",
        "master.work_port": "0",
        "master.workers": str(workers),
        "journal.durability": NO_DURABILITY,  # it ends with its program
        "slave.stop_timeout_s": str(FINISH_S + ORDERLY_END_S),
    }

    def make() -> MasterNode:
        env = Environment.from_recipe(recipe, own)
        return env[node_class(env, "master", MasterNode)]

    def announce(node: MasterNode) -> str:
        node.wait_slave(SLAVE_TIMEOUT_S)  # whoever pushes next finds workers
        return str(node.api_service_v1.port)

    run_child(make, control, announce)
