"""How long a node looks for its master, and what it says of that."""

from __future__ import annotations

import pytest

from concurrent.apps import search as search_module
from concurrent.apps.search import Search
from concurrent.core.errors import (
    CallTimeout,
    ConcurrentError,
    ConnectionLost,
    MalformedMessage,
    TransportError,
    UnknownHost,
    UnknownMethod,
    WrongServer,
)

DAY_S = 86_400


def outcome(error: ConcurrentError, *, has_joined: bool = False) -> tuple[list[str], float | None]:
    """Fail once a second for a day; return what was said, and after how long the search was given up."""
    search = Search("there:8750")
    if has_joined:
        search.joined()
    said = []
    for second in range(DAY_S):
        line, end = search.failed("cannot register", error, 100.0 + second)
        if end is not None:
            assert "cannot register" in str(end)
            return said, second
        if line is not None:
            said.append(line)
    return said, None


@pytest.mark.parametrize(
    "error",
    [ConnectionLost("refused"), CallTimeout("silence"), TransportError("502"), ConcurrentError("a plug-in")],
)
def test_a_master_that_may_still_come_is_waited_for_and_that_is_said(
    error: ConcurrentError,
) -> None:
    said, gave_up_after = outcome(error)
    assert gave_up_after is None
    assert said[0] == "cannot register; trying again"
    assert said[1] == "still waiting for the master at there:8750, for 30 s: cannot register"
    assert 100 < len(said) < 200


@pytest.mark.parametrize(
    ("error", "bound_s"),
    [
        (WrongServer("a web server"), search_module.WRONG_S),
        (MalformedMessage("no JSON"), search_module.WRONG_S),
        (UnknownMethod("a slave"), search_module.WRONG_S),
        (UnknownHost("nowhere"), search_module.UNKNOWN_S),
    ],
)
def test_what_can_never_be_a_master_is_given_up_unless_there_was_one(
    error: ConcurrentError, bound_s: float
) -> None:
    assert outcome(error)[1] == bound_s
    assert outcome(error, has_joined=True)[1] is None


def test_the_bound_begins_anew_when_something_else_goes_wrong() -> None:
    search = Search("there:8750")
    assert search.failed("wrong", WrongServer("x"), 0.0).end is None
    assert search.failed("refused", ConnectionLost("x"), 4.0).end is None
    assert search.failed("wrong", WrongServer("x"), 8.0).end is None
    assert search.failed("wrong", WrongServer("x"), 13.0).end is not None


def test_what_changes_all_the_time_is_not_said_all_the_time() -> None:
    search = Search("there:8750")
    lines = [search.failed(f"problem {n % 2}", ConnectionLost("x"), n * 0.1).line for n in range(100)]
    assert len([line for line in lines if line]) <= 3
    search.joined()
    assert search.problem == ""
