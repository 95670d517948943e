"""Lanes of the ledger: which tasks wait together, which lane is first, and what a scheduler may take."""

from __future__ import annotations

from random import Random

import pytest

from concurrent.scheduling import Ledger, Terms
from concurrent.scheduling.events import (
    Accept,
    CancelRequested,
    Command,
    OwnerJoined,
    Push,
    Send,
    SlaveJoined,
    SlaveLost,
    TasksSubmitted,
)
from concurrent.scheduling.ledger.lanes import LaneGroup
from concurrent.scheduling.tasks.claim import Claim


@pytest.fixture
def ledger() -> Ledger:
    ledger = Ledger(batch_max=4)
    for owner in (1, 2):
        ledger.apply(OwnerJoined(owner, f"owner {owner}"))
    ledger.apply(SlaveJoined(1, "slave", workers=2, window=100))
    return ledger


def push(ledger: Ledger, *names: str, owner: int = 1, priority: int = 0) -> None:
    """Push one task of each name."""
    for name in names:
        terms = Terms(name=name, priority=priority)
        ledger.apply(TasksSubmitted(owner, ledger.owners[owner].next_id, [b""], terms))


def lanes(ledger: Ledger) -> list[tuple[int, str, int]]:
    """Return the owner, the name and the number of tasks of each lane that has any."""
    return [(lane.owner.owner, lane.terms.name, lane.count) for lane in ledger.lanes]


def numbers(commands: list[Command]) -> list[list[int]]:
    return [command.numbers for command in commands if isinstance(command, (Send, Push))]


def test_tasks_with_equal_terms_share_a_lane_and_the_oldest_task_is_first(ledger: Ledger) -> None:
    push(ledger, "a", "b", "a", "b", "c")
    assert lanes(ledger) == [(1, "a", 2), (1, "b", 2), (1, "c", 1)]
    assert numbers(ledger.assign(1, 3)) == [[1, 3], [2]]
    assert lanes(ledger) == [(1, "b", 1), (1, "c", 1)]
    push(ledger, "a")
    assert numbers(ledger.assign(1, 9)) == [[4], [5], [6]]
    assert lanes(ledger) == []
    assert ledger.next_lane is None


def test_of_the_lanes_of_one_owner_the_highest_priority_is_first(ledger: Ledger) -> None:
    push(ledger, "a", "b")
    push(ledger, "a", priority=-1)
    push(ledger, "c", "c", priority=5)
    push(ledger, "a")
    assert lanes(ledger) == [(1, "c", 2), (1, "a", 2), (1, "b", 1), (1, "a", 1)]
    assert numbers(ledger.assign(1, 4)) == [[4, 5], [1, 6]]
    push(ledger, "d", priority=100)
    assert numbers(ledger.assign(1, 9)) == [[7], [2], [3]]


def test_a_priority_is_nothing_to_other_owners(ledger: Ledger) -> None:
    push(ledger, "a", "b")
    push(ledger, *"c" * 6, owner=2, priority=100)
    owners = [command.owner for command in ledger.assign(1, 9) if isinstance(command, Send)]
    assert owners == [1, 2, 1, 2]


def test_tasks_that_came_at_once_go_each_into_its_lane(ledger: Ledger) -> None:
    a, b = Terms(name="a"), Terms(name="b")
    event = TasksSubmitted(1, 5, [b"1", b"2", b"3", b"4"], a, [(1, b), (3, a)])
    assert ledger.apply(event) == [Accept(1, 8)]
    assert lanes(ledger) == [(1, "a", 2), (1, "b", 2)]
    assert ledger.owners[1].number_by_id == {5: 1, 6: 2, 7: 3, 8: 4}
    sends = [command for command in ledger.assign(1, 4) if isinstance(command, Send)]
    assert [(send.numbers, send.payloads) for send in sends] == [([1, 4], [b"1", b"4"]), ([2, 3], [b"2", b"3"])]


def test_owners_take_turns_however_many_lanes_they_have(ledger: Ledger) -> None:
    push(ledger, "a", "b", "c", "d")
    push(ledger, "a", "b", owner=2)
    owners = [command.owner for command in ledger.assign(1, 9) if isinstance(command, Send)]
    assert owners == [1, 2, 1, 2, 1, 1]


def test_a_scheduler_may_take_from_any_lane(ledger: Ledger) -> None:
    push(ledger, "a", *"b" * 6)
    _, lane = ledger.lanes
    assert numbers(ledger.assign(1, 5, lane)) == [[2, 3, 4, 5], [6]]
    assert numbers(ledger.offer(5, lane)) == [[7]]
    assert numbers(ledger.assign(1, 5, lane)) == []
    assert lanes(ledger) == [(1, "a", 1)]


def test_what_comes_back_is_at_the_front_of_its_lane(ledger: Ledger) -> None:
    push(ledger, "a", "b", "a", "b")
    ledger.assign(1, 4)
    push(ledger, "b", "a")
    ledger.apply(SlaveLost(1, "gone"))
    ledger.apply(SlaveJoined(2, "other", workers=2, window=100))
    assert lanes(ledger) == [(1, "a", 3), (1, "b", 3)]
    assert numbers(ledger.assign(2, 9)) == [[1, 3, 6], [2, 4, 5]]


def test_cancelled_tasks_count_nowhere_and_hold_nobody_up(ledger: Ledger) -> None:
    push(ledger, "a", "b", "a")
    ledger.apply(CancelRequested(1, [0, 1]))
    assert lanes(ledger) == [(1, "a", 1)]
    push(ledger, "b")
    assert numbers(ledger.assign(1, 9)) == [[3], [4]]


def test_names_without_end_take_no_memory_without_end(ledger: Ledger) -> None:
    for number in range(500):
        push(ledger, str(number))
        ledger.assign(1, 1)
    assert len(ledger.owners[1].lanes._lane_by_terms) < 100


def test_tasks_of_many_names_come_back_and_can_be_cancelled(ledger: Ledger) -> None:
    push(ledger, *map(str, range(100)), *map(str, range(100)))
    ledger.assign(1, 200)
    push(ledger, "new")  # the lanes of the others are forgotten
    ledger.assign(1, 1)
    ledger.apply(CancelRequested(1, [200]))
    ledger.apply(SlaveLost(1, "gone"))
    assert len(lanes(ledger)) == 100
    assert {count for _, _, count in lanes(ledger)} == {2}
    ledger.apply(CancelRequested(1, list(range(150))))
    assert lanes(ledger) == [(1, str(name), 1) for name in range(50, 100)]


def test_the_first_lane_is_the_highest_and_oldest_whatever_happens(ledger: Ledger) -> None:
    random = Random(7)
    slave = 1
    for step in range(3000):
        if random.random() < 0.55:
            owner, priority = random.choice((1, 2)), random.choice((-1, 0, 0, 3))
            push(ledger, random.choice("abcde"), owner=owner, priority=priority)
        elif ledger.lanes:
            lane = random.choice([*ledger.lanes, ledger.next_lane])
            ledger.assign(slave, random.randrange(1, 4), lane)
        if step % 100 == 99:
            ledger.apply(SlaveLost(slave, "gone"))
            slave = step
            ledger.apply(SlaveJoined(slave, f"slave {step}", workers=2, window=100))
        for owner in (1, 2):
            record = ledger.owners[owner]
            assert sum(lane.count for lane in record.lanes) == record.queued_count
            if record.queued_count:
                first = min(record.lanes, key=lambda one: (-one.terms.priority, one.tasks[0].number))
                assert record.lanes.first() is first


def test_an_owner_of_weight_three_takes_three_turns(ledger: Ledger) -> None:
    ledger.apply(OwnerJoined(3, "heavy", weight=3))
    push(ledger, *"a" * 20)
    push(ledger, *"b" * 60, owner=3)
    owners = [command.owner for command in ledger.assign(1, 32) if isinstance(command, Send)]
    assert sorted(owners) == [1] * 2 + [3] * 6


def test_a_thousand_lanes_cost_their_owner_no_more_than_one_does(ledger: Ledger) -> None:
    claim = Claim.of({"gpu": 1})
    for number in range(1000):
        terms = Terms(name=str(number), resources=claim)
        ledger.apply(TasksSubmitted(1, ledger.owners[1].next_id, [b""], terms))
    (queue,) = ledger.claims.waiting.values()
    (group,) = queue.groups
    assert (group.count, group.first().terms.name) == (1000, "0")


def test_the_next_kind_of_tasks_costs_no_more_where_many_wait(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked_at: list[LaneGroup] = []
    size = LaneGroup.__len__
    monkeypatch.setattr(LaneGroup, "__len__", lambda group: looked_at.append(group) or size(group))
    for number in range(1, 2001):
        terms = Terms(resources=Claim.of({"memory": number << 20}))
        ledger.apply(TasksSubmitted(1, ledger.owners[1].next_id, [b""], terms))
    assert len(ledger.claimed_lanes) == 2000
    assert len(looked_at) < 10 * 2000
