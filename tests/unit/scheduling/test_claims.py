"""Tasks with claims in the ledger: what waits apart, what fits a slave, and what is counted."""

from __future__ import annotations

from typing import Any

import pytest

from concurrent.scheduling import Ledger, Terms
from concurrent.scheduling.events import (
    CancelRequested,
    CancelRun,
    Command,
    OwnerJoined,
    OwnerLeft,
    Send,
    SlaveHolding,
    SlaveJoined,
    SlaveLost,
    TasksDone,
    TasksFailed,
    TasksOffered,
    TasksReturned,
    TasksRunning,
    TasksSubmitted,
    TimePassed,
    WindowChanged,
)
from concurrent.scheduling.ledger.claims import SHORT_COUNT
from concurrent.scheduling.ledger.endingruns import ANSWER_S
from concurrent.scheduling.ledger.offers import Usage, fitting, offers_of
from concurrent.scheduling.tasks.claim import Claim
from concurrent.scheduling.tasks.outcome import CANCELLED, DIED, FINISHED, GRACE_S

GIB = 1 << 30


@pytest.fixture
def ledger() -> Ledger:
    ledger = Ledger(tokens={"database": 2000})
    ledger.apply(OwnerJoined(1, "app"))
    return ledger


def join(ledger: Ledger, slave: int, *, workers: int = 4, window: int = 5, **resources: Any) -> None:
    ledger.apply(SlaveJoined(slave, f"slave {slave}", workers, window, {"resources": resources}))


def push(ledger: Ledger, count: int = 1, *, owner: int = 1, priority: int = 0, **resources: Any) -> None:
    terms = Terms(priority=priority, resources=Claim.of(resources))
    ledger.apply(TasksSubmitted(owner, ledger.owners[owner].next_id, [b""] * count, terms))


def numbers(commands: list[Command]) -> list[list[int]]:
    return [command.numbers for command in commands if isinstance(command, Send)]


def room(ledger: Ledger, slave: int, **resources: Any) -> int:
    return ledger.claims.room(ledger.slaves[slave], Claim.of(resources))


def give(ledger: Ledger, slave: int, count: int, **resources: Any) -> list[list[int]]:
    """Push tasks and assign as many; return what was sent."""
    push(ledger, count, **resources)
    sent: list[list[int]] = []
    for lane in ledger.claimed_lanes:
        sent += numbers(ledger.assign(slave, count, lane))
    return sent


def test_a_slave_offers_a_cpu_for_each_worker_and_what_it_says() -> None:
    said = {"gpu": 2, "memory": 8 * GIB, "licence": 0.5, "cpu": 99}
    assert offers_of(said, 4) == {"cpu": 4000, "gpu": 2000, "memory": 8 * GIB, "licence": 500}


@pytest.mark.parametrize(
    "said", [None, 7, ["gpu"], {"GPU": 1, 3: 1}, {"gpu": -1}, {"gpu": "2"}, {"gpu": 1e999}, {"gpu": 10**400}]
)
def test_what_a_slave_says_that_makes_no_sense_is_no_offer(said: Any) -> None:
    assert offers_of(said, 1) == {"cpu": 1000}


@pytest.mark.parametrize(
    ("amount", "devices", "fits"), [(0.4, 2, 4), (0.5, 2, 4), (0.6, 2, 2), (0.25, 1, 4), (1, 3, 3), (2, 3, 1)]
)
def test_parts_of_devices_do_not_reach_from_one_to_the_next(amount: float, devices: int, fits: int) -> None:
    claim, offers = Claim.of({"gpu": amount}), {"gpu": devices * 1000}
    used = Usage()
    for count in range(fits + 1):
        assert fitting(claim, offers, used) == fits - count
        used.change(claim, 1)


def test_different_claims_on_one_device_count_together() -> None:
    offers, used = {"gpu": 2000}, Usage()
    used.change(Claim.of({"gpu": 0.4}), 2)
    assert fitting(Claim.of({"gpu": 1}), offers, used) == 1
    used.change(Claim.of({"gpu": 0.4}), 1)
    assert fitting(Claim.of({"gpu": 1}), offers, used) == 0
    used.change(Claim.of({"gpu": 0.4}), 1)
    assert fitting(Claim.of({"gpu": 0.2}), offers, used) == 2


def test_tasks_with_a_claim_wait_apart(ledger: Ledger) -> None:
    join(ledger, 1, gpu=1)
    push(ledger, 2)
    push(ledger, 3, gpu=1)
    assert (ledger.queued_count, ledger.status().queued, ledger.owners[1].queued_count) == (2, 5, 5)
    assert [lane.count for lane in ledger.lanes] == [2]
    assert [(lane.count, str(lane.claim)) for lane in ledger.claimed_lanes] == [(3, "gpu=1")]
    assert numbers(ledger.assign(1, 9)) == [[1, 2]]
    assert ledger.held_total == 2


def test_a_slave_is_given_no_more_than_it_has(ledger: Ledger) -> None:
    join(ledger, 1, gpu=2, memory=8 * GIB)
    assert room(ledger, 1, gpu=1) == 2
    assert give(ledger, 1, 5, gpu=1) == [[1, 2]]
    assert (room(ledger, 1, gpu=1), room(ledger, 1, memory="3GiB"), room(ledger, 1, cpu=2)) == (0, 2, 1)
    assert (room(ledger, 1, gpu=1, memory="1GiB"), room(ledger, 1, licence=1)) == (0, 0)


def test_a_slave_of_short_tasks_is_sent_as_many_times_what_it_runs_as_of_others(ledger: Ledger) -> None:
    join(ledger, 1, workers=4, window=40, gpu=1)
    assert room(ledger, 1, gpu=1) == 1, "nobody knows yet how long they are"
    ledger.apply(TasksDone(1, [], [], [], 0.01))
    assert (room(ledger, 1, gpu=1), room(ledger, 1, gpu=0.5), room(ledger, 1, cpu=4)) == (10, 20, 10)
    ledger.apply(WindowChanged(1, 5))
    assert (room(ledger, 1, gpu=1), room(ledger, 1, gpu=0.5), room(ledger, 1, cpu=4)) == (1, 2, 1)
    ledger.apply(WindowChanged(1, 0))
    assert (room(ledger, 1, gpu=1), room(ledger, 1, cpu=1)) == (0, 0)


def test_a_slave_of_short_tasks_is_not_sent_what_it_could_never_meet(ledger: Ledger) -> None:
    join(ledger, 1, workers=4, window=400, gpu=2, memory=4 * GIB)
    ledger.apply(TasksDone(1, [], [], [], 0.01))
    assert (room(ledger, 1, gpu=3), room(ledger, 1, memory="5GiB"), room(ledger, 1, cpu=5)) == (0, 0, 0)
    assert (room(ledger, 1, gpu=2), room(ledger, 1, memory="3GiB"), room(ledger, 1, cpu=3)) == (100, 100, 100)


def test_tasks_without_a_claim_keep_nobody_from_a_device(ledger: Ledger) -> None:
    join(ledger, 1, gpu=1)
    push(ledger, 5)
    ledger.assign(1, 5)
    assert ledger.slaves[1].room == 0
    assert give(ledger, 1, 1, gpu=1) == [[6]]


def test_whatever_ends_a_task_frees_what_it_claimed(ledger: Ledger) -> None:
    join(ledger, 1, gpu=4)
    assert give(ledger, 1, 4, gpu=1) == [[1, 2, 3, 4]]
    ledger.apply(TasksDone(1, [1], [FINISHED], [b""]))
    assert room(ledger, 1, gpu=1) == 1
    ledger.apply(TasksReturned(1, [2]))
    assert room(ledger, 1, gpu=1) == 2
    ledger.apply(CancelRequested(1, [2]))
    ledger.apply(OwnerLeft(1))
    ledger.apply(TasksDone(1, [3, 4], [CANCELLED, FINISHED], [b"", b""]))
    assert room(ledger, 1, gpu=1) == 4
    assert ledger.slaves[1].claimed.count_by_claim == {}
    assert (ledger.slaves[1].claimed.places, ledger.slaves[1].claimed.units_by_name) == (0, {"gpu": 0})


def test_a_task_whose_worker_died_goes_only_where_it_fits(ledger: Ledger) -> None:
    join(ledger, 1, gpu=1)
    join(ledger, 2)
    join(ledger, 3, gpu=1)
    assert give(ledger, 1, 1, gpu=1) == [[1]]
    ledger.apply(TasksDone(1, [1], [DIED], [b"signal 9"]))
    (send,) = ledger.pass_on()
    assert (send.slave, ledger.slaves[3].claimed.count_by_claim) == (3, {Claim.of({"gpu": 1}): 1})


def test_a_task_that_was_everywhere_it_fits_may_go_there_again(ledger: Ledger) -> None:
    join(ledger, 1, gpu=1)
    join(ledger, 2)
    assert give(ledger, 1, 1, gpu=1) == [[1]]
    ledger.apply(TasksDone(1, [1], [DIED], [b"signal 9"]))
    assert ledger.pass_on() == []
    (lane,) = ledger.claimed_lanes
    assert numbers(ledger.assign(1, 1, lane)) == [[1]]


def test_what_a_slave_has_when_it_comes_back_counts(ledger: Ledger) -> None:
    join(ledger, 1, gpu=2)
    assert give(ledger, 1, 2, gpu=1) == [[1, 2]]
    ledger.apply(SlaveLost(1, "cut off"))
    ledger.apply(SlaveJoined(2, "slave 1", 4, 5, {"resources": {"gpu": 2}}))
    assert room(ledger, 2, gpu=1) == 2
    ledger.apply(SlaveHolding(2, [1], []))
    assert room(ledger, 2, gpu=1) == 1


def test_tokens_count_for_all_slaves_together_until_a_task_has_ended(ledger: Ledger) -> None:
    join(ledger, 1)
    join(ledger, 2)
    assert give(ledger, 1, 1, database=1) == [[1]]
    assert give(ledger, 2, 3, database=1) == [[2]]
    assert (room(ledger, 1, database=1), ledger.claims.tokens_given("database")) == (0, 2000)
    ledger.apply(SlaveLost(1, "gone"))
    assert room(ledger, 2, database=1) == 1
    ledger.apply(TasksDone(2, [2], [FINISHED], [b""]))
    assert (room(ledger, 2, database=1), ledger.claims.tokens_given("database")) == (2, 0)


@pytest.mark.parametrize("how", ["cancelled", "deadline", "left"])
@pytest.mark.parametrize("word", ["answer", "given back", "none"])
def test_a_task_that_is_told_to_end_has_its_token_until_it_runs_no_more(
    ledger: Ledger, how: str, word: str
) -> None:
    grace_s = {"cancelled": 30.0, "deadline": GRACE_S, "left": 0.0}[how]
    ledger.apply(TimePassed(100.0))
    ledger.apply(OwnerJoined(2, "other"))
    join(ledger, 1)
    join(ledger, 2)
    terms = Terms(resources=Claim.of({"database": 2, "cpu": 2}), deadline_s=50.0)
    ledger.apply(TasksSubmitted(1, 0, [b""], terms))
    ledger.apply(TimePassed(100.0))
    ledger.assign(1, 1, *ledger.claimed_lanes)
    if how == "cancelled":
        ledger.apply(CancelRequested(1, [0], grace_s))
    elif how == "left":
        ledger.apply(OwnerLeft(1))
    else:
        ledger.apply(TimePassed(150.0))
    assert not ledger.task_by_number
    assert (room(ledger, 1, cpu=4), room(ledger, 2, database=1)) == (0, 0)
    assert ledger.apply(TasksRunning(1, [1], [7], [0.5], [""], 1e9)) == [], "it is told to end already"
    if word == "answer":
        ledger.apply(TasksDone(1, [1], [CANCELLED], [b""]))
    elif word == "given back":
        ledger.apply(TasksReturned(1, [1]))
    else:
        ledger.apply(TimePassed(152.0))
        ledger.apply(TimePassed(152.0 + grace_s + ANSWER_S - 1.0))
        assert room(ledger, 2, database=1) == 0
        ledger.apply(TimePassed(153.0 + grace_s + ANSWER_S))
    assert (room(ledger, 1, cpu=4), room(ledger, 2, database=1)) == (1, 2)
    ledger.apply(TasksDone(1, [1], [CANCELLED], [b""]))  # a second word changes nothing
    assert ledger.claims.tokens_given("database") == 0


def test_a_lost_slave_may_still_run_what_it_was_told_to_end(ledger: Ledger) -> None:
    join(ledger, 1)
    join(ledger, 2)
    assert give(ledger, 1, 1, database=2) == [[1]]
    ledger.apply(CancelRequested(1, [0], 9.0))
    ledger.apply(SlaveLost(1, "cut off"))
    assert ledger.apply(CancelRequested(1, [0])) == []
    for now, tokens in ((100.0, 2000), (113.0, 2000), (114.0, 0)):
        ledger.apply(TimePassed(now))
        assert ledger.claims.tokens_given("database") == tokens


def test_what_no_slave_was_sent_is_free_at_once(ledger: Ledger) -> None:
    join(ledger, 1, gpu=1)
    assert give(ledger, 1, 1, database=2, gpu=1) == [[1]]
    ledger.apply(TasksFailed([1], [b"unreadable"]))
    assert room(ledger, 1, database=2, gpu=1) == 1


def test_a_grace_can_be_shortened_by_whose_task_it_is(ledger: Ledger) -> None:
    join(ledger, 1)
    ledger.apply(OwnerJoined(2, "other"))
    push(ledger, 1)
    ledger.assign(1, 1)
    assert CancelRun(1, [1], 9.0) in ledger.apply(CancelRequested(1, [0], 9.0))
    assert ledger.apply(CancelRequested(2, [0], 1.0)) == []
    assert ledger.apply(CancelRequested(1, [0], 1.0)) == [CancelRun(1, [1], 1.0)]
    assert ledger.apply(CancelRequested(1, [0])) == [CancelRun(1, [1], 0.0)]
    ledger.apply(TasksDone(1, [1], [CANCELLED], [b""]))
    assert ledger.apply(CancelRequested(1, [0])) == []


def test_a_token_does_not_wait_at_a_busy_slave(ledger: Ledger) -> None:
    join(ledger, 1, workers=1, window=100)
    assert room(ledger, 1, database=0.001) == 1


def test_tasks_with_a_claim_are_never_offered_to_all(ledger: Ledger) -> None:
    push(ledger, 1, gpu=1)
    (lane,) = ledger.claimed_lanes
    assert ledger.offer(9) == ledger.offer(9, lane) == []
    assert ledger.apply(TasksOffered(9, (1, lane.terms))) == []


def test_many_claims_take_no_memory_without_end(ledger: Ledger) -> None:
    join(ledger, 1, workers=1000, window=1000, memory=1000 * GIB)
    for size in range(1, 500):
        assert give(ledger, 1, 1, memory=size << 20) == [[size]]
    assert len(ledger.owners[1].lanes.groups) == 0
    assert len(ledger.queue.by_claim) < 3


def test_a_slave_is_never_sent_what_it_cannot_have_at_once(ledger: Ledger) -> None:
    join(ledger, 1, workers=4, window=400, gpu=2)
    ledger.apply(TasksDone(1, [], [], [], 0.001))
    assert room(ledger, 1, gpu=2) > 1
    assert room(ledger, 1, gpu=3) == 0
    assert room(ledger, 1, cpu=5) == 0
    assert room(ledger, 1, robot=1) == 0


def test_of_what_ran_for_a_while_no_more_is_sent_than_can_run(ledger: Ledger) -> None:
    join(ledger, 1, workers=4, window=400, gpu=2)
    ledger.apply(TasksDone(1, [], [], [], 0.001))
    ((number,),) = give(ledger, 1, 1, gpu=1)
    ledger.apply(TasksRunning(1, [number], [7], [0.5], [""], 1e9))
    assert (room(ledger, 1, gpu=1), room(ledger, 1, gpu=0.5) > 2) == (1, True)
    ledger.apply(TasksDone(1, [number], [FINISHED], [b""], 0.001))
    for _ in range(SHORT_COUNT - 1):
        assert room(ledger, 1, gpu=1) == 2
        ((number,),) = give(ledger, 1, 1, gpu=1)
        ledger.apply(TasksDone(1, [number], [FINISHED], [b""], 0.001))
    assert room(ledger, 1, gpu=1) > 2, "others were short again"
