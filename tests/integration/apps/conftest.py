"""Fixtures: a cluster that the tests of a module share, and a loop."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from concurrent.apps import LocalCluster
from concurrent.transport.loop import NodeLoop
from tests.integration.apps.fakemaster import Master
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


@pytest.fixture
def fake_master() -> Iterator[Master]:
    loop = NodeLoop("master-loop")
    loop.start()
    made = Master(loop)
    yield made
    made.stop()
    loop.stop()
