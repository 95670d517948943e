"""Who fills a queue faster than it empties is held back, and let go again."""

import threading

import pytest

from concurrent.core.errors import QueueFull
from concurrent.transport.calls.outbox import CLAIMS_MAX, Outbox

WAIT_S = 10.0


def test_a_claim_within_the_bound_does_not_wait() -> None:
    outbox = Outbox(bytes_max=100, timeout_s=0.01)
    for _ in range(10):
        outbox.claim(9, 0, "peer")
    assert not outbox.shrank(0)


def test_claims_that_reach_the_bound_stop_the_next_one() -> None:
    outbox = Outbox(bytes_max=100, timeout_s=0.01)
    outbox.claim(100, 0, "peer")
    with pytest.raises(QueueFull, match="peer had no room"):
        outbox.claim(1, 0, "peer")


def test_too_many_small_claims_stop_the_next_one() -> None:
    outbox = Outbox(bytes_max=10**9, timeout_s=0.01)
    for _ in range(CLAIMS_MAX):
        outbox.claim(1, 0, "peer")
    with pytest.raises(QueueFull):
        outbox.claim(1, 0, "peer")


def test_a_settled_claim_makes_room() -> None:
    outbox = Outbox(bytes_max=100, timeout_s=0.01)
    outbox.claim(100, 0, "peer")
    outbox.settle_claim()
    outbox.claim(1, 0, "peer")


def test_a_full_queue_lets_go_when_it_is_half_empty() -> None:
    outbox = Outbox(bytes_max=100, timeout_s=WAIT_S)
    outbox.grew(100)
    assert not outbox.shrank(50)
    waiting = threading.Thread(target=outbox.claim, args=(1, 0, "peer"))
    waiting.start()
    assert outbox.shrank(49)
    waiting.join(WAIT_S)
    assert not waiting.is_alive()
