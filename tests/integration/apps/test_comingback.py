"""What a task client does when a master, or another program, goes on with its job."""

from __future__ import annotations

import pytest

from concurrent.scheduling.owner.former import GoesOn
from concurrent.scheduling.owner.results import Outcome, Recalled
from concurrent.scheduling.pickling.codebook import CodeBook
from concurrent.scheduling.tasks.outcome import CANCELLED, DIED, FINISHED
from concurrent.scheduling.tasks.task import Task
from concurrent.transport.loop.loop import NodeLoop
from tests.integration.apps.taskowner import Owner, Session
from tests.system.cluster import wait_until


@pytest.fixture
def owner(loop: NodeLoop) -> Owner:
    return Owner(loop)


def test_a_master_that_comes_back_is_given_only_what_it_has_not(owner: Owner) -> None:
    owner.push("a", "b")
    owner.attach()
    owner.master_says("accepted", 2)
    owner.push("c", "d")
    owner.on_loop(owner.client.detach)
    owner.push("e")
    session = owner.attach(next_id=4)
    assert session.pushed_ids() == [4, 5]
    assert owner.accepted == ["a", "b", "c"]
    owner.master_says("accepted", 5)
    owner.master_says("finished", [1, 2, 3, 4, 5], [FINISHED] * 5, [b""] * 5, -1)
    assert owner.accepted == owner.items() == ["a", "b", "c", "d", "e"]


def test_a_master_that_has_lost_the_end_of_what_it_accepted_is_given_that_again(owner: Owner) -> None:
    owner.push("a", "b", "c")
    owner.attach()
    owner.master_says("accepted", 3)
    owner.on_loop(owner.client.detach)
    owner.push("d")
    assert owner.attach(next_id=2).pushed_ids() == [2, 3, 4]


def test_what_was_in_flight_is_sent_again_as_it_was_pushed(owner: Owner) -> None:
    changing = ["a"]
    owner.client.push("it", (len, (changing,), {}))
    owner.settle()
    pushed = owner.attach().casts[-1]
    owner.on_loop(owner.client.detach)
    changing.append("b")
    assert owner.attach(next_id=1).casts[-1] == pushed


def test_a_master_that_comes_back_is_asked_to_cancel_what_was_cancelled_while_it_was_away(owner: Owner) -> None:
    first, second, third = owner.push("a", "b", "c")
    session = owner.attach()
    owner.master_says("accepted", 3)
    owner.client.cancel([second])
    owner.settle()
    owner.on_loop(owner.client.detach)
    owner.client.cancel([first])
    owner.settle()
    assert owner.outcomes == [Outcome("a", CANCELLED, b"")]
    session = owner.attach(next_id=4)
    assert session.casts == [("cancel", [first, second])]
    owner.master_says("finished", [first, second, third], [CANCELLED, CANCELLED, FINISHED], [b""] * 3, -1)
    assert owner.items() == ["a", "b", "c"]
    owner.on_loop(owner.client.detach)
    assert owner.attach(next_id=4).casts == []


def begin(owner: Owner, next_id: int, how: GoesOn) -> Session:
    """Go on with a job of which a former program pushed the tasks below ``next_id``."""
    owner.on_loop(owner.client.begin, next_id, 0, how)
    return owner.attach(next_id)


def test_a_program_that_makes_the_same_pushes_again_sends_only_the_rest(owner: Owner) -> None:
    session = begin(owner, 3, GoesOn.BY_PUSHES)
    owner.master_says("finished", [2], [FINISHED], [b"x"], -1)
    assert owner.push("a", "b", "c") == [1, 2, 3]
    assert session.pushed_ids() == [3]
    assert owner.accepted == ["a", "b"]
    owner.master_says("finished", [1], [FINISHED], [b"y"], 3)
    assert owner.outcomes == [Outcome("b", FINISHED, b"x"), Outcome("a", FINISHED, b"y")]


def test_an_outcome_is_not_consumed_before_its_push_was_made_again(owner: Owner) -> None:
    owner.features += ("consumed_to",)
    session = begin(owner, 3, GoesOn.BY_PUSHES)
    owner.master_says("finished", [2, 1], [FINISHED] * 2, [b""] * 2, -1)

    def push(item: str) -> None:
        owner.push(item)
        assert owner.items()[-1] == item
        owner.client.consumed(0, 1)
        owner.on_loop(owner.client.tell_consumed)

    push("a")
    assert session.casts == [("consumed_to", 0)]
    push("b")
    assert session.casts == [("consumed_to", 0), ("consumed_to", 2)]


def test_outcomes_that_wait_are_given_back_as_they_were_delivered(owner: Owner) -> None:
    owner.on_loop(owner.client.begin, 3, 0, GoesOn.BY_PUSHES)
    owner.master_says("finished", [2, 1], [FINISHED] * 2, [b"x", b"y"], -1)
    owner.push("a", "b")
    owner.attach(3)
    owner.settle()
    assert owner.items() == ["b", "a"]


def test_a_batch_of_which_a_worker_died_before_its_push_was_made_again_is_pushed_task_by_task(
    owner: Owner,
) -> None:
    session = begin(owner, 2, GoesOn.BY_PUSHES)
    owner.master_says("finished", [1], [DIED], [b"killed"], -1)
    owner.client.push_many([Task("a"), Task("b")], batch_size=2)
    owner.settle()
    assert owner.outcomes == []
    wait_until(lambda: session.pushed_ids() == [2, 3], "its members are pushed")


def test_what_a_program_has_not_asked_for_does_not_hold_up_the_rest(owner: Owner) -> None:
    owner.features += ("consumed_to",)
    session = begin(owner, 4, GoesOn.BY_IDS)
    owner.master_says("finished", [1, 2], [FINISHED] * 2, [b"x", b"y"], -1)
    owner.on_loop(owner.client.tell_consumed)
    assert session.casts == [("consumed_to", 0), ("consumed_to", 2)]


def test_a_program_asks_for_what_a_former_one_pushed_by_its_ids(owner: Owner) -> None:
    session = begin(owner, 4, GoesOn.BY_IDS)
    owner.master_says("finished", [2], [FINISHED], [b"x"], -1)
    owner.client.adopt(2, "early", (len, ("early",), {}))
    owner.client.adopt(3, "late", (len, ("late",), {}))
    assert owner.push("new") == [4]
    assert session.pushed_ids() == [4]
    owner.master_says("finished", [3, 2], [FINISHED] * 2, [b"y", b"z"], -1)
    assert owner.outcomes == [Outcome("early", FINISHED, b"x"), Outcome("late", FINISHED, b"y")]


def test_what_a_program_asked_for_is_pushed_if_the_job_is_gone(owner: Owner) -> None:
    begin(owner, 3, GoesOn.BY_IDS)
    owner.push("new")
    owner.client.adopt(2, "b", (len, ("b",), {}))
    owner.settle()
    owner.on_loop(owner.client.detach)
    assert owner.attach().pushed_ids() == [2, 3]


def test_what_a_program_asks_for_after_the_job_is_gone_is_pushed(owner: Owner) -> None:
    begin(owner, 3, GoesOn.BY_IDS)
    owner.on_loop(owner.client.detach)
    session = owner.attach()
    assert owner.client.adopt(2, "b", (len, ("b",), {})) == 3
    owner.settle()
    assert session.pushed_ids() == [3]
    owner.master_says("finished", [3], [FINISHED], [b"x"], -1)
    assert owner.outcomes == [Outcome("b", FINISHED, b"x")]


def test_what_a_master_that_came_back_has_lost_is_pushed_when_it_is_asked_for(owner: Owner) -> None:
    begin(owner, 4, GoesOn.BY_IDS)
    owner.on_loop(owner.client.detach)
    owner.attach(next_id=3)
    assert owner.client.adopt(2, "b", (len, ("b",), {})) == 2
    assert owner.client.adopt(3, "c", (len, ("c",), {})) == 4


def test_tasks_of_a_former_program_come_along_with_their_outcomes_once(owner: Owner) -> None:
    begin(owner, 3, GoesOn.WITH_TASKS)
    task = CodeBook().dumps((len, ("ab",), {}))
    for _ in range(2):  # the session is lost in between
        owner.master_says("recalled", [1], [task])
        owner.master_says("finished", [1], [FINISHED], [b"x"], -1)
    assert owner.outcomes == [Outcome(Recalled(task), FINISHED, b"x")]
    assert owner.push("new") == [3]


def test_it_is_known_when_a_master_has_accepted_all(owner: Owner) -> None:
    told: list[str] = []
    owner.push("a")
    owner.client.when_accepted(lambda: told.append("all"))
    owner.attach()
    owner.settle()
    assert told == []
    owner.master_says("accepted", 1)
    assert told == ["all"]
    owner.client.when_accepted(lambda: told.append("nothing is open"))
    owner.settle()
    assert told == ["all", "nothing is open"]
