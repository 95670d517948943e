"""The envelope: a message as header frame and payload frames, and back. Pure: bytes in, bytes out.

Header frame::

    offset  size  field
    0       2     magic, the ASCII characters "Cc"
    2       1     version, 1
    3       1     kind, see messages.Kind
    4       8     number of the message in its session, from 1; 0 for messages without one
    12      8     acknowledgement: the number of the last message received in order
    20      -     body, one msgpack array with the fields of that kind

Integers are unsigned and big-endian. Payload frames follow; inside the body each one is referred to
by the msgpack extension type 1 whose four bytes of data are the frame's index, from 0. On ZeroMQ
the frames are the parts of a multipart message. On TCP a prefix precedes them::

    offset  size  field
    0       2     magic "Cc"
    2       1     version, 1
    3       1     0
    4       4     count of frames, the header frame included
    8       8*n   size of each frame in bytes

All limits are checked before anything is allocated for what the peer announced.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence
from functools import lru_cache, partial
from typing import Any, Final, NamedTuple

from concurrent.core.dependencies import installed_first
from concurrent.core.errors import (
    InvalidArguments,
    MalformedMessage,
    MessageTooLarge,
    VersionMismatch,
)
from concurrent.transport.frames.frames import Buffer, Frame
from concurrent.transport.session.foreign import MAGIC, foreign_protocol
from concurrent.transport.session.limits import Limits
from concurrent.transport.session.messages import (
    NUMBERED_KINDS,
    OPTIONAL_BY_KIND,
    PROTOCOL_VERSION,
    REQUEST_KINDS,
    SHAPE_BY_KIND,
    Kind,
)

with installed_first("msgpack"):
    import msgpack

__all__ = [
    "PREFIX_BYTES",
    "PRELUDE_BYTES",
    "SIZE_BYTES",
    "Body",
    "Message",
    "check_sizes",
    "control_message",
    "decode",
    "encode_body",
    "make_header",
    "make_prefix",
    "peek_request",
    "read_frame_sizes",
]

FRAME_EXTENSION: Final = 1
_PRELUDE: Final = struct.Struct("!2sBBQQ")
_PREFIX: Final = struct.Struct("!2sBBI")
_PREFIX_OF_ONE: Final = struct.Struct("!QQ")
_ONE_FRAME: Final = int.from_bytes(_PREFIX.pack(MAGIC, PROTOCOL_VERSION, 0, 1), "big")
"""The prefix of a message of one frame, as nearly all are: read and written as two numbers."""
_INDEX: Final = struct.Struct("!I")
PRELUDE_BYTES: Final = _PRELUDE.size
PREFIX_BYTES: Final = _PREFIX.size
"""The least that tells how many frames follow, and so how long the whole prefix is."""

SIZE_BYTES: Final = 8

PEEK_BYTES: Final = 512
"""What is read of a header to know what is called; the names of methods are short."""

VALUES_MAX: Final = 1 << 22
"""So many values may be in the arrays and maps of a message, on all levels together."""

NESTED_VALUES: Final = 4
"""What an array or a map counts for besides what is in it: it costs far more memory than its bytes."""

UNBOUNDED_BYTES: Final = 1 << 19
"""A body that is not longer is read without counting: it cannot have very many."""


class Body(NamedTuple):
    """An encoded body and the payload frames that it refers to."""

    data: bytes
    frames: list[Buffer | Frame]
    nbytes: int


class Message(NamedTuple):
    """A decoded message; ``fields`` are those of its kind, already checked for their types.

    A message of a kind that is not known here has none: it is of a later form of the protocol.
    """

    kind: int
    number: int
    ack: int
    fields: list[Any]
    nbytes: int


_new_body: Final[Callable[[tuple[Any, ...]], Body]] = partial(tuple.__new__, Body)
_new_message: Final[Callable[[tuple[Any, ...]], Message]] = partial(tuple.__new__, Message)
"""They make one of its fields without a call of a function in Python."""


def encode_body(fields: Sequence[Any], what: str) -> Body:
    """Encode the fields of a message. Any thread.

    :param fields: msgpack types and :class:`Frame`.
    :param what: what is being sent, for the error text.
    :raises InvalidArguments: if a value has no msgpack form.
    """
    frames: list[Buffer | Frame] = []

    def refer(value: object) -> msgpack.ExtType:
        if not isinstance(value, Frame):
            raise TypeError(f"{type(value).__module__}.{type(value).__qualname__}")
        frames.append(value if len(value.pieces) > 1 else value.buffer)
        return msgpack.ExtType(FRAME_EXTENSION, _INDEX.pack(len(frames) - 1))

    try:
        data: bytes = msgpack.Packer(default=refer).pack(fields)
    except (TypeError, ValueError, OverflowError, RecursionError) as error:
        raise InvalidArguments(
            f"{what} cannot be sent: {error} has no msgpack form",
            thing=what,
            value=str(error),
            remedy="Send None, bool, int, float, str, bytes, list, dict or Frame.",
        ) from error
    nbytes = PRELUDE_BYTES + len(data)
    for frame in frames:
        nbytes += len(frame)
    return _new_body((data, frames, nbytes))


def make_header(kind: int, number: int, ack: int, body: bytes) -> bytes:
    """Return the header frame of a message."""
    return _PRELUDE.pack(MAGIC, PROTOCOL_VERSION, kind, number, ack) + body


def control_message(kind: int, fields: Sequence[Any], ack: int = 0) -> list[Buffer]:
    """Return the frames of a message without a number (HELLO, WELCOME, PING, RESEND, BYE)."""
    return [make_header(kind, 0, ack, encode_body(fields, Kind(kind).name).data)]


def decode(buffers: Sequence[Buffer]) -> Message:
    """Decode a message from its frames; payload frames are wrapped, not copied.

    Fields behind those that are known are dropped.

    :raises MalformedMessage: if the frames are not a message.
    :raises VersionMismatch: if the message is of another version.
    """
    header = buffers[0]
    if len(header) < PRELUDE_BYTES:
        raise MalformedMessage(
            f"a header of {len(header)} bytes is shorter than its {PRELUDE_BYTES} fixed bytes"
        )
    magic, version, kind, number, ack = _PRELUDE.unpack_from(header)
    if magic != MAGIC or version != PROTOCOL_VERSION:
        raise _wrong_start(magic, version)
    shape = SHAPE_BY_KIND.get(kind)
    if shape is None:
        return _unknown(kind, number, ack, buffers)
    if (number > 0) is not (kind in NUMBERED_KINDS):
        raise MalformedMessage(
            f"a {Kind(kind).name} must not have the number {number}", thing="number", value=number
        )
    fields = _decode_body(header, buffers)
    if type(fields) is not list or tuple(map(type, fields)) != shape:
        fields = _known_fields(kind, fields, shape)
    if kind in REQUEST_KINDS and fields[-1] and not all(type(k) is str for k in fields[-1]):
        raise MalformedMessage(f"the names of the arguments of a {Kind(kind).name} must be str")
    return _new_message((kind, number, ack, fields, sum(map(len, buffers))))


def peek_request(header: Buffer) -> tuple[str, Any] | None:
    """Return the method and the first argument of a call or cast whose payload frames have still to arrive.

    None if the beginning of the header does not tell; whether the rest of it is right is not looked at.
    """
    if len(header) < PRELUDE_BYTES or header[3] not in REQUEST_KINDS:
        return None
    unpacker = msgpack.Unpacker()
    unpacker.feed(header[PRELUDE_BYTES : PRELUDE_BYTES + PEEK_BYTES])
    try:
        unpacker.read_array_header()
        if header[3] == Kind.CALL:
            unpacker.skip()
        method = unpacker.unpack()
        return (method, unpacker.unpack()) if unpacker.read_array_header() else None
    except (ValueError, msgpack.UnpackException):
        return None


def _unknown(kind: int, number: int, ack: int, buffers: Sequence[Buffer]) -> Message:
    """Return a message of a later form of the protocol, of which only the header can be read."""
    if kind == 0:
        raise MalformedMessage("there is no message of kind 0", thing="kind", value=kind)
    return Message(kind, number, ack, [], sum(map(len, buffers)))


def _known_fields(kind: int, fields: Any, shape: tuple[type, ...]) -> list[Any]:
    """Return the fields that are known of a message that has others, or not all optional ones."""
    if type(fields) is not list or len(fields) < len(shape):
        raise MalformedMessage(f"a {Kind(kind).name} must have {len(shape)} fields")
    known = shape + OPTIONAL_BY_KIND.get(kind, ())
    found: list[Any] = fields[: len(known)]
    for value, expected in zip(found, known, strict=False):
        if type(value) is not expected and expected is not object:
            raise MalformedMessage(
                f"a field of a {Kind(kind).name} must be {expected.__name__}, but is {type(value).__name__}"
            )
    return found


def _decode_body(header: Buffer, buffers: Sequence[Buffer]) -> Any:
    body = memoryview(header)[PRELUDE_BYTES:]
    try:
        if len(buffers) == 1 and len(body) <= UNBOUNDED_BYTES:  # as nearly all are
            return msgpack.unpackb(body, ext_hook=_without_frames, strict_map_key=False)
        options = _bounds() if len(body) > UNBOUNDED_BYTES else {}
        return msgpack.unpackb(body, ext_hook=_resolver(buffers), strict_map_key=False, **options)
    except (ValueError, TypeError, RecursionError, MemoryError, msgpack.UnpackException) as error:
        raise MalformedMessage(
            f"the body of {len(body)} bytes cannot be read: {type(error).__name__} {error!s:.200}"
        ) from error


def _resolver(buffers: Sequence[Buffer]) -> Callable[[int, bytes], Frame]:
    """Return what finds the payload frames of a message that its body refers to, each once."""
    used: set[int] = set()

    def resolve(code: int, data: bytes) -> Frame:
        if code != FRAME_EXTENSION or len(data) != _INDEX.size:
            raise ValueError(f"extension type {code} with {len(data)} bytes")
        index = _INDEX.unpack(data)[0] + 1
        if index >= len(buffers):
            raise ValueError(f"frame {index - 1} of {len(buffers) - 1}")
        if index in used:  # it would be counted, and written to files, as if it had come again
            raise ValueError(f"frame {index - 1} is referred to more than once")
        used.add(index)
        return Frame(buffers[index])

    return resolve


_without_frames: Final = _resolver([b""])


def _bounds() -> dict[str, Any]:
    """Return options of msgpack with which it reads a body of so many values only."""
    left = VALUES_MAX

    def counted(value: list[Any] | dict[Any, Any]) -> Any:
        nonlocal left
        left -= len(value) + NESTED_VALUES
        if left < 0:
            raise MessageTooLarge(
                f"a message of more than {VALUES_MAX} values is not accepted, where an array or a map counts "
                f"as {NESTED_VALUES} more",
                thing="values",
                value=VALUES_MAX,
                remedy="Send several messages, or bytes.",
            )
        return value

    return {
        "list_hook": counted,
        "object_hook": counted,
        "max_array_len": VALUES_MAX,
        "max_map_len": VALUES_MAX,
    }


def make_prefix(buffers: Sequence[Buffer | Frame]) -> bytes:
    """Return the prefix that precedes the frames of a message on TCP."""
    count = len(buffers)
    if count == 1:
        return _PREFIX_OF_ONE.pack(_ONE_FRAME, len(buffers[0]))
    return _PREFIX.pack(MAGIC, PROTOCOL_VERSION, 0, count) + _sizes(count).pack(*map(len, buffers))


def read_frame_sizes(data: Buffer, position: int, limits: Limits) -> tuple[int, ...] | None:
    """Read the sizes of a message's frames from the prefix at ``position``; None if it is not complete.

    :raises MalformedMessage, VersionMismatch, MessageTooLarge: if no such message is accepted.
    """
    available = len(data) - position
    if available >= _PREFIX_OF_ONE.size:
        start, size = _PREFIX_OF_ONE.unpack_from(data, position)
        if start == _ONE_FRAME and size <= limits.header_bytes_max and size <= limits.message_bytes_max:
            return (size,)
    elif available < PREFIX_BYTES:
        return None
    magic, version, zero, count = _PREFIX.unpack_from(data, position)
    if magic != MAGIC or version != PROTOCOL_VERSION:
        raise _wrong_start(magic, version)
    if zero != 0 or count == 0:
        raise MalformedMessage("the prefix of a message is malformed")
    _check_count(count, limits)
    if available < PREFIX_BYTES + SIZE_BYTES * count:
        return None
    sizes: tuple[int, ...] = _sizes(count).unpack_from(data, position + PREFIX_BYTES)
    check_sizes(sizes, limits)
    return sizes


def check_sizes(sizes: Sequence[int], limits: Limits) -> None:
    """Raise MessageTooLarge if a message with frames of these sizes exceeds the limits."""
    _check_count(len(sizes), limits)
    if sizes[0] > limits.header_bytes_max:
        raise MessageTooLarge(
            f"a header of {sizes[0]} bytes exceeds the limit of {limits.header_bytes_max}",
            thing="header_bytes_max",
            value=sizes[0],
            remedy="Send large buffers as frames, or split the batch.",
        )
    total = sum(sizes)
    if total > limits.message_bytes_max:
        raise MessageTooLarge(
            f"a message of {total} bytes exceeds the limit of {limits.message_bytes_max}",
            thing="message_bytes_max",
            value=total,
            remedy="Split it, or raise the limit at the receiver.",
        )


def _check_count(count: int, limits: Limits) -> None:
    if count > limits.frames_max:
        raise MessageTooLarge(
            f"a message of {count} frames exceeds the limit of {limits.frames_max}",
            thing="frames_max",
            value=count,
            remedy="Split the batch.",
        )


def _wrong_start(magic: bytes, version: int) -> MalformedMessage | VersionMismatch:
    if magic != MAGIC:
        protocol = foreign_protocol(magic)
        speaks = f": the peer speaks {protocol}" if protocol is not None else ""
        return MalformedMessage(
            f"a message must start with {MAGIC!r}, but starts with {magic!r}{speaks}",
            thing="magic",
            value=magic,
            remedy="Check that the address is that of a node, and of the right carrier.",
        )
    return VersionMismatch(
        f"the peer speaks version {version} of the protocol, but this is {PROTOCOL_VERSION}",
        thing="version",
        value=version,
        remedy="Run the same version of the framework on all nodes.",
    )


@lru_cache(maxsize=64)
def _sizes(count: int) -> struct.Struct:
    return struct.Struct(f"!{count}Q")
