"""Who fills a queue faster than it empties is held back, and let go again."""

import threading

import pytest

from concurrent.core.errors import QueueFull
from concurrent.transport.calls.pushback import CLAIMS_MAX, PushBack

WAIT_S = 10.0


def test_a_claim_within_the_bound_does_not_wait() -> None:
    push_back = PushBack(bytes_max=100, timeout_s=0.01)
    for _ in range(10):
        push_back.claim(9, 0, "peer")
    assert not push_back.shrank(0)


def test_claims_that_reach_the_bound_stop_the_next_one() -> None:
    push_back = PushBack(bytes_max=100, timeout_s=0.01)
    push_back.claim(100, 0, "peer")
    with pytest.raises(QueueFull, match="peer had no room"):
        push_back.claim(1, 0, "peer")


def test_too_many_small_claims_stop_the_next_one() -> None:
    push_back = PushBack(bytes_max=10**9, timeout_s=0.01)
    for _ in range(CLAIMS_MAX):
        push_back.claim(1, 0, "peer")
    with pytest.raises(QueueFull):
        push_back.claim(1, 0, "peer")


def test_a_settled_claim_makes_room() -> None:
    push_back = PushBack(bytes_max=100, timeout_s=0.01)
    push_back.claim(100, 0, "peer")
    push_back.settle_claim()
    push_back.claim(1, 0, "peer")


def test_a_full_queue_lets_go_when_it_is_half_empty() -> None:
    push_back = PushBack(bytes_max=100, timeout_s=WAIT_S)
    push_back.grew(100)
    assert not push_back.shrank(50)
    waiting = threading.Thread(target=push_back.claim, args=(1, 0, "peer"))
    waiting.start()
    assert push_back.shrank(49)
    waiting.join(WAIT_S)
    assert not waiting.is_alive()
