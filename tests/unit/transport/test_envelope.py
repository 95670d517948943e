"""Messages survive the way into frames and back; anything else is refused."""

import re
import struct
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from concurrent.core.errors import (
    InvalidArguments,
    MalformedMessage,
    MessageTooLarge,
    ProtocolError,
    VersionMismatch,
)
from concurrent.transport.frames.frames import FRAME_BYTES_MIN, Buffer, Frame
from concurrent.transport.session.envelope import (
    PRELUDE_BYTES,
    VALUES_MAX,
    check_sizes,
    control_message,
    decode,
    encode_body,
    make_header,
    make_prefix,
    peek_request,
)
from concurrent.transport.session.limits import Limits
from concurrent.transport.session.messages import NUMBERED_KINDS, OPTIONAL_BY_KIND, SHAPE_BY_KIND, Kind

VALUE_BY_TYPE: dict[type, Any] = {int: 1, str: "a", list: [], dict: {}, bool: True, object: None}

scalars = (
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False)
    | st.text()
    | st.binary()
    | st.binary().map(Frame)
)
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner) | st.dictionaries(st.text() | st.integers(0, 9), inner),
    max_leaves=20,
)
arguments = st.lists(values, max_size=4)
keywords = st.dictionaries(st.text(), values, max_size=3)


def frames_of(kind: Kind, number: int, fields: list[Any], ack: int = 0) -> list[Buffer]:
    body = encode_body(fields, "a test")
    return [make_header(kind, number, ack, body.data), *body.frames]


@given(st.text(), arguments, keywords, st.integers(1, 2**64 - 1), st.integers(0, 2**64 - 1))
def test_what_is_decoded_is_what_was_encoded(
    method: str, args: list[Any], kwargs: dict[str, Any], number: int, ack: int
) -> None:
    buffers = frames_of(Kind.CALL, number, [7, method, args, kwargs], ack)
    message = decode(buffers)
    assert (message.kind, message.number, message.ack) == (Kind.CALL, number, ack)
    assert message.fields == [7, method, args, kwargs]
    assert message.nbytes == sum(len(buffer) for buffer in buffers)


@given(arguments, st.data())
def test_a_truncated_message_is_malformed(args: list[Any], data: st.DataObject) -> None:
    header, *rest = frames_of(Kind.CAST, 1, ["method", args, {}])
    cut = data.draw(st.integers(0, len(header) - 1))
    with pytest.raises(MalformedMessage):
        decode([header[:cut], *rest])


@given(st.binary(max_size=200))
def test_random_bytes_are_never_a_message_and_never_another_error(data: bytes) -> None:
    with pytest.raises(ProtocolError):
        decode([data])


@given(st.sampled_from(list(Kind)), st.integers(0, 2), st.binary(max_size=60))
def test_a_random_body_is_a_message_of_the_right_shape_or_malformed(
    kind: Kind, number: int, body: bytes
) -> None:
    try:
        message = decode([make_header(kind, number, 0, body)])
    except MalformedMessage:
        return
    assert type(message.fields) is list


def test_a_received_frame_is_a_view_of_what_was_received() -> None:
    payload = bytearray(b"x" * 100)
    header, _ = frames_of(Kind.RESULT, 1, [1, Frame(payload)])
    frame = decode([header, memoryview(payload)]).fields[1]
    payload[0] = ord("y")
    assert bytes(frame)[:2] == b"yx"


def test_a_frame_of_several_pieces_travels_as_one_and_in_pieces() -> None:
    pieces = [b"x" * FRAME_BYTES_MIN, b"y" * FRAME_BYTES_MIN]
    body = encode_body([1, None, "method", [Frame(*pieces)], {}], "a call")
    (frame,) = body.frames
    assert isinstance(frame, Frame)
    assert list(frame.pieces) == pieces
    assert len(frame) == 2 * FRAME_BYTES_MIN
    assert make_prefix([b"header", frame]) == make_prefix([b"header", b"".join(pieces)])


def test_a_frame_that_did_not_come_along_is_malformed() -> None:
    header, _frame = frames_of(Kind.RESULT, 1, [1, Frame(b"abc")])
    with pytest.raises(MalformedMessage, match="frame 0 of 0"):
        decode([header])


def test_another_version_is_refused_by_its_number() -> None:
    header = bytearray(control_message(Kind.PING, [])[0])
    header[2] = 99
    with pytest.raises(VersionMismatch, match="99"):
        decode([header])


@pytest.mark.parametrize(
    ("kind", "number", "fields"),
    [
        (Kind.CALL, 1, [1, "method", []]),
        (Kind.CALL, 1, ["1", "method", [], {}]),
        (Kind.CALL, 0, [1, "method", [], {}]),
        (Kind.CAST, 1, ["method", {}, {}]),
        (Kind.CAST, 1, ["method", [], {1: 2}]),
        (Kind.RESULT, 1, [True, 1]),
        (Kind.PING, 1, [False]),
        (Kind.PING, 0, [1]),
        (Kind.PING, 0, []),
        (Kind.BYE, 0, ["closed", 1]),
    ],
)
def test_a_message_of_the_wrong_shape_is_malformed(kind: Kind, number: int, fields: list[Any]) -> None:
    with pytest.raises(MalformedMessage):
        decode(frames_of(kind, number, fields))


def test_of_a_kind_that_is_not_known_only_the_header_is_read() -> None:
    message = decode([make_header(77, 5, 4, b"\xc1 no msgpack"), b"a frame"])
    assert (message.kind, message.number, message.ack, message.fields) == (77, 5, 4, [])


def test_there_is_no_kind_0() -> None:
    with pytest.raises(MalformedMessage, match="kind 0"):
        decode([make_header(0, 0, 0, b"\x90")])


@pytest.mark.parametrize("kind", Kind)
def test_fields_behind_the_known_ones_are_dropped(kind: Kind) -> None:
    fields = [VALUE_BY_TYPE[cls] for cls in SHAPE_BY_KIND[kind] + OPTIONAL_BY_KIND.get(kind, ())]
    assert decode(frames_of(kind, int(kind in NUMBERED_KINDS), [*fields, "later", 7])).fields == fields


def test_a_bye_may_have_data() -> None:
    assert decode(frames_of(Kind.BYE, 0, ["version", "no"])).fields == ["version", "no"]
    with pytest.raises(MalformedMessage):
        decode(frames_of(Kind.BYE, 0, ["version", "no", "data"]))


def test_an_announced_array_of_four_billion_items_is_malformed() -> None:
    with pytest.raises(MalformedMessage):
        decode([make_header(Kind.PING, 0, 0, b"\xdd\xff\xff\xff\xff")])


def test_deep_nesting_is_malformed() -> None:
    with pytest.raises(MalformedMessage):
        decode([make_header(Kind.RESULT, 1, 0, b"\x92\x01" + b"\x91" * 100_000 + b"\xc0")])


@pytest.mark.parametrize("value", [object(), {1, 2}, 2**64, "\ud800", 1j])
def test_a_value_without_a_msgpack_form_is_refused_with_the_remedy(value: Any) -> None:
    with pytest.raises(InvalidArguments, match=r"'store' cannot be sent.*Send None") as caught:
        encode_body(["store", [value]], "'store'")
    assert caught.value.thing == "'store'"


def test_a_tuple_arrives_as_a_list() -> None:
    assert decode(frames_of(Kind.RESULT, 1, [1, (1, (2, 3))])).fields[1] == [1, [2, 3]]


@pytest.mark.parametrize(
    "sizes", [[101], [50, 200], [1, 1, 1, 1], [2**63]], ids=["header", "sum", "count", "huge"]
)
def test_sizes_over_a_limit_are_too_large(sizes: list[int]) -> None:
    limits = Limits(header_bytes_max=100, message_bytes_max=200, frames_max=3)
    check_sizes([100, 50, 50], limits)
    with pytest.raises(MessageTooLarge, match="exceeds the limit"):
        check_sizes(sizes, limits)


@pytest.mark.parametrize(
    ("value", "count"),
    [
        (b"\x80", VALUES_MAX // 5),
        (b"\x90", VALUES_MAX // 5),
        (b"\x91\x05", VALUES_MAX // 6),
        (b"\x81\x01\x02", VALUES_MAX // 6),
        (b"\xa2xy", VALUES_MAX),
        (b"\x05", VALUES_MAX),
    ],
    ids=["map", "array", "list", "dict", "str", "int"],
)
def test_a_message_of_too_many_values_is_refused(value: bytes, count: int) -> None:
    def header_of(count: int) -> bytes:
        values = b"\xdd" + struct.pack("!I", count) + value * count
        return make_header(Kind.CAST, 1, 0, b"\x93\xa3put\x91" + values + b"\x80")

    few = count * 9 // 10
    assert len(decode([header_of(few)]).fields[1][0]) == few
    with pytest.raises((MessageTooLarge, MalformedMessage), match=f"{VALUES_MAX}"):
        decode([header_of(count + 1)])


def test_a_frame_is_referred_to_once() -> None:
    reference = b"\xd6\x01" + struct.pack("!I", 0)
    header = make_header(Kind.CAST, 1, 0, b"\x93\xa3put\x92" + reference * 2 + b"\x80")
    with pytest.raises(MalformedMessage, match="frame 0 is referred to more than once"):
        decode([header, b"x" * 100])


def test_the_header_has_the_documented_layout() -> None:
    header = make_header(Kind.CAST, 5, 4, b"body")
    assert header == b"Cc\x01\x02" + struct.pack("!QQ", 5, 4) + b"body"
    assert PRELUDE_BYTES == 20


def test_the_documented_example_is_what_travels() -> None:
    text = (Path(__file__).parents[3] / "docs" / "protocol.md").read_text(encoding="utf-8")
    example = text.split("### Example")[1].split("```")[1]
    octets = bytes.fromhex("".join(octets_of(line) for line in example.splitlines()))
    (header,) = frames_of(Kind.CAST, 1, ["put", [7], {}])
    assert octets == header
    prefix = text.split("The example above travels as")[1].split("```")[1].splitlines()[1]
    assert bytes.fromhex(prefix.split("prefix")[0]) == make_prefix([header])


def octets_of(line: str) -> str:
    """Return the octets at the beginning of a line, without the words behind them."""
    found = re.match(r"(?: *[0-9a-f]{2}(?= |$))*", line)
    assert found is not None
    return found[0]


def test_what_is_called_is_known_before_the_payload_has_come() -> None:
    arguments = [7, 0, list(range(300)), [Frame(bytes(100_000))]]
    cast = make_header(Kind.CAST, 1, 0, encode_body(("run", arguments, {}), "run").data)
    assert peek_request(cast) == ("run", 7)
    call = make_header(Kind.CALL, 1, 0, encode_body((5, "run", ["seven"], {}), "run").data)
    assert peek_request(memoryview(call)) == ("run", "seven")


@pytest.mark.parametrize(
    "header",
    [
        b"",
        bytes(100),
        make_header(Kind.CAST, 1, 0, b""),
        make_header(Kind.CAST, 1, 0, b"\x00"),
        make_header(Kind.CAST, 1, 0, encode_body(("run", [], {}), "run").data),
        make_header(Kind.CAST, 1, 0, encode_body(("run", ["x" * 1000], {}), "run").data),
        make_header(Kind.RESULT, 1, 0, encode_body((5, "run"), "run").data),
        make_header(Kind.CAST, 1, 0, b"\x93\xa3run\xc1"),
    ],
)
def test_a_header_that_does_not_begin_as_a_request_tells_nothing(header: bytes) -> None:
    assert peek_request(header) is None
