"""What the thread of an owner's callbacks does while one of its pushes waits for room."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from concurrent.scheduling.owner import inbox as inbox_module
from concurrent.scheduling.owner.inbox import Inbox
from concurrent.scheduling.owner.results import Outcome
from concurrent.scheduling.tasks.outcome import FINISHED


class Owner:
    """An inbox whose callbacks do what a test says, by the name of the item; and what it noted."""

    def __init__(self) -> None:
        self.inbox = Inbox(self._deliver, lambda size, count: self.acknowledged.append((size, count)))
        self.acknowledged: list[tuple[int, int]] = []
        self.done: list[str] = []
        self.callbacks: dict[str, Callable[[], object]] = {}
        self.depth = self.deepest = 0
        self.inbox.begin()

    def come(self, *names: str, size: int = 10) -> None:
        self.inbox.put_outcomes([Outcome(name, FINISHED, bytes(size)) for name in names])

    def push(self, *until_done: str) -> None:
        """Wait for room, which comes when callbacks with these names have run, or at once after what waits."""
        goal = [*until_done]
        self.inbox.put(lambda: None)
        self.inbox.wait(lambda: all(name in self.done for name in goal))

    def keep_until_empty(self) -> None:
        """Wait for room, which comes when nothing new is left."""
        state: list[bool] = []
        self.inbox.put(lambda: state.append(True))
        self.inbox.wait(lambda: bool(state))

    def _deliver(self, outcomes: list[Outcome]) -> None:
        self.depth += 1
        self.deepest = max(self.deepest, self.depth)
        for outcome in outcomes:
            self.callbacks.get(outcome.item, lambda: None)()
            self.done.append(outcome.item)
            if self.inbox.is_exact:
                self.inbox.dealt_with(outcome)
        self.depth -= 1


def test_a_push_outside_of_callbacks_runs_them_and_acknowledges() -> None:
    owner = Owner()
    owner.come("a", "b")
    owner.come("c")
    owner.push("c")
    assert owner.done == ["a", "b", "c"]
    assert owner.acknowledged == [(20, 2), (10, 1)]


def test_a_push_within_a_callback_keeps_what_comes_acknowledged_and_in_order() -> None:
    owner = Owner()
    owner.callbacks["a"] = owner.keep_until_empty
    owner.come("a")
    owner.come("b")
    owner.inbox.put_callback(lambda: owner.done.append("response"))
    owner.come("c")
    owner.inbox.run_next()
    assert owner.done == ["a"]
    assert owner.acknowledged == [(10, 1)] * 3  # also what the callback itself was given
    for _ in range(3):
        owner.inbox.run_next()
    assert owner.done == ["a", "b", "response", "c"]
    assert owner.deepest == 1


def test_very_many_kept_outcomes_are_dealt_with_within_the_push(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inbox_module, "KEPT_BYTES_MAX", 1000)
    owner = Owner()
    owner.callbacks["a"] = lambda: owner.push("d")
    owner.come("a")
    for name in "bcd":
        owner.come(name, size=1000)
    owner.inbox.run_next()
    while not owner.inbox.is_empty():
        owner.inbox.run_next()
    assert sorted(owner.done) == ["a", "b", "c", "d"]
    assert owner.deepest == 2


def test_callbacks_that_all_push_nest_up_to_a_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inbox_module, "KEPT_BYTES_MAX", 0)
    owner = Owner()
    names = [f"task {number}" for number in range(100)]
    for name in names:
        owner.callbacks[name] = owner.keep_until_empty
        owner.come(name)
    while not owner.inbox.is_empty():
        owner.inbox.run_next()
    assert sorted(owner.done) == sorted(names)
    assert 1 < owner.deepest <= inbox_module.NESTED_MAX
    assert sum(count for _, count in owner.acknowledged) == 100


def test_what_a_callback_raises_within_a_push_is_not_taken_for_an_error_of_the_push() -> None:
    owner = Owner()

    def fail() -> None:
        raise ValueError("of a callback")

    owner.callbacks["a"] = fail
    owner.come("a")
    with pytest.raises(SystemExit):
        owner.push("never")
    assert isinstance(owner.inbox.failure, ValueError)
    with pytest.raises(ValueError, match="of a callback"):
        owner.inbox.run_next()


def test_no_push_waits_after_the_end() -> None:
    owner = Owner()
    owner.callbacks["a"] = owner.inbox.end
    owner.come("a")
    with pytest.raises(SystemExit):
        owner.push("never")
    with pytest.raises(SystemExit):
        owner.push("never")


def test_of_a_job_an_outcome_is_acknowledged_when_its_callback_has_run() -> None:
    owner = Owner()
    owner.inbox.is_exact = True
    owner.callbacks["b"] = owner.keep_until_empty
    owner.come("a", "b", "c")
    owner.come("d")
    owner.inbox.run_next()
    assert owner.acknowledged == [(10, 1), (20, 2)]  # the push in b tells of a
    owner.inbox.run_next()
    assert owner.acknowledged == [(10, 1), (20, 2), (10, 1)]
    assert owner.done == ["a", "b", "c", "d"]


def test_of_a_job_no_callback_runs_within_another(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inbox_module, "KEPT_BYTES_MAX", 1000)
    owner = Owner()
    owner.inbox.is_exact = True
    owner.callbacks["a"] = owner.keep_until_empty
    owner.come("a")
    for name in "bcd":
        owner.come(name, size=900)
    for _ in range(4):
        owner.inbox.run_next()
    assert owner.deepest == 1
    assert owner.done == ["a", "b", "c", "d"]


def test_of_a_job_what_was_dealt_with_before_an_error_is_acknowledged_at_the_end() -> None:
    owner = Owner()
    owner.inbox.is_exact = True
    owner.callbacks["b"] = _fail
    owner.come("a", "b", "c")
    with pytest.raises(ZeroDivisionError):
        owner.inbox.run_next()
    assert owner.acknowledged == []
    owner.inbox.acknowledge()
    assert owner.acknowledged == [(10, 1)]


def _fail() -> None:
    raise ZeroDivisionError
