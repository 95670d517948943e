"""Fixtures of all integration tests: a loop that runs, a cluster that a module shares, and a gate."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from concurrent.apps import LocalCluster
from concurrent.transport.loop.loop import NodeLoop
from tests.system.cluster import Gate


@pytest.fixture
def loop() -> Iterator[NodeLoop]:
    made = NodeLoop("test-loop")
    made.start()
    yield made
    made.stop()


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
