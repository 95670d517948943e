"""The states of a session and what may follow what; anything else is an error of ours."""

from __future__ import annotations

import enum
from collections.abc import Iterable
from typing import Final

__all__ = ["TRANSITIONS", "SessionEvent", "SessionState", "next_state"]


class SessionState(enum.Enum):
    """Where a session stands, seen from one end."""

    CONNECTING = "connecting"
    OPEN = "open"
    CUT = "cut"
    CLOSED = "closed"


class SessionEvent(enum.Enum):
    """What can happen to a session."""

    OPENED = "opened"
    CARRIER_LOST = "carrier lost"
    RESUMED = "resumed"
    ENDED = "ended"


TRANSITIONS: Final[dict[tuple[SessionState, SessionEvent], SessionState]] = {
    (SessionState.CONNECTING, SessionEvent.OPENED): SessionState.OPEN,
    (SessionState.CONNECTING, SessionEvent.ENDED): SessionState.CLOSED,
    (SessionState.OPEN, SessionEvent.CARRIER_LOST): SessionState.CUT,
    (SessionState.OPEN, SessionEvent.RESUMED): SessionState.OPEN,
    (SessionState.OPEN, SessionEvent.ENDED): SessionState.CLOSED,
    (SessionState.CUT, SessionEvent.RESUMED): SessionState.OPEN,
    (SessionState.CUT, SessionEvent.ENDED): SessionState.CLOSED,
}


def next_state(state: SessionState, event: SessionEvent, story: Iterable[SessionEvent]) -> SessionState:
    """Return the state that follows.

    :param story: the latest events before this one, for the error.
    :raises AssertionError: if the event has no place in the table; a mistake of this framework,
        which is told under ``python -O`` too.
    """
    following = TRANSITIONS.get((state, event))
    if following is None:
        so_far = ", ".join(each.value for each in story) or "nothing"
        raise AssertionError(
            f"a session that is {state.value} cannot be {event.value}; what happened to it so far: {so_far}"
        )
    return following
