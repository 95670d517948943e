"""Which rows of a journal go: telling the rest again gives the same jobs, whatever happened in which order."""

from __future__ import annotations

import random
from copy import deepcopy
from dataclasses import fields
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from concurrent.scheduling.ledger import recorded
from concurrent.scheduling.ledger.ledger import Ledger
from concurrent.scheduling.ledger.recorded import OwnerLeft, Recordable, SlaveJoined, SlaveLost
from concurrent.scheduling.store.journal.live import Live
from concurrent.scheduling.store.journal.records import Told, cut, decode, encode
from tests.unit.scheduling.journal_fold import folded
from tests.unit.scheduling.journal_parts import consumed, ended, joined, submitted
from tests.unit.scheduling.journal_story import Story


class Rows:
    """Rows in a dict, with what they are wanted for; ``told`` is what was appended to it."""

    def __init__(self, unwanted_bytes_max: int = 1 << 20) -> None:
        self.events: list[Recordable] = []
        self.bodies: dict[int, bytes] = {}
        self.payloads: dict[int, bytes] = {}
        self.live = Live(unwanted_bytes_max)
        self._unwanted_bytes_max = unwanted_bytes_max
        self._seq = 0
        self._number = 0

    def keep(self, *events: Recordable) -> None:
        """Append events as one transaction."""
        for event in events:
            self.events.append(event)
            self._seq += 1
            body, numbers = encode(self._seq, event, self._refer)
            self.bodies[self._seq] = body
            self.live.note(self._seq, len(body), Told([event], None, numbers))
        changes = self.live.changes()
        for seq, states in changes.cuts:
            left = cut(seq, self.bodies[seq], states)
            assert left is not None
            self.bodies[seq] = left
        for seq in changes.rows:
            del self.bodies[seq]
        for number in changes.payloads:
            self.payloads.pop(number, None)

    def replayed(self) -> list[Recordable]:
        """Return what the rows are told as."""
        return [event for seq, told in self.rows() for event in told.events]

    def reopen(self) -> None:
        """Forget all but the rows."""
        self.live = Live(self._unwanted_bytes_max)
        for seq, told in self.rows():
            self.live.note(seq, len(self.bodies[seq]), told)

    def rows(self) -> list[tuple[int, Told]]:
        """Return the rows and what each is told as."""
        return [(seq, decode(seq, self.bodies[seq], self._recall)) for seq in sorted(self.bodies)]

    def _refer(self, payload: Any) -> int:
        self._number += 1
        self.payloads[self._number] = bytes(payload)
        return self._number

    def _recall(self, number: int, size_bytes: int) -> bytes:
        return self.payloads.get(number, b"gone")  # as of a task that has ended


@given(st.integers(), st.sampled_from([0, 2000, 1 << 20]))
@settings(max_examples=60, deadline=None)
def test_telling_what_is_left_gives_the_same_jobs(seed: int, unwanted_bytes_max: int) -> None:
    chance = random.Random(seed)
    rows = Rows(unwanted_bytes_max)
    story = Story(chance, rows.keep)
    for _ in range(60):
        story.step()
        if chance.random() < 0.05:
            rows.reopen()
    told = folded(rows.replayed())
    wanted = folded(rows.events)
    assert told == wanted


@given(st.integers(), st.sampled_from([0, 2000]))
@settings(max_examples=20, deadline=None)
def test_a_ledger_that_is_told_what_is_left_is_as_one_that_is_told_all(seed: int, unwanted_max: int) -> None:
    rows = Rows(unwanted_max)
    story = Story(random.Random(seed), rows.keep)
    for _ in range(60):
        story.step()
    assert restored(rows.replayed()) == restored(rows.events)


def restored(events: list[Recordable]) -> Any:
    """Return what a ledger knows of its jobs and their open tasks."""
    ledger = Ledger(is_recorded=True)
    ledger.restore(deepcopy(events))
    tasks = [
        (task.number, task.owner.owner, task.client_id, task.payload, task.terms, task.evidence)
        for task in ledger.task_by_number.values()
    ]
    jobs = [
        (
            owner,
            job.next_id,
            vars_of(job.counts),
            job.number_by_id,
            job.outbox.consumed_to,
            job.outbox.waiting_count,
            job.queued_count,
        )
        for owner, job in ledger.jobs.by_number.items()
    ]
    return sorted(tasks), jobs, ledger.budget.open_bytes, ledger.queue.count


def vars_of(one: Any) -> dict[str, Any]:
    """Return the values of a plain object."""
    return {field.name: getattr(one, field.name) for field in fields(one)}


def test_what_a_row_takes_is_bounded_by_what_is_wanted() -> None:
    rows = Rows(4000)
    rows.keep(joined())
    for turn in range(300):
        first = 1 + 100 * turn
        rows.keep(submitted(first, *[bytes(50)] * 100))
        ids = [task_id for task_id in range(first, first + 100) if task_id != 1]
        rows.keep(ended(first if turn == 0 else first - 1, *ids))
        rows.keep(consumed(first + 98))
        size_bytes = sum(map(len, rows.bodies.values()))
        assert size_bytes <= 2 * rows.live.wanted_bytes + 4000 + 12_000
    told = folded(rows.replayed())
    assert list(told[1].open) == [1]
    assert len(rows.bodies) < 10


def test_a_finished_journal_is_empty_but_for_the_job() -> None:
    rows = Rows()
    rows.keep(joined(), submitted(1, b"a", b"b"), submitted(3, b"c"))
    rows.keep(ended(1, 3, 1), ended(3, 2))
    rows.keep(consumed(3))
    assert [type(event) for event in rows.replayed()] == [recorded.OwnerJoined, recorded.OutcomesConsumed]


def test_an_end_stays_while_the_row_with_its_task_stays() -> None:
    rows = Rows()
    rows.keep(joined(), submitted(1, b"a", b"b"))
    rows.keep(ended(1, 1))
    rows.keep(consumed(1))
    assert list(folded(rows.replayed())[1].open) == [2]


def test_the_payload_of_a_job_that_is_kept_stays_until_its_outcome_was_consumed() -> None:
    large = bytes(70_000)
    for keep_s, left in ((0.0, 0), (60.0, 1)):
        rows = Rows()
        rows.keep(joined(keep_s=keep_s), submitted(1, large))
        rows.keep(ended(1, 1))
        assert len(rows.payloads) == left
        rows.keep(consumed(1))
        assert not rows.payloads


def test_results_that_are_kept_stay_until_the_owner_has_left() -> None:
    rows = Rows()
    rows.keep(joined(keep_s=60.0, keeps_results=True), submitted(1, b"a"), ended(1, 1))
    rows.keep(consumed(1))
    assert folded(rows.replayed())[1].outcomes == {1: (1, 0, b"result")}
    rows.keep(OwnerLeft(1))
    assert not rows.bodies


def test_a_job_with_many_rows_leaves_in_parts_and_is_not_told_meanwhile() -> None:
    rows = Rows()
    rows.keep(joined(), *(submitted(number, b"a") for number in range(1, 5000)))
    rows.keep(OwnerLeft(1))
    left = [len(rows.bodies)]
    assert left[0] > 1000
    while rows.bodies:
        rows.keep()
        left.append(len(rows.bodies))
    assert left == sorted(left, reverse=True)


def test_slaves_are_known_by_name_until_they_are_lost() -> None:
    rows = Rows()
    rows.keep(SlaveJoined(1, "one", 2, 4, returns=True))
    rows.keep(SlaveJoined(2, "one", 2, 4, returns=True))
    assert rows.replayed() == [SlaveJoined(2, "one", 2, 4, returns=True)]
    rows.keep(SlaveLost(2, "closed"))
    assert not rows.bodies
