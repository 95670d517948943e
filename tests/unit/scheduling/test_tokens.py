"""The rights to start tasks: each is used by the worker or taken back, never both."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from concurrent.scheduling.slave import tokens as module
from concurrent.scheduling.slave.tokens import Tokens


@pytest.fixture
def tokens() -> Iterator[Tokens]:
    made = Tokens()
    yield made
    made.close()
    made.its_end.close()


def test_what_the_worker_has_not_used_can_be_taken_back(tokens: Tokens) -> None:
    tokens.give(5)
    assert tokens.its_end.recv(2) == bytes(2)
    assert tokens.unused_count() == 3
    assert tokens.take_back() == 3
    assert tokens.unused_count() == 0
    assert tokens.take_back() == 0


def test_what_is_given_after_that_is_of_another_generation(tokens: Tokens) -> None:
    tokens.give(1)
    assert tokens.take_back() == 1
    assert tokens.generation == 1
    tokens.give(2)
    assert tokens.its_end.recv(9) == b"\1\1"
    assert tokens.take_back() == 0
    assert tokens.generation == 1


def test_tasks_are_taken_back_only_so_often_between_results(
    tokens: Tokens, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "TAKEN_BACK_MAX", 3)
    for _ in range(3):
        tokens.give(1)
        assert tokens.take_back() == 1
    tokens.give(1)
    assert not tokens.can_take_back
    assert tokens.take_back() == 0
    tokens.note_results()
    assert tokens.take_back() == 1


def test_generations_begin_again_after_the_last_one(tokens: Tokens) -> None:
    for _ in range(module.GENERATIONS):
        tokens.give(1)
        assert tokens.take_back() == 1
        tokens.note_results()
    assert tokens.generation == 0


def test_what_finds_no_room_is_given_with_later_results_or_taken_back(tokens: Tokens) -> None:
    count = 10_000_000
    tokens.give(count)
    used = len(tokens.its_end.recv(1_000_000))
    tokens.note_results()
    assert 0 < used < count
    assert tokens.take_rest() <= count - used


def test_what_a_dead_worker_did_not_use_is_known(tokens: Tokens) -> None:
    tokens.give(3)
    tokens.its_end.recv(1)
    tokens.its_end.close()
    assert tokens.take_rest() == 2
    tokens.give(1)  # does no harm


def test_the_worker_hears_that_it_may_end_behind_what_it_may_start(tokens: Tokens) -> None:
    tokens.give(1)
    tokens.finish()
    assert tokens.its_end.recv(9) == b"\0"
    assert tokens.its_end.recv(9) == b""
