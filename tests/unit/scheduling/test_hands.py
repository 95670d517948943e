"""The hands of a master, each alone: what is sent to whom for a command, and what goes to the ledger."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from concurrent.core.errors import MessageTooLarge, PayloadDamaged
from concurrent.core.stats import Stats
from concurrent.core.troubles import Troubles
from concurrent.scheduling.ledger.events import (
    Accept,
    CancelRequested,
    CancelRun,
    CheckQueue,
    Deliver,
    OwnerJoined,
    ProbeStore,
    Push,
    PushedLost,
    RefusedByAll,
    Send,
    SlaveDrained,
    SlaveJoined,
    StoreChanged,
    TasksFailed,
    TasksReturned,
    TasksSubmitted,
    TasksTaken,
    TellHeld,
    TellInfeasible,
    TellRunning,
)
from concurrent.scheduling.ledger.ledger import Ledger
from concurrent.scheduling.master.announcer import Announcer
from concurrent.scheduling.master.delivery import Delivery
from concurrent.scheduling.master.feeder import Feeder
from concurrent.scheduling.master.notices import Notices
from concurrent.scheduling.master.sessions import Sessions
from concurrent.scheduling.master.storage import Storage
from concurrent.scheduling.schedulers.workqueues import SessionWorkQueue
from concurrent.scheduling.store.payloads import PayloadStore
from concurrent.scheduling.tasks.outcome import FAILED, FINISHED
from concurrent.scheduling.wire.courier import Courier
from concurrent.scheduling.wire.messages import to_owner
from concurrent.scheduling.wire.projectblobs import Manifest
from concurrent.scheduling.wire.workqueue import Chunk
from concurrent.transport.calls.declaration import Message

OWNER, SLAVE = 1, 2


class Session:
    """Takes down what is cast; refuses payloads that are longer than ``bytes_max``."""

    def __init__(self, node_id: str) -> None:
        self.node_id = node_id
        self.has_room = True
        self.features = {to_owner.NOTICE}
        self.peer_bytes_max = 1000
        self.cast_: list[tuple[Any, ...]] = []

    def cast(self, message: Message, *args: Any) -> None:
        payloads = [one for arg in args if isinstance(arg, list) for one in arg if isinstance(one, bytes)]
        if message.name in ("run", "finished") and sum(map(len, payloads)) > self.peer_bytes_max:
            raise MessageTooLarge("too large", thing=message.name)
        self.cast_.append((message.name, *args))

    def peer_has(self, feature: str) -> bool:
        return feature in self.features

    def said(self) -> list[tuple[Any, ...]]:
        said, self.cast_ = self.cast_, []
        return said


class Loop:
    def time(self) -> float:
        return 0.0

    def __init__(self) -> None:
        self.later: list[Any] = []

    def call_later(self, _delay_s: float, call: Any) -> Any:
        self.later.append(call)
        return self

    def cancel(self) -> None:
        self.later.clear()


@pytest.fixture
def loop() -> Any:
    return Loop()


@pytest.fixture
def owner() -> Any:
    return Session("application-1")


@pytest.fixture
def slave() -> Any:
    return Session("slave-1")


@pytest.fixture
def sessions(owner: Any, slave: Any) -> Sessions:
    sessions = Sessions()
    assert sessions.join_owner(owner) == OWNER
    assert sessions.join_slave(slave) == SLAVE
    return sessions


@pytest.fixture
def ledger() -> Ledger:
    ledger = Ledger(memory_bytes_max=4000)
    ledger.apply(OwnerJoined(OWNER, "application-1"))
    ledger.apply(SlaveJoined(SLAVE, "slave-1", workers=1, window=4))
    return ledger


@pytest.fixture
def courier(loop: Any) -> Courier:
    return Courier(loop, Stats())


class Applied(list[Any]):
    """The events that went to the ledger."""

    def __init__(self, ledger: Ledger) -> None:
        super().__init__()
        self._ledger = ledger

    def __call__(self, event: Any) -> None:
        self.append(event)
        self._ledger.apply(event)


@pytest.fixture
def applied(ledger: Ledger) -> Applied:
    return Applied(ledger)


@pytest.fixture
def storage(ledger: Ledger, applied: Applied, tmp_path: Path) -> Iterator[Storage]:
    storage = Storage(ledger.budget, applied, PayloadStore(tmp_path))
    yield storage
    storage.close()


@pytest.fixture
def queue() -> SessionWorkQueue:
    return SessionWorkQueue()


@pytest.fixture
def feeder(
    ledger: Ledger,
    sessions: Sessions,
    courier: Courier,
    queue: Any,
    storage: Storage,
    applied: Applied,
    slave: Any,
) -> Feeder:
    feeder = Feeder(
        ledger,
        sessions,
        courier,
        work_queue=queue,
        storage=storage,
        apply=applied,
        slave_changed=lambda slave: applied.append(("changed", slave)),
    )
    feeder.code.join_owner(OWNER)
    feeder.code.join_slave(slave)
    return feeder


@pytest.fixture
def delivery(loop: Any, sessions: Sessions, courier: Courier) -> Delivery:
    delivery = Delivery(loop, sessions, courier, lambda payloads: payloads)
    delivery.join(OWNER)
    return delivery


def finished(*ids: int) -> Deliver:
    return Deliver(OWNER, list(ids), [FINISHED] * len(ids), [b"r"] * len(ids), up_to=len(ids))


def test_a_slave_is_sent_tasks_and_what_to_drop(feeder: Feeder, slave: Any) -> None:
    feeder.send(Send(SLAVE, OWNER, [5], [b"task"]))
    feeder.cancel_run(CancelRun(SLAVE, [5]))
    feeder.send(Send(99, OWNER, [6], [b"task"]))
    assert slave.said() == [("run", OWNER, 0, [5], [b"task"]), ("cancel", [5])]


def test_what_is_too_large_for_a_slave_fails_in_the_masters_name(
    feeder: Feeder, applied: Applied, slave: Any
) -> None:
    feeder.send(Send(SLAVE, OWNER, [5], [bytes(1001)]))
    failed, changed = applied
    assert isinstance(failed, TasksFailed)
    assert failed.numbers == [5]
    assert b"a task" in failed.failures[0]
    assert changed == ("changed", SLAVE)
    assert slave.said() == []


class Unreadable(bytes):
    """Stands for a payload whose place on the disk is damaged."""

    def load(self) -> bytes:
        """Raise."""
        raise PayloadDamaged("it is damaged")


class Reading(PayloadStore):
    """Loads payloads that stand for others."""

    def loaded(self, payloads: list[Any]) -> list[Any]:
        return [one.load() if hasattr(one, "load") else one for one in payloads]


@pytest.fixture
def reading(ledger: Ledger, applied: Applied, tmp_path: Path) -> Iterator[Storage]:
    storage = Storage(ledger.budget, applied, Reading(tmp_path))
    yield storage
    storage.close()


def test_a_task_that_cannot_be_read_fails_alone(
    ledger: Ledger, reading: Storage, feeder: Feeder, queue: SessionWorkQueue, applied: Applied, slave: Any
) -> None:
    feeder._storage = reading
    payloads = [b"a", Unreadable(b"x"), b"c"]
    feeder.send(Send(SLAVE, OWNER, [5, 6, 7], payloads))
    assert [message[3] for message in slave.said()] == [[5], [7]]
    feeder.push(Push(OWNER, [8, 9, 10], payloads))
    assert queue.waiting_count() == 2
    failed = [event for event in applied if isinstance(event, TasksFailed)]
    assert [event.numbers for event in failed] == [[6], [9]]
    assert b"it is damaged" in failed[0].failures[0]


def test_an_outcome_that_cannot_be_read_is_replaced_alone(
    loop: Any, sessions: Sessions, courier: Courier, reading: Storage, owner: Any
) -> None:
    delivery = Delivery(loop, sessions, courier, reading.loaded)
    delivery.join(OWNER)
    delivery.deliver(Deliver(OWNER, [1, 2, 3], [FINISHED] * 3, [b"a", Unreadable(b"x"), b"c"], up_to=3))
    delivery.end_turn()
    assert [(message[1], message[2]) for message in owner.said()] == [
        ([1], [FINISHED]),
        ([2], [FAILED]),
        ([3], [FINISHED]),
    ]


def test_what_is_offered_goes_to_who_asks_and_what_is_outdated_to_nobody(
    ledger: Ledger, feeder: Feeder, applied: Applied, slave: Any
) -> None:
    ledger.apply(TasksSubmitted(OWNER, 0, [b"a", b"b"]))
    (push,) = ledger.offer(2)
    assert isinstance(push, Push)
    feeder.push(push)
    ledger.apply(CancelRequested(OWNER, [1]))
    feeder.pull(SLAVE, 2)
    assert slave.said() == [("run", OWNER, 0, [1], [b"a"])]
    assert applied == [TasksTaken(SLAVE, [1]), ("changed", SLAVE)]


def test_a_program_with_a_project_is_not_offered_while_an_older_slave_may_take_it(
    ledger: Ledger, feeder: Feeder, queue: SessionWorkQueue, applied: Applied
) -> None:
    feeder.code.define(OWNER, 0, Manifest("d" * 64, 1, 10, "").blob())
    ledger.apply(TasksSubmitted(OWNER, 0, [b"a"]))
    (push,) = ledger.offer(1)
    assert isinstance(push, Push)
    feeder.push(push)
    assert [type(event) for event in applied] == [TasksTaken, TasksReturned, tuple]
    assert queue.waiting_count() == 0


def test_an_older_slave_that_is_drained_keeps_nobody_from_a_project(
    ledger: Ledger, feeder: Feeder, queue: SessionWorkQueue, applied: Applied
) -> None:
    feeder.code.define(OWNER, 0, Manifest("d" * 64, 1, 10, "").blob())
    ledger.apply(SlaveDrained("slave-1", by="ann", at=0.0))
    ledger.apply(TasksSubmitted(OWNER, 0, [b"a"]))
    (push,) = ledger.offer(1)
    assert isinstance(push, Push)
    feeder.push(push)
    assert applied == []
    assert queue.waiting_count() == 1


def test_what_nobody_takes_is_offered_again_once_it_has_left_the_master(
    feeder: Feeder, queue: SessionWorkQueue, applied: Applied
) -> None:
    queue.put(Chunk(OWNER, 0, [7], [b"waits here"]))
    feeder.check_queue(CheckQueue())
    assert applied == []
    queue.pull(SLAVE, lambda _chunk: None, 9)
    feeder.check_queue(CheckQueue())
    assert applied == [PushedLost()]


def test_outcomes_of_one_turn_leave_together_and_say_what_is_accepted(
    delivery: Delivery, owner: Any, loop: Any
) -> None:
    delivery.accept(Accept(OWNER, 3))
    delivery.deliver(finished(0))
    delivery.deliver(finished(1, 2))
    delivery.end_turn()
    assert owner.said() == [("finished", [0, 1, 2], [FINISHED] * 3, [b"r"] * 3, 3)]
    assert loop.later == []


def test_what_is_accepted_is_told_alone_if_nothing_else_leaves_soon(
    delivery: Delivery, owner: Any, loop: Any
) -> None:
    delivery.accept(Accept(OWNER, 3))
    delivery.end_turn()
    delivery.accept(Accept(OWNER, 4))
    delivery.end_turn()
    assert owner.said() == []
    (send_late,) = loop.later
    send_late()
    assert owner.said() == [("accepted", 4)]


def test_a_session_that_is_full_is_brought_the_rest_when_it_has_room(delivery: Delivery, owner: Any) -> None:
    owner.has_room = False
    delivery.deliver(finished(0, 1))
    delivery.end_turn()
    assert (owner.said(), delivery.waiting_count) == ([], 2)
    owner.has_room = True
    assert delivery.has_room(OWNER)
    delivery.end_turn()
    assert (len(owner.said()), delivery.waiting_count) == (1, 0)
    assert not delivery.has_room(OWNER)


def test_an_outcome_that_is_too_large_is_replaced_by_why(delivery: Delivery, owner: Any) -> None:
    owner.peer_bytes_max = 2000
    delivery.deliver(Deliver(OWNER, [4], [FINISHED], [bytes(2001)], up_to=1))
    delivery.end_turn()
    ((_, ids, statuses, (failure,), _),) = owner.said()
    assert (ids, statuses) == ([4], [FAILED])
    assert b"a result" in failure


def test_who_leaves_is_brought_nothing(delivery: Delivery, owner: Any) -> None:
    delivery.deliver(finished(0))
    delivery.leave(OWNER)
    delivery.deliver(finished(1))
    delivery.accept(Accept(OWNER, 1))
    delivery.end_turn()
    assert (owner.said(), delivery.waiting_count) == ([], 0)


def test_payloads_go_to_files_when_the_memory_is_full_and_come_back(
    ledger: Ledger, storage: Storage, applied: Applied
) -> None:
    large = bytes(2048)
    assert storage.kept([large]) == [large]
    ledger.budget.open_bytes = 4001
    kept = storage.kept([large])
    assert storage.stored_bytes == 2048
    assert applied == [StoreChanged(2048, "", storage._store.place)]
    assert [bytes(one) for one in storage.loaded(kept)] == [large]
    kept.clear()
    storage.note()
    assert ledger.budget.store.stored_bytes == 0
    storage.probe(ProbeStore())
    assert len(applied) == 3


def test_owners_are_told_what_concerns_them(
    ledger: Ledger, sessions: Sessions, courier: Courier, owner: Any
) -> None:
    troubles = Troubles()
    notices = Notices(troubles, courier, sessions)
    announcer = Announcer(ledger, sessions, courier, notices)
    held: list[tuple[int, str]] = []
    announcer.on_held = lambda number, reason: held.append((number, reason))
    announcer.held(TellHeld([OWNER, 77], "the disk is full", is_news=True))
    announcer.running(TellRunning(OWNER, [3]))
    announcer.refused_by_all(RefusedByAll([OWNER], [2], has_lost_workers=True, story="task 1"))
    announcer.held(TellHeld([], "", is_news=True))
    assert owner.said() == [
        ("held", "the disk is full"),
        ("running", [3]),
        ("notice", "all slaves refused or lost workers with 2 tasks, which are offered to them again"),
    ]
    assert held == [(OWNER, "the disk is full")]
    notices.close()


def test_the_master_warns_of_what_no_slave_could_meet_if_the_program_cannot(
    ledger: Ledger, sessions: Sessions, courier: Courier, owner: Any, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "concurrent")
    notices = Notices(Troubles(), courier, sessions)
    announcer = Announcer(ledger, sessions, courier, notices)
    command = TellInfeasible(OWNER, 2, "gpus=1: no slave has any (did you mean gpu?)", fails=False)
    announcer.infeasible(command)
    owner.features.clear()
    announcer.infeasible(command)
    text = (
        "no slave that has joined can meet the claim of 2 tasks: gpus=1: no slave has any (did you mean gpu?). "
        "They wait until one joins that can"
    )
    assert owner.said() == [("notice", text)]
    assert [record.levelname for record in caplog.records if text in record.message] == ["INFO", "WARNING"]
    notices.close()


def test_what_all_slaves_refused_is_warned_of_once_by_the_program_or_by_the_master(
    ledger: Ledger, sessions: Sessions, courier: Courier, owner: Any, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "concurrent")
    notices = Notices(Troubles(), courier, sessions)
    announcer = Announcer(ledger, sessions, courier, notices)
    command = RefusedByAll([OWNER], [2], has_lost_workers=False, story="task 1")
    announcer.refused_by_all(command)
    owner.features.clear()
    announcer.refused_by_all(command)
    assert [name for name, _ in owner.said()] == ["notice"]
    said = [record for record in caplog.records if "all slaves refused 2 tasks" in record.message]
    assert [record.levelname for record in said] == ["INFO", "WARNING"]
    assert said[0].message.endswith(": task 1")
    notices.close()


def test_numbers_of_sessions_are_never_given_twice(sessions: Sessions, owner: Any, slave: Any) -> None:
    assert sessions.leave_owner(OWNER)
    assert not sessions.leave_owner(OWNER)
    assert sessions.leave_slave(SLAVE) is slave
    assert sessions.leave_slave(SLAVE) is None
    assert sessions.join_owner(owner) == 3
