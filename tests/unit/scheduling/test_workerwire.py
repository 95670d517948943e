"""Messages between a pool and its worker."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from concurrent.core.errors import MalformedMessage
from concurrent.scheduling.worker.workerwire import CODE, OWNER, RESULTS, TASKS, MessageReader, pack_message
from concurrent.transport.frames.frames import Frame

TIMEOUT_S = 10.0
LARGE = 300_000

Pair = tuple[socket.socket, MessageReader]


SHARED = bytes(range(256)) * 1000


def view_of(position: int, size_bytes: int) -> memoryview:
    return memoryview(SHARED)[position : position + size_bytes]


@pytest.fixture
def pair() -> Iterator[Pair]:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        theirs.settimeout(TIMEOUT_S)
        yield ours, MessageReader(theirs, view_of=view_of)


def sent(pair: Pair, *buffers: Any) -> list[list[Any]]:
    """Send buffers from another thread; return every message that came until the end."""

    def send() -> None:
        for buffer in buffers:
            pair[0].sendall(buffer)
        pair[0].shutdown(socket.SHUT_WR)

    thread = threading.Thread(target=send)
    thread.start()
    messages: list[list[Any]] = []
    try:
        while True:
            messages += pair[1].read()
    except EOFError:
        return messages
    finally:
        thread.join(TIMEOUT_S)


def plain(message: list[Any]) -> list[Any]:
    return [*message[:-1], [bytes(payload) for payload in message[-1]]]


@pytest.mark.parametrize(
    "fields",
    [
        (TASKS, 255, 3, [1, 2], [b"first", b""]),
        (CODE, 3, 0, [b"blob"]),
        (OWNER, 3, []),
        (RESULTS, [1, 2], [0, 1], 0.5, [[1, 10, b"", b"printed", b"record"]], [b"result", b"failure"]),
    ],
)
def test_messages_arrive_as_they_were(pair: Pair, fields: tuple[Any, ...]) -> None:
    assert sent(pair, *pack_message(*fields)) == [list(fields)]


@pytest.mark.parametrize("size", [0, 1, 15, 16, 17, 70_000, LARGE, 5_000_000])
def test_frames_arrive_beside_small_payloads(pair: Pair, size: int) -> None:
    payloads = [b"small", Frame(b"x" * size), b"", Frame(bytearray(b"y" * size))]
    (message,) = sent(pair, *pack_message(TASKS, 0, 1, [1, 2, 3, 4], payloads))
    assert [type(payload) for payload in message[-1]] == [bytes, Frame, bytes, Frame]
    assert plain(message)[-1] == [b"small", b"x" * size, b"", b"y" * size]


def test_a_frame_is_not_copied_when_packed() -> None:
    data = bytearray(LARGE)
    buffers = pack_message(CODE, 1, 0, [Frame(data)])
    data[0] = 7
    assert any(buffer[0] == 7 for buffer in buffers if len(buffer) == LARGE)


def test_a_frame_of_many_pieces_arrives_as_one(pair: Pair) -> None:
    pieces = [bytes([n % 256]) * (70_000 if n % 3 else n) for n in range(1500)]
    (message,) = sent(pair, *pack_message(TASKS, 0, 1, [1, 2], [Frame(*pieces), Frame(b"", b"end")]))
    assert [bytes(payload) for payload in message[-1]] == [b"".join(pieces), b"end"]


def test_what_arrives_in_a_large_message_can_be_written_to(pair: Pair) -> None:
    (message,) = sent(pair, *pack_message(CODE, 1, 0, [Frame(bytes(LARGE))]))
    assert not memoryview(message[-1][0].buffer).readonly


def test_messages_arrive_whole_however_they_are_cut(pair: Pair) -> None:
    fields: list[list[Any]] = [
        [TASKS, 1, 2, [3], [b"one"]],
        [TASKS, 1, 2, [4], [Frame(b"f" * 1000), b"two"]],
        [OWNER, 2, []],
    ]
    data = b"".join(bytes(buffer) for message in fields for buffer in pack_message(*message))
    received = sent(pair, *(data[start : start + 7] for start in range(0, len(data), 7)))
    assert [plain(message) for message in received] == [plain(message) for message in fields]


def test_many_messages_arrive_in_order(pair: Pair) -> None:
    buffers: list[Any] = []
    for number in range(500):
        payload = Frame(bytes([number % 256]) * (LARGE if number % 100 == 0 else 100))
        buffers += pack_message(TASKS, 0, 1, [number], [payload])
    received = sent(pair, *buffers)
    assert [message[3] for message in received] == [[number] for number in range(500)]
    assert all(message[4][0].buffer[0] == message[3][0] % 256 for message in received)


def test_a_reader_leaves_a_socket_that_does_not_block_as_it_is() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        theirs.setblocking(False)
        with pytest.raises(BlockingIOError):
            MessageReader(theirs).read()


@pytest.mark.parametrize("size", [LARGE, 10_000_000])
def test_the_end_in_the_middle_of_a_message_is_an_end(pair: Pair, size: int) -> None:
    data = b"".join(map(bytes, pack_message(CODE, 1, 0, [Frame(bytes(size))])))
    assert sent(pair, data[:100]) == []
    assert pair[1].is_amid_message


@pytest.mark.parametrize("size", [LARGE, 10_000_000])
def test_the_end_just_before_that_of_a_message_is_an_end(pair: Pair, size: int) -> None:
    data = b"".join(map(bytes, pack_message(CODE, 1, 0, [Frame(bytes(size))])))
    assert sent(pair, data[:-1]) == []
    assert pair[1].is_amid_message


def test_a_reader_knows_when_it_has_read_all_that_is_there(pair: Pair) -> None:
    (message,) = pack_message(TASKS, 0, 1, [1], [b"one"])
    for part in (message, message[:20], message[20:]):
        pair[0].sendall(part)
        pair[1].read()
        assert pair[1].is_drained


def test_a_payload_that_both_ends_see_is_only_named(pair: Pair) -> None:
    def place(frame: Frame) -> int | None:
        return 256 if frame.nbytes == 1000 else None

    payloads = [Frame(bytes(1000)), b"small", Frame(b"x" * 70_000), Frame(bytes(1000))]
    buffers = pack_message(TASKS, 0, 1, [1, 2, 3, 4], payloads, place=place)
    assert sum(map(len, buffers)) < 71_000
    (message,) = sent(pair, *buffers)
    assert plain(message)[-1] == [SHARED[256:1256], b"small", b"x" * 70_000, SHARED[256:1256]]


def test_a_place_is_refused_where_no_memory_is_shared() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        ours.sendall(b"".join(pack_message(RESULTS, [1], [Frame(bytes(1000))], place=lambda _frame: 0)))
        with pytest.raises(MalformedMessage, match="no memory is shared"):
            MessageReader(theirs).read()
