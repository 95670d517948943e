"""Every kind of message: its number, its fields and their types, and who may send it when.

This table is the source of the message table in ``docs/protocol.md``.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass, field
from typing import Any, Final

from concurrent.core.errors import (
    ConnectionLost,
    MalformedMessage,
    MessageTooLarge,
    NotAllowed,
    ProtocolError,
    TransportError,
    VersionMismatch,
)

__all__ = [
    "FEATURES",
    "NUMBERED_KINDS",
    "OPTIONAL_BY_KIND",
    "PROTOCOL_VERSION",
    "REQUEST_KINDS",
    "SHAPE_BY_KIND",
    "Bye",
    "Hello",
    "HelloExpected",
    "Kind",
    "NodeInUse",
    "ServerFull",
    "Welcome",
    "error_from_bye",
    "kind_name",
]

PROTOCOL_VERSION: Final = 1

FEATURES: Final = ("extensions",)
"""What every endpoint says in its greeting that it knows, besides the features of its methods.

``extensions``: kinds and fields that it does not know are ignored, and a BYE may have data.
"""


class Kind(enum.IntEnum):
    """The kinds of messages and their numbers on the wire."""

    CALL = 1
    CAST = 2
    RESULT = 3
    ERROR = 4
    HELLO = 5
    WELCOME = 6
    PING = 7
    RESEND = 8
    BYE = 9


SHAPE_BY_KIND: Final[dict[int, tuple[type, ...]]] = {
    Kind.CALL: (int, str, list, dict),
    Kind.CAST: (str, list, dict),
    Kind.RESULT: (int, object),
    Kind.ERROR: (int, dict),
    Kind.HELLO: (dict,),
    Kind.WELCOME: (dict,),
    Kind.PING: (bool,),
    Kind.RESEND: (int,),
    Kind.BYE: (str, str),
}
"""The types of the fields of each kind's body, in their order."""

OPTIONAL_BY_KIND: Final[dict[int, tuple[type, ...]]] = {Kind.BYE: (dict,)}
"""The types of the fields that may follow those; what follows them in turn is ignored."""

NUMBERED_KINDS: Final = frozenset((Kind.CALL, Kind.CAST, Kind.RESULT, Kind.ERROR))
"""The kinds that carry a sequence number, are acknowledged, and sent again after a cut."""

REQUEST_KINDS: Final = frozenset((Kind.CALL, Kind.CAST))
"""The kinds whose last field has arguments by their names."""

NAME_LENGTH_MAX: Final = 256
FEATURE_LENGTH_MAX: Final = 64


class HelloExpected(ProtocolError):
    """A peer that did not greet on this connection sent something else."""

    code = "hello-expected"


class NodeInUse(ProtocolError):
    """A node with the same id has a session, and was heard of just now."""

    code = "in-use"


class ServerFull(ProtocolError):
    """The server has as many sessions as it may have."""

    code = "full"


@dataclass(frozen=True)
class Hello:
    """The first message on a connection, from the client to the server.

    :param version: the lowest version of the protocol that the client speaks, and that of this message.
    :param session_id: the session to resume; empty for a new one.
    :param node_id: who the client is.
    :param last_received: the number of the last message that the client received in that session.
    :param max_bytes: the largest message that the client accepts.
    :param version_max: the highest version that the client speaks; 0: no other one.
    :param features: names of what it knows besides the first form of its version.
    """

    version: int
    session_id: str
    node_id: str
    last_received: int
    max_bytes: int
    version_max: int = 0
    features: tuple[str, ...] = ()

    def to_wire(self) -> dict[str, Any]:
        """Return the fields as the map that travels."""
        return {**self.__dict__, "features": list(self.features)}

    @classmethod
    def from_wire(cls, wire: dict[str, Any]) -> Hello:
        """Check and read the map of a HELLO; raises MalformedMessage."""
        hello = cls(
            version=_field(wire, "HELLO", "version", int),
            session_id=_field(wire, "HELLO", "session_id", str),
            node_id=_field(wire, "HELLO", "node_id", str),
            last_received=_field(wire, "HELLO", "last_received", int),
            max_bytes=_field(wire, "HELLO", "max_bytes", int),
            version_max=_field(wire, "HELLO", "version_max", int, 0),
            features=_features(wire, "HELLO"),
        )
        if not hello.node_id or not hello.node_id.isprintable():
            raise MalformedMessage(
                f"the HELLO names its node {hello.node_id!r}; it must be characters that can be printed",
                thing="node_id",
                value=hello.node_id,
            )
        return hello


@dataclass(frozen=True)
class Welcome:
    """The server's answer to a HELLO.

    :param session_id: the session that is open now; unguessable, whoever knows it may resume it.
    :param node_id: who the server is.
    :param last_received: the number of the last message that the server received in that session.
    :param is_new: whether the session was made just now, so that nothing of an older one is left.
    :param max_bytes: the largest message that the server accepts.
    :param heartbeat_s: seconds without sending after which the server expects a PING.
    :param version: the version of the protocol that both speak from now on.
    :param features: names of what the server knows besides the first form of that version.
    """

    session_id: str
    node_id: str
    last_received: int
    is_new: bool
    max_bytes: int
    heartbeat_s: float
    version: int = PROTOCOL_VERSION
    features: tuple[str, ...] = ()

    def to_wire(self) -> dict[str, Any]:
        """Return the fields as the map that travels."""
        return {**self.__dict__, "features": list(self.features)}

    @classmethod
    def from_wire(cls, wire: dict[str, Any]) -> Welcome:
        """Check and read the map of a WELCOME; raises MalformedMessage."""
        welcome = cls(
            session_id=_field(wire, "WELCOME", "session_id", str),
            node_id=_field(wire, "WELCOME", "node_id", str),
            last_received=_field(wire, "WELCOME", "last_received", int),
            is_new=_field(wire, "WELCOME", "is_new", bool),
            max_bytes=_field(wire, "WELCOME", "max_bytes", int),
            heartbeat_s=_field(wire, "WELCOME", "heartbeat_s", float),
            version=_field(wire, "WELCOME", "version", int, PROTOCOL_VERSION),
            features=_features(wire, "WELCOME"),
        )
        if not welcome.session_id or not welcome.heartbeat_s > 0:
            raise MalformedMessage(f"the WELCOME makes no sense: {wire}", thing="WELCOME")
        return welcome


@dataclass(frozen=True)
class Bye:
    """The end of a session, or the refusal of a connection.

    :param code: ``closed``, ``replaced``, or the code of the :class:`ProtocolError` met.
    :param text: the reason in words.
    :param data: more about it for programs: with ``version``, the ``versions`` that its sender speaks, as
        the lowest and the highest.
    """

    code: str
    text: str
    data: dict[str, Any] = field(default_factory=dict)

    def to_fields(self) -> list[Any]:
        """Return the fields of the message; data travels only if there is any."""
        return [self.code, self.text, self.data] if self.data else [self.code, self.text]

    @classmethod
    def of(cls, error: ProtocolError) -> Bye:
        """Return the BYE for a peer that made this error."""
        is_version = isinstance(error, VersionMismatch)
        data = {"versions": [PROTOCOL_VERSION, PROTOCOL_VERSION]} if is_version else {}
        return cls(error.code, str(error), data)


REFUSALS: Final = (
    VersionMismatch,
    NotAllowed,
    MalformedMessage,
    MessageTooLarge,
    HelloExpected,
    NodeInUse,
    ServerFull,
    ProtocolError,
)


def error_from_bye(bye: Bye) -> TransportError:
    """Return the error that tells a caller why the peer ended the session."""
    for cls in REFUSALS:
        if bye.code == cls.code:
            text = f"the peer refused the connection: {bye.text}"
            return cls(text, thing=bye.code, value=bye.data.get("versions"))
    return ConnectionLost(f"the peer ended the session: {bye.text}", thing=bye.code)


def kind_name(kind: int) -> str:
    """Return the name of a kind of message, or its number if there is none."""
    return Kind(kind).name if kind in SHAPE_BY_KIND else f"message of kind {kind}"


def _features(wire: dict[str, Any], kind: str) -> tuple[str, ...]:
    """Return the names in a list of features; what is no name is ignored, as unknown ones are."""
    names = _field(wire, kind, "features", list, [])
    return tuple(name for name in names if type(name) is str and len(name) <= FEATURE_LENGTH_MAX)


def _field(wire: dict[str, Any], kind: str, name: str, expected: Any, default: Any = None) -> Any:
    value: Any = wire.get(name, default)
    if expected is float and type(value) is int:
        return float(value)
    if type(value) is not expected:
        raise MalformedMessage(
            f"the field {name} of a {kind} must be {expected.__name__}, but is {value!r:.60}",
            thing=name,
            value=value,
        )
    if expected is str and len(value) > NAME_LENGTH_MAX:
        raise MalformedMessage(
            f"the field {name} of a {kind} has {len(value)} characters, "
            f"but at most {NAME_LENGTH_MAX} are allowed",
            thing=name,
        )
    if expected is int and value < 0:
        raise MalformedMessage(
            f"the field {name} of a {kind} must not be negative, but is {value}",
            thing=name,
            value=value,
        )
    return value
