"""Fixtures: a cluster of real processes, a network with machines, and a gate that holds tasks."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.system.cluster import Cluster, Gate
from tests.system.machines import Machines


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[Cluster]:
    made = Cluster(tmp_path)
    yield made
    made.close()


@pytest.fixture
def gate() -> Iterator[Gate]:
    made = Gate()
    yield made
    made.open()


@pytest.fixture
def machines(cluster: Cluster) -> Iterator[Machines]:
    if sys.platform != "linux" or not (shutil.which("ip") and shutil.which("nsenter")):
        pytest.skip("there is no ip and nsenter")
    made = Machines(cluster)
    try:
        if not made.is_there:
            pytest.skip("networks cannot be made here")
        yield made
    finally:
        made.close()
