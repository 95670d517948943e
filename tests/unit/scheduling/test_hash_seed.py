"""What hashes of text depend on in a cluster."""

from __future__ import annotations

import pytest

from concurrent.scheduling.processes import interpreter
from concurrent.scheduling.processes.interpreter import new_hash_seed


def test_a_seed_is_left_to_chance_unless_it_shall_last(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(interpreter, "own_hash_seed", lambda: None)
    assert len({new_hash_seed() for _ in range(9)}) > 1
    assert new_hash_seed("/var/lib/journal") == new_hash_seed("/var/lib/journal")
    assert new_hash_seed("/var/lib/journal") != new_hash_seed("/var/lib/other")


def test_the_seed_of_this_process_comes_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(interpreter, "own_hash_seed", lambda: 7)
    assert new_hash_seed() == new_hash_seed("/var/lib/journal") == 7
