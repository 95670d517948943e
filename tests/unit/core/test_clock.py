import pytest

from concurrent.core.clock import Deadline, ManualClock, SystemClock


def test_waits_share_what_is_left_of_a_deadline() -> None:
    clock = ManualClock(100.0)
    deadline = Deadline(clock, 5.0)
    clock.advance(2.0)
    assert deadline.remaining_s() == 3.0
    assert not deadline.is_over()
    clock.advance(9.0)
    assert deadline.remaining_s() == 0.0
    assert deadline.is_over()


def test_clocks_never_run_backwards() -> None:
    clock = SystemClock()
    assert clock.now() <= clock.now()
    with pytest.raises(ValueError, match="backwards"):
        ManualClock().advance(-1)
