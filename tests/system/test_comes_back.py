"""A script with a job that is killed at any moment, and started again until it is done: each call runs once."""

from __future__ import annotations

import random
import signal
import sys
from collections import Counter
from pathlib import Path

import pytest

from concurrent.apps import ClusterExecutor
from tests.system.cluster import APPS, Cluster, Program, kill, wait_until

ONCE = APPS / "once.py"
SCRIPT = APPS / "comes_back.py"
COUNT = 300

pytestmark = [pytest.mark.system, pytest.mark.timeout(300)]


def start_master(cluster: Cluster, journal: str = "journal") -> Program:
    folder = cluster.folder / journal
    return cluster.master(options=(f"journal.folder={folder}", "journal.durability=process"))


def start_script(cluster: Cluster, count: int = COUNT) -> Program:
    return cluster.run(SCRIPT, cluster.address, cluster.folder, count, starter=(sys.executable,))


def runs_in(folder: Path) -> list[str]:
    file = folder / "runs.txt"
    return file.read_text(encoding="utf-8").split() if file.exists() else []


def accepted(cluster: Cluster) -> int:
    """Return how many calls the master has on its disk; its answers wait for that."""
    return sum(job.pushed for job in ClusterExecutor.jobs(cluster.address))


@pytest.mark.parametrize("is_master_killed", [False, True], ids=["script", "script-and-master"])
def test_a_script_that_is_killed_and_started_again_runs_each_call_once(
    cluster: Cluster, *, is_master_killed: bool
) -> None:
    chance = random.Random(16)
    (cluster.folder / "go.txt").touch()
    master = start_master(cluster)
    cluster.slaves()
    target = 0
    while target < COUNT:
        script = start_script(cluster)
        wait_until(lambda at=target: len(runs_in(cluster.folder)) > at, "calls run")
        if is_master_killed:  # what it has not accepted may run, and is forgotten with it
            wait_until(lambda: accepted(cluster) == COUNT, "the master has accepted all")
        kill(script.pid)
        script.popen.wait()
        if is_master_killed:
            kill(master.pid)
            master.popen.wait()
            master = start_master(cluster)
        target = len(runs_in(cluster.folder)) + chance.randrange(90)
    assert "all results are right" in start_script(cluster).succeed()
    assert Counter(runs_in(cluster.folder)) == Counter(map(str, range(COUNT)))


def test_a_second_script_takes_over_what_the_first_one_began(cluster: Cluster) -> None:
    start_master(cluster)
    cluster.slaves()
    first = start_script(cluster)
    wait_until(lambda: len(runs_in(cluster.folder)) > 20, "calls run")
    second = start_script(cluster)
    assert first.wait() == 1
    assert "JobTaken" in first.err
    (cluster.folder / "go.txt").touch()
    assert "all results are right" in second.succeed()
    assert Counter(runs_in(cluster.folder)) == Counter(map(str, range(COUNT)))


def test_a_program_that_was_stopped_for_a_while_goes_on(cluster: Cluster) -> None:
    master = start_master(cluster)
    cluster.slaves()
    runs = cluster.folder / "runs.txt"
    program = cluster.run(ONCE, cluster.address, cluster.folder, COUNT, starter=(sys.executable,))
    wait_until(lambda: len(runs_in(cluster.folder)) > 20, "calls run")
    program.send(signal.SIGSTOP)
    master.wait_for_line("left: ")  # its session is over, and it has not said goodbye
    program.send(signal.SIGCONT)
    assert "all results are right" in program.succeed()
    assert Counter(runs.read_text(encoding="utf-8").split()) == Counter(map(str, range(COUNT)))


def test_what_is_unfinished_is_submitted_anew_if_the_job_is_gone(cluster: Cluster) -> None:
    master = start_master(cluster)
    cluster.slaves()
    first = start_script(cluster)
    wait_until(lambda: len(runs_in(cluster.folder)) > 20, "calls run")
    kill(first.pid)
    second = start_script(cluster)
    master.wait_for_line(r"(?s)application-\S+ joined.*application-\S+ joined")
    kill(master.pid)
    master.popen.wait()
    start_master(cluster, "another journal")
    (cluster.folder / "go.txt").touch()
    assert "all results are right" in second.succeed()
