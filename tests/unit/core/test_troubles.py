"""Troubles are told apart by kind, and there is a bound to what is kept and said."""

from concurrent.core.troubles import KINDS_MAX, Trouble, Troubles


def test_a_kind_is_said_at_each_power_of_ten_and_counted_in_between(caplog) -> None:
    troubles = Troubles()
    heard = []
    troubles.listener = lambda trouble: heard.append(trouble.count)
    for _ in range(250):
        troubles.note("a.A", "rate", ValueError("a bug"), action="it comes last")
    assert heard == [1, 10, 100]
    assert len(caplog.records) == 3
    assert troubles.status() == (
        Trouble("a.A", "rate", "raised ValueError: a bug", "it comes last", count=250),
    )


def test_more_kinds_than_are_told_apart_count_as_one(caplog) -> None:
    troubles = Troubles()
    for number in range(10 * KINDS_MAX):
        troubles.note("a.A", "rate", f"problem {number}", action="nothing")
    snapshot = troubles.status()
    assert len(snapshot) == KINDS_MAX + 1
    assert sum(one.count for one in snapshot) == 10 * KINDS_MAX
    assert len(caplog.records) < 2 * KINDS_MAX


def test_a_long_problem_is_cut() -> None:
    troubles = Troubles()
    troubles.note("a.A", "rate", "x" * 100_000, action="nothing")
    assert len(troubles.status()[0].problem) < 1000
