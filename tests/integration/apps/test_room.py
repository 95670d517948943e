"""Whether an owner may push more, and what waits for that."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest

from concurrent.core.errors import QueueFull
from concurrent.scheduling.owner import room as room_module
from concurrent.scheduling.owner.inbox import Inbox
from concurrent.scheduling.owner.results import Outcome
from concurrent.scheduling.owner.room import Room
from concurrent.scheduling.tasks.outcome import FINISHED
from concurrent.transport.loop.loop import NodeLoop

TIMEOUT_S = 20.0


def made_inbox(deliver: Callable[[list[Outcome]], object]) -> Inbox:
    inbox = Inbox(deliver)
    inbox.begin()
    return inbox


def wait_in_thread(room: Room) -> tuple[threading.Thread, list[BaseException]]:
    errors: list[BaseException] = []

    def push() -> None:
        try:
            room.wait()
        except QueueFull as error:
            errors.append(error)

    thread = threading.Thread(target=push)
    thread.start()
    return thread, errors


def made_room(loop: NodeLoop, inbox: Inbox | None) -> Room:
    room = Room(loop, lambda: "the disk is full")
    room.inbox = inbox
    room.close()
    return room


def test_room_wakes_the_thread_of_the_inbox_and_the_others(loop: NodeLoop) -> None:
    inbox = made_inbox(lambda _outcomes: loop.post(room.open))
    room = made_room(loop, inbox)
    thread, errors = wait_in_thread(room)
    inbox.put_outcomes([Outcome("a", FINISHED, b"")])
    room.wait()
    thread.join(TIMEOUT_S)
    assert not thread.is_alive()
    assert not errors
    assert room.waits_for == ""


def test_a_thread_for_which_the_callbacks_wait_is_told_so(
    loop: NodeLoop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(room_module, "STUCK_S", 0.01)
    monkeypatch.setattr(room_module, "LOOK_S", 0.01)
    inbox = made_inbox(lambda _outcomes: None)
    inbox.put_outcomes([Outcome("never taken", FINISHED, b"")])
    thread, errors = wait_in_thread(made_room(loop, inbox))
    thread.join(TIMEOUT_S)  # as a callback might that has started it
    assert not thread.is_alive()
    assert "the disk is full" in str(errors[0])
    assert "the main thread" in str(errors[0])


def test_a_push_that_waits_is_said_and_why(
    loop: NodeLoop, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(room_module, "SAID_S", 0.01)
    room = made_room(loop, made_inbox(lambda _outcomes: None))
    thread, _ = wait_in_thread(room)
    said: Any = None
    while not said:
        loop.call(bool, timeout_s=TIMEOUT_S)
        said = [record.getMessage() for record in caplog.records if "a push has waited" in record.getMessage()]
    assert "the disk is full" in said[0]
    assert "the disk is full" in room.waits_for
    loop.call(room.open, timeout_s=TIMEOUT_S)
    thread.join(TIMEOUT_S)
