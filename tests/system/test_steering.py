"""A cluster of real nodes that is steered: one machine is emptied while others go on, and stays so."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.system.cluster import APPS, Cluster, Gate, Program, wait_until

pytestmark = pytest.mark.system

SCHEDULERS = [("GenericTaskScheduler", "tcp"), ("ZMQTaskScheduler", "zmq")]


def typed(cluster: Cluster, *words: object) -> str:
    """Type a command for the master; return what it prints."""
    program = cluster.run(*words, "-m", cluster.address)
    assert program.wait() == 0, program.err
    return program.out


def named(cluster: Cluster, name: str) -> Program:
    """Start a slave with one worker under a name, and wait until it has joined."""
    slave = cluster.slave("--name", name, workers=1)
    slave.wait_for_line("joined the master")
    return slave


def drains(cluster: Cluster) -> dict[str, str]:
    """Return how each slave is drained, by the name of its node without what is a matter of chance."""
    slaves = cluster.status()["tasks"]["slaves"]
    return {one["name"].split("-")[1]: one["drain"] for one in slaves}


@pytest.mark.parametrize(("scheduler", "channel"), SCHEDULERS)
def test_a_machine_is_emptied_stopped_and_started_again_while_work_goes_on(
    cluster: Cluster, gate: Gate, scheduler: str, channel: str, tmp_path: Path
) -> None:
    cluster.master("--scheduler", scheduler, "--channel", channel, "-o", f"journal.folder={tmp_path}/journal")
    rack, _desk = named(cluster, "rack"), named(cluster, "desk")
    app = cluster.app(APPS / "held.py", options=(gate.option, "held.count=6"))
    gate.wait_for(2)
    assert "is drained: it has no task" in typed(cluster, "drain", "rack", "--timeout", "0", "--wait")
    assert drains(cluster) == {"rack": "drained", "desk": ""}
    rack.popen.terminate()
    assert rack.wait() == 0
    assert ": it is away" in typed(cluster, "resume")
    named(cluster, "rack")
    wait_until(lambda: drains(cluster) == {"rack": "drained", "desk": ""}, "it is drained still")
    assert "takes tasks" in typed(cluster, "resume", "rack")
    gate.wait_for(1)
    assert drains(cluster) == {"rack": "", "desk": ""}
    assert "begin again" in typed(cluster, "retry", "--application", next(iter(owners(cluster))))
    gate.wait_for(2)
    gate.open()
    assert app.wait() == 0, app.err


def owners(cluster: Cluster) -> list[str]:
    return [one["name"] for one in cluster.status()["tasks"]["owners"]]


def test_tasks_of_a_program_are_cancelled_and_it_ends(cluster: Cluster, gate: Gate) -> None:
    cluster.master()
    named(cluster, "rack")
    app = cluster.app(APPS / "held.py", options=(gate.option, "held.count=6"))
    gate.wait_for(1)
    said = typed(cluster, "cancel", "--application", owners(cluster)[0], "--yes")
    assert said == "6 tasks are cancelled: 5 waiting, 1 running\n"
    assert app.wait() == 1
