"""Pieces of memory arrive in order, whatever the socket takes at a time."""

from __future__ import annotations

import select
import socket
from collections import deque
from collections.abc import Iterator

import pytest

from concurrent.transport.frames.frames import Buffer
from concurrent.transport.frames.gather import send_some

Pair = tuple[socket.socket, socket.socket]


@pytest.fixture
def pair() -> Iterator[Pair]:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        ours.setblocking(False)
        theirs.setblocking(False)
        yield ours, theirs


def received(sock: socket.socket) -> bytes:
    data = bytearray()
    try:
        while part := sock.recv(1 << 20):
            data += part
    except BlockingIOError:
        pass
    return bytes(data)


def test_several_pieces_leave_with_one_call(pair: Pair) -> None:
    pieces: deque[Buffer] = deque([b"one", bytearray(b"two"), b"", memoryview(b"three")])
    assert send_some(pair[0], pieces) == 11
    assert not pieces
    assert received(pair[1]) == b"onetwothree"


@pytest.mark.parametrize("piece", [b"", b"x", b"x" * 5_000_000])
def test_one_piece_may_have_any_size(pair: Pair, piece: bytes) -> None:
    pieces: deque[Buffer] = deque([piece])
    data = b""
    while pieces:
        send_some(pair[0], pieces)
        data += received(pair[1])
    assert data == piece


def test_what_the_socket_does_not_take_stays_in_the_pieces(pair: Pair) -> None:
    parts = [bytes([n % 256]) * (200_000 if n % 50 == 0 else n) for n in range(1500)]
    pieces: deque[Buffer] = deque(parts)
    sent, data = 0, b""
    while pieces:
        sent += send_some(pair[0], pieces)
        assert sent + sum(map(len, pieces)) == sum(map(len, parts))
        data += received(pair[1])
    assert data == b"".join(parts)


def test_a_full_socket_takes_nothing_and_nothing_is_lost(pair: Pair) -> None:
    pieces: deque[Buffer] = deque([bytes(1 << 24), b"end"])
    while select.select([], pair[:1], [], 0)[1]:
        send_some(pair[0], pieces)
    with pytest.raises(BlockingIOError):
        send_some(pair[0], pieces)
    rest = sum(map(len, pieces))
    assert len(received(pair[1])) + rest == (1 << 24) + 3
