"""What a courier does with a peer that does not take what it has to know."""

from __future__ import annotations

import logging
from typing import Any

import pytest

from concurrent.core.errors import ConnectionLost, MessageTooLarge, PayloadTooLarge, QueueFull
from concurrent.core.stats import Stats
from concurrent.scheduling.tasks.outcome import FAILED, FINISHED
from concurrent.scheduling.wire.courier import Courier
from concurrent.scheduling.wire.failure import loads_failure
from concurrent.scheduling.wire.messages import to_master, to_owner, to_slave
from concurrent.transport.calls.declaration import Message


class Peer:
    """A session: takes messages whose payloads have ``peer_bytes_max`` in all, or refuses with ``error``."""

    node_id = "slave-1"
    peer_bytes_max = 10

    def __init__(self) -> None:
        self.error: Exception | None = None
        self.taken: list[tuple[Message, Any]] = []
        self.reasons: list[str] = []

    def cast(self, message: Message, *args: Any) -> None:
        if self.error is not None:
            raise self.error
        if any(isinstance(one, list) and b"x" * 20 in one for one in args):
            raise MessageTooLarge(f"{message.name} is too large")
        self.taken.append((message, args))

    def close(self, reason: str) -> None:
        self.reasons.append(reason)


class Loop:
    """Calls what is to be called soon when it is told to."""

    def time(self) -> float:
        return 0.0

    def __init__(self) -> None:
        self.soon: list[Any] = []

    def call_soon(self, fn: Any, *args: Any) -> None:
        self.soon.append((fn, args))

    def turn(self) -> None:
        for fn, args in self.soon:
            fn(*args)


@pytest.fixture
def peer() -> Any:
    return Peer()


@pytest.fixture
def loop() -> Any:
    return Loop()


@pytest.fixture
def courier(loop: Any) -> Courier:
    return Courier(loop)


def test_a_message_is_sent_as_it_is(courier: Courier, peer: Any) -> None:
    assert courier.cast(peer, to_slave.cancel, [1, 2])
    assert peer.taken == [(to_slave.cancel, ([1, 2],))]


@pytest.mark.parametrize("error", [ConnectionLost("it is gone"), QueueFull("no room"), MessageTooLarge("no")])
def test_the_session_of_a_peer_that_cannot_be_told_ends_after_the_turn(
    peer: Any, loop: Any, error: Any
) -> None:
    stats = Stats()
    peer.error = error
    assert not Courier(loop, stats).cast(peer, to_slave.forget, 1)
    assert peer.reasons == []
    loop.turn()
    assert peer.reasons == [str(error)]
    assert stats.snapshot()["counts"]["courier.casts_failed"] == 1


def test_of_a_peer_that_is_gone_nothing_is_said(courier: Courier, peer: Any, caplog: Any) -> None:
    with caplog.at_level(logging.INFO):
        peer.error = ConnectionLost("it is gone")
        courier.cast(peer, to_slave.forget, 1)
        assert caplog.messages == []
        peer.error = QueueFull("no room")
        courier.cast(peer, to_slave.forget, 1)
    assert caplog.messages == ["forget to slave-1 was not sent: no room"]


def test_data_that_is_too_large_is_the_affair_of_its_sender(courier: Courier, peer: Any, loop: Any) -> None:
    with pytest.raises(MessageTooLarge):
        courier.cast_data(peer, to_slave.run, 1, 0, [5], [b"x" * 20])
    loop.turn()
    assert peer.reasons == []


def test_in_the_place_of_a_result_that_is_too_large_its_owner_is_told_so(courier: Courier, peer: Any) -> None:
    assert courier.cast_outcomes(peer, to_owner.finished, ([1], [FINISHED], [b"x"]), 9)
    assert courier.cast_outcomes(peer, to_master.done, ([2], [FINISHED], [b"x" * 20]), 0.5)
    fine, too_large = peer.taken
    assert fine == (to_owner.finished, ([1], [FINISHED], [b"x"], 9))
    message, (numbers, statuses, payloads, task_s) = too_large
    assert (message, numbers, statuses, task_s) == (to_master.done, [2], [FAILED], 0.5)
    error = loads_failure(payloads[0], None)
    assert isinstance(error, PayloadTooLarge)
    assert "a result of 20 bytes" in str(error)


def test_outcomes_that_a_lost_peer_has_to_get_are_said_not_to_be_sent(courier: Courier, peer: Any) -> None:
    peer.error = ConnectionLost("it is gone")
    assert not courier.cast_outcomes(peer, to_owner.finished, ([1], [FINISHED], [b"x"]), 9)
