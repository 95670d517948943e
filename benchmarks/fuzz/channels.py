"""Decoders of what comes through the channels of computing: frames, messages, and what is in them."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any, Final
from zlib import crc32

import msgpack

from benchmarks.fuzz.decoder import Decoder
from concurrent.apps.api import NodeType
from concurrent.apps.jobwish import JobWish, answer_from, wish_from
from concurrent.apps.masterapi import MasterAPI, Peer
from concurrent.core.errors import (
    ConcurrentError,
    InvalidArguments,
    JournalDamaged,
    MalformedMessage,
    NodeError,
    ProtocolError,
)
from concurrent.scheduling.ledger import recorded
from concurrent.scheduling.store.journal import records
from concurrent.scheduling.tasks.terms import Terms
from concurrent.scheduling.wire.columns import check_columns, check_statuses
from concurrent.scheduling.wire.failure import dumps_failure, failure_text
from concurrent.scheduling.wire.stretches import pack_stretches, read_stretches
from concurrent.scheduling.wire.workqueue import Chunk, decode_chunk, encode_chunk
from concurrent.transport.calls.methods import MethodRegistry, error_from_wire, error_to_wire
from concurrent.transport.carriers.framing import GREETING_LIMITS, SCRATCH_BYTES, FrameReader
from concurrent.transport.frames.frames import Frame
from concurrent.transport.security.identity import THIS_USER
from concurrent.transport.session.envelope import (
    control_message,
    decode,
    encode_body,
    make_header,
    make_prefix,
    peek_request,
)
from concurrent.transport.session.limits import Limits
from concurrent.transport.session.messages import Bye, Hello, Kind, Welcome, error_from_bye

__all__ = ["decoders"]

LIMITS: Final = Limits(message_bytes_max=1 << 22, header_bytes_max=1 << 20, frames_max=64)
HELLO: Final = Hello(1, "", "slave-1", 0, 1 << 20, 1, ("extensions", "jobs"))
WELCOME: Final = Welcome("s" * 32, "master", 0, True, 1 << 20, 2.0, 1, ("extensions",))
SENT: Final[dict[str, list[Any]]] = {
    "define_code": [0, b"blob"],
    "push_tasks": [1, 0, [[0, {"attempts_max": 3, "name": "Task"}], [2, {"priority": 5}]], [b"a", b"b", b"c"]],
    "cancel": [[1, 2]],
    "consumed": [100],
    "consumed_to": [2],
    "name_tasks": [1, ["a", "b"]],
    "job_keys": [1],
    "job_begun": [0],
    "detach_job": [],
    "push_tasksystem": [1, 0, b"system"],
    "tasksystem_heard": [1],
    "cancel_tasksystem": [1],
    "system_progress": [1, 10],
    "system_notice": ["text"],
    "system_stepped": [1, 2, b"checkpoint"],
    "system_log": [20, "text"],
    "system_finished": [0, b"outcome"],
    "done": [[1, 2], [0, 1], [b"a", b"b"], 0.5],
    "holding": [[1], [2]],
    "running": [[1], [77], [2.5], ["note"]],
    "returned": [[1, 2]],
    "took": [[1]],
    "pull": [10],
    "set_window": [10],
}
"""Arguments of what a master is sent."""


def decoders() -> list[Decoder]:
    """Return them."""
    return [_stream(), _greeting(), _welcome(), _message(), _to_master(), *_parts(), _chunk(), _journal()]


class _Anything:
    """Stands for the parts of a master: everything may be called with anything."""

    def __getattr__(self, _name: str) -> _Anything:
        return self

    def __call__(self, *_args: Any, **_options: Any) -> _Anything:
        return self


def _framed(buffers: list[Any]) -> bytes:
    return make_prefix(buffers) + b"".join(map(bytes, buffers))


def _message_of(kind: int, fields: list[Any], frames: int = 0) -> list[Any]:
    body = encode_body([*fields], "input")
    return [make_header(kind, 1, 0, body.data), *body.frames, *[b"frame"] * frames]


def _stream() -> Decoder:
    scratch = memoryview(bytearray(SCRATCH_BYTES))

    def read(data: bytes) -> None:
        step = 1 + len(data) % 61 if len(data) < 2000 and len(data) % 3 else 4096
        for frames in _cut(FrameReader(LIMITS, scratch), data, step):
            decode(frames)

    calls = [
        _message_of(Kind.CALL, [1, "status", [1, "a"], {}]),
        _message_of(Kind.CAST, ["done", [[1], [0], [Frame(b"x" * 70_000)], 0.1], {}]),
        _message_of(Kind.RESULT, [1, {"a": [1.5, None]}]),
        control_message(Kind.PING, [True], 7),
    ]
    streams = [b"".join(map(_framed, calls)), *map(_framed, calls), _framed([calls[0][0], b"", b"x" * 100])]
    return Decoder("frames", read, (ProtocolError,), tuple(streams))


def _cut(reader: FrameReader, data: bytes, step: int) -> list[list[Any]]:
    messages: list[list[Any]] = []
    position = 0
    while position < len(data):
        space = reader.space()
        part = data[position : position + min(step, len(space))]
        space[: len(part)] = part
        messages += reader.advance(len(part))
        position += len(part)
        if reader.limits is GREETING_LIMITS and messages:
            break
    return messages


def _greeting() -> Decoder:
    scratch = memoryview(bytearray(SCRATCH_BYTES))

    def read(data: bytes) -> None:
        for frames in _cut(FrameReader(GREETING_LIMITS, scratch), data, 4096):
            message = decode(frames)
            if message.kind == Kind.HELLO:
                Hello.from_wire(message.fields[0])

    return Decoder(
        "greeting",
        read,
        (ProtocolError,),
        (_framed(control_message(Kind.HELLO, [HELLO.to_wire()])),),
        (HELLO.to_wire(),),
        lambda wire: _framed(control_message(Kind.HELLO, [wire])),
    )


def _welcome() -> Decoder:
    def read(data: bytes) -> None:
        message = decode([data])
        if message.kind == Kind.WELCOME:
            Welcome.from_wire(message.fields[0])
        elif message.kind == Kind.BYE:
            str(error_from_bye(Bye(*message.fields)))

    bye = Bye("version", "text", {"versions": [1, 2]}).to_fields()
    welcome = [WELCOME.to_wire()]
    packed = [(Kind.WELCOME, welcome), (Kind.BYE, bye)]

    def pack(value: Any) -> bytes:
        kind, fields = value
        return bytes(control_message(kind, fields)[0])

    return Decoder("welcome", read, (ProtocolError,), tuple(map(pack, packed)), tuple(packed), pack)


def _message() -> Decoder:
    def read(data: bytes) -> None:
        peek_request(data)
        decode([data, b"frame one", memoryview(b"frame two")])

    values: list[Any] = [
        [Kind.CALL, [7, "method", [1, 2.5, None, b"x", {"a": [True]}], {"name": "value"}]],
        [Kind.CAST, ["method", [], {}]],
        [Kind.RESULT, [7, {1: 2}]],
        [Kind.ERROR, [7, error_to_wire(NodeError("text", thing="x"))]],
    ]

    def pack(value: Any) -> bytes:
        kind, fields = value
        return make_header(kind, 3, 2, encode_body(fields, "input").data)

    with_frames = make_header(Kind.CAST, 1, 0, encode_body(["m", [Frame(b"a"), Frame(b"b")], {}], "input").data)
    return Decoder("messages", read, (ProtocolError,), (*map(pack, values), with_frames), tuple(values), pack)


def _to_master() -> Decoder:
    """All messages to a master, up to where its parts begin."""
    methods = MethodRegistry()
    anything: Any = _Anything()
    api = MasterAPI(anything, anything, anything, alike_max=10, neighbours=anything, may_host=anything)
    api.register_methods(SimpleNamespace(methods=methods))
    request: Any = SimpleNamespace(peer_ip="192.0.2.1")

    def read(data: bytes) -> None:
        message = decode([data])
        if message.kind not in (Kind.CALL, Kind.CAST):
            return
        name, args, options = message.fields[-3:]
        for node_type in NodeType:
            handler: Any = SimpleNamespace(
                node_id="peer", identity=THIS_USER, context=Peer("peer", node_type, 1), cast=anything
            )
            _refused(lambda: methods.dispatch(name, (handler, request), args, options))  # noqa: B023

    def pack(value: Any) -> bytes:
        name, args = value
        return make_header(Kind.CAST, 1, 0, encode_body([name, args, {}], "input").data)

    values = tuple([name, args] for name, args in SENT.items())
    return Decoder("to master", read, (ConcurrentError,), tuple(map(pack, values)), values, pack)


def _refused(call: Callable[[], object]) -> None:
    try:
        call()
    except ConcurrentError as error:
        error_to_wire(error)


def _parts() -> list[Decoder]:
    """What is in messages and answers."""
    terms = [(0, Terms(name="Task")), (2, Terms(5, "Other", 7)), (3, Terms(name="Task"))]
    failure = dumps_failure(ValueError("text"), None, "output", "slave-1")
    wish = JobWish("job", "name", user="anna", program={"module": "x"}).as_map()
    answer = {"number": 1, "job": "1.1", "systems": [1], "state": "open"}

    def columns(value: Any) -> None:
        if type(value) is list and all(type(one) is list for one in value):
            check_columns(*value)
            if value and all(type(status) is int for status in value[0]):
                check_statuses(value[0])

    def mapped(function: Callable[[dict[str, Any]], object]) -> Callable[[Any], object]:
        return lambda value: function(value) if type(value) is dict else None

    def stretches(value: Any) -> None:
        if type(value) in (int, list):  # as the declaration of the message says
            read_stretches(value, 4)

    refused = (InvalidArguments,)
    return [
        _of_values("terms", stretches, refused, pack_stretches(terms), 3),
        _of_values("columns", columns, refused, [[0, 1], [b"a", b"b"]]),
        _of_values("wishes", mapped(wish_from), refused, wish),
        _of_values("answers", answer_from, (NodeError,), answer),
        _of_values(
            "errors", error_from_wire, (), error_to_wire(NodeError("text", thing="x", remedy="y")), "text"
        ),
        Decoder("failures", failure_text, (), (failure,), (msgpack.unpackb(failure),), msgpack.packb),
    ]


def _of_values(
    name: str, read: Callable[[Any], object], errors: tuple[type[BaseException], ...], *values: Any
) -> Decoder:
    """Return the decoder of a value that comes in a message."""

    def from_bytes(data: bytes) -> None:
        read(decode([data]).fields[1])

    def pack(value: Any) -> bytes:
        return make_header(Kind.RESULT, 1, 0, encode_body([1, value], "input").data)

    return Decoder(name, from_bytes, (ProtocolError, *errors), (), values, pack)


def _chunk() -> Decoder:
    def read(data: bytes) -> None:
        decode_chunk([data, b"frame"])

    value = [1, 2, [3, 4, 5], [b"a", None, b"b"]]
    header = encode_chunk(Chunk(1, 0, [1, 2], [b"a", b"b"]))[0]
    return Decoder("chunks of tasks", read, (MalformedMessage,), (header,), (value,), msgpack.packb)


def _journal() -> Decoder:
    """Rows with good checksums, whatever is in them, and others."""
    events: list[Any] = [
        recorded.OwnerJoined(1, "app"),
        recorded.TasksSubmitted(1, 1, [b"a", b"b"], Terms(name="T"), ((1, Terms(priority=2)),), 5),
        recorded.TasksEnded(1, [1, 2], [0, 1], [b"x", b""], 1),
        recorded.JobNoted(1, 2.5, [("T", "ValueError", 1, "text")]),
        recorded.OutcomesConsumed(1, 2, 3, 1, 1, 0),
        recorded.CodeDefined(1, 0, b"blob"),
    ]
    rows = tuple(records.encode(9, one, lambda _payload: 1)[0] for one in events)

    def pack(value: Any) -> bytes:
        columns, data = value
        packed: bytes = msgpack.packb(columns)
        head = records.HEAD.pack(crc32(packed, 9), crc32(data), len(packed))
        return b"".join((head, packed, data))

    def read(row: bytes) -> None:
        records.decode(9, row, lambda _number, _size: b"")

    values = tuple(_columns_of(row) for row in rows)
    return Decoder("journal rows", read, (JournalDamaged,), rows, values, pack)


def _columns_of(row: bytes) -> Any:
    """Return the columns of a row, and the bytes behind them."""
    size = records.HEAD.unpack_from(row)[2]
    columns, data = row[records.HEAD.size : records.HEAD.size + size], row[records.HEAD.size + size :]
    return [msgpack.unpackb(columns, strict_map_key=False), data]
