"""A durable master that is killed and started again: its slaves go on, and nothing that runs is run again."""

from __future__ import annotations

import shutil
from collections import Counter

import pytest

from benchmarks.processes import free_port
from tests.system.cluster import Cluster, Program, kill, wait_until
from tests.system.test_pauses import COUNTED, PATIENT, Runs
from tests.ways import both_ways

pytestmark = pytest.mark.system


@pytest.fixture
def runs(cluster: Cluster) -> Runs:
    return Runs(cluster.folder)


def durable(cluster: Cluster, *ways: object) -> Program:
    """Start a master with a journal, or start it again."""
    cluster.port = cluster.port or free_port()
    options = (f"journal.folder={cluster.folder / 'journal'}", "journal.durability=process", *PATIENT)
    return cluster.master(*ways, options=options)


def start(cluster: Cluster, runs: Runs, count: int, *ways: object) -> tuple[Program, ...]:
    """Start a master, two slaves of two workers, and the application; return them when four tasks run.

    What the application has pushed is kept by then, so it need not push it again.
    """
    master = durable(cluster, *ways)
    slaves = [cluster.slave(options=PATIENT) for _ in range(2)]
    for slave in slaves:
        slave.wait_for_line("joined the master")
    app = cluster.app(COUNTED, options=(*PATIENT, runs.option, f"counted.count={count}"))
    runs.wait_for(4)
    wait_until(lambda: cluster.status()["journal"]["unwritten"] == 0, "all is kept")
    return master, *slaves, app


def are_back(cluster: Cluster) -> bool:
    """Tell whether both slaves are back with what they run; the rest may wait there or at the master."""
    slaves = cluster.status()["tasks"]["slaves"]
    return [one["held"] >= one["workers"] for one in slaves] == [True, True]


@both_ways
def test_what_runs_and_what_waits_at_slaves_is_run_once(
    cluster: Cluster, runs: Runs, scheduler: str, channel: str
) -> None:
    ways = ("--scheduler", scheduler, "--channel", channel)
    master, *slaves, app = start(cluster, runs, 12, *ways)
    for _ in range(2):
        kill(master.pid)
        master = durable(cluster, *ways)
        wait_until(lambda: are_back(cluster), "the slaves are back")
    runs.let_go()
    assert app.succeed() == "each once\n"
    assert runs.counts() == Counter(range(12))
    assert all("is back with" in slave.err for slave in slaves)


@both_ways
def test_what_is_finished_while_there_is_no_master_is_not_run_again(
    cluster: Cluster, runs: Runs, scheduler: str, channel: str
) -> None:
    ways = ("--scheduler", scheduler, "--channel", channel)
    master, *_slaves, app = start(cluster, runs, 8, *ways)
    kill(master.pid)
    runs.let_go()
    durable(cluster, *ways)
    assert app.succeed() == "each once\n"
    assert runs.counts() == Counter(range(8))


def test_an_older_state_of_the_cluster_is_refused(cluster: Cluster, runs: Runs) -> None:
    master, slave, *_ = start(cluster, runs, 4)
    kill(master.pid)
    journal, copy = cluster.folder / "journal", cluster.folder / "copy"
    shutil.copytree(journal, copy)
    for _ in range(2):
        before = slave.err.count("joined the master")
        newer = durable(cluster)
        wait_until(lambda before=before: slave.err.count("joined the master") > before, "the slave is back")
        kill(newer.pid)
    shutil.rmtree(journal)
    copy.rename(journal)
    durable(cluster)
    slave.wait_for_line("answers as it was in its run 2, and had come to 3")
    runs.let_go()  # it ends as soon as its tasks do
