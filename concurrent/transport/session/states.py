"""The states of a session and what may follow what; anything else is an error of ours."""

from __future__ import annotations

import enum
from typing import Final

__all__ = ["TRANSITIONS", "SessionEvent", "SessionState"]


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
