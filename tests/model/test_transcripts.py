"""The ledger answers what the transcripts say."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.model.transcript import FOLDER, answered


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.txt")), ids=lambda path: path.stem)
def test_a_ledger_goes_the_way_of_a_transcript(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert answered(text) == text


def test_another_answer_is_found() -> None:
    asked = "OwnerJoined owner=1 name=app job=mine"
    assert answered(f"{asked}\n----\nDeliver owner=1\n") == f"{asked}\n----\nRecord what=({asked})\n"
