"""A program that uses a module which not every slave has."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from concurrent.apps.api import EXIT_USAGE
from tests.system.cluster import QUICK, TIMEOUT_S, Cluster

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


def test_workers_of_another_interpreter_have_what_is_installed_there(
    cluster: Cluster, tools: dict[str, str], tmp_path: Path
) -> None:
    folder = tmp_path / "environment"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder], check=True, timeout=TIMEOUT_S * 3)
    (site,) = folder.glob("lib/python*/site-packages")
    shutil.copytree(Path(tools["PYTHONPATH"]) / "grid_tools", site / "grid_tools")
    python = folder / "bin" / "python"
    cluster.master()
    slave = cluster.slave("--name", "garage", options=(f"slave.python={python}",))
    slave.wait_for_line("joined the master")
    assert f"its workers run on {python}" in slave.err
    script = tmp_path / "program.py"
    script.write_text(PROGRAM)
    program = cluster.run(script, cluster.address, starter=(sys.executable,), variables=tools)
    assert program.succeed() == "1\n"
    assert "lacks" not in program.err
    wrong = cluster.slave(options=(f"slave.python={folder / 'nothing'}",))
    assert wrong.wait() == EXIT_USAGE
    assert "there is no such file" in wrong.err
