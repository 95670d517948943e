"""What is wrong with a cluster is to be read from what its master answers, whatever else goes on."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from concurrent.apps.access import MANAGING
from concurrent.apps.transportsettings import TransportSettings
from concurrent.core import Environment
from concurrent.core.items import Host
from tests.system import tenfaults
from tests.system.cluster import Cluster, wait_until


@contextmanager
def asking(cluster: Cluster) -> Iterator[Any]:
    """Have a function that calls methods of the master."""
    access = Environment(variables={})[TransportSettings].access()
    client = access.way(Host("127.0.0.1", cluster.port), MANAGING).client()
    try:
        yield lambda method, **arguments: client.call(method, **arguments).result(20.0)
    finally:
        client.close()


def test_ten_faults_are_found_by_asking(cluster: Cluster) -> None:
    tenfaults.begin(cluster)
    with asking(cluster) as ask:

        def group(function: str) -> dict[str, Any]:
            groups = [one for one in ask("failures")["items"] if one["function"] == function]
            return (
                groups[0] if groups else {"count": 0, "exception": "", "slaves": [], "text": "", "output": ""}
            )

        def troubles() -> str:
            return "\n".join(ask("now")["troubles"])

        wait_until(lambda: group("decode")["count"] == 1, "a task was given up that kills its workers")
        wait_until(lambda: group("read_grid")["count"] > 0, "tasks have failed for a module")
        wait_until(lambda: group("too_slow")["count"] == 1, "a task was ended that took too long")
        wait_until(lambda: group("load_table")["count"] == 1, "a task was ended that took too much memory")
        wait_until(lambda: group("fetch_page")["count"] == 10, "one in ten has failed")
        wait_until(lambda: "wait_for_lock" in troubles(), "it is said that a task does not compute")

        assert "SIGSEGV" in group("decode")["text"]
        assert group("decode")["exception"] == "WorkerDied"
        assert group("load_table")["exception"] == "TaskOutOfMemory"
        assert group("too_slow")["exception"] == "TaskTimeout"
        assert group("fetch_page")["exception"] == "ConnectionError"
        assert "grid_tools" in group("read_grid")["text"]
        assert all("garage" in slave for slave in group("read_grid")["slaves"])

        said = troubles()
        assert "cellar" in said
        assert "gpu" in said
        assert "database" in said

        (waiting,) = ask("tasks", state="between tries")["items"]
        assert waiting["name"] == "call_service"
        task = ask("explain", task=str(waiting["task"]))
        assert "the service does not answer" in str(task)

        (hung,) = ask("tasks", function="wait_for_lock")["items"]
        assert hung["state"] == "running"
        assert hung["words"] == "3 of 10, waits for a lock"
        assert "waits for the lock orders" in ask("output", task=str(hung["task"]))["output"]
        assert ask("now")["moves"]
