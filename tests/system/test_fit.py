"""A program that uses a module which not every slave has."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.system.cluster import QUICK, Cluster

PROGRAM = """
import os
import sys
import grid_tools
from concurrent.apps import ClusterExecutor

def work(number):
    return os.getppid(), grid_tools.solve(number)

if __name__ == "__main__":
    with ClusterExecutor(sys.argv[1]) as cluster:
        where, values = zip(*cluster.map(work, range(20)))
        assert values == tuple(range(1, 21))
        print(len(set(where)))
"""


@pytest.fixture
def tools(tmp_path: Path) -> dict[str, str]:
    """What makes an installed module importable: that is not beside the program."""
    folder = tmp_path / "site-packages"
    (folder / "grid_tools").mkdir(parents=True)
    (folder / "grid_tools" / "__init__.py").write_text("def solve(number): return number + 1\n")
    return {"PYTHONPATH": str(folder)}


def test_tasks_go_to_the_slave_that_has_what_their_program_uses(
    cluster: Cluster, tools: dict[str, str], tmp_path: Path
) -> None:
    cluster.master(options=("scheduling.lacking=avoid",))
    assignments = [part for one in QUICK for part in ("-o", one)]
    slaves = [
        cluster.run(
            "slave", "-m", cluster.address, "-w", "2", "--name", name, *assignments, variables=variables
        )
        for name, variables in (("garage", {}), ("attic", tools))
    ]
    for slave in slaves:
        slave.wait_for_line("joined the master")
    script = tmp_path / "program.py"
    script.write_text(PROGRAM)
    program = cluster.run(script, cluster.address, starter=(sys.executable,), variables=tools)
    assert program.succeed() == "1\n"
    program.wait_for_line("slave garage lacks grid_tools")
    slaves[0].wait_for_line("hands back the tasks of application .*: slave-attic")
