from random import Random

from concurrent.core.backoff import Backoff


def test_delays_grow_to_their_bound_and_begin_again_after_a_success() -> None:
    backoff = Backoff(1.0, 4.0, random=Random(7))
    delays = [backoff.next_delay() for _ in range(100)]
    assert 0.5 <= delays[0] <= 1.0 <= delays[1] <= 2.0 <= delays[2] <= 4.0
    assert max(delays) <= 4.0
    backoff.reset()
    assert backoff.next_delay() <= 1.0
