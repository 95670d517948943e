"""Nodes that a program starts for itself, and what happens when one of them is killed."""

from __future__ import annotations

import signal

import psutil
import pytest

from tests.system.cluster import APPS, Cluster, Gate, Program, wait_until

pytestmark = pytest.mark.system


def child_of(program: Program) -> psutil.Process:
    """Return the node that a program started for itself: the first child of its zygote."""
    (zygote,) = program.children()
    wait_until(lambda: bool(zygote.children()), "the node that it starts for itself")
    return zygote.children()[0]


def test_an_application_whose_embedded_cluster_is_killed_ends_and_says_so(cluster: Cluster, gate: Gate) -> None:
    app = cluster.embedded(APPS / "held.py", options=(gate.option,))
    gate.wait_for(2)
    child_of(app).send_signal(signal.SIGKILL)
    assert app.wait() == 3
    assert "the embedded cluster was killed by SIGKILL" in app.err


def test_a_master_starts_its_own_slave_again_and_no_task_is_lost(cluster: Cluster, gate: Gate) -> None:
    master = cluster.master("-w", 2)
    app = cluster.app(APPS / "held.py", options=(gate.option,))
    gate.wait_for(2)
    slave = child_of(master)
    slave.send_signal(signal.SIGKILL)
    master.wait_for_line("the master's own slave was killed by SIGKILL; it starts again")
    gate.wait_for(2)
    gate.open()
    app.succeed()
