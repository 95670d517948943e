"""The nodes that a master knows. Loop thread only."""

from __future__ import annotations

import json
import time
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import Any, Final

from concurrent.apps.api import NodeType
from concurrent.core.errors import InvalidArguments, NodeError

__all__ = ["NodeRecord", "NodeRegistry", "check_registration"]

GONE_MAX: Final = 100
"""How many nodes that are gone are remembered for the status page."""

WAITING_MAX: Final = 10_000
"""How many nodes may have registered without ever opening a session."""

ID_LENGTH_MAX: Final = 256
PORT_MAX: Final = 65535
DATA_BYTES_MAX: Final = 16 * 1024


def check_registration(node_id: Any, port: Any, data: Any) -> None:
    """Check what a node says of itself when it registers. Any thread.

    :raises InvalidArguments: if the id is not 1 to 256 characters that can be printed, the port is none,
        or the data is no dict, or one that is larger than 16 KiB as JSON.
    """
    if not isinstance(node_id, str) or not 1 <= len(node_id) <= ID_LENGTH_MAX or not node_id.isprintable():
        raise InvalidArguments(
            f"the node id must be 1 to {ID_LENGTH_MAX} characters that can be printed, but is {node_id!r:.100}",
            thing="node_id",
            remedy="Give the node another id",
        )
    if type(port) is not int or not 0 <= port <= PORT_MAX:
        raise InvalidArguments(
            f"the port must be a whole number from 0 to {PORT_MAX}, but is {port!r:.100}",
            thing="port",
            remedy="Give the port of the node's own JSON API, or 0 if it has none",
        )
    if not isinstance(data, dict):
        raise InvalidArguments(
            f"the data must be a dict, but is {type(data).__name__}", thing="data", remedy="Send {} for none"
        )
    try:
        size_bytes = len(json.dumps(data, allow_nan=False).encode())
    except (TypeError, ValueError, RecursionError) as error:
        raise InvalidArguments(f"the data has no JSON form: {error}", thing="data") from None
    if size_bytes > DATA_BYTES_MAX:
        raise InvalidArguments(
            f"the data has {size_bytes} bytes as JSON, but at most {DATA_BYTES_MAX} are accepted",
            thing="data",
            value=size_bytes,
            remedy="Say less",
        )


@dataclass(slots=True)
class NodeRecord:
    """One registration of a node.

    :param port: the port of the node's own JSON API, 0 if it has none.
    :param data: what the node says of itself.
    :param state: ``registered`` over the JSON API, ``joined`` on the compute channel, or ``gone``.
    :param number: its number as an owner or slave; 0 unless it has joined.
    """

    node_id: str
    node_type: NodeType
    ip: str
    port: int
    data: dict[str, Any]
    state: str = "registered"
    number: int = 0
    since: float = field(default_factory=time.time)
    reason: str = ""

    def describe(self) -> dict[str, Any]:
        """Return the record as plain values."""
        return {
            "node_id": self.node_id,
            "type": self.node_type.value,
            "ip": self.ip,
            "port": self.port,
            "state": self.state,
            "number": self.number,
            "since": self.since,
            "reason": self.reason,
            "data": self.data,
        }


class NodeRegistry:
    """Nodes by their id, and those that are gone."""

    def __init__(self) -> None:
        self._joined: dict[str, NodeRecord] = {}
        self._waiting: OrderedDict[str, NodeRecord] = OrderedDict()
        self._gone: OrderedDict[str, NodeRecord] = OrderedDict()

    def register(self, record: NodeRecord) -> None:
        """Take note of a node that will join; an earlier registration that has not joined is replaced.

        One that has joined stays beside it until its session ends. Of those that never joined the oldest
        is forgotten when there are too many.
        """
        self._waiting[record.node_id] = record
        if len(self._waiting) > WAITING_MAX:
            self._waiting.popitem(last=False)

    def expect(self, node_id: str, node_type: NodeType) -> NodeRecord:
        """Return the record of a node that joins.

        :raises NodeError: if it has not registered as what it says it is.
        """
        record = self._waiting.get(node_id) or self._joined.get(node_id)
        if record is None or record.node_type is not node_type:
            raise NodeError(
                f"{node_id} has not registered as {node_type.value} with this master",
                thing=node_id,
                value=node_type.value,
                remedy=f"Call register_{node_type.value} of the JSON API first",
            )
        return record

    def joined(self, record: NodeRecord, number: int) -> None:
        """Take note that a node has opened its session."""
        self._waiting.pop(record.node_id, None)
        self._joined[record.node_id] = record
        record.state, record.number, record.since = "joined", number, time.time()

    def leave(self, node_id: str, number: int, reason: str) -> None:
        """Take note that a registration has ended; nothing happens if a newer one took its place."""
        record = self._joined.get(node_id)
        if record is None or record.number != number:
            return
        del self._joined[node_id]
        record.state, record.reason, record.since = "gone", reason, time.time()
        self._gone[node_id] = record
        if len(self._gone) > GONE_MAX:
            self._gone.popitem(last=False)

    def snapshot(self) -> list[dict[str, Any]]:
        """Return all records as plain values, those that are gone last."""
        records = [*self._joined.values(), *self._waiting.values(), *self._gone.values()]
        return [record.describe() for record in records]
