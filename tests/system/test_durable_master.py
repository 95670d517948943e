"""A master that is killed and started again goes on where it was: what was accepted is finished, once."""

from __future__ import annotations

import json
import signal
import sqlite3
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from benchmarks.processes import free_port
from concurrent.apps.api import EXIT_ERROR
from concurrent.scheduling.ledger.jobspec import JobSpec
from concurrent.scheduling.ledger.recorded import CodeDefined, JobBegun, OwnerJoined, TasksEnded, TasksSubmitted
from concurrent.scheduling.tasks.outcome import FAILED
from tests.system.cluster import APPS, Cluster, Program, kill, wait_until
from tests.unit.scheduling.journal_parts import OpenJournal
from tests.ways import both_ways

ONCE = APPS / "once.py"
COUNT = 200

LONG = "transport.return_s=60"
"""As by default: whatever the machine does meanwhile, nodes come back in time."""

pytestmark = pytest.mark.system


def durable(cluster: Cluster, *arguments: object, level: str = "process") -> Program:
    """Start a master with a journal, or start it again."""
    folder = cluster.folder / "journal"
    options = (LONG, f"journal.folder={folder}", f"journal.durability={level}")
    return cluster.master(*arguments, options=options)


def start_slaves(cluster: Cluster) -> list[Program]:
    """Start two slaves and wait until each has joined."""
    slaves = [cluster.slave(options=(LONG,)) for _ in range(2)]
    for slave in slaves:
        slave.wait_for_line("joined the master")
    return slaves


def start_once(cluster: Cluster, runs: Path) -> Program:
    """Start the program whose tasks take down their runs."""
    runs.touch()
    return cluster.run(ONCE, cluster.address, runs.parent, COUNT, starter=(sys.executable,))


def lines(file: Path) -> int:
    return len(file.read_text().splitlines())


@both_ways
def test_a_program_gets_all_its_results_though_its_master_is_killed(
    cluster: Cluster, scheduler: str, channel: str, tmp_path: Path
) -> None:
    ways = ("--scheduler", scheduler, "--channel", channel)
    master = durable(cluster, *ways)
    start_slaves(cluster)
    runs = tmp_path / "runs.txt"
    program = start_once(cluster, runs)
    for share in (3, 2):
        wait_until(lambda share=share: lines(runs) > COUNT // 2 // share, "tasks run")
        kill(master.pid)
        master = durable(cluster, *ways)
    assert "all results are right" in program.succeed()
    assert lines(runs) == COUNT  # none ran twice


def test_a_program_gets_all_its_results_though_its_master_is_told_to_stop(
    cluster: Cluster, tmp_path: Path
) -> None:
    master = durable(cluster, level="host")
    start_slaves(cluster)
    runs = tmp_path / "runs.txt"
    program = start_once(cluster, runs)
    wait_until(lambda: lines(runs) > COUNT // 4, "tasks run")
    master.send(signal.SIGTERM)
    assert master.wait() == 0
    durable(cluster, level="host")
    assert "all results are right" in program.succeed()


def test_a_second_master_does_not_get_the_journal_of_the_first(cluster: Cluster) -> None:
    durable(cluster)
    second = cluster.node("master", "-p", "0", "-q", options=(f"journal.folder={cluster.folder / 'journal'}",))
    assert second.wait() == EXIT_ERROR
    assert "is in use by process" in second.err


def test_the_master_unpickles_nothing_before_or_after_a_restart(cluster: Cluster, tmp_path: Path) -> None:
    starter = (sys.executable, str(APPS / "watchedmaster.py"))
    options = ("-o", f"journal.folder={cluster.folder / 'journal'}")
    cluster.port = free_port()
    found = cluster.folder / "unpickled.txt"
    runs = tmp_path / "runs.txt"

    def start() -> Program:
        program = cluster.run("master", "-p", cluster.port, *options, starter=starter)
        program.wait_for_line("the master listens")
        return program

    master = start()
    start_slaves(cluster)
    program = start_once(cluster, runs)
    wait_until(lambda: lines(runs) > COUNT // 4, "tasks run")
    kill(master.pid)
    start()
    assert "all results are right" in program.succeed()
    assert {line.split("'")[1] for line in found.read_text().splitlines()} <= {"pathlib"}  # that of the script


def test_payloads_that_are_damaged_on_disk_fail_their_tasks_and_keep_no_master_from_starting(
    cluster: Cluster,
) -> None:
    owner, large = 1 << 40 | 1, bytes(100_000)
    spec = JobSpec("damaged", "damaged", "executor", keep_s=3600.0)
    folder = cluster.folder / "journal"
    with OpenJournal(folder) as journal:
        journal.keep(OwnerJoined(owner, "a job", spec), JobBegun(owner), CodeDefined(owner, 0, large))
        journal.keep(TasksSubmitted(owner, 1, [large, b"needs the code"], first_number=1 << 40 | 9))
        journal.keep(TasksSubmitted(owner, 3, [large], first_number=1 << 40 | 19))
        journal.keep(TasksEnded(owner, [3], [FAILED], [large], 1))
    with closing(sqlite3.connect(folder / "journal.sqlite")) as connection, connection:
        connection.execute("UPDATE payload SET data = zeroblob(99999)")
    durable(cluster)
    cluster.slaves()

    def details() -> Any:
        asked = cluster.run("jobs", "damaged", "--json", "--master", cluster.address)
        return json.loads(asked.succeed())

    wait_until(lambda: details()["failed"] == 3, "the tasks have failed", lambda: str(details()))
    assert details()["open"] == 0
