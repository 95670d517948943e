"""What has the number of a connection that was closed may be anything: it is left alone."""

from __future__ import annotations

import os
import socket
import sys
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import pytest

from concurrent.transport.carriers.zmqnewcomers import copy_of

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="newcomers are bounded on Linux only")


def descriptors() -> set[str]:
    return set(os.listdir("/proc/self/fd"))


def of_a_pipe(stack: ExitStack) -> int:
    ends = os.pipe()
    for end in ends:
        stack.callback(os.close, end)
    return ends[0]


def of_a_file(stack: ExitStack) -> int:
    return stack.enter_context(Path(__file__).open("rb")).fileno()


def of_a_local_socket(stack: ExitStack) -> int:
    here, there = socket.socketpair()
    stack.enter_context(there)
    return stack.enter_context(here).fileno()


def of_a_local_socket_with_a_name(stack: ExitStack) -> int:
    sock = stack.enter_context(socket.socket(socket.AF_UNIX))
    sock.bind(f"\0newcomers-{os.getpid()}")
    return sock.fileno()


def of_another_port(stack: ExitStack) -> int:
    return stack.enter_context(socket.create_server(("127.0.0.1", 0))).fileno()


def of_nothing(stack: ExitStack) -> int:
    with socket.socket() as sock:
        return sock.fileno()


@pytest.mark.parametrize(
    "made",
    [of_a_pipe, of_a_file, of_a_local_socket, of_a_local_socket_with_a_name, of_another_port, of_nothing],
)
def test_what_has_the_number_now_is_left_alone(made: Callable[[ExitStack], int]) -> None:
    with ExitStack() as stack:
        fd = made(stack)
        before = descriptors()
        with pytest.raises(OSError):
            copy_of(fd, 1)
        assert descriptors() == before


def test_a_connection_at_the_port_is_copied() -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as listener,
        socket.create_connection(listener.getsockname()[:2]),
    ):
        accepted, _ = listener.accept()
        with accepted, copy_of(accepted.fileno(), listener.getsockname()[1]) as copy:
            assert copy.fileno() != accepted.fileno()
            assert copy.getpeername() == accepted.getpeername()
