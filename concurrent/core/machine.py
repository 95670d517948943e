"""A state that changes as a table says, and the story that led to it. A pure module."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from enum import Enum
from typing import Final, Generic, TypeVar

__all__ = ["Machine", "next_state"]

STORY_EVENTS: Final = 20
"""So many of the latest events are told in an error."""

State = TypeVar("State", bound=Enum)
Event = TypeVar("Event", bound=Enum)


def next_state(table: Mapping[tuple[State, Event], State], state: State, event: Event, story: object) -> State:
    """Return the state that follows a state and an event.

    :param table: what is missing in it cannot happen.
    :param story: as a text it says whose state that is and what has happened so far, for the error.
    :raises AssertionError: if the event has no place in the table; a mistake of this framework, which is told
        under ``python -O`` too.
    """
    following = table.get((state, event))
    if following is None:
        raise AssertionError(f'{story} is {state.value}, and "{event.value}" cannot happen to it')
    return following


class Machine(Generic[State, Event]):
    """See the module. One thread.

    :param what: whose state it is, for the error.
    :param table: see :func:`next_state`.
    :param state: the first one.
    """

    def __init__(self, what: str, table: Mapping[tuple[State, Event], State], state: State) -> None:
        self.state = state
        self._what = what
        self._table = table
        self._story: deque[str] = deque(maxlen=STORY_EVENTS)

    def __str__(self) -> str:
        return f"{self._what} (so far: {', '.join(self._story) or 'nothing'})"

    def undergo(self, event: Event) -> State:
        """Take the state that follows an event; return the one before.

        :raises AssertionError: see :func:`next_state`.
        """
        before = self.state
        self.state = next_state(self._table, before, event, self)
        self._story.append(event.value)
        return before
