"""The nodes that a master knows. Loop thread only."""

from __future__ import annotations

import json
import time
from collections import Counter, OrderedDict
from collections.abc import Callable, Collection, Container
from dataclasses import dataclass, field
from itertools import islice
from operator import attrgetter
from typing import Any, Final

from concurrent.apps.api import NodeType, printable
from concurrent.apps.nodeids import FormerIds
from concurrent.apps.status import NodeRow
from concurrent.core.errors import InvalidArguments, NodeError, NotAllowed
from concurrent.core.items import PORT_MAX, Host
from concurrent.core.loggers import get_log
from concurrent.core.rarely import RareLine
from concurrent.core.rows import ROWS_MAX, chosen_rows
from concurrent.transport.security.allowed import AllowedKeys, read_curve_key
from concurrent.transport.security.auditing import NO_AUDIT, REFUSED, IAudit
from concurrent.transport.security.identity import THIS_USER, Identity
from concurrent.transport.security.roles import Role

__all__ = ["NodeRecord", "NodeRegistry", "check_data", "check_number", "check_registration", "new_record"]

GONE_MAX: Final = 100
"""How many nodes that are gone or were refused are remembered for the status page."""

WAITING_MAX: Final = 1000
"""How many nodes may have registered without having opened a session yet."""

WAITING_S: Final = 300.0
"""How long after its registration a node may open its session."""

ID_LENGTH_MAX: Final = 256
REASON_LENGTH_MAX: Final = 500
DATA_BYTES_MAX: Final = 4096

REFUSED_LINES_MAX: Final = 10
"""So many nodes that are refused are logged within a second."""

log = get_log(__name__)


def check_registration(node_id: Any, port: Any, data: Any) -> None:
    """Check what a node says of itself when it registers. Any thread.

    :raises InvalidArguments: if the id is not 1 to 256 characters that can be printed, the port is none,
        or the data is no dict, or one that is larger than 4 KiB as JSON.
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
    check_data(data)


def check_data(data: Any) -> None:
    """Check what a node says of itself besides its id and port. Any thread.

    :raises InvalidArguments: if it is no dict, or one that is larger than 4 KiB as JSON.
    """
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


def check_number(name: str, data: dict[str, Any], allowed: range) -> None:
    """Check a number that a slave says of itself. Any thread.

    :raises InvalidArguments: if it is none that is allowed.
    """
    value = data.get(name)
    if type(value) is not int or value not in allowed:
        raise InvalidArguments(
            f"a slave must say {name} as a whole number from {allowed[0]} to {allowed[-1]}, but said {value!r}",
            thing=name,
            value=value,
        )


@dataclass(slots=True)
class NodeRecord:
    """One registration of a node.

    :param port: the port of the node's own JSON API, 0 if it has none.
    :param data: what the node says of itself.
    :param identity: who has registered it, and nobody else may open its session.
    :param state: ``registered`` over the JSON API, ``joined`` on the compute channel, ``gone`` or ``refused``.
    :param number: its number as an owner or slave; 0 unless it has joined.
    :param curve: the public key with which it comes to a compute channel in CURVE; empty if it has none.
    :param has_said_goodbye: whether it has left because it was stopped.
    """

    node_id: str
    node_type: NodeType
    ip: str
    port: int
    data: dict[str, Any]
    identity: Identity
    state: str = "registered"
    number: int = 0
    since: float = field(default_factory=time.time)
    reason: str = ""
    curve: bytes = b""
    has_said_goodbye: bool = False

    def status(self) -> NodeRow:
        """Return what is shown of the node."""
        return NodeRow(
            node_id=self.node_id,
            type=self.node_type.value,
            ip=self.ip,
            port=self.port,
            state=self.state,
            number=self.number,
            since=self.since,
            reason=self.reason,
            data=self.data,
        )


def _given_name(record: NodeRecord) -> str:
    """Return the name that the owner of a slave gave it; empty if it has none."""
    name = record.data.get("name") if record.node_type is NodeType.slave else ""
    return name if isinstance(name, str) else ""


def _check_owner(node_id: str, owner: Identity, identity: Identity) -> None:
    """Raise NotAllowed unless somebody is the owner of an id, or a process of this user.

    That may come with the key of this machine while the master's place is not there, and is the master then.
    """
    is_this_user = identity == THIS_USER or identity.role is Role.MASTER
    if not is_this_user and not owner.is_same(identity):
        raise NotAllowed(
            f"{identity} may not be {node_id}, which {owner} has registered",
            thing=node_id,
            value=str(identity),
            remedy="Register it with the key with which it opens its session, or under another id",
        )


def new_record(
    node_id: Any, node_type: NodeType, ip: str, port: Any, data: Any, *, identity: Identity
) -> NodeRecord:
    """Return a registration, of what a node says of itself. Any thread.

    :raises InvalidArguments: if something of that makes no sense.
    """
    check_registration(node_id, port, data)
    rest = dict(data)
    curve = read_curve_key(rest.pop("curve", None))
    return NodeRecord(node_id, node_type, ip, port, rest, identity=identity, curve=curve)


class NodeRegistry:
    """Nodes by their id, those that are gone, and those that were refused.

    ``audit`` is told who joins, and who may not. ``allowed`` has the keys of CURVE of all that have registered
    or joined, ``pulling`` those of slaves that have joined: they may take tasks from a work queue.

    :param now: returns the seconds since the epoch.
    """

    def __init__(self, now: Callable[[], float] = time.time) -> None:
        self.audit: IAudit = NO_AUDIT
        self.allowed = AllowedKeys()
        self.pulling = AllowedKeys()
        self._now = now
        self._joined: dict[str, NodeRecord] = {}
        self._waiting: OrderedDict[str, NodeRecord] = OrderedDict()
        self._gone: OrderedDict[str, NodeRecord] = OrderedDict()
        self._former = FormerIds(now)
        self._refused_line = RareLine(REFUSED_LINES_MAX)

    def __len__(self) -> int:
        return len(self._joined) + len(self._waiting) + len(self._gone)

    def count(self, ip: str, node_type: NodeType) -> int:
        """Return how many nodes of a type have joined from an address."""
        return sum(one.ip == ip and one.node_type is node_type for one in self._joined.values())

    def register(self, record: NodeRecord) -> None:
        """Take note of a node that will join; an earlier registration that has not joined is replaced.

        One that has joined stays beside it until its session ends. Who does not join in time is forgotten,
        and so is, when there are too many, the oldest of the address from which most of them came.

        :raises NotAllowed: if a node of that id is somebody else's, or one has registered with that key.
        """
        self._check(record.node_id, record.identity, record.ip)
        if record.curve:
            self.allowed.admit(record.curve, record.identity)
        self._end_waiting(record.node_id)
        record.since = self._now()
        self._waiting[record.node_id] = record
        if len(self._waiting) > WAITING_MAX:
            counts = Counter(one.ip for one in self._waiting.values())
            crowd = max(counts, key=counts.__getitem__)
            self._end_waiting(next(key for key, one in self._waiting.items() if one.ip == crowd))

    def refuse(self, record: NodeRecord, reason: str) -> None:
        """Take note of a node that may not join, and log why.

        :raises NotAllowed: if a node of that id is somebody else's, of which nothing is noted then.
        """
        self._check(record.node_id, record.identity, record.ip)
        suffix = self._refused_line.suffix(time.monotonic())
        if suffix is not None:
            log.warning("refused a %s at %s: %s%s", record.node_type.value, record.ip, reason, suffix)
        self._audit(record, f"{REFUSED}: {reason}")
        self._end(record, "refused", reason)

    def expect(self, node_id: str, node_type: NodeType, identity: Identity, ip: str) -> NodeRecord:
        """Return the record of a node that joins.

        :param identity: whose session it is, and ``ip`` where that comes from.
        :raises NodeError: if it has not registered as what it says it is.
        :raises NotAllowed: if somebody else has registered it.
        """
        self._expire()
        record = self._waiting.get(node_id) or self._joined.get(node_id)
        if record is None or record.node_type is not node_type:
            raise NodeError(
                f"{node_id} has not registered as {node_type.value} with this master",
                thing=node_id,
                value=node_type.value,
                remedy=f"Call register_{node_type.value} of the JSON API first",
            )
        self._check(node_id, identity, ip)
        return record

    def check(self, node_id: str, identity: Identity) -> None:
        """Raise NotAllowed if a node of that id is somebody else's, who has registered it or had its session.

        An id whose node has left is its owner's for a day more, unless that one is trusted no more.
        """
        self._expire()
        known = [one for one in (self._waiting.get(node_id), self._joined.get(node_id)) if one is not None]
        for record in known:
            _check_owner(node_id, record.identity, identity)
        former = None if known else self._former.owner(node_id)
        if former is not None:
            _check_owner(node_id, former, identity)

    def release(self, owners: Collection[str]) -> None:
        """Let the ids of nodes that have left be anybody's whose owners are trusted no more.

        :param owners: the keys of identities, as ``role:name``.
        """
        self._former.release(owners)

    def joined(self, record: NodeRecord, number: int) -> None:
        """Take note that a node has opened its session."""
        self._waiting.pop(record.node_id, None)
        former = self._joined.get(record.node_id)
        if former is not record:
            if former is not None:
                self._shut_out(former)
            if record.curve and record.node_type is NodeType.slave:
                self.pulling.admit(record.curve, record.identity)
        self._joined[record.node_id] = record
        self._former.forget(record.node_id)
        record.state, record.number, record.since = "joined", number, self._now()
        self._audit(record, "done")

    def leave(self, node_id: str, number: int, reason: str, *, has_said_goodbye: bool = False) -> None:
        """Take note that a registration has ended; nothing happens if a newer one took its place.

        :param has_said_goodbye: whether the node was stopped, and has not just vanished.
        """
        record = self._joined.get(node_id)
        if record is None or record.number != number:
            return
        del self._joined[node_id]
        self._shut_out(record)
        self._former.keep(node_id, record.identity)
        record.has_said_goodbye = has_said_goodbye
        self._end(record, "gone", reason)

    def status(self, numbers: Container[int] | None = None) -> tuple[NodeRow, ...]:
        """Return the nodes that joined, that have not yet, and that are gone.

        At most ``ROWS_MAX`` of each: the newest.

        :param numbers: which of those that joined are wanted; None for the newest.
        """
        self._expire()
        joined = chosen_rows(self._joined.values(), attrgetter("number"))
        if numbers is not None:
            joined = [record for record in self._joined.values() if record.number in numbers]
        waiting = islice(reversed(self._waiting.values()), ROWS_MAX)
        gone = islice(reversed(self._gone.values()), ROWS_MAX)
        return tuple(record.status() for record in (*joined, *waiting, *gone))

    def lost_slaves(self) -> list[NodeRow]:
        """Return slaves that were not stopped and are not back, the latest first: a part if they are many.

        One that starts again under the name that its owner gave it is back.
        """
        names = {name for one in self._joined.values() if (name := _given_name(one))}
        gone = islice(reversed(self._gone.values()), ROWS_MAX)
        return [
            one.status()
            for one in gone
            if one.node_type is NodeType.slave
            and one.state == "gone"
            and not one.has_said_goodbye
            and one.node_id not in self._joined
            and _given_name(one) not in names
        ]

    def address_of(self, node_id: str) -> str:
        """Return where the page of a node that has joined is, as ``HOST:PORT``; empty if there is none."""
        record = self._joined.get(node_id)
        return str(Host(record.ip, record.port)) if record is not None and record.port else ""

    def _check(self, node_id: str, identity: Identity, ip: str) -> None:
        try:
            self.check(node_id, identity)
        except NotAllowed as error:
            self.audit.write("join", identity, ip, node_id, f"{REFUSED}: {error.message}")
            raise

    def _audit(self, record: NodeRecord, result: str) -> None:
        self.audit.write("join", record.identity, record.ip, record.node_id, result)

    def _expire(self) -> None:
        """Let those go that registered long ago and never joined."""
        before = self._now() - WAITING_S
        while self._waiting and (record := next(iter(self._waiting.values()))).since < before:
            self._end_waiting(record.node_id)
            reason = f"it registered, and opened no session within {WAITING_S:.0f} s"
            log.info("%s is forgotten: %s", record.node_id, reason)
            self._end(record, "gone", reason)

    def _end_waiting(self, node_id: str) -> None:
        """Expect a node no more, if it was."""
        record = self._waiting.pop(node_id, None)
        if record is not None:
            self.allowed.expel(record.curve)

    def _shut_out(self, record: NodeRecord) -> None:
        """Let a node that had joined not in again before it registers again."""
        self.allowed.expel(record.curve)
        if record.node_type is NodeType.slave:
            self.pulling.expel(record.curve)

    def _end(self, record: NodeRecord, state: str, reason: str) -> None:
        shown = reason if len(reason) <= REASON_LENGTH_MAX else f"{reason[:REASON_LENGTH_MAX]} ..."
        record.reason = printable(shown)  # a peer may have said it
        record.state, record.since = state, self._now()
        self._gone.pop(record.node_id, None)
        if record.data.get("probe") is True:
            return  # it came to see whether tasks run here, and is nobody's program
        self._gone[record.node_id] = record
        if len(self._gone) > GONE_MAX:
            self._gone.popitem(last=False)
