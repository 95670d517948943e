"""What tasks ask for is kept on each scheduler and channel, and when masters and programs are started again."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from benchmarks.processes import free_port
from tests.system.cluster import APPS, Cluster, Program, kill, wait_until
from tests.system.test_pauses import PATIENT
from tests.ways import both_ways

ASKING = APPS / "asking.py"
WAITS = APPS / "waits.py"
ENDS = [
    "a system, push: TaskTimeout, ran three times",
    "a system, system: TaskTimeout, ran three times",
    "a system, task: TaskTimeout, ran three times",
    "late push: TaskTimeout",
    "late: TaskTimeout",
    "push: ran three times",
    "pushes: ran three times",
    "slow push: TaskTimeout",
    "slow: TaskTimeout",
    "task: ran three times",
]
DELAY_S = 4.0
DEADLINE_S = 8.0

pytestmark = pytest.mark.system


@both_ways
def test_tasks_of_applications_and_of_systems_ask_in_each_way(
    cluster: Cluster, tmp_path: Path, scheduler: str, channel: str
) -> None:
    cluster.master("--scheduler", scheduler, "--channel", channel)
    cluster.slaves()
    app = cluster.app(ASKING, options=(f"asking.folder={tmp_path}",))
    assert sorted(app.succeed().splitlines()) == ENDS


def durable(cluster: Cluster, *ways: str) -> Program:
    """Start a master with a journal, or start it again."""
    cluster.port = cluster.port or free_port()
    options = (f"journal.folder={cluster.folder / 'journal'}", "journal.durability=process", *PATIENT)
    return cluster.master(*ways, options=options)


@both_ways
def test_what_waits_for_its_next_try_or_has_a_deadline_outlives_its_master_and_its_program(
    cluster: Cluster, tmp_path: Path, scheduler: str, channel: str
) -> None:
    def start() -> Program:
        program = cluster.run(WAITS, cluster.address, tmp_path, DEADLINE_S, DELAY_S, starter=(sys.executable,))
        wait_until(lambda: "submitted" in program.out, "the calls are submitted", lambda: program.err)
        return program

    def is_one_left() -> bool:
        tasks = cluster.status()["tasks"]
        return tasks["open"] == 2 and [slave["held"] for slave in tasks["slaves"]] == [1]

    ways = ("--scheduler", scheduler, "--channel", channel)
    master = durable(cluster, *ways)
    cluster.slave(options=PATIENT).wait_for_line("joined the master")
    program = start()
    wait_until(lambda: Path(tmp_path, "flaky").exists(), "a call has run that is tried again")
    wait_until(lambda: Path(tmp_path, "late").exists(), "the other one has begun")
    wait_until(is_one_left, "the master knows of the try")
    Path(tmp_path, "go").touch()  # before its next try, which is then the last
    wait_until(lambda: cluster.status()["journal"]["unwritten"] == 0, "all is kept")
    kill(master.pid)
    durable(cluster, *ways)
    kill(program.pid)
    assert start().succeed().splitlines()[1:] == [
        "runs 2",
        f"late: its deadline of {DEADLINE_S:g} s has passed",
    ]
    first, second = map(float, Path(tmp_path, "flaky").read_text().splitlines())
    assert second - first > 0.9 * DELAY_S
    assert len(Path(tmp_path, "late").read_text().splitlines()) == 1
