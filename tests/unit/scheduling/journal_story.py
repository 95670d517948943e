"""Events by chance, as a ledger could record them; and a program that keeps such in a journal, to be killed."""

from __future__ import annotations

import os
import random
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from concurrent.scheduling.ledger import recorded
from concurrent.scheduling.ledger.recorded import OwnerLeft, Recordable
from concurrent.scheduling.tasks.terms import Terms
from tests.unit.scheduling.journal_parts import OpenJournal, joined, submitted

__all__ = ["Story", "turns_of"]

UNCOMMITTED_MAX = 5


class Story:
    """Makes events that a ledger could record, by chance.

    :param keep: takes the events of one turn.
    """

    def __init__(self, chance: random.Random, keep: Callable[..., object]) -> None:
        self._chance = chance
        self._keep = keep
        self._next_owner = 1
        self._next_number = 1
        self._jobs: dict[int, dict[str, Any]] = {}

    def step(self) -> None:
        """Have something happen."""
        if not self._jobs or self._chance.random() < 0.05:
            self._join()
            return
        owner = self._chance.choice(list(self._jobs))
        job = self._jobs[owner]
        do = self._chance.choices(
            (self._submit, self._end, self._consume, self._try, self._renumber, self._note, self._leave),
            (6, 9, 5, 1, 1, 1, 0.3),
        )[0]
        do(owner, job)

    def _join(self) -> None:
        owner, self._next_owner = self._next_owner, self._next_owner + 1
        keep_s, keeps = self._chance.choice(((0.0, False), (60.0, False), (60.0, True)))
        self._jobs[owner] = {"next": 1, "open": [], "ended": 0, "consumed": 0, "counts": [0, 0, 0]}
        self._keep(joined(owner, keep_s=keep_s, keeps_results=keeps))

    def _number(self, count: int) -> int:
        number, self._next_number = self._next_number, self._next_number + count
        return number

    def _payload(self) -> bytes:
        return self._chance.randbytes(self._chance.choice((0, 3, 40, 40, 300, 70_000)))

    def _submit(self, owner: int, job: dict[str, Any]) -> None:
        first = job["next"] + self._chance.choice((0, 0, 0, 5))
        count = self._chance.choice((1, 3, 20))
        event = submitted(first, *(self._payload() for _ in range(count)), owner=owner)
        event.first_number = self._number(count)
        if count > 2:
            event = replace(event, changes=((1, Terms(priority=3)), (2, Terms(name="f"))))
        job["open"] += range(first, first + count)
        job["next"] = first + count
        self._keep(event)

    def _end(self, owner: int, job: dict[str, Any]) -> None:
        self._chance.shuffle(job["open"])
        count = min(len(job["open"]), self._chance.choice((1, 2, 15)))
        ids, job["open"] = job["open"][:count], job["open"][count:]
        if not ids:
            return
        statuses = [self._chance.choice((0, 0, 1, 2, 3)) for _ in ids]
        for status in statuses:
            job["counts"][0 if status == 0 else 2 if status == 3 else 1] += 1
        payloads = [self._payload() for _ in ids]
        self._keep(recorded.TasksEnded(owner, ids, statuses, payloads, job["ended"] + 1))
        job["ended"] += count

    def _consume(self, owner: int, job: dict[str, Any]) -> None:
        up_to = self._chance.randint(job["consumed"], job["ended"])
        job["consumed"] = up_to
        self._keep(recorded.OutcomesConsumed(owner, up_to, job["next"], *job["counts"]))

    def _try(self, owner: int, job: dict[str, Any]) -> None:
        if ids := job["open"][:2]:
            self._keep(recorded.TasksTried(owner, ids, [b"it died"] * len(ids)))

    def _renumber(self, owner: int, job: dict[str, Any]) -> None:
        if ids := job["open"][:3]:
            self._keep(recorded.TasksRenumbered(owner, ids, self._number(len(ids))))

    def _note(self, owner: int, job: dict[str, Any]) -> None:
        self._keep(
            recorded.JobNoted(owner, self._chance.random(), [("f", "E", 1, "text")]),
            recorded.SessionAttached(owner, self._chance.randrange(9)),
            self._chance.choice((recorded.JobHeld, recorded.JobReleased))(owner, "why"),
            recorded.SystemLosses(owner, [(1.5, "killed", True)] * self._chance.randrange(3)),
            recorded.TasksNamed(owner, job["next"], ["key"]),
            recorded.CodeDefined(owner, 0, self._payload()),
        )

    def _leave(self, owner: int, _job: dict[str, Any]) -> None:
        del self._jobs[owner]
        self._keep(OwnerLeft(owner))


def turns_of(seed: int, count: int) -> list[tuple[Recordable, ...]]:
    """Return the turns of a story."""
    turns: list[tuple[Recordable, ...]] = []
    story = Story(random.Random(seed), lambda *events: turns.append(events))
    while len(turns) < count:
        story.step()
    return turns


def main(folder: Path, seed: int, count: int) -> None:
    """Keep a story in a journal, and write a byte for each turn that was acknowledged."""
    with OpenJournal(folder) as journal:
        told = 0
        for turn in turns_of(seed, count):
            for event in turn:
                journal.journal.append(event)
            journal.wait_for(journal.journal.commit() - UNCOMMITTED_MAX)
            os.write(1, b"." * (journal.committed - told))
            told = journal.committed


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
