"""The ways of a node into a cluster and out of it, as the table of its link has them."""

from __future__ import annotations

import pytest

from concurrent.apps.linkstates import SHOWN, TRANSITIONS, LinkEvent, LinkState
from concurrent.core.machine import Machine

ASK, ANSWER, AGAIN, BIND, BOUND, FAIL, LOST, REFUSE, STOP = LinkEvent
JOIN = [ASK, ANSWER, BIND, BOUND]


def after(*events: LinkEvent) -> LinkState:
    link = Machine("the link", TRANSITIONS, LinkState.AWAY)
    for event in events:
        link.undergo(event)
    return link.state


@pytest.mark.parametrize(
    ("events", "shown"),
    [
        ([], "not registered"),
        ([ASK], "not registered"),
        ([ASK, ANSWER], "registered"),
        ([ASK, ANSWER, BIND], "registered"),
        (JOIN, "joined"),
        ([*JOIN, LOST], "not registered"),
        ([*JOIN, LOST, *JOIN], "joined"),
        ([ASK, FAIL, ASK], "not registered"),
        ([ASK, AGAIN, *JOIN], "joined"),
        ([ASK, ANSWER, LOST], "not registered"),
        ([ASK, ANSWER, BIND, FAIL, LOST], "not registered"),
        ([ASK, REFUSE], "refused"),
        ([ASK, FAIL, REFUSE, STOP], "refused"),
        ([*JOIN, STOP], "joined"),
        ([*JOIN, STOP, LOST], "not registered"),
    ],
)
def test_people_are_told_how_far_it_is(events: list[LinkEvent], shown: str) -> None:
    assert SHOWN[after(*events)] == shown


@pytest.mark.parametrize("state", LinkState)
def test_a_node_can_be_told_to_stop_whatever_it_does_and_then_never_asks(state: LinkState) -> None:
    stopped = TRANSITIONS[state, STOP]
    assert TRANSITIONS[stopped, LOST] in (LinkState.STOPPED, LinkState.REFUSED)
    assert (stopped, ASK) not in TRANSITIONS


@pytest.mark.parametrize("events", [[ASK, ASK], [ASK, BIND], [*JOIN, BOUND], [*JOIN, FAIL], [ASK, REFUSE, ASK]])
def test_nothing_is_done_twice_or_too_early(events: list[LinkEvent]) -> None:
    with pytest.raises(AssertionError, match="cannot happen"):
        after(*events)
