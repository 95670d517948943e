"""The lines of ``concurrent doctor``: what is fine, what a person should see to, and how."""

from __future__ import annotations

import socket
from dataclasses import replace
from typing import Any

import pytest

from concurrent.apps import checkup
from concurrent.apps.access import Way
from concurrent.apps.checkup import (
    FAIL,
    OK,
    WARN,
    checks_of_cluster,
    checks_of_machine,
    clock_check,
    compute_port_check,
    way_check,
)
from concurrent.apps.observed import NowStatus
from concurrent.apps.status import MasterStatus
from concurrent.apps.troublelist import TroubleRow, TroublesList
from concurrent.apps.version import VERSION
from concurrent.core.items import Host
from concurrent.transport.security.protection import Protection

HERE = Way(Host("127.0.0.1", 8750), Protection())
NOW = NowStatus.from_json({"at": 1000.0, "words": "nothing to do"})


def node(name: str, **data: str) -> dict[str, Any]:
    return {"node_id": name, "type": "slave", "state": "joined", "data": data}


def status(*nodes: dict[str, Any], workers: int = 2, version: str = VERSION, port: int = 0) -> MasterStatus:
    tasks = {"workers": workers, "slave_count": len(nodes)}
    said = {"type": "master", "version": version, "nodes": list(nodes), "tasks": tasks, "compute_port": port}
    return MasterStatus.from_json(said)


def states(rows: Any) -> dict[str, str]:
    return {row.name: row.state for row in rows}


def test_this_machine_can_run_it() -> None:
    rows = list(checks_of_machine())
    assert {"Python", "packages", "limits"} <= set(states(rows))
    assert FAIL not in states(rows).values()
    assert all(row.remedy for row in rows if row.state != OK)


def test_a_package_that_is_missing_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checkup, "package_versions", lambda: {"pyzmq": "", "Cython": "", "msgpack": "1"})
    (row,) = (one for one in checks_of_machine() if one.name == "packages")
    assert (row.state, row.remedy) == (FAIL, "Install what is missing: pip install pyzmq")


@pytest.mark.parametrize(
    ("asked", "answered", "state"),
    [(1000.0, 1000.2, OK), (1010.0, 1010.2, WARN), (990.0, 990.2, WARN), (995.0, 1005.0, OK)],
)
def test_clocks_that_differ_are_seen(asked: float, answered: float, state: str) -> None:
    assert clock_check(NOW, asked, answered).state == state


def test_a_compute_port_that_nobody_reaches_is_a_failure() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        assert compute_port_check(HERE, status(port=port)).state == OK
    row = compute_port_check(HERE, status(port=port))
    assert (row.state, row.remedy) == (FAIL, "Restart the master")
    assert str(port) in row.words


def test_a_cluster_without_protection_or_way_is_told() -> None:
    assert way_check(Way(HERE.address, Protection(is_open=True))).state == WARN
    assert way_check(HERE).state == FAIL


def test_a_cluster_that_is_well() -> None:
    slaves = [node(f"slave-{i}", version=VERSION, python="3.11.7") for i in range(3)]
    assert set(states(checks_of_cluster(status(*slaves), NOW)).values()) == {OK}


def test_what_is_odd_in_a_cluster() -> None:
    assert states(checks_of_cluster(status(workers=0), NOW))["slaves"] == FAIL
    assert states(checks_of_cluster(status(version="0.0.1"), NOW))["master"] == WARN
    odd = [node("a", version=VERSION, python="3.11.7"), node("b", version=VERSION, python="3.11.7")]
    rows = list(checks_of_cluster(status(*odd, node("c", version="0.0.1", python="3.11.7")), NOW))
    assert [row.words for row in rows if row.state == WARN] == ["Concurrent 0.0.1, Python 3.11.7: c"]
    failed = TroubleRow("failed", "1 task failed", "no disk", "read it", "concurrent logs hunt/1", "/")
    troubles = TroublesList((failed,), 4, 3)
    stuck = replace(NOW, words="3 tasks wait for gpu", counts=replace(NOW.counts, waiting=3), troubles=troubles)
    rows = [row for row in checks_of_cluster(status(*odd), stuck, "rack:1") if row.state == WARN]
    said = ["3 tasks wait for gpu", "1 task failed (no disk)", "3 more things are wrong"]
    assert [row.words for row in rows] == said
    assert rows[1].remedy == "read it: concurrent logs -m rack:1 hunt/1"
