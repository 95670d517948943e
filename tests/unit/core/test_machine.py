"""A state changes as its table says, and an event without a place in it is told with the story."""

from __future__ import annotations

import subprocess
import sys
from enum import Enum

import pytest

from concurrent.core.machine import STORY_EVENTS, Machine


class Door(Enum):
    OPEN = "open"
    SHUT = "shut"


class Act(Enum):
    PUSH = "a push"
    PULL = "a pull"


TABLE = {(Door.SHUT, Act.PUSH): Door.OPEN, (Door.OPEN, Act.PULL): Door.SHUT}
IMPOSSIBLE = """
from tests.unit.core.test_machine import Act, Door, Machine, TABLE
Machine("the door", TABLE, Door.SHUT).undergo(Act.PULL)
"""


def test_the_state_is_what_the_table_says() -> None:
    door = Machine("the door", TABLE, Door.SHUT)
    assert door.undergo(Act.PUSH) is Door.SHUT
    assert door.state is Door.OPEN
    assert door.undergo(Act.PULL) is Door.OPEN
    assert door.state is Door.SHUT


def test_what_cannot_happen_raises_with_the_story_and_changes_nothing() -> None:
    door = Machine("the door", TABLE, Door.SHUT)
    door.undergo(Act.PUSH)
    with pytest.raises(
        AssertionError, match=r"door \(so far: a push\) is open, and .a push. cannot happen to it$"
    ):
        door.undergo(Act.PUSH)
    assert door.state is Door.OPEN


def test_the_story_is_that_of_the_latest_events() -> None:
    door = Machine("the door", TABLE, Door.SHUT)
    for _ in range(STORY_EVENTS):
        door.undergo(Act.PUSH)
        door.undergo(Act.PULL)
    with pytest.raises(AssertionError) as caught:
        door.undergo(Act.PULL)
    assert str(caught.value).count("a push") + str(caught.value).count("a pull,") <= STORY_EVENTS


def test_it_raises_without_assertions_too() -> None:
    done = subprocess.run([sys.executable, "-O", "-c", IMPOSSIBLE], capture_output=True, text=True, check=False)
    assert 'the door (so far: nothing) is shut, and "a pull" cannot happen to it' in done.stderr
