"""What an owner's task client sends and gives back."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import pytest

from concurrent.core.errors import MessageTooLarge, QueueFull, SchedulingError
from concurrent.scheduling.owner import outgoing, sentcode, unsent
from concurrent.scheduling.owner.results import Outcome
from concurrent.scheduling.tasks.outcome import CANCELLED, DIED, FAILED, FINISHED
from concurrent.scheduling.tasks.task import Task
from concurrent.scheduling.wire.messages import to_master
from concurrent.transport.calls.declaration import Message
from concurrent.transport.loop.loop import NodeLoop
from tests.integration.apps.taskowner import TIMEOUT_S, Owner
from tests.system.cluster import wait_until


@pytest.fixture
def owner(loop: NodeLoop) -> Owner:
    return Owner(loop)


def test_what_is_pushed_before_there_is_a_master_is_sent_when_there_is_one(owner: Owner) -> None:
    ids = owner.push("a", "b")
    session = owner.attach()
    assert session.pushed_ids() == ids == [1, 2]
    assert owner.client.open_count == 2


def test_each_outcome_is_given_back_once(owner: Owner) -> None:
    owner.push("a", "b")
    owner.attach()
    owner.master_says("finished", [2], [FINISHED], [b"x"], -1)
    owner.master_says("finished", [2, 1], [FINISHED, FINISHED], [b"y", b"z"], -1)
    owner.master_says("finished", [99], [FINISHED], [b""], -1)
    assert owner.outcomes == [Outcome("b", FINISHED, b"x"), Outcome("a", FINISHED, b"z")]
    assert owner.client.open_count == 0


def test_items_are_reported_as_accepted(owner: Owner) -> None:
    owner.push("a", "b")
    owner.attach()
    owner.master_says("accepted", 2)
    owner.master_says("accepted", 2)
    assert owner.accepted == ["a", "b"]


def test_an_outcome_may_tell_what_is_accepted(owner: Owner) -> None:
    owner.push("a", "b")
    owner.push("c", "d")
    session = owner.attach()
    owner.push("e")
    owner.master_says("finished", [2], [FINISHED], [b"x"], session.pushed_ids()[3])
    assert owner.accepted == ["a", "b", "c", "d"]
    owner.master_says("finished", [1], [FINISHED], [b"x"], 4)
    assert owner.accepted == ["a", "b", "c", "d"]


class Pickled:
    """Holds the thread up that pickles it, until the test lets it go on."""

    def __init__(self, owner: Owner) -> None:
        self._is_held, self._may_go_on = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=owner.client.push, args=("held", (len, ([self],), {})))
        self._thread.start()
        assert self._is_held.wait(TIMEOUT_S)

    def __reduce__(self) -> tuple[Any, ...]:
        self._is_held.set()
        assert self._may_go_on.wait(TIMEOUT_S)
        return int, ()

    def let_go(self) -> None:
        self._may_go_on.set()
        self._thread.join(TIMEOUT_S)


def test_a_master_is_joined_while_a_thread_takes_long_to_pickle(owner: Owner) -> None:
    owner.push("a")
    held = Pickled(owner)
    assert owner.attach().pushed_ids() == [1]
    held.let_go()


def test_the_loop_goes_on_while_what_the_next_master_needs_waits_for_a_thread_that_pickles(
    owner: Owner,
) -> None:
    owner.push("a", "b")
    owner.attach()
    owner.master_says("accepted", 2)
    owner.on_loop(owner.client.detach)
    held = Pickled(owner)
    ended_meanwhile = owner.attach()
    owner.on_loop(owner.client.detach)
    session = owner.attach()
    assert session.pushed_ids() == []
    held.let_go()
    wait_until(lambda: session.pushed_ids() == [1, 2, 3], "all are pushed again")
    assert ended_meanwhile.casts == []


def test_the_members_of_a_batch_are_pushed_when_no_thread_pickles_any_more(owner: Owner) -> None:
    owner.client.push_many([Task("a"), Task("b")], 2)
    session = owner.attach()
    held = Pickled(owner)
    owner.master_says("finished", [1], [DIED], [b"evidence"], 1)
    assert session.pushed_ids() == [1]
    held.let_go()
    wait_until(lambda: session.pushed_ids() == [1, 2, 3, 4], "its members are pushed")


def test_the_next_master_is_given_what_is_unfinished_in_the_old_order(owner: Owner) -> None:
    owner.push("a", "b", "c")
    owner.attach()
    owner.master_says("accepted", 3)
    owner.master_says("finished", [2], [FINISHED], [b""], -1)
    owner.on_loop(owner.client.detach)
    owner.push("d")
    session = owner.attach()
    assert session.pushed_ids() == [1, 3, 4]
    owner.master_says("finished", [1, 3, 4], [FINISHED] * 3, [b""] * 3, -1)
    assert sorted(owner.items()) == ["a", "b", "c", "d"]


def test_an_answer_of_the_lost_master_frees_no_room_of_the_next(owner: Owner) -> None:
    owner.push("a")
    owner.attach()
    owner.on_loop(owner.client.detach)
    owner.attach()
    owner.master_says("accepted", 11)
    assert owner.accepted == []
    owner.master_says("accepted", 1)
    assert owner.accepted == ["a"]


def test_tasks_that_are_made_slowly_are_sent_as_they_come(owner: Owner) -> None:
    session = owner.attach()
    may_end = threading.Event()

    class Nothing(Task):
        def __call__(self) -> None:
            pass

    def tasks() -> Iterator[Task]:
        for number in range(3):
            yield Nothing(str(number))
        assert may_end.wait(TIMEOUT_S)

    thread = threading.Thread(target=owner.client.push_many, args=(tasks(),))
    thread.start()
    try:
        wait_until(lambda: len(session.pushed_ids()) == 3, "all that was made is sent")
    finally:
        may_end.set()
        thread.join(TIMEOUT_S)


def test_a_task_that_is_cancelled_before_it_is_sent_never_is(owner: Owner) -> None:
    first, second = owner.push("a", "b")
    owner.client.cancel([first])
    owner.settle()
    assert owner.outcomes == [Outcome("a", CANCELLED, b"")]
    assert owner.attach().pushed_ids() == [second]


def test_cancelling_a_task_that_was_sent_asks_the_master(owner: Owner) -> None:
    (task_id,) = owner.push("a")
    session = owner.attach()
    owner.client.cancel([task_id, 55])
    owner.settle()
    assert session.casts[-1] == ("cancel", [task_id])
    assert owner.outcomes == []
    owner.master_says("finished", [task_id], [CANCELLED], [b""], -1)
    assert owner.items() == ["a"]


def test_a_session_without_room_is_spared_until_it_has_some(owner: Owner) -> None:
    session = owner.attach()
    session.has_room = False
    owner.push("a")
    assert session.pushed_ids() == []
    session.has_room = True
    assert session.on_room is not None
    owner.on_loop(session.on_room)
    assert session.pushed_ids() == [1]


def test_whoever_pushes_waits_while_the_master_accepts_nothing(
    loop: NodeLoop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outgoing, "PENDING_BYTES_MAX", 1000)
    owner = Owner(loop, room_timeout_s=0.05)
    owner.attach()
    with pytest.raises(QueueFull, match=r"accepted nothing for 0\.05 s.*concurrent status"):
        owner.push(*"abcdefghij")
    pushed = owner.client.pushed_count
    assert 0 < pushed < 10
    owner.master_says("accepted", pushed)
    owner.push("k")


def test_a_push_that_waits_goes_on_when_the_master_accepts(
    loop: NodeLoop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outgoing, "PENDING_BYTES_MAX", 1000)
    owner = Owner(loop)
    session = owner.attach()
    pusher = threading.Thread(target=owner.push, args="abcdefghij")
    pusher.start()
    accepted = 0
    while pusher.is_alive():
        owner.settle()
        for method, first_id, *rest in session.casts[accepted:]:
            accepted += 1
            if method == "push_tasks":
                owner.master_says("accepted", first_id + len(rest[-1]) - 1)
        pusher.join(0.01)
    owner.settle()
    assert session.pushed_ids() == list(range(1, 11))


def test_what_is_pushed_again_keeps_the_pace_of_the_new_master(
    loop: NodeLoop, monkeypatch: pytest.MonkeyPatch
) -> None:
    owner = Owner(loop)
    owner.attach()
    for number in range(100):
        owner.push(str(number))
        owner.master_says("accepted", number + 1)
    owner.on_loop(owner.client.detach)
    monkeypatch.setattr(outgoing, "PENDING_BYTES_MAX", 3000)
    monkeypatch.setattr(unsent, "GROUP_COUNT", 5)
    session = owner.attach()
    sent = 0
    while len(session.pushed_ids()) < 100:
        assert sent < len(session.pushed_ids()) <= sent + 15
        sent = session.pushed_ids()[-1]
        owner.master_says("accepted", sent)
    assert session.pushed_ids() == list(range(1, 101))


@pytest.mark.parametrize("attempts_max", [0, -3, 1001, True, "3", None])
def test_how_many_workers_may_die_of_a_task_has_bounds(owner: Owner, attempts_max: Any) -> None:
    task = Task("a")
    task.attempts_max = attempts_max
    with pytest.raises(SchedulingError, match="attempts_max must be a whole number from 1 to 1000"):
        owner.client.push_many([task])
    assert owner.client.open_count == 0


def test_what_can_not_be_pickled_is_raised_where_it_is_pushed(owner: Owner) -> None:
    with pytest.raises(SchedulingError, match="cannot be pickled"):
        owner.client.push("a", (len, (threading.Lock(),), {}))
    assert owner.client.open_count == 0
    assert owner.push("b") == [1]


def test_a_closed_client_takes_nothing_and_reports_what_was_open(owner: Owner) -> None:
    owner.push("a")
    owner.client.close("the program ends")
    owner.settle()
    assert owner.outcomes == [Outcome("a", CANCELLED, b"")]
    with pytest.raises(SchedulingError, match="the program ends"):
        owner.client.push("b", (len, ("b",), {}))


def test_a_batch_that_killed_its_worker_is_pushed_again_task_by_task(owner: Owner) -> None:
    tasks = [Task("a"), Task("b")]
    ids = owner.client.push_many(tasks, batch_size=2)
    assert ids == [1, 1]
    session = owner.attach()
    owner.master_says("finished", [1], [DIED], [b"killed"], -1)
    owner.settle()
    assert owner.outcomes == []
    assert session.pushed_ids() == [1, 2, 3]
    owner.master_says("finished", [2, 3], [FINISHED, DIED], [b"", b"killed"], -1)
    assert owner.items() == tasks


def test_what_could_not_be_pushed_of_many_is_known(owner: Owner) -> None:
    bad = Task("bad")
    bad.lock = threading.Lock()  # type: ignore[attr-defined]
    tasks = [Task("a"), Task("b"), bad, Task("c")]
    for batch_size, pushed, unpushed in ((1, 2, [bad]), (2, 2, [bad, tasks[3]])):
        ids: list[int] = []
        pending: list[Task] = []
        with pytest.raises(SchedulingError, match="lock"):
            owner.client.push_many(iter(tasks), batch_size, ids=ids, pending=pending)
        assert len(ids) == pushed
        assert pending == unpushed


@pytest.mark.parametrize("batch_size", [0, -1])
def test_a_batch_of_nothing_is_none(owner: Owner, batch_size: int) -> None:
    assert owner.client.push_many([Task(), Task()], batch_size) == [1, 2]


def test_tasks_that_were_made_before_an_error_are_known(owner: Owner) -> None:
    tasks = [Task(), Task()]

    def make() -> Iterator[Task]:
        yield from tasks
        raise SchedulingError("no more of them")

    pending: list[Task] = []
    with pytest.raises(SchedulingError, match="no more of them"):
        owner.client.push_many(make(), 3, pending=pending)
    assert pending == tasks


def test_many_are_taken_one_by_one_if_they_do_not_travel_as_one(owner: Owner) -> None:
    made: list[int] = []

    def make() -> Iterator[Task]:
        for number in range(3):
            assert owner.client.pushed_count == len(made)
            made.append(number)
            yield Task()

    owner.client.push_many(make())
    assert len(made) == 3


def double(number: int) -> int:
    return 2 * number


def test_code_that_the_master_would_refuse_is_the_error_of_the_tasks_that_need_it(
    loop: NodeLoop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sentcode, "CODE_BYTES_MAX", 100)
    owner = Owner(loop, __name__)
    owner.client.push("needs code", (double, (2,), {}))
    owner.attach()
    owner.settle()
    outcome = owner.outcomes[0]
    assert (outcome.item, outcome.status) == ("needs code", FAILED)
    assert b"global names" in bytes(outcome.payload)
    assert owner.client.open_count == 0


@pytest.mark.parametrize("reason", ["message", "code"])
def test_what_could_not_be_sent_makes_no_more_room_than_it_took(
    loop: NodeLoop, monkeypatch: pytest.MonkeyPatch, reason: str
) -> None:
    def refuse(message: Message, *_args: Any) -> None:
        if message is to_master.push_tasks:
            raise MessageTooLarge("it does not fit")

    monkeypatch.setattr(outgoing, "PENDING_BYTES_MAX", 1000)
    owner = Owner(loop, __name__, room_timeout_s=0.05)
    session = owner.attach()
    with monkeypatch.context() as patch:
        if reason == "message":
            patch.setattr(session, "cast", refuse)
            patch.setattr(session, "peer_bytes_max", 1, raising=False)
        else:
            patch.setattr(sentcode, "CODE_BYTES_MAX", 100)
        for _ in range(10):
            owner.client.push("refused", (double, (2,), {}))
            owner.settle()
    assert owner.items() == ["refused"] * 10
    with pytest.raises(QueueFull):
        owner.push(*"abcdefghij")


def test_a_push_whose_client_is_closed_waits_no_more(loop: NodeLoop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outgoing, "PENDING_BYTES_MAX", 0)
    owner = Owner(loop)
    owner.push("a")
    errors: list[Exception] = []

    def push() -> None:
        try:
            owner.push("b")
        except SchedulingError as error:
            errors.append(error)

    thread = threading.Thread(target=push)
    thread.start()
    while not owner.client.room.waits_for:
        owner.settle()
    owner.client.refuse("a test")
    thread.join(TIMEOUT_S)
    assert "a test" in str(errors[0])
