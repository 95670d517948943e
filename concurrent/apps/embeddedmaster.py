"""The master of an embedded cluster, see ``embedded.py``."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final

from concurrent.apps.childrun import run_child
from concurrent.apps.master import MasterNode
from concurrent.apps.masterjournal import NO_DURABILITY
from concurrent.apps.nodeclass import node_class
from concurrent.core.environment import Environment
from concurrent.scheduling.processes.processend import FINISH_S

if TYPE_CHECKING:
    from socket import socket

__all__ = ["serve_master"]

SLAVE_TIMEOUT_S: Final = 10.0
ORDERLY_END_S: Final = 2.0
"""How much longer a slave waits for a worker than that may take for its end."""


def serve_master(control: socket, recipe: dict[str, Any], workers: int) -> None:
    """Run such a master. Main thread of a process of its own."""
    own = {
        "master.host": "127.0.0.1",
        "master.port": "0",
        "master.address_file": "",
        "master.compute_port": "-1",
        "master.work_port": "0",
        "master.workers": str(workers),
        "journal.durability": NO_DURABILITY,  # it ends with its program
        "slave.stop_timeout_s": str(FINISH_S + ORDERLY_END_S),
    }

    def make() -> MasterNode:
        env = Environment.from_recipe(recipe, own)
        return env[node_class(env, "master", MasterNode)]

    def announce(node: MasterNode) -> Iterator[str]:
        yield str(node.api_service_v1.port)  # the program can join while the slave starts
        node.wait_slave(SLAVE_TIMEOUT_S)
        yield "workers"

    run_child(make, control, announce)
