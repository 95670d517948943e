"""The peers in ``docs/reference-peer`` work with a real master, so its protocol is what the page says."""

from __future__ import annotations

import ast
import importlib
import math
import operator
import pickle
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from concurrent.apps import ClusterExecutor, LocalCluster, MasterNode
from concurrent.scheduling.tasks.outcome import FAILED, FINISHED
from concurrent.transport.loop.loop import NodeLoop
from tests.integration.apps.peers import TIMEOUT_S
from tests.integration.transport.transport_nodes import CuttingProxy

FOLDER = Path(__file__).resolve().parents[3] / "docs" / "reference-peer"


@pytest.fixture
def nodes(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    monkeypatch.syspath_prepend(FOLDER)
    yield importlib.import_module("nodes")
    for name in ("nodes", "session"):
        del sys.modules[name]


@pytest.fixture
def slave_of(nodes: Any) -> Iterator[Callable[..., None]]:
    """Run a reference slave of a master in a thread."""
    threads: list[threading.Thread] = []
    goes_on = threading.Event()
    goes_on.set()

    def run(address: str, **data: Any) -> None:
        session = nodes.join(address, "slave", {"workers": 1, "window": 20, **data})

        def serve() -> None:
            with suppress(nodes.Ended):  # the master may stop first
                nodes.run_slave(session, goes_on.is_set)
                session.close()

        threads.append(threading.Thread(target=serve))
        threads[-1].start()

    yield run
    goes_on.clear()
    for thread in threads:
        thread.join(TIMEOUT_S)
        assert not thread.is_alive()


def nowhere(_host: str, _port: str) -> str:
    """Stand for ``place_of`` where a node has no place."""
    return ""


def address_of(master: MasterNode) -> str:
    return f"127.0.0.1:{master.api_service_v1.port}"


def test_the_peers_use_nothing_of_ours() -> None:
    for file in FOLDER.glob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            names = [one.name for one in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            roots = {name.partition(".")[0] for name in names}
            assert roots <= {*sys.stdlib_module_names, "msgpack", "session"} - {"concurrent"}


@pytest.mark.parametrize(
    "value", [None, True, False, 0, -(10**30), 1.5, "Grüße", b"\x00\xff", [], (), {}, [(1, {"a": [None]})]]
)
def test_pickles_can_be_made_by_hand(nodes: Any, value: Any) -> None:
    assert pickle.loads(b"\x80\x05" + nodes.opcodes(value) + b".") == value


@pytest.mark.parametrize("is_near", [True, False])
def test_an_application_and_a_slave_work_with_a_master(
    request: pytest.FixtureRequest,
    monkeypatch: pytest.MonkeyPatch,
    nodes: Any,
    slave_of: Callable[..., None],
    is_near: bool,
) -> None:
    """In the place of one that has keys, and at the port of one that is open."""
    address = address_of(request.getfixturevalue("master" if is_near else "open_master"))
    if not is_near:
        monkeypatch.setattr(nodes, "place_of", nowhere)
    slave_of(address)
    application = nodes.join(address, "application", {})
    calls = [
        nodes.pickled_call("abs", -7),
        nodes.pickled_call("math.factorial", 20),
        nodes.pickled_call("operator.concat", "Grüße ", "an alle"),
        nodes.pickled_call("operator.concat", b"x" * 100_000, b"y"),
        nodes.pickled_call("sorted", [3, 1.5, -(10**12)]),
        nodes.pickled_call("operator.truediv", 1, 0),
    ]
    outcomes = nodes.run_calls(application, calls)
    application.close()
    statuses = [status for status, _ in outcomes]
    results = [pickle.loads(data) for _, data in outcomes[:5]]
    failure = nodes.failure_of(outcomes[5][1])
    assert statuses == [FINISHED] * 5 + [FAILED]
    assert results[:2] == [7, math.factorial(20)]
    assert results[2:] == ["Grüße an alle", b"x" * 100_000 + b"y", [-(10**12), 1.5, 3]]
    assert (failure["type"], failure["message"]) == ("ZeroDivisionError", "division by zero")


def test_an_application_works_with_workers_in_python(nodes: Any) -> None:
    with LocalCluster(workers=1) as cluster:
        command = [
            sys.executable,
            FOLDER / "nodes.py",
            "application",
            str(cluster.address),
            "math.factorial",
            "20",
        ]
        done = subprocess.run(command, capture_output=True, text=True, timeout=TIMEOUT_S, check=True)
        assert done.stdout.split() == [str(math.factorial(20))]
        application = nodes.join(str(cluster.address), "application", {})
        (failure,) = nodes.run_calls(application, [nodes.pickled_call("operator.truediv", 1, 0)])
        application.close()
    assert failure[0] == FAILED
    assert nodes.failure_of(failure[1])["type"] == "ZeroDivisionError"


def test_a_slave_that_refuses_what_it_cannot_run_works_beside_others(
    slave_of: Callable[..., None],
) -> None:
    def own(number: int) -> int:
        return number + 1

    with LocalCluster(workers=1) as cluster:
        slave_of(str(cluster.address))
        with ClusterExecutor(str(cluster.address)) as executor:
            assert list(executor.map(own, range(50))) == list(range(1, 51))
            futures = [executor.submit(operator.neg, number) for number in range(50)]
            assert [future.result(TIMEOUT_S) for future in futures] == [-number for number in range(50)]


def test_both_get_over_cuts(
    open_master: MasterNode, nodes: Any, slave_of: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(nodes, "place_of", nowhere)
    loop = NodeLoop("proxy-loop")
    loop.start()
    proxy = CuttingProxy(loop, open_master.compute_server.port)
    proxy.cut_after_bytes = [5_000 * count for count in range(1, 9)]
    whole, port = nodes.Session, proxy.port
    nodes.Session = lambda address, node_id: whole((address[0], port), node_id)
    try:
        slave_of(address_of(open_master))
        application = nodes.join(address_of(open_master), "application", {})
        outcomes = nodes.run_calls(application, [nodes.pickled_call("abs", -number) for number in range(2000)])
        application.close()
        assert [pickle.loads(data) for _, data in outcomes] == list(range(2000))
        assert proxy.cut_count >= 5
    finally:
        proxy.stop()
        loop.stop()
