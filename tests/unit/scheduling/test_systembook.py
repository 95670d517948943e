"""What a master knows of task systems: from their beginning, and from what a journal has kept."""

from __future__ import annotations

import pytest

from concurrent.scheduling.ledger.events import (
    OwnerJoined,
    OwnerLeft,
    Recordable,
    SystemEnded,
    SystemLosses,
    SystemPushed,
    SystemStepped,
)
from concurrent.scheduling.ledger.jobspec import JobSpec
from concurrent.scheduling.master.systembook import System, SystemBook
from concurrent.scheduling.tasks.outcome import FINISHED

JOINED = OwnerJoined(7, "system 2 of app of mine", JobSpec(job_id="abc", kind="system"))
PUSHED = SystemPushed(7, 3, 2, 1, b"system")
STEPPED = SystemStepped(7, b"state", 10, 21)
ENDED = SystemEnded(7, FINISHED, b"result")


@pytest.fixture
def system() -> System:
    return System(3, "application-1", 2, b"system", number=7, job="abc")


def book_of(*events: Recordable) -> SystemBook:
    book = SystemBook()
    assert list(book.restored(events)) == list(events)
    return book


def test_a_system_is_known_by_its_application_and_the_number_that_this_gave_it() -> None:
    book = book_of(OwnerJoined(3, "app of mine", JobSpec()), JOINED, PUSHED)
    (system,) = book.of(3, 2)
    assert (system.number, system.job, system.node_id) == (7, "abc", "app of mine")
    assert (system.payload, system.step, system.outcome) == (b"system", None, None)
    assert (book.of(3), book.of(3, 1), book.of(7)) == ([system], [], [])


def test_its_last_step_and_its_outcome_are_known() -> None:
    (system,) = book_of(JOINED, PUSHED, SystemStepped(7, b"former", 5, 9), STEPPED, ENDED)
    assert (system.step, system.outcome) == (STEPPED, ENDED)


def test_what_is_told_of_one_that_has_left_is_nothing() -> None:
    assert list(book_of(JOINED, PUSHED, OwnerLeft(7), STEPPED, ENDED)) == []


def loses(system: System, at: float = 0.0, *, was_given: bool = True) -> bool:
    """Have a system lose its process; return whether it may have another one."""
    return system.may_go_on(f"loss {at:.0f}", at, was_given=was_given)


def test_a_system_that_loses_three_processes_within_a_minute_is_given_up(system: System) -> None:
    assert [loses(system, now) for now in (0, 20, 40)] == [True, True, False]
    what, *rest = system.evidence.split("; its last output:\n")
    assert what == "the task system lost 3 processes within a minute and got no further; loss 40"
    assert rest == ["loss 0\nloss 20\nloss 40"]


def test_the_evidence_of_one_loss_is_just_that(system: System) -> None:
    system.may_go_on("it was killed; its last output:\nlast words", 0.0, was_given=True)
    assert system.evidence == "it was killed; its last output:\nlast words"


def test_losses_that_are_long_ago_do_not_count(system: System) -> None:
    assert all(loses(system, now) for now in (0.0, 20.0, 61.0, 81.0, 130.0))


def test_a_system_is_not_blamed_for_processes_that_were_never_given_it(system: System) -> None:
    assert all(loses(system, was_given=False) for _ in range(5))
    assert [loses(system) for _ in range(3)] == [True, True, False]


def test_a_system_for_which_no_process_can_be_started_is_given_up(system: System) -> None:
    assert [loses(system, was_given=False) for _ in range(10)] == [True] * 9 + [False]


@pytest.mark.parametrize("has_step", [True, False])
def test_losses_before_it_got_further_do_not_count(system: System, has_step: bool) -> None:
    for number in range(1, 10):
        assert loses(system)
        assert loses(system)
        if has_step:
            system.stepped(SystemStepped(7, b"state", number, 1))
        else:
            system.has_read(number)
    system.has_read(1)
    assert [loses(system) for _ in range(3)] == [True, True, False]


def test_losses_count_after_a_start_of_the_master_unless_the_system_got_further(system: System) -> None:
    assert loses(system, 100.0)
    assert loses(system, 120.0, was_given=False)
    losses = system.losses
    assert losses == SystemLosses(7, [(100.0, "loss 100", True), (120.0, "loss 120", False)])
    (again,) = book_of(JOINED, PUSHED, losses)
    assert [loses(again, now) for now in (130.0, 140.0)] == [True, False]
    (further,) = book_of(JOINED, PUSHED, losses, STEPPED)
    assert [loses(further, now) for now in (130.0, 140.0)] == [True, True]


def test_losses_that_a_clock_which_was_set_puts_into_the_future_do_not_count(system: System) -> None:
    assert all(loses(system, now) for now in (1000.0, 1001.0, 5.0, 6.0))


def test_a_system_that_reads_on_has_its_losses_forgotten_once(system: System) -> None:
    assert not system.has_read(3)
    loses(system)
    assert system.has_read(4)
    assert system.losses == SystemLosses(7, [])
    assert not system.has_read(5)
