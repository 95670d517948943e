"""Nodes that run another Python than their master: refused at once, said at both ends, and nothing is lost."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.system.cluster import APPS, Cluster, Program, wait_until
from tests.system.pythons import other_pythons, with_dependencies

pytestmark = pytest.mark.system

ROOT = Path(__file__).resolve().parents[2]
RUN = "import concurrent_framework, sys; from concurrent.apps.main import main; sys.exit(main(sys.argv[1:]))"
FAKE = f"import platform; platform.python_version = lambda: '3.99.0'; {RUN}"

Start = Callable[..., Program]


def starting(cluster: Cluster, starter: tuple[str, ...]) -> Start:
    """Return a function that starts a command on another Python."""

    def start(*arguments: object) -> Program:
        return cluster.run(*arguments, starter=starter)

    return start


@pytest.fixture
def other(cluster: Cluster) -> Start:
    """Starts a command on a Python that says it is another one."""
    return starting(cluster, (sys.executable, "-c", FAKE))


@pytest.fixture(scope="module")
def real_python(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The newest other Python of this machine, with what the framework needs."""
    pythons = other_pythons()
    if not pythons:
        pytest.skip("there is no other Python on this machine")
    return with_dependencies(pythons[-1], tmp_path_factory.mktemp("other"))


def check_that_it_is_refused_and_nothing_is_lost(cluster: Cluster, start: Start, version: str) -> None:
    master = cluster.master()
    cluster.slaves(1)
    slave = start("slave", "-m", cluster.address, "-w", "2")
    app = start("app", APPS / "sums.py", "-m", cluster.address)
    assert cluster.app(APPS / "sums.py").succeed() == "total 2470\n"
    for program, kind in ((slave, "slave"), (app, "application")):
        assert program.wait() == 3
        assert f"runs Python {version}" in program.err
        assert "Start all nodes of a cluster with Python" in program.err
        master.wait_for_line(f"refused a {kind} at 127.0.0.1: .* runs Python {version}")
    nodes = cluster.status()["nodes"]
    refused = {node["type"]: node["reason"] for node in nodes if node["state"] == "refused"}
    assert refused.keys() == {"slave", "application"}
    assert all(version in reason for reason in refused.values())
    status = cluster.run("status", "-m", cluster.address).succeed()
    assert f"runs Python {version}" in status


def test_nodes_of_another_python_are_refused_and_the_cluster_works_on(cluster: Cluster, other: Start) -> None:
    check_that_it_is_refused_and_nothing_is_lost(cluster, other, "3.99.0")


def test_nodes_of_a_real_other_python_are_refused_too(
    cluster: Cluster, real_python: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    version = subprocess.run(
        [real_python, "-c", "import platform; print(platform.python_version())"],
        capture_output=True, text=True, timeout=20, check=True, env={**os.environ, "PYTHONPATH": ""},
    )  # fmt: skip
    start = starting(cluster, (real_python, "-c", RUN))
    check_that_it_is_refused_and_nothing_is_lost(cluster, start, version.stdout.strip())


def test_a_whole_cluster_of_another_python_works(cluster: Cluster, other: Start) -> None:
    app = other("app", APPS / "sums.py", "-w", "1")
    assert app.succeed() == "total 2470\n"


def test_an_application_without_slaves_of_its_python_is_told_what_to_start(
    cluster: Cluster, other: Start
) -> None:
    cluster.master()
    other("slave", "-m", cluster.address, "-w", "2").wait()
    app = cluster.app(APPS / "sums.py")
    app.wait_for_line(f"has no workers; start some with .*{sys.version_info[0]}.{sys.version_info[1]}")


def test_the_futures_of_an_executor_of_another_python_have_the_error(cluster: Cluster, tmp_path: Path) -> None:
    cluster.master()
    program = tmp_path / "program.py"
    program.write_text(
        "import platform; platform.python_version = lambda: '3.99.0'\n"
        "from concurrent.apps import ClusterExecutor\n"
        "from concurrent.core.errors import VersionMismatch\n"
        f"with ClusterExecutor({cluster.address!r}) as cluster:\n"
        "    error = cluster.submit(pow, 2, 3).exception(30)\n"
        "    assert isinstance(error, VersionMismatch), error\n"
        "    for call in (lambda: cluster.workers, lambda: cluster.submit(pow, 2, 3)):\n"
        "        try:\n"
        "            call()\n"
        "        except VersionMismatch as again:\n"
        "            print(again.thing is not None)\n"
    )
    done = cluster.run(program, starter=(sys.executable,))
    assert done.succeed() == "True\nTrue\n"


def test_a_slave_that_comes_back_to_a_master_of_another_python_ends(cluster: Cluster) -> None:
    master = cluster.master()
    slave = cluster.slave()
    slave.wait_for_line("joined the master")
    master.popen.terminate()
    master.wait()
    other = cluster.run("master", "-p", str(cluster.port), starter=(sys.executable, "-c", FAKE))
    other.wait_for_line("the master listens")
    assert slave.wait() == 3
    wait_until(lambda: "refused a slave" in other.err, "the other master says so")
