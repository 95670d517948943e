"""A state that changes as a table says, and the story that led to it. A pure module."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from enum import Enum
from typing import Final, Generic, TypeVar

__all__ = ["Machine"]

STORY_EVENTS: Final = 20
"""So many of the latest events are told in an error."""

State = TypeVar("State", bound=Enum)
Event = TypeVar("Event", bound=Enum)


class Machine(Generic[State, Event]):
    """See the module. One thread.

    :param what: whose state it is, for the error.
    :param table: the state that follows a state and an event; what is missing cannot happen.
    :param state: the first one.
    """

    def __init__(self, what: str, table: Mapping[tuple[State, Event], State], state: State) -> None:
        self.state = state
        self._what = what
        self._table = table
        self._story: deque[str] = deque(maxlen=STORY_EVENTS)

    def undergo(self, event: Event) -> State:
        """Take the state that follows an event; return the one before.

        :raises AssertionError: if the event has no place in the table; a mistake of this framework, which is
            told with the story under ``python -O`` too.
        """
        before = self.state
        following = self._table.get((before, event))
        if following is None:
            so_far = ", ".join(self._story) or "nothing"
            raise AssertionError(
                f"{self._what} is {before.value}: {event.value} cannot happen; what happened so far: {so_far}"
            )
        self.state = following
        self._story.append(event.value)
        return before
