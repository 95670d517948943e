"""Nodes that are paused or cut off for longer than a cut may last: nothing that runs is run again."""

from __future__ import annotations

import os
import re
import signal
import threading
from collections import Counter
from pathlib import Path

import pytest

from tests.system.cluster import APPS, Cluster, Program, kill, wait_until
from tests.ways import both_ways

COUNTED = APPS / "counted.py"
PATIENT = ("transport.return_s=60",)
PAUSE_S = 4.0
"""Twice as long as silence and resuming take with the quick options of the tests."""

pytestmark = pytest.mark.system


class Runs:
    """What the tasks of the application write down, and how they are let go."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._file = folder / "runs"
        self.option = f"counted.folder={folder}"

    def counts(self) -> Counter[int]:
        """Return how often each task has begun."""
        text = self._file.read_text() if self._file.exists() else ""
        return Counter(map(int, text.split()))

    def wait_for(self, count: int) -> None:
        """Wait until so many tasks have begun."""
        wait_until(lambda: self.counts().total() >= count, f"{count} tasks run", lambda: str(self.counts()))

    def let_go(self) -> None:
        """Have all tasks end, now and later."""
        (self._folder / "go").touch()


@pytest.fixture
def runs(tmp_path: Path) -> Runs:
    return Runs(tmp_path)


def pause(program: Program) -> None:
    """Have a process, and nothing that it started, do nothing for a while."""
    program.send(signal.SIGSTOP)
    threading.Event().wait(PAUSE_S)
    program.send(signal.SIGCONT)


def start(cluster: Cluster, runs: Runs, scheduler: str, channel: str, count: int = 4) -> tuple[Program, ...]:
    """Start a master, two slaves of two workers, and the application; return them when four tasks run."""
    master = cluster.master("--scheduler", scheduler, "--channel", channel, options=PATIENT)
    slaves = [cluster.slave(options=PATIENT) for _ in range(2)]
    for slave in slaves:
        slave.wait_for_line("joined the master")
    app = cluster.app(COUNTED, options=(*PATIENT, runs.option, f"counted.count={count}"))
    runs.wait_for(4)
    return master, *slaves, app


@both_ways
def test_what_a_slave_runs_that_is_paused_is_not_run_again(
    cluster: Cluster, runs: Runs, scheduler: str, channel: str
) -> None:
    master, slave, _other, app = start(cluster, runs, scheduler, channel)
    pause(slave)
    master.wait_for_line("reports again")
    runs.let_go()
    assert app.succeed() == "each once\n"
    assert runs.counts() == Counter(range(4))


@both_ways
def test_what_a_paused_slave_has_finished_meanwhile_is_brought(
    cluster: Cluster, runs: Runs, scheduler: str, channel: str
) -> None:
    _master, slave, _other, app = start(cluster, runs, scheduler, channel)
    slave.send(signal.SIGSTOP)
    runs.let_go()
    threading.Event().wait(PAUSE_S)
    slave.send(signal.SIGCONT)
    assert app.succeed() == "each once\n"
    assert runs.counts() == Counter(range(4))


@both_ways
def test_what_waits_at_a_paused_slave_is_done_by_others(
    cluster: Cluster, runs: Runs, scheduler: str, channel: str
) -> None:
    _master, slave, _other, app = start(cluster, runs, scheduler, channel, count=24)
    begun = set(runs.counts())
    slave.send(signal.SIGSTOP)
    runs.let_go()
    wait_until(lambda: len(runs.counts()) == 24, "all tasks run", lambda: str(sorted(runs.counts())))
    slave.send(signal.SIGCONT)
    assert app.succeed() == "each once\n"
    assert all(runs.counts()[number] == 1 for number in begun)


@both_ways
def test_a_master_that_is_paused_loses_nobody(
    cluster: Cluster, runs: Runs, scheduler: str, channel: str
) -> None:
    master, *slaves, app = start(cluster, runs, scheduler, channel, count=8)
    pause(master)
    runs.let_go()
    assert app.succeed() == "each once\n"
    assert max(runs.counts().values()) == 1
    for node in (*slaves, app):
        assert "lost the master" not in node.err
    assert "slave-" not in "".join(line for line in master.err.splitlines() if " left: " in line)


@both_ways
def test_a_slave_that_is_killed_is_not_waited_for(
    cluster: Cluster, runs: Runs, scheduler: str, channel: str
) -> None:
    master, slave, _other, app = start(cluster, runs, scheduler, channel)
    kill(slave.pid)
    runs.let_go()
    assert app.succeed() == "each once\n"
    assert runs.counts().total() == 6
    if hasattr(os, "pidfd_open"):
        assert re.search(r"slave-\S+ left: its process has ended", master.err)


def test_a_slave_that_is_killed_while_it_is_paused_is_not_waited_for(cluster: Cluster, runs: Runs) -> None:
    master, slave, _other, app = start(cluster, runs, "GenericTaskScheduler", "tcp")
    slave.send(signal.SIGSTOP)
    master.wait_for_line("reports nothing")
    kill(slave.pid)
    runs.let_go()
    assert app.succeed() == "each once\n"
