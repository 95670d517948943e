"""Whether a cluster moves, and the one line on why not."""

from __future__ import annotations

import pytest

from concurrent.apps.clusternow import moment_of
from concurrent.apps.observed import NowStatus
from concurrent.scheduling.ledger.events import JobHeld, OwnerLeft, SlaveAway, SlaveLacks
from concurrent.scheduling.ledger.jobspec import JobSpec
from concurrent.scheduling.tasks.outcome import FINISHED, RETRIABLE
from concurrent.scheduling.tasks.retry import Retry
from concurrent.scheduling.tasks.terms import Terms
from concurrent.scheduling.wire.failure import dumps_failure
from concurrent.transport.security.identity import Identity
from concurrent.transport.security.roles import Role
from tests.unit.apps.watched import Watched

OWNER, SLAVE = 1, 9
LOOK = Terms(name="look")
SECRET = "a secret"
OBSERVER = Identity(Role.OBSERVE, "wall")


@pytest.fixture
def master() -> Watched:
    master = Watched(is_recorded=True)
    master.join(OWNER, "application-1", JobSpec(job_id="j", name="hunt", keep_s=100.0))
    return master


def now(master: Watched) -> NowStatus:
    return moment_of(master.dispatcher, (), master.at).shown_to(OBSERVER)


def why_not(master: Watched) -> str:
    status = now(master)
    assert not status.moves
    return status.words


def failure(text: str) -> bytes:
    return dumps_failure(ValueError(text), None, "")


def test_it_moves_while_tasks_end_and_tells_how_fast_and_how_long(master: Watched) -> None:
    master.add_slave(SLAVE)
    master.push(OWNER, 60, LOOK)
    numbers = master.give(SLAVE, 50, OWNER, LOOK)
    for number in numbers[:40]:
        master.report(SLAVE, (number, FINISHED, b""))
        master.pass_time(0.25)
    status = now(master)
    assert status.moves
    assert status.ended_per_s == pytest.approx(4.0, rel=0.15)
    assert status.left_s == pytest.approx(5.0, rel=0.15)
    assert "tasks end in a second; 2 of 2 workers are busy; about" in status.words
    assert (status.counts.waiting, status.counts.running, status.counts.finished) == (18, 2, 40)


def test_what_has_ended_counts_also_when_its_program_has_left(master: Watched) -> None:
    master.add_slave(SLAVE)
    master.join(7, "application-7")
    master.push(7, 1, LOOK)
    (number,) = master.give(SLAVE, 1, 7, LOOK)
    master.report(SLAVE, (number, FINISHED, b""))
    master.apply(OwnerLeft(7))
    status = now(master)
    assert (status.counts.finished, status.ended.finished) == (0, 1)


def test_it_moves_while_workers_run_though_nothing_has_ended(master: Watched) -> None:
    master.add_slave(SLAVE)
    master.push(OWNER, 5, LOOK)
    master.give(SLAVE, 3, OWNER, LOOK)
    status = now(master)
    assert status.moves
    assert status.words == "2 of 2 workers are busy; no task has ended in the last 10 s"
    assert status.left_s is None


def test_nothing_to_do_is_no_motion(master: Watched) -> None:
    assert why_not(master) == "nothing to do: no task is open; no slave has joined"
    master.add_slave(SLAVE)
    master.push(OWNER, 1, LOOK)
    (number,) = master.give(SLAVE, 1, OWNER, LOOK)
    master.report(SLAVE, (number, FINISHED, b""))
    assert why_not(master) == "nothing to do: no task is open; 1 task ended in the last 10 s"


def test_without_a_slave_nothing_moves(master: Watched) -> None:
    master.push(OWNER, 3, LOOK)
    assert why_not(master) == "3 tasks (look of hunt) waiting for a slave: no slave has joined"


def test_what_no_slave_has_is_named(master: Watched) -> None:
    master.add_slave(SLAVE)
    master.push(OWNER, 3, Terms(name="draw", resources={"gpu": 1}))  # type: ignore[arg-type]
    assert "3 tasks (draw of hunt) waiting for a slave with enough gpu: gpu: needs 1" in why_not(master)


def test_a_job_that_is_held_is_named(master: Watched) -> None:
    master.add_slave(SLAVE)
    master.push(OWNER, 3, LOOK)
    master.apply(JobHeld(OWNER, "made with Python 3.9"))
    assert "held: made with Python 3.9" in why_not(master)


def test_a_slave_that_wants_nothing_is_named(master: Watched) -> None:
    master.add_slave(SLAVE, window=0)
    master.push(OWNER, 3, LOOK)
    master.apply(SlaveLacks(SLAVE, "its disk is full"))
    assert f"slave-{SLAVE}: its disk is full" in why_not(master)


def test_tasks_between_tries_are_told_without_what_they_raised(master: Watched) -> None:
    master.add_slave(SLAVE)
    again = Terms(name="find", retry=Retry.of(3))
    master.push(OWNER, 1, again)
    (number,) = master.give(SLAVE, 1, OWNER, again)
    master.report(SLAVE, (number, RETRIABLE, failure(SECRET)))
    words = why_not(master)
    assert "(find of hunt) failed, to be tried again" in words
    assert SECRET not in words + str(now(master).troubles)


def test_a_slave_that_is_silent_is_named(master: Watched) -> None:
    master.add_slave(SLAVE)
    master.push(OWNER, 3, LOOK)
    master.give(SLAVE, 3, OWNER, LOOK)
    master.apply(SlaveAway(SLAVE))
    assert why_not(master) == f"slave-{SLAVE} is silent with 3 tasks: nobody knows what runs there"


def test_nobody_is_told_how_long_it_takes_while_tasks_wait_for_what_there_is_not(master: Watched) -> None:
    master.add_slave(SLAVE)
    master.push(OWNER, 1, Terms(name="draw", resources={"gpu": 1}))  # type: ignore[arg-type]
    master.push(OWNER, 60, LOOK)
    for number in master.give(SLAVE, 50, OWNER, LOOK):
        master.report(SLAVE, (number, FINISHED, b""))
        master.pass_time(0.25)
    status = now(master)
    assert status.moves
    assert status.left_s is None
    assert status.words == "4.0 tasks end in a second; 0 of 2 workers are busy"
