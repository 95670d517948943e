"""A master that is killed and started again goes on where it was: what was accepted is finished, once."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.system.cluster import APPS, Cluster, Program, kill, wait_until

HELD = APPS / "held.py"
ONCE = APPS / "once.py"
COUNT = 200

pytestmark = pytest.mark.system

each_way = pytest.mark.parametrize(
    ("scheduler", "channel"),
    [(one, other) for one in ("GenericTaskScheduler", "ZMQTaskScheduler") for other in ("zmq", "tcp")],
)


def durable(cluster: Cluster, *arguments: object, level: str = "process") -> Program:
    """Start a master with a journal, or start it again."""
    folder = cluster.folder / "journal"
    return cluster.master(*arguments, options=(f"journal.folder={folder}", f"journal.durability={level}"))


def start_once(cluster: Cluster, runs: Path) -> Program:
    """Start the program whose tasks take down their runs."""
    runs.touch()
    return cluster.run(ONCE, cluster.address, runs.parent, COUNT, starter=(sys.executable,))


def lines(file: Path) -> int:
    return len(file.read_text().splitlines())


@each_way
def test_a_program_gets_all_its_results_though_its_master_is_killed(
    cluster: Cluster, scheduler: str, channel: str, tmp_path: Path
) -> None:
    ways = ("--scheduler", scheduler, "--channel", channel)
    master = durable(cluster, *ways)
    cluster.slaves()
    runs = tmp_path / "runs.txt"
    program = start_once(cluster, runs)
    for share in (3, 2):
        wait_until(lambda share=share: lines(runs) > COUNT // 2 // share, "tasks run")
        kill(master.pid)
        master = durable(cluster, *ways)
    assert "all results are right" in program.succeed()
