"""What a process of each kind does not import: each costs time at the start, and memory as long as it runs."""

from __future__ import annotations

import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

TIMEOUT_S = 60.0

SHOW = """
import sys

def show():
    print("imported", *sorted(sys.modules), flush=True)
"""

VERSION = """
from concurrent.apps.main import main
try:
    main(["-V"])
finally:
    show()
"""

LOCAL_CLUSTER = """
from concurrent.apps import LocalCluster

with LocalCluster(workers=1) as cluster:
    assert cluster.submit(abs, -1).result(30) == 1
    show()
"""

EXECUTOR = """
from concurrent.apps import ClusterExecutor
from concurrent.core import ConcurrentError

try:
    ClusterExecutor.jobs("127.0.0.1:1")
except ConcurrentError:
    pass
show()
"""

WORKER = """
from concurrent.apps import LocalCluster

def modules():
    import sys
    return sorted(sys.modules)

with LocalCluster(workers=1) as cluster:
    print("imported", *cluster.submit(modules).result(30), flush=True)
"""

APPLICATION = """
from concurrent.apps import ApplicationNode
from concurrent.scheduling import Task

class Nothing(Task):
    def __call__(self):
        pass

class App(ApplicationNode):
    def start_processing(self):
        self.push_task(Nothing())

    def task_finished(self, task, result, error):
        super().task_finished(task, result, error)
        show()

App.run()
"""

NODE = """
from concurrent.apps import {node}
from concurrent.apps.main import main

{node}.app_main = lambda self: show()
main({arguments!r})
"""
SLAVE = NODE.format(node="SlaveNode", arguments=["slave", "-w", "1", "-q"])
MASTER = NODE.format(node="MasterNode", arguments=["master", "-p", "0", "-q", "-o", "journal.durability=none"])

NEVER = ("pydoc", "unittest", "xml", "sqlite3", "configobj", "concurrent.apps.columns", "concurrent.apps.pages")
"""Pages come when somebody looks at one, the rest when there is a configuration file or a journal."""

ANSWERS = (
    "concurrent.apps.observed",
    "concurrent.apps.observer",
    "concurrent.apps.steered",
    "concurrent.apps.tasklist",
)
"""What makes and reads answers for those who look at a cluster."""

SERVER = ("web", "cheroot", "concurrent.apps.node", "concurrent.transport.web.service")
MASTERS_WORK = (
    "concurrent.apps.master",
    "concurrent.scheduling.ledger.ledger",
    "concurrent.scheduling.master.dispatcher",
    "concurrent.scheduling.schedulers.generic",
)
SLAVES_WORK = ("concurrent.scheduling.slave.taskmanager", "concurrent.scheduling.worker.worker")
KEYS = ("cryptography", "concurrent.transport.security.keyfolder")
ANY_NETWORK = ("ssl", "asyncio", "http", "msgpack", "email", "multiprocessing")

KINDS = {
    "version": (
        VERSION,
        "concurrent.apps.main",
        (*NEVER, *SERVER, *MASTERS_WORK, *KEYS, *ANY_NETWORK, "zmq", "concurrent.core.config"),
    ),
    "LocalCluster": (
        LOCAL_CLUSTER,
        "concurrent.apps.embedded",
        (*NEVER, *SERVER, *MASTERS_WORK, *SLAVES_WORK, *KEYS, "zmq", "concurrent.apps.application"),
    ),
    "ClusterExecutor": (
        EXECUTOR,
        "concurrent.apps.executor",
        (*NEVER, *SERVER, *MASTERS_WORK, *SLAVES_WORK, *KEYS, "zmq", "concurrent.apps.application"),
    ),
    "worker": (WORKER, "concurrent.scheduling.worker.worker", (*NEVER, *KEYS, "concurrent.apps.application")),
    "application": (
        APPLICATION,
        "concurrent.apps.application",
        (*NEVER, *MASTERS_WORK, *SLAVES_WORK, *KEYS, *ANSWERS, "zmq", "concurrent.apps.progress.views"),
    ),
    "slave": (SLAVE, "concurrent.apps.slave", (*NEVER, *ANSWERS, *MASTERS_WORK, "concurrent.apps.application")),
    "master": (
        MASTER,
        "concurrent.apps.master",
        (*NEVER, *ANSWERS, *SLAVES_WORK, "concurrent.apps.application"),
    ),
}
"""For each kind of process: the program, what it has certainly imported, and what it must not."""


def imported(program: str, folder: Path) -> set[str]:
    done = subprocess.run(
        [sys.executable, "-c", SHOW + program],
        capture_output=True,
        text=True,
        cwd=folder,
        env={**os.environ, "XDG_CONFIG_HOME": str(folder)},  # with keys of a cluster, what reads them is needed
        timeout=TIMEOUT_S,
        check=False,
    )
    lines = [line for line in done.stdout.splitlines() if line.startswith("imported ")]
    assert len(lines) == 1, done.stdout + done.stderr
    return set(lines[0].split()[1:])


@pytest.mark.parametrize(("program", "certain", "unwanted"), KINDS.values(), ids=KINDS)
def test_a_process_imports_nothing_that_it_does_not_need(
    program: str, certain: str, unwanted: tuple[str, ...], tmp_path: Path
) -> None:
    modules = imported(program, tmp_path)
    assert certain in modules
    assert modules.isdisjoint(unwanted), sorted(modules.intersection(unwanted))


def test_what_is_unwanted_exists() -> None:
    assert [name for _, _, unwanted in KINDS.values() for name in unwanted if find_spec(name) is None] == []
