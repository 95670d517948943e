"""Two applications on one cluster do not meet what the other does to its workers."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.system.cluster import APPS, Cluster


@pytest.mark.parametrize("workers", [1, 2])
def test_what_one_application_does_to_its_workers_another_one_never_meets(
    cluster: Cluster, workers: int
) -> None:
    cluster.master("-w", workers)
    command = [sys.executable, str(APPS / "poison.py"), cluster.address]
    done = subprocess.run(command, capture_output=True, text=True, timeout=100, check=False)
    assert done.stdout == "0 wrong\n", done.stdout + done.stderr
