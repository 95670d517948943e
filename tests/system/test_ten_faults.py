"""What is wrong with a cluster is the first thing that its master says, in one list, whatever else goes on."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

from concurrent.apps.access import MANAGING
from concurrent.apps.transportsettings import TransportSettings
from concurrent.core import Environment
from concurrent.core.items import Host
from tests.system import tenfaults
from tests.system.cluster import Cluster, wait_until

FAULTS: Final = (
    ("lost", "cellar", "its process has ended"),
    ("waiting", "train", "gpu: needs 1, offered by 0 of 2 slaves"),
    ("waiting", "write_rows", "(write_rows) has database for"),
    ("running", "wait_for_lock", "3 of 10, waits for a lock"),
    ("failed", "read_grid", "No module named 'grid_tools'"),
    ("failed", "fetch_page", "10 of 100 tasks failed"),
    ("failed", "decode", "was killed by SIGSEGV"),
    ("failed", "too_slow", "it ran for more than its limit of 0.5 s"),
    ("failed", "load_table", "and may take 96MiB"),
    ("between tries", "call_service", "the service does not answer"),
)
"""By what each is known: its kind, what it is about, and the cause."""


@contextmanager
def asking(cluster: Cluster) -> Iterator[Any]:
    """Have a function that calls methods of the master."""
    access = Environment(variables={})[TransportSettings].access()
    client = access.way(Host("127.0.0.1", cluster.port), MANAGING).client()
    try:
        yield lambda method, **arguments: client.call(method, **arguments).result(20.0)
    finally:
        client.close()


def test_ten_faults_are_told_in_one_list_each_with_its_cause(cluster: Cluster) -> None:
    tenfaults.begin(cluster)
    with asking(cluster) as ask:
        said: dict[tuple[str, str, str], str] = {}

        def are_all_told() -> bool:
            rows = ask("now")["troubles"]["items"]
            for fault in FAULTS:
                kind, what, cause = fault
                texts = [f"{row['words']} ({row['says']})" for row in rows if row["kind"] == kind]
                said.update((fault, text) for text in texts if what in text and cause in text)
            return len(said) == len(FAULTS)

        wait_until(are_all_told, "each fault is told", lambda: str(ask("now")["troubles"]))
        now = ask("now")
        assert now["moves"]
        assert now["left_s"] is None, "nobody can tell how long that takes"
        grid = next(text for fault, text in said.items() if fault[1] == "read_grid")
        assert "all at slave-garage" in grid
        (row,) = (
            row for row in now["troubles"]["items"] if row["kind"] == "running" and "lock" in row["words"]
        )
        _, _, task = row["command"].split()
        assert "waits for the lock orders" in ask("output", task=task)["output"]

        printed = cluster.run("status", "-m", cluster.address).succeed()
        for _kind, what, cause in FAULTS:
            assert any(what in line and cause in line for line in printed.splitlines()), what
        found = next(row for row in now["troubles"]["items"] if "decode" in row["words"])
        command = [*found["command"].split()[1:], "-m", cluster.address]
        assert "Segmentation fault" in cluster.run(*command).succeed(), "what is to be typed says more"
