"""What wakes a loop from another thread, in both of its forms."""

from __future__ import annotations

import os
import select
from collections.abc import Callable, Iterator

import pytest

from concurrent.transport.loop.alarm import Alarm, new_alarm

FORMS = {"sockets": Alarm, "what is best here": new_alarm}


@pytest.fixture(params=FORMS)
def alarm(request: pytest.FixtureRequest) -> Iterator[Alarm]:
    make: Callable[[], Alarm] = FORMS[request.param]
    made = make()
    yield made
    made.close()


def has_rung(alarm: Alarm) -> bool:
    return bool(select.select([alarm.fileno()], [], [], 0)[0])


def test_it_can_be_seen_to_ring_until_it_is_quiet_again(alarm: Alarm) -> None:
    assert not has_rung(alarm)
    for _ in range(3):
        alarm.ring()
        alarm.ring()
        assert has_rung(alarm)
        alarm.quiet()
        assert not has_rung(alarm)


def test_one_that_is_closed_says_so_and_harms_nobody(alarm: Alarm) -> None:
    alarm.close()
    alarm.close()
    with pytest.raises(OSError, match="Bad file descriptor"):
        alarm.ring()


def test_commands_that_the_program_starts_do_not_get_it(alarm: Alarm) -> None:
    assert not os.get_inheritable(alarm.fileno())
