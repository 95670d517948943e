"""What a slave knows of the cluster that it works for, from its master's answer to the registration. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from concurrent.core.errors import NodeError

__all__ = ["Cluster"]


class Cluster(NamedTuple):
    """See the module.

    :param cluster_id: the same for all masters that go on with the same work, one after the other.
    :param epoch: how often a master of that has started.
    :param is_durable: whether it keeps what it has accepted, and outcomes, where they outlive it.
    :param return_s: how long a slave that has lost the master goes on with what it has not begun.
    """

    cluster_id: str
    epoch: int = 0
    is_durable: bool = False
    return_s: float = 0.0

    @classmethod
    def of(cls, answer: Mapping[str, Any]) -> Cluster:
        """Read the answer of a master; one without a journal is a cluster of its own."""
        cluster_id, epoch, return_s = answer.get("cluster"), answer.get("epoch"), answer.get("return_s")
        is_durable = bool(cluster_id) and answer.get("durability") not in (None, "none")
        if not is_durable:
            return cls(str(answer["master"]))
        return cls(
            str(cluster_id),
            epoch if type(epoch) is int else 0,
            is_durable=True,
            return_s=float(return_s) if isinstance(return_s, int | float) else 0.0,
        )

    def check_successor(self, other: Cluster) -> None:
        """See that the next master is no older state of the same cluster, such as a copy of it.

        :raises NodeError: if it is; what this slave has would not fit it.
        """
        if other.cluster_id == self.cluster_id and other.epoch < self.epoch:
            raise NodeError(
                f"the cluster {other.cluster_id} answers as it was in its run {other.epoch}, and had come to "
                f"{self.epoch}",
                thing="epoch",
                value=other.epoch,
                remedy="See whether a copy of the folder of its master is in use",
            )
