"""Tasks that claim resources, seen from a program: with both schedulers, on both channels."""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from concurrent.apps import ClusterExecutor, MasterNode, SlaveNode
from concurrent.core import Environment
from tests.system.cluster import wait_until
from tests.ways import BOTH_WAYS

TIMEOUT_S = 30.0


@pytest.fixture(scope="module", params=BOTH_WAYS, ids=" ".join)
def master(request: pytest.FixtureRequest) -> Iterator[MasterNode]:
    """A master with a slave that has nothing but places, and another one with devices and a licence."""
    scheduler, channel = request.param
    options = {"scheduling.scheduler": scheduler, "transport.channel": channel, "limits.database": "1"}
    with ExitStack() as stack:
        node = Environment(overrides={**options, "master.port": "0"}, variables={})[MasterNode]
        node.start()
        stack.callback(node.stop)
        for name, resources in (("plain", "memory=1GiB"), ("rich", "gpu=2, licence=1, memory=4GiB")):
            own = {
                "slave.master": f"127.0.0.1:{node.api_service_v1.port}",
                "slave.name": name,
                "slave.resources": resources,
            }
            slave = Environment(overrides={**own, "slave.workers": "2"}, variables={})[SlaveNode]
            slave.start()
            stack.callback(slave.stop)
        wait_until(lambda: len(node.dispatcher.ledger.slaves) == 2, "both slaves have joined")
        yield node


@pytest.fixture
def cluster(master: MasterNode) -> Iterator[ClusterExecutor]:
    with ClusterExecutor(f"127.0.0.1:{master.api_service_v1.port}") as made:
        yield made


def done_by(master: MasterNode) -> dict[str, int]:
    """Return how many tasks each slave has done."""
    slaves = master.dispatcher.ledger.slaves.values()
    return {slave.given_name: slave.counts.finished + slave.counts.failed for slave in slaves}


def alone(folder: Path, number: int) -> int:
    """Fail if another task is at it at the same time."""
    os.close(os.open(folder / "one", os.O_CREAT | os.O_EXCL))
    time.sleep(0.01)
    (folder / "one").unlink()
    return number


def test_tasks_go_only_where_they_fit(master: MasterNode, cluster: ClusterExecutor) -> None:
    before = done_by(master)
    futures = [cluster.options(resources={"gpu": 1}).submit(abs, -n) for n in range(20)]
    futures += [cluster.options(resources={"memory": "3GiB"}).submit(abs, -n) for n in range(20)]
    assert [future.result(TIMEOUT_S) for future in futures] == [*range(20), *range(20)]
    assert done_by(master) == {**before, "rich": before["rich"] + 40}


@pytest.mark.parametrize("name", ["database", "licence"])
def test_no_more_tasks_have_it_at_once_than_there_are(
    cluster: ClusterExecutor, tmp_path: Path, name: str
) -> None:
    view = cluster.options(resources={name: 1})
    futures = [view.submit(alone, tmp_path, n) for n in range(12)]
    assert [future.result(TIMEOUT_S) for future in futures] == list(range(12))


def test_tasks_without_a_claim_go_on_while_others_wait(cluster: ClusterExecutor, tmp_path: Path) -> None:
    def wait() -> None:
        while not (tmp_path / "gate").exists():
            time.sleep(0.02)

    waiting = [cluster.options(resources={"licence": 1}).submit(wait) for _ in range(3)]
    assert sum(cluster.map(abs, range(-50, 0))) == sum(range(51))
    (tmp_path / "gate").touch()
    for future in waiting:
        future.result(TIMEOUT_S)


def test_the_program_is_told_of_what_no_slave_could_ever_meet(
    master: MasterNode, cluster: ClusterExecutor, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING, "concurrent")
    future = cluster.options(resources={"gpu": 3}).submit(abs, -1)
    wait_until(lambda: "the most that a slave has is 2" in caplog.text, "it is told")
    assert not future.done()
    future.cancel()
    wait_until(lambda: not master.dispatcher.ledger.queue.claimed_count, "it waits no more")
    assert caplog.text.count("the most that a slave has is 2") == 1
