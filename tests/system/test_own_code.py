"""A program's own things travel and come home, and what it changes is what its tasks see."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence

import pytest

from tests.system.cluster import APPS, Cluster


def run(program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    command: Sequence[object] = [sys.executable, APPS / program, *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=100, check=False)


@pytest.mark.parametrize("way", ["forked", "thread", "cluster"])
def test_each_kind_of_thing_travels_in_each_way(cluster: Cluster, way: str) -> None:
    """Workers are forked from the program, cannot be, or are those of a cluster that was there before."""
    address = []
    if way == "cluster":
        cluster.master("-w", 1)
        address = [cluster.address]
    done = run("own_things.py", way, *address)
    assert done.stdout == "0 wrong\n", done.stdout + done.stderr


def test_what_a_program_changes_is_what_the_next_task_sees() -> None:
    done = run("own_changes.py")
    assert done.stdout == "0 wrong\n", done.stdout + done.stderr
    assert "SCALE of __main__ is changed and cannot be sent to workers any more" in done.stderr
