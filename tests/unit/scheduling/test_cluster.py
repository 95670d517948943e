"""What a slave reads from the answer of its master."""

from __future__ import annotations

from typing import Any

import pytest

from concurrent.core.errors import NodeError
from concurrent.scheduling.slave.cluster import Cluster

DURABLE = {"master": "m-1", "cluster": "c", "epoch": 3, "durability": "host", "return_s": 60}


def test_a_durable_master_is_one_of_a_cluster() -> None:
    assert Cluster.of(DURABLE) == Cluster("c", 3, is_durable=True, return_s=60.0)


@pytest.mark.parametrize(
    "answer",
    [
        {"master": "m-1"},
        {"master": "m-1", "cluster": "", "epoch": 0, "durability": "none", "return_s": 0.0},
        {**DURABLE, "durability": "none"},
    ],
)
def test_a_master_that_keeps_nothing_is_a_cluster_of_its_own(answer: dict[str, Any]) -> None:
    assert Cluster.of(answer) == Cluster("m-1")


def test_nonsense_counts_as_nothing() -> None:
    answer = {**DURABLE, "epoch": "3", "return_s": None}
    assert Cluster.of(answer) == Cluster("c", 0, is_durable=True, return_s=0.0)


def test_an_older_state_of_the_cluster_is_refused() -> None:
    cluster = Cluster.of(DURABLE)
    for epoch in (3, 4):
        cluster.check_successor(cluster._replace(epoch=epoch))
    cluster.check_successor(Cluster("other"))
    with pytest.raises(NodeError, match="as it was in its run 2, and had come to 3"):
        cluster.check_successor(cluster._replace(epoch=2))
