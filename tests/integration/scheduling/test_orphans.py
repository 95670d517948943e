"""No process outlives its slave, however that ends."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from tests.integration.scheduling.pool_user import TIMEOUT_S, Gate, wait_for_ends
from tests.integration.scheduling.slave_program import WORKERS

ROOT = Path(__file__).parents[3]

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="only Linux has subreapers")


class Slave:
    """A running slave program and the processes below it."""

    def __init__(self, gate: Gate, mode: str) -> None:
        command = [sys.executable, "-m", "tests.integration.scheduling.slave_program", str(gate.port), mode]
        self.program = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
        self.copy = gate.wait_for_one() if mode == "copy" else 0
        tasks = [psutil.Process(gate.wait_for_one()) for _ in range(2 * WORKERS)]  # workers and daemons
        assert self.program.stdout is not None
        self.zygote = psutil.Process(int(self.program.stdout.readline()))
        self.below = [self.zygote, *tasks]

    def wait_for_end_of_all(self) -> None:
        self.program.wait(TIMEOUT_S)
        wait_for_ends(self.below)

    def close(self) -> None:
        self.program.kill()
        self.program.wait(TIMEOUT_S)
        if self.program.stdout is not None:
            self.program.stdout.close()


@pytest.fixture
def slave(request: pytest.FixtureRequest, gate: Gate) -> Iterator[Slave]:
    made = Slave(gate, getattr(request, "param", "plain"))
    yield made
    made.close()


def test_a_killed_slave_leaves_nothing_behind(slave: Slave) -> None:
    slave.program.kill()
    slave.wait_for_end_of_all()


def test_a_terminated_slave_leaves_nothing_behind(slave: Slave) -> None:
    slave.program.terminate()
    slave.wait_for_end_of_all()


@pytest.mark.parametrize("slave", ["copy"], indirect=True)
def test_a_copy_of_the_slaves_sockets_in_another_process_keeps_nothing_alive(slave: Slave) -> None:
    slave.program.kill()
    slave.wait_for_end_of_all()
    assert psutil.pid_exists(slave.copy)


def test_killed_workers_take_their_daemons_along(slave: Slave) -> None:
    workers = [process for process in slave.below[1:] if os.getsid(process.pid) == process.pid]
    assert len(workers) == WORKERS
    for worker in workers:
        worker.kill()
    wait_for_ends(slave.below[1:])
    assert slave.zygote.is_running()
