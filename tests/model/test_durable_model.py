"""The ledger with a journal: what was accepted has one outcome, whatever dies and whoever comes back."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import pytest

from concurrent.scheduling.ledger import (
    claims,
    drains,
    joblife,
    lifetimes,
    places,
    records,
    restoring,
    returning,
)
from concurrent.scheduling.ledger.events import JobHeld, JobNoted, SessionAttached
from concurrent.scheduling.ledger.keptoutbox import KeptOutbox
from tests.model.walk import Walk

STEPS: Final = 170
WALKS: Final = 100
"""So many walks go well; among three times as many each defect is found."""


def _forget(*_args: Any, **_keywords: Any) -> Any:
    """Do nothing."""
    return []


Patch = pytest.MonkeyPatch

DEFECTS: Final[dict[str, Callable[[Patch], None]]] = {
    "deaths are not told again": lambda patch: patch.setattr(restoring.Restoring, "_tried", _forget),
    "a death that is said again counts again": lambda patch: patch.setattr(
        records.TaskRecord, "has_evidence", lambda *_: False
    ),
    "new numbers are not told again": lambda patch: patch.setattr(restoring.Restoring, "_renumbered", _forget),
    "ends are not told again": lambda patch: patch.setattr(restoring.Restoring, "_ended", _forget),
    "what was consumed is not told again": lambda patch: patch.setattr(
        restoring.Restoring, "_consumed", _forget
    ),
    "sessions are not counted": lambda patch: patch.setitem(joblife._TAKE_BY_TYPE, SessionAttached, _forget),
    "holds are not told again": lambda patch: patch.setitem(joblife._TAKE_BY_TYPE, JobHeld, _forget),
    "failures are not told again": lambda patch: patch.setitem(joblife._TAKE_BY_TYPE, JobNoted, _forget),
    "numbers of outcomes begin anew": lambda patch: patch.setattr(KeptOutbox, "told", _forget),
    "nobody waits for slaves after a start": lambda patch: patch.setattr(returning.Returning, "begin", _forget),
    "a slave that is back has nothing": lambda patch: patch.setattr(places.Places, "resume", _forget),
    "tasks are never given out after a start": lambda patch: patch.setattr(
        lifetimes.Lifetimes, "slaves_are_back", _forget
    ),
    "what claims something is not counted when it comes back": lambda patch: patch.setattr(
        claims.Claims, "hold_all", _forget
    ),
    "what has ended goes on to be counted": lambda patch: patch.setattr(claims.Claims, "release", _forget),
    "drains are not told again": lambda patch: patch.setattr(drains.Drains, "told", _forget),
    "a drained slave that is back is given tasks": lambda patch: patch.setattr(
        drains.Drains, "joined", _forget
    ),
    "what begins again keeps its number": lambda patch: patch.setattr(places.Places, "renumber_all", _forget),
    "what was asked back is not given": lambda patch: patch.setattr(KeptOutbox, "recalled", _forget),
}


@pytest.mark.parametrize("seed", range(0, WALKS, 10))
def test_each_accepted_task_has_one_outcome_whatever_dies(seed: int) -> None:
    for one in range(seed, seed + 10):
        Walk(one).go(STEPS)


@pytest.mark.parametrize("defect", DEFECTS)
def test_a_defect_is_found(monkeypatch: pytest.MonkeyPatch, defect: str) -> None:
    DEFECTS[defect](monkeypatch)
    assert any(goes_wrong(seed) for seed in range(3 * WALKS))


def goes_wrong(seed: int) -> bool:
    """Tell whether something is found on a walk that must not be."""
    try:
        Walk(seed).go(STEPS)
    except (AssertionError, KeyError, StopIteration):
        return True
    return False
