"""How many tasks ended in which way, and what is said of that."""

from __future__ import annotations

import pytest

from concurrent.apps.outcometally import OutcomeTally
from concurrent.core.errors import TaskCancelled

CANCELLED = TaskCancelled("the task was cancelled")


@pytest.mark.parametrize(
    ("errors", "said"),
    [
        ((None, None), ""),
        ((None, ValueError(), CANCELLED), "1 of 3 tasks failed, 1 were cancelled"),
        ((ValueError(), None), "1 of 2 tasks failed"),
        ((CANCELLED, CANCELLED, None), "2 of 3 tasks were cancelled"),
    ],
)
def test_what_was_cancelled_has_not_failed(errors: tuple[BaseException | None, ...], said: str) -> None:
    tally = OutcomeTally(ended=len(errors))
    for error in filter(None, errors):
        tally.note(error)
    assert tally.failed == sum(isinstance(error, ValueError) for error in errors)
    assert tally.summary == said
