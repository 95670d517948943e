"""A cluster in which ten things are wrong, for those who have to find them.

1 a task hangs; 2 a task takes more memory than it may; 3 one machine lacks a module; 4 a function fails one
time in ten; 5 a job is in want of a GPU; 6 a task kills its workers; 7 a task waits an hour for its next try;
8 a task waits for a token that another one holds; 9 a slave was lost; 10 a task takes longer than it may.
"""

from __future__ import annotations

import sys

from tests.system.cluster import APPS, Cluster, Program, kill

PROGRAM = APPS / "ten_faults.py"


def begin(cluster: Cluster) -> Program:
    """Start the cluster and its program; returns that."""
    tools = cluster.folder / "tools"
    tools.mkdir()
    (tools / "grid_tools.py").write_text("")
    cluster.master(options=("limits.database=1",))
    lost = cluster.slave("--name", "cellar")
    lost.wait_for_line("joined the master")
    for name, path in (("attic", str(tools)), ("garage", None)):
        slave = cluster.run(
            "slave", "-m", cluster.address, "-w", 3, "--name", name, variables={"PYTHONPATH": path}
        )
        slave.wait_for_line("joined the master")
    kill(lost.pid)
    lost.wait()
    return cluster.run(PROGRAM, cluster.address, starter=(sys.executable,))
