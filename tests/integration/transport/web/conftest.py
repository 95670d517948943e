"""Fixtures: two clusters with their members, and the JSON API of the master of one."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from concurrent.transport.security.place import Place
from tests.integration.transport.protected_peers import Cluster, ProtectedPeer


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as made:
        yield Path(made)


@pytest.fixture(scope="module")
def cluster(folder: Path) -> Cluster:
    return Cluster(folder / "office", "office-4kd2")


@pytest.fixture(scope="module")
def other(folder: Path) -> Cluster:
    return Cluster(folder / "other", "other-7xy2")


@pytest.fixture(scope="module")
def peer(folder: Path, cluster: Cluster) -> Iterator[ProtectedPeer]:
    place = Place(folder / "place")
    place.make()
    made = ProtectedPeer(cluster, place)
    made.start()
    yield made
    made.service.stop()
