"""The states of a node's link to its master, and what may follow what. A pure module."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import Final

__all__ = ["SHOWN", "TRANSITIONS", "LinkEvent", "LinkState"]


class LinkState(Enum):
    """How far a node is on its way into a cluster."""

    AWAY = "away"
    """Nothing is under way; it asks again before long."""
    ASKING = "asking"
    """The master was asked over HTTP where its compute channel is."""
    REGISTERED = "registered"
    """The master has answered; a session is being opened."""
    JOINING = "joining"
    """The session is open; the master was told whose it is."""
    JOINED = "joined"
    """The master knows the session; the node works."""
    LEAVING = "leaving"
    """The node was told to stop while it worked; the session has not ended yet."""
    REFUSED = "refused"
    """The master will never take it in."""
    STOPPED = "stopped"
    """The node was told to stop."""


class LinkEvent(Enum):
    """What can happen to a link."""

    ASK = "asking"
    ANSWER = "an answer"
    AGAIN = "having to ask with more"
    BIND = "binding a session"
    BOUND = "a bound session"
    FAIL = "a failure"
    LOST = "the end of the session"
    REFUSE = "a refusal"
    STOP = "stopping"


TRANSITIONS: Final[Mapping[tuple[LinkState, LinkEvent], LinkState]] = {
    (LinkState.AWAY, LinkEvent.ASK): LinkState.ASKING,
    (LinkState.AWAY, LinkEvent.FAIL): LinkState.AWAY,
    (LinkState.AWAY, LinkEvent.LOST): LinkState.AWAY,
    (LinkState.AWAY, LinkEvent.REFUSE): LinkState.REFUSED,
    (LinkState.AWAY, LinkEvent.STOP): LinkState.STOPPED,
    (LinkState.ASKING, LinkEvent.ANSWER): LinkState.REGISTERED,
    (LinkState.ASKING, LinkEvent.AGAIN): LinkState.AWAY,
    (LinkState.ASKING, LinkEvent.FAIL): LinkState.AWAY,
    (LinkState.ASKING, LinkEvent.LOST): LinkState.ASKING,
    (LinkState.ASKING, LinkEvent.REFUSE): LinkState.REFUSED,
    (LinkState.ASKING, LinkEvent.STOP): LinkState.STOPPED,
    (LinkState.REGISTERED, LinkEvent.BIND): LinkState.JOINING,
    (LinkState.REGISTERED, LinkEvent.FAIL): LinkState.AWAY,
    (LinkState.REGISTERED, LinkEvent.LOST): LinkState.AWAY,
    (LinkState.REGISTERED, LinkEvent.STOP): LinkState.STOPPED,
    (LinkState.JOINING, LinkEvent.BOUND): LinkState.JOINED,
    (LinkState.JOINING, LinkEvent.FAIL): LinkState.AWAY,
    (LinkState.JOINING, LinkEvent.LOST): LinkState.AWAY,
    (LinkState.JOINING, LinkEvent.REFUSE): LinkState.REFUSED,
    (LinkState.JOINING, LinkEvent.STOP): LinkState.STOPPED,
    (LinkState.JOINED, LinkEvent.LOST): LinkState.AWAY,
    (LinkState.JOINED, LinkEvent.STOP): LinkState.LEAVING,
    (LinkState.LEAVING, LinkEvent.LOST): LinkState.STOPPED,
    (LinkState.LEAVING, LinkEvent.STOP): LinkState.LEAVING,
    (LinkState.REFUSED, LinkEvent.LOST): LinkState.REFUSED,
    (LinkState.REFUSED, LinkEvent.STOP): LinkState.REFUSED,
    (LinkState.STOPPED, LinkEvent.LOST): LinkState.STOPPED,
    (LinkState.STOPPED, LinkEvent.STOP): LinkState.STOPPED,
}

SHOWN: Final[Mapping[LinkState, str]] = {
    LinkState.AWAY: "not registered",
    LinkState.ASKING: "not registered",
    LinkState.REGISTERED: "registered",
    LinkState.JOINING: "registered",
    LinkState.JOINED: "joined",
    LinkState.LEAVING: "joined",
    LinkState.REFUSED: "refused",
    LinkState.STOPPED: "not registered",
}
"""What the status of a node says of its link."""
