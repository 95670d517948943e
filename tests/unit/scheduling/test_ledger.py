"""The ledger: what it decides for each event, and what it never forgets."""

from typing import Any

import pytest

from concurrent.core.errors import SchedulingError
from concurrent.scheduling.ledger.events import (
    Accept,
    CancelRequested,
    CancelRun,
    Deliver,
    OwnerJoined,
    OwnerLeft,
    Push,
    PushedLost,
    RefusedByAll,
    Send,
    SlaveJoined,
    SlaveLost,
    TasksDone,
    TasksFailed,
    TasksReturned,
    TasksSubmitted,
    TasksTaken,
    TimePassed,
    WindowChanged,
)
from concurrent.scheduling.ledger.ledger import OFFER_AGAIN_S, Ledger
from concurrent.scheduling.tasks.outcome import CANCELLED, DIED, FAILED, FINISHED
from concurrent.scheduling.tasks.terms import Terms
from concurrent.transport.frames.frames import Frame


@pytest.fixture
def ledger() -> Ledger:
    ledger = Ledger(batch_max=4)
    ledger.apply(OwnerJoined(1, "first"))
    ledger.apply(SlaveJoined(1, "left", workers=2, window=4))
    ledger.apply(SlaveJoined(2, "right", workers=2, window=4))
    return ledger


def submit(ledger: Ledger, count: int, *, owner: int = 1, first_id: int = 0, **terms: Any) -> None:
    payloads = [f"{owner}:{first_id + index}".encode() for index in range(count)]
    accepted = [Accept(owner, first_id + count - 1)]
    assert ledger.apply(TasksSubmitted(owner, first_id, payloads, Terms(**terms))) == accepted


def test_tasks_go_out_in_the_order_in_which_they_came(ledger: Ledger) -> None:
    submit(ledger, 3)
    assert ledger.assign(1, 2) == [Send(1, 1, [1, 2], [b"1:0", b"1:1"])]
    assert ledger.assign(2, 9) == [Send(2, 1, [3], [b"1:2"])]
    assert ledger.assign(2, 9) == []


def test_an_outcome_reaches_its_owner_once_under_the_owners_number(ledger: Ledger) -> None:
    submit(ledger, 2, first_id=70)
    ledger.assign(1, 2)
    done = TasksDone(1, [2, 1], [FINISHED, FINISHED], [b"b", b"a"])
    assert ledger.apply(done) == [Deliver(1, [71, 70], [FINISHED, FINISHED], [b"b", b"a"], up_to=2)]
    assert ledger.apply(done) == []
    assert ledger.reports.dropped_count == 2
    assert ledger.status().open == 0


def test_outcomes_of_several_owners_in_one_report_reach_these_and_nobody_else(ledger: Ledger) -> None:
    ledger.apply(OwnerJoined(2, "second"))
    ledger.apply(OwnerJoined(3, "idle"))
    submit(ledger, 2)
    submit(ledger, 1, owner=2, first_id=5)
    ledger.assign(1, 3)
    delivered = ledger.apply(TasksDone(1, [1, 3, 2], [FINISHED, FAILED, FINISHED], [b"a", b"x", b"b"]))
    assert sorted(delivered, key=lambda one: one.owner) == [
        Deliver(1, [0, 1], [FINISHED, FINISHED], [b"a", b"b"], up_to=2),
        Deliver(2, [5], [FAILED], [b"x"], up_to=1),
    ]
    done_by_owner = [(one.finished, one.failed) for one in ledger.status().owners]
    assert sorted(done_by_owner) == [(0, 0), (0, 1), (2, 0)]


def test_tasks_of_a_lost_slave_go_to_another_before_younger_ones(ledger: Ledger) -> None:
    submit(ledger, 3)
    ledger.assign(1, 2)
    assert ledger.apply(SlaveLost(1, "killed")) == []
    assert ledger.assign(2, 9) == [Send(2, 1, [1, 2, 3], [b"1:0", b"1:1", b"1:2"])]


def test_a_late_result_of_a_lost_slave_is_dropped(ledger: Ledger) -> None:
    submit(ledger, 1)
    ledger.assign(1, 1)
    ledger.apply(SlaveLost(1, "silent"))
    assert ledger.apply(TasksDone(1, [1], [FINISHED], [b"late"])) == []
    ledger.assign(2, 1)
    assert ledger.apply(TasksDone(2, [1], [FINISHED], [b"right"])) == [
        Deliver(1, [0], [FINISHED], [b"right"], up_to=1)
    ]


def test_a_result_from_a_slave_that_does_not_hold_the_task_is_dropped(ledger: Ledger) -> None:
    submit(ledger, 1)
    ledger.assign(1, 1)
    assert ledger.apply(TasksDone(2, [1], [FINISHED], [b"forged"])) == []
    assert "held by left" in ledger.explain(1)


def test_a_task_that_kills_workers_is_reported_with_the_evidence_of_each_attempt(
    ledger: Ledger,
) -> None:
    submit(ledger, 1, attempts_max=2)
    ledger.assign(1, 1)
    assert ledger.apply(TasksDone(1, [1], [DIED], [b"SIGSEGV"])) == []
    ledger.pass_on()
    assert ledger.apply(TasksDone(2, [1], [DIED], [b"SIGKILL"])) == [
        Deliver(1, [0], [DIED], [b"attempt 1 of 2 on left: SIGSEGV\0attempt 2 of 2 on right: SIGKILL"], up_to=1)
    ]


def test_what_a_slave_says_of_a_death_is_kept_within_bounds(ledger: Ledger) -> None:
    submit(ledger, 1, attempts_max=1)
    ledger.assign(1, 1)
    (deliver,) = ledger.apply(TasksDone(1, [1], [DIED], [Frame(b"x\0" * (1 << 19))]))
    assert len(deliver.payloads[0]) < 100_000
    assert b"\0" not in deliver.payloads[0]


def test_a_task_whose_worker_died_is_tried_at_all_others_before_it_comes_back(ledger: Ledger) -> None:
    submit(ledger, 1, attempts_max=9)
    ledger.apply(SlaveJoined(3, "stopping", workers=2, window=0))
    for here, there in ((1, 2), (2, 1)):
        ledger.assign(here, 1)
        assert ledger.apply(TasksDone(here, [1], [DIED], [b"SIGSEGV"])) == []
        assert ledger.assign(here, 1) == []
        (send,) = ledger.pass_on()
        assert (send.slave, send.numbers) == (there, [1])
        ledger.apply(TasksDone(there, [1], [DIED], [b"SIGSEGV"]))
        assert ledger.queued_count == 1
    assert ledger.status().refused == 0


def test_a_task_whose_worker_died_at_the_only_slave_is_tried_there_again(ledger: Ledger) -> None:
    ledger.apply(SlaveLost(2, "gone"))
    submit(ledger, 1, attempts_max=2)
    ledger.assign(1, 1)
    ledger.apply(TasksDone(1, [1], [DIED], [b"SIGSEGV"]))
    assert ledger.assign(1, 1) == [Send(1, 1, [1], [b"1:0"], Terms(attempts_max=2))]


@pytest.mark.parametrize("statuses", [[FINISHED, FINISHED], [FAILED, DIED], [DIED, FINISHED]])
def test_a_slave_that_came_back_and_reports_a_task_twice_strands_nothing(
    ledger: Ledger, statuses: list[int]
) -> None:
    submit(ledger, 2, attempts_max=1)
    ledger.assign(1, 2)
    ledger.apply(SlaveLost(1, "cut"))
    ledger.apply(SlaveJoined(3, "left", workers=2, window=4))
    ledger.assign(3, 1)
    commands = ledger.apply(TasksDone(3, [1, 1, 2, 2], statuses * 2, [b"a"] * 4))
    ids = [number for command in commands if isinstance(command, Deliver) for number in command.ids]
    assert len(ids) == len(set(ids))
    assert 0 in ids
    held = sum(len(slave.held) for slave in ledger.slaves.values())
    assert ledger.held_total == held
    assert ledger.status().open == held + ledger.queued_count


def test_what_ended_is_counted_by_how_it_ended_at_the_slave_and_for_the_owner(ledger: Ledger) -> None:
    ledger.apply(OwnerJoined(2, "second"))
    submit(ledger, 4, attempts_max=1)
    submit(ledger, 2, owner=2)
    ledger.assign(1, 6)
    ledger.apply(CancelRequested(1, [0]))
    ledger.apply(TasksDone(1, [1], [CANCELLED], [b""]))  # what was cancelled is no work that was done
    ledger.apply(TasksDone(1, [2, 3, 4, 5], [FINISHED, FAILED, DIED, FINISHED], [b""] * 4))
    status = ledger.status()
    slave, first, second = status.slaves[0], *status.owners
    assert (slave.done, slave.failed, slave.held) == (4, 2, 1)
    assert (first.finished, first.failed, first.cancelled) == (1, 2, 1)
    assert (second.finished, second.failed, second.cancelled) == (1, 0, 0)
    assert status.dropped_late == 0


def test_handing_back_costs_no_attempt_and_keeps_the_order(ledger: Ledger) -> None:
    submit(ledger, 2, attempts_max=1)
    ledger.assign(1, 2)
    ledger.ask_back(1)
    ledger.apply(TasksReturned(1, [1, 2]))
    assert ledger.assign(2, 2) == [Send(2, 1, [1, 2], [b"1:0", b"1:1"], Terms(attempts_max=1))]


def test_what_a_slave_hands_back_unasked_goes_to_others_and_not_to_it(ledger: Ledger) -> None:
    submit(ledger, 2, attempts_max=1)
    ledger.assign(1, 2)
    ledger.apply(TasksReturned(1, [1, 2]))
    assert ledger.assign(1, 2) == []
    assert "refused" in ledger.explain(1)
    assert ledger.pass_on() == [Send(2, 1, [1, 2], [b"1:0", b"1:1"], Terms(attempts_max=1))]
    ledger.apply(SlaveLost(2, "killed"))
    assert ledger.pass_on() == ledger.assign(1, 2) == []
    ledger.apply(SlaveJoined(3, "third", 1, 5))
    (send,) = ledger.pass_on()
    assert (send.slave, send.numbers) == (3, [1, 2])


def test_what_all_slaves_refused_is_offered_again_later(ledger: Ledger) -> None:
    submit(ledger, 2)
    ledger.assign(1, 2)
    ledger.apply(TasksReturned(1, [1, 2]))
    assert ledger.refusals.stuck(ledger.slaves.values()) == []
    ledger.pass_on()
    ledger.apply(TasksReturned(2, [2]))
    assert [task.number for task in ledger.refusals.stuck(ledger.slaves.values())] == [2]
    assert ledger.pass_on() == []
    ledger.apply(TimePassed(100.0))
    (said,) = ledger.apply(TimePassed(100.0 + OFFER_AGAIN_S))
    assert isinstance(said, RefusedByAll)
    assert (said.owners, said.counts) == ([1], [1])
    assert ledger.assign(1, 9) == [Send(1, 1, [2], [b"1:1"])]
    assert ledger.apply(TasksDone(2, [1], [FINISHED], [b"a"])) == [Deliver(1, [0], [FINISHED], [b"a"], up_to=1)]
    assert ledger.apply(TasksDone(1, [2], [FINISHED], [b"b"])) == [Deliver(1, [1], [FINISHED], [b"b"], up_to=2)]
    assert not ledger.refusals


def test_tasks_that_wait_for_a_slave_that_did_not_refuse_them_end_like_all_others(ledger: Ledger) -> None:
    submit(ledger, 3)
    ledger.assign(1, 3)
    ledger.apply(TasksReturned(1, [1, 2, 3]))
    assert ledger.apply(CancelRequested(1, [1])) == [Deliver(1, [1], [CANCELLED], [b""], up_to=1)]
    assert ledger.status().refused == 2
    assert ledger.held_total == 0
    ledger.apply(OwnerLeft(1))
    assert ledger.status().refused == ledger.status().open == 0
    assert ledger.pass_on() == []
    assert not ledger.refusals


def test_a_slave_that_stops_refuses_nothing(ledger: Ledger) -> None:
    submit(ledger, 1)
    ledger.assign(1, 1)
    ledger.apply(WindowChanged(1, 0))
    ledger.apply(TasksReturned(1, [1]))
    assert ledger.queued_count == 1


def test_an_outcome_of_what_is_on_the_work_socket_counts_though_nobody_took_it(ledger: Ledger) -> None:
    submit(ledger, 3)
    ledger.offer(3)
    done = TasksDone(2, [1, 1, 2], [FINISHED, FINISHED, DIED], [b"a", b"b", b"SIGKILL"])
    assert ledger.apply(done) == [Deliver(1, [0], [FINISHED], [b"a"], up_to=1)]
    assert sorted(ledger.pushed) == [2, 3]
    ledger.apply(PushedLost())
    assert ledger.apply(TasksDone(2, [3], [FINISHED], [b"late"])) == []


def test_taking_what_was_sent_is_no_news(ledger: Ledger) -> None:
    submit(ledger, 1)
    ledger.assign(1, 1)
    assert ledger.apply(TasksTaken(1, [1])) == []
    assert ledger.apply(TasksTaken(2, [1])) == [CancelRun(2, [1])]


def test_a_slave_is_asked_back_once_until_it_answers(ledger: Ledger) -> None:
    assert ledger.ask_back(1)
    assert not ledger.ask_back(1)
    ledger.apply(TasksReturned(1, []))
    assert ledger.ask_back(1)


def test_owners_take_turns_so_that_a_flood_does_not_starve_another(ledger: Ledger) -> None:
    submit(ledger, 100)
    ledger.apply(OwnerJoined(2, "second"))
    submit(ledger, 2, owner=2)
    owners = [command.owner for command in ledger.assign(1, 10) if isinstance(command, Send)]
    assert owners == [1, 2, 1]


def test_an_owner_that_leaves_frees_its_tasks_everywhere(ledger: Ledger) -> None:
    submit(ledger, 5)
    ledger.assign(1, 2)
    ledger.offer(1)
    assert ledger.apply(OwnerLeft(1)) == [CancelRun(1, [1, 2])]
    assert ledger.status().open == ledger.queued_count == len(ledger.pushed) == 0
    assert ledger.assign(2, 9) == []
    assert ledger.apply(TasksDone(1, [1], [FINISHED], [b"x"])) == []


def test_cancelling_reports_each_task_once_and_stops_running_ones(ledger: Ledger) -> None:
    submit(ledger, 3)
    ledger.assign(1, 1)
    assert ledger.apply(CancelRequested(1, [0, 2, 2, 99])) == [
        CancelRun(1, [1]),
        Deliver(1, [0, 2], [CANCELLED, CANCELLED], [b"", b""], up_to=2),
    ]
    assert ledger.apply(CancelRequested(1, [0])) == []
    assert ledger.assign(2, 9) == [Send(2, 1, [2], [b"1:1"])]


def test_a_pushed_task_belongs_to_the_slave_that_took_it_first(ledger: Ledger) -> None:
    submit(ledger, 1)
    assert ledger.offer(5) == [Push(1, [1], [b"1:0"])]
    assert ledger.apply(TasksTaken(2, [1])) == []
    assert ledger.apply(TasksTaken(1, [1])) == [CancelRun(1, [1])]
    assert len(ledger.apply(TasksDone(2, [1], [FINISHED], [b"r"]))) == 1


def test_what_may_lie_in_a_lost_slaves_pipe_is_pushed_again(ledger: Ledger) -> None:
    submit(ledger, 2)
    ledger.offer(2)
    ledger.apply(TasksTaken(1, [1]))
    ledger.apply(SlaveLost(1, "killed"))
    assert ledger.offer(5) == [Push(1, [1, 3], [b"1:0", b"1:1"])]


def test_what_is_pushed_again_has_a_new_number_so_that_the_old_copy_can_do_no_harm(ledger: Ledger) -> None:
    submit(ledger, 1)
    ledger.offer(1)
    ledger.apply(PushedLost())
    assert ledger.offer(5) == [Push(1, [2], [b"1:0"])]
    assert ledger.apply(TasksTaken(1, [2])) == []
    assert ledger.apply(TasksTaken(1, [1])) == [CancelRun(1, [1])]
    (deliver,) = ledger.apply(TasksDone(1, [2], [FINISHED], [b"r"]))
    assert deliver == Deliver(1, [0], [FINISHED], [b"r"], up_to=1)


def test_a_window_limits_the_room_of_a_slave(ledger: Ledger) -> None:
    submit(ledger, 3)
    ledger.assign(1, 3)
    ledger.apply(WindowChanged(1, 10))
    assert ledger.slaves[1].room == 7
    ledger.apply(WindowChanged(1, 0))
    assert ledger.slaves[1].room < 0


def test_an_unknown_owner_is_told_to_register(ledger: Ledger) -> None:
    with pytest.raises(SchedulingError, match=r"owner 9, which is not registered.*Register first"):
        ledger.apply(TasksSubmitted(9, 0, [b"x"]))


def test_words_of_a_slave_that_is_gone_change_nothing(ledger: Ledger) -> None:
    submit(ledger, 1)
    for event in (
        SlaveLost(7, "?"),
        WindowChanged(7, 3),
        TasksReturned(7, [1]),
        TasksTaken(7, [1]),
        OwnerLeft(7),
        CancelRequested(7, [0]),
    ):
        assert ledger.apply(event) == []
    assert ledger.queued_count == 1
    assert "not known" in ledger.explain(55)


def test_what_the_master_cannot_do_itself_says_nothing_of_the_slave_it_was_meant_for(ledger: Ledger) -> None:
    submit(ledger, 3)
    ledger.assign(1, 2)
    ledger.apply(TasksDone(1, [1], [FINISHED], [b"a"], task_s=5.0))
    assert ledger.apply(TasksFailed([2], [b"too large"])) == [
        Deliver(1, [1], [FAILED], [b"too large"], up_to=2)
    ]
    slave, owner = ledger.slaves[1], ledger.owners[1]
    assert (slave.task_s, slave.counts.failed, slave.reported_at, slave.room) == (5.0, 0, 1, 4)
    assert (owner.counts.finished, owner.counts.failed) == (1, 1)


def test_what_the_master_cannot_do_may_be_offered_to_all_or_ended_already(ledger: Ledger) -> None:
    submit(ledger, 2)
    ledger.offer(1)
    ledger.apply(CancelRequested(1, [1]))
    assert ledger.apply(TasksFailed([1, 2], [b"unreadable"] * 2)) == [
        Deliver(1, [0], [FAILED], [b"unreadable"], up_to=2)
    ]
    assert not ledger.pushed
    assert ledger.status().open == 0


def test_what_a_task_is_stands_in_its_story(ledger: Ledger) -> None:
    submit(ledger, 1, name="Cube")
    assert ledger.explain(1).startswith("task 1 (Cube) of first is queued")
