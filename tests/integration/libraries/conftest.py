"""Fixtures: a cluster that the tests of a module share, and a gate.

A module whose library is not installed is skipped, and says so.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from concurrent.apps import LocalCluster
from tests.system.cluster import Gate


@pytest.fixture(scope="module")
def local_cluster() -> Iterator[LocalCluster]:
    with LocalCluster(workers=2, own_modules=["tests"]) as cluster:
        cluster.submit(pow, 2, 2).result(30)  # all threads of it are there then
        yield cluster


@pytest.fixture
def gate() -> Iterator[Gate]:
    made = Gate()
    yield made
    made.open()
