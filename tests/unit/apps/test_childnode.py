"""A node that another one starts for itself: how its end is noticed, with a launcher that only notes."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator, Sequence
from typing import Any

import pytest

from concurrent.apps.childnode import STOP_TIMEOUT_S, ChildNode
from concurrent.core.errors import NodeError
from concurrent.scheduling.processes.launcher import OnExit
from concurrent.transport.loop.loop import NodeLoop

TIMEOUT_S = 20.0


class Launcher:
    """In place of a real one: keeps the sockets of what it should start."""

    def __init__(self) -> None:
        self.started: list[tuple[socket.socket, OnExit]] = []
        self.is_stopped = False

    def launch(self, _entry: str, sockets: Sequence[socket.socket], _args: Any, *, on_exit: OnExit) -> None:
        if self.is_stopped:
            raise NodeError("the launcher was stopped")
        self.started.append((sockets[0], on_exit))


class Parent:
    """What starts a child, and hears of its end."""

    def __init__(self, loop: NodeLoop) -> None:
        self.loop = loop
        self.launcher = Launcher()
        self.ends: list[str] = []
        self.child = ChildNode("the child", loop, self.launcher, self.ends.append)  # type: ignore[arg-type]

    def end_child(self, signal: int | None, code: int | None, tail: str = "") -> None:
        control, on_exit = self.launcher.started[-1]
        control.close()
        self.loop.call(on_exit, 1, signal, code, tail, timeout_s=TIMEOUT_S)


@pytest.fixture
def parent() -> Iterator[Parent]:
    loop = NodeLoop("parent")
    loop.start()
    yield Parent(loop)
    loop.stop()


@pytest.mark.parametrize(
    ("signal", "code", "says"),
    [
        (9, None, "the child was killed by SIGKILL"),
        (None, 3, "the child ended with exit code 3"),
        (None, 0, "the child ended with exit code 0"),
        (None, None, "the child could not be started: no memory"),
    ],
)
def test_the_parent_is_told_how_a_child_ended_that_was_not_told_to(
    parent: Parent, signal: int | None, code: int | None, says: str
) -> None:
    parent.child.start("module:entry")
    parent.end_child(signal, code, "no memory")
    assert parent.ends == [says]
    parent.child.stop()


def test_a_child_that_has_ended_can_be_started_again_from_the_loop(parent: Parent) -> None:
    parent.child.start("module:entry")
    parent.end_child(9, None)
    parent.loop.call(parent.child.start, "module:entry", timeout_s=TIMEOUT_S)
    parent.launcher.started[-1][0].sendall(b"ok here\n")
    assert parent.child.wait_told() == "here"
    parent.end_child(None, 0)
    parent.child.stop()


def test_a_child_was_ready_though_it_cannot_go_on_a_moment_later(parent: Parent) -> None:
    parent.child.start("module:entry")
    parent.launcher.started[-1][0].sendall(b"ok here\nerror no more room\n")
    assert parent.child.wait_told() == "here"
    parent.end_child(None, 3)
    parent.child.stop()


def test_a_child_announces_one_line_after_the_other(parent: Parent) -> None:
    parent.child.start("module:entry")
    parent.launcher.started[-1][0].sendall(b"ok here\nok with workers\nerror no more room\n")
    assert [parent.child.wait_told(), parent.child.wait_told()] == ["here", "with workers"]
    with pytest.raises(NodeError, match="the child could not start: no more room"):
        parent.child.wait_told()
    parent.end_child(None, 3)
    parent.child.stop()


def test_the_end_of_a_child_that_is_told_to_stop_is_no_news(parent: Parent) -> None:
    parent.child.start("module:entry")
    control, on_exit = parent.launcher.started[0]

    def closed() -> None:
        parent.loop.remove_reader(control)
        on_exit(1, None, 0, "")

    parent.loop.call(parent.loop.add_reader, control, closed, timeout_s=TIMEOUT_S)
    parent.child.stop()
    control.close()
    assert parent.ends == []


def test_after_a_stop_nothing_is_started(parent: Parent) -> None:
    parent.child.stop()
    parent.child.start("module:entry")
    assert parent.launcher.started == []


def test_a_child_that_could_not_be_started_is_not_waited_for(parent: Parent) -> None:
    parent.launcher.is_stopped = True
    with pytest.raises(NodeError):
        parent.child.start("module:entry")
    begun = time.monotonic()
    parent.child.stop()
    assert time.monotonic() - begun < STOP_TIMEOUT_S
