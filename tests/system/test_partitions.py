"""A slave whose network is cut for a while goes on, and nothing that runs is run again. For root on Linux."""

from __future__ import annotations

import shutil
import sys
import threading
import uuid
from collections import Counter
from collections.abc import Iterator

import pytest

from tests.system.cluster import QUICK, STARTER, Cluster, Program, ip
from tests.system.test_pauses import COUNTED, PATIENT, PAUSE_S, Runs

pytestmark = pytest.mark.system

OPTIONS = ("transport.allow_insecure=true", *PATIENT)


class Network:
    """A network of its own for a slave, and a wire to it that can be cut.

    :param number: makes its addresses.
    """

    def __init__(self, number: int) -> None:
        self._name = f"ct{uuid.uuid4().hex[:8]}"
        self.address = f"10.213.{number}.1"
        wire, other_end = f"{self._name}a", f"{self._name}b"
        self._wire = wire
        inside = ("-n", self._name)
        self.is_there = all(
            ip(*arguments)
            for arguments in (
                ("netns", "add", self._name),
                ("link", "add", wire, "type", "veth", "peer", "name", other_end, "netns", self._name),
                ("addr", "add", f"{self.address}/30", "dev", wire),
                ("link", "set", wire, "up"),
                (*inside, "addr", "add", f"10.213.{number}.2/30", "dev", other_end),
                (*inside, "link", "set", other_end, "up"),
                (*inside, "link", "set", "lo", "up"),
            )
        )

    @property
    def starter(self) -> tuple[str, ...]:
        """What starts a command there."""
        return ("nsenter", f"--net=/run/netns/{self._name}", *STARTER)

    def cut(self, is_cut: bool) -> None:
        """Cut the wire, or mend it."""
        assert ip("link", "set", self._wire, "down" if is_cut else "up")

    def close(self) -> None:
        ip("link", "del", self._wire)
        ip("netns", "del", self._name)


@pytest.fixture
def network() -> Iterator[Network]:
    if sys.platform != "linux" or not (shutil.which("ip") and shutil.which("nsenter")):
        pytest.skip("there is no ip and nsenter")
    made = Network(uuid.uuid4().int % 250 + 1)
    if not made.is_there:
        made.close()
        pytest.skip("networks cannot be made here")
    yield made
    made.close()


@pytest.fixture
def runs(cluster: Cluster) -> Runs:
    return Runs(cluster.folder)


def start(network: Network, cluster: Cluster, runs: Runs, channel: str) -> tuple[Program, Program]:
    """Start a master, a slave in the network and the application; return the last two when all tasks run."""
    options = ("--host", network.address, "-p", 0, "--channel", channel)
    master = cluster.node("master", *options, options=OPTIONS)
    line = master.wait_for_line(r"the master listens on http://.*:(\d+)/")
    address = f"{network.address}:{line[1]}"
    assignments = [part for one in (*QUICK, *OPTIONS) for part in ("-o", one)]
    slave = cluster.run("slave", "-m", address, "-w", 2, *assignments, starter=network.starter)
    slave.wait_for_line("joined the master")
    own = (*OPTIONS, runs.option, "counted.count=2")
    app = cluster.node("app", COUNTED, "-m", address, options=own)
    runs.wait_for(2)
    return slave, app


@pytest.mark.parametrize("channel", ["tcp", "zmq"])
@pytest.mark.parametrize("ends_meanwhile", [True, False])
def test_a_slave_that_is_cut_off_brings_what_it_runs(
    network: Network, cluster: Cluster, runs: Runs, channel: str, *, ends_meanwhile: bool
) -> None:
    slave, app = start(network, cluster, runs, channel)
    network.cut(True)
    if ends_meanwhile:
        runs.let_go()
    threading.Event().wait(PAUSE_S)
    network.cut(False)
    runs.let_go()
    assert app.succeed() == "each once\n"
    assert runs.counts() == Counter(range(2))
    assert "lost the master" not in slave.err
