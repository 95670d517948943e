"""ZeroMQ between machines, each with its own address and folders: joined by a line, encrypted with CURVE.

For root on Linux: the machines are networks.
"""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from tests.system.cluster import QUICK, STARTER, TIMEOUT_S, Cluster, Program
from tests.system.test_partitions import Network, network  # noqa: F401  a fixture
from tests.system.test_pauses import COUNTED, Runs

pytestmark = pytest.mark.system

CHANNEL = ("--channel", "zmq", "--scheduler", "ZMQTaskScheduler")


class Machine:
    """A machine: the folders that its user has, and what starts a command in its network."""

    def __init__(self, cluster: Cluster, name: str, inside: tuple[str, ...] = ()) -> None:
        self.cluster = cluster
        self.folder = cluster.folder / name
        run = Path(os.environ["XDG_RUNTIME_DIR"], f"{name}{os.urandom(2).hex()}")  # short enough for sockets
        for folder in (self.folder, run):
            folder.mkdir(mode=0o700)
        self.variables = {
            "XDG_CONFIG_HOME": str(self.folder / "config"),
            "XDG_RUNTIME_DIR": str(run),
        }
        self.starter = (*inside, "env", *(f"{key}={value}" for key, value in self.variables.items()), *STARTER)

    def start(self, *arguments: object, options: tuple[str, ...] = ()) -> Program:
        assignments = [part for one in (*QUICK, *options) for part in ("-o", one)]
        return self.cluster.run(*arguments, *assignments, starter=self.starter)

    def do(self, *arguments: object) -> str:
        """Run a command to its end, and return what it says."""
        done = subprocess.run(
            [*self.starter, *map(str, arguments)],
            capture_output=True,
            text=True,
            timeout=TIMEOUT_S,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def join(self, role: str, there: Machine, address: str) -> None:
        """Join the cluster of another machine's master."""
        line = there.do("keys", "invite", role).split()[-1]
        self.do("join", line, "--master", address, "--name", f"far-{role}")


@pytest.fixture
def machines(cluster: Cluster, network: Network) -> tuple[Machine, Machine, str]:  # noqa: F811
    """That of the master, which listens for the other one, and that one."""
    here = Machine(cluster, "here")
    there = Machine(cluster, "there", network.starter[: -len(STARTER)])
    here.do("keys", "init")
    return here, there, network.address


def start_master(machine: Machine, host: str) -> tuple[Program, str]:
    master = machine.start("master", "--host", host, "-p", 0, *CHANNEL)
    line = master.wait_for_line(r"the master listens on https?://.*:(\d+)/")
    return master, f"{host}:{line[1]}"


def test_work_is_pushed_and_pulled_between_machines(
    cluster: Cluster, machines: tuple[Machine, Machine, str]
) -> None:
    here, there, host = machines
    master, address = start_master(here, host)
    for role in ("slave", "submit"):
        there.join(role, here, address)
    slave = there.start("slave", "-w", 2)
    slave.wait_for_line(f"joined the master .* at {address}")
    runs = Runs(cluster.folder)
    app = there.start("app", COUNTED, "-m", address, options=(runs.option, "counted.count=50"))
    runs.let_go()
    assert app.succeed() == "each once\n"
    assert "refused" not in master.err


def test_a_slave_that_is_revoked_is_thrown_out_and_others_go_on(
    cluster: Cluster, machines: tuple[Machine, Machine, str]
) -> None:
    here, there, host = machines
    _, address = start_master(here, host)
    there.join("slave", here, address)
    far = there.start("slave", "-w", 1)
    near = here.start("slave", "-m", address, "-w", 1)
    for one in (far, near):
        one.wait_for_line("joined the master")
    runs = Runs(cluster.folder)
    app = here.start("app", COUNTED, "-m", address, options=(runs.option, "counted.count=20"))
    runs.wait_for(2)  # one at each
    here.do("keys", "revoke", "far-slave")
    far.wait_for_line("has been revoked")
    runs.let_go()
    assert app.succeed() == "each once\n"
    assert "resumed" not in far.err
