"""What is taken back from whom when some slaves are idle."""

import pytest

from concurrent.scheduling.ledger.events import (
    AskBack,
    OwnerJoined,
    SlaveJoined,
    SlaveLost,
    TasksDone,
    TasksReturned,
    TasksSubmitted,
    WindowChanged,
)
from concurrent.scheduling.ledger.ledger import Ledger
from concurrent.scheduling.schedulers.rebalance import Rebalancer
from concurrent.scheduling.tasks.outcome import FINISHED


class Cluster:
    """A ledger with slaves of one worker, and a rebalancer that is told of every change."""

    def __init__(self) -> None:
        self.ledger = Ledger()
        self.rebalancer = Rebalancer()
        self.ledger.apply(OwnerJoined(1, "app"))
        self.next_id = 0

    def add(self, slave: int, *, held: int, task_s: float = 0.0, window: int = 100) -> None:
        self.ledger.apply(SlaveJoined(slave, f"s{slave}", 1, window))
        if task_s:
            self.give(slave, 1)
            self.ledger.apply(TasksDone(slave, self.numbers(slave), [FINISHED], [b""], task_s))
        self.give(slave, held)

    def numbers(self, slave: int) -> list[int]:
        return list(self.ledger.slaves[slave].held)

    def give(self, slave: int, count: int) -> None:
        if count:
            self.ledger.apply(TasksSubmitted(1, self.next_id, [b""] * count))
            self.next_id += count
            self.ledger.assign(slave, count)
        self.note(slave)

    def note(self, slave: int) -> None:
        self.rebalancer.note(self.ledger.slaves, slave)

    def ask_back(self) -> dict[int, int]:
        commands = self.rebalancer.ask_back(self.ledger)
        return {one.slave: one.count for one in commands if isinstance(one, AskBack)}

    def answer(self, slave: int, count: int) -> None:
        self.ledger.apply(TasksReturned(slave, self.numbers(slave)[-count:]))
        self.note(slave)


@pytest.fixture
def cluster() -> Cluster:
    return Cluster()


def test_slaves_that_are_alike_share_evenly(cluster: Cluster) -> None:
    cluster.add(1, held=9, task_s=1.0)
    cluster.add(2, held=0, task_s=1.0)
    cluster.add(3, held=0, task_s=1.0)
    assert cluster.ask_back() == {1: 6}


def test_what_would_end_last_is_taken_first(cluster: Cluster) -> None:
    cluster.add(1, held=10, task_s=0.1)
    cluster.add(2, held=4, task_s=1.0)
    cluster.add(3, held=0, task_s=0.3)
    asked = cluster.ask_back()
    assert asked[2] >= 2
    assert 1 not in asked


def test_nothing_goes_where_it_would_end_later(cluster: Cluster) -> None:
    cluster.add(1, held=4, task_s=0.1)
    cluster.add(2, held=0, task_s=5.0)
    assert cluster.ask_back() == {}


def test_nothing_is_moved_to_a_slave_that_refuses_tasks(cluster: Cluster) -> None:
    cluster.add(1, held=9, task_s=1.0)
    cluster.add(2, held=1, task_s=1.0)
    cluster.answer(2, 1)
    assert cluster.ask_back() == {}
    cluster.add(3, held=0, task_s=1.0)
    assert cluster.ask_back() == {1: 4}


def test_what_a_slave_does_not_want_any_more_goes_to_any_idle_one(cluster: Cluster) -> None:
    cluster.add(1, held=9, task_s=0.00001)
    cluster.add(2, held=0, task_s=1.0)
    assert cluster.ask_back() == {}, "it would be done with them sooner"
    cluster.ledger.apply(WindowChanged(1, 1))  # its worker runs a task that takes long
    cluster.note(1)
    assert cluster.ask_back() == {1: 8}


def test_what_a_slave_is_to_hold_no_more_for_another_reason_is_left_to_the_usual_rule(cluster: Cluster) -> None:
    cluster.add(1, held=9, task_s=0.00001)
    cluster.add(2, held=0, task_s=1.0)
    cluster.ledger.apply(WindowChanged(1, 0))
    cluster.note(1)
    assert cluster.ask_back() == {}


def test_while_nobody_is_idle_nothing_is_moved(cluster: Cluster) -> None:
    cluster.add(1, held=50, task_s=1.0)
    cluster.add(2, held=1, task_s=0.1)
    assert cluster.ask_back() == {}


def test_slaves_that_have_reported_nothing_count_as_usual_ones(cluster: Cluster) -> None:
    cluster.add(1, held=6)
    cluster.add(2, held=0)
    assert cluster.ask_back() == {1: 3}


def test_what_is_on_its_way_is_not_asked_for_again(cluster: Cluster) -> None:
    cluster.add(1, held=10, task_s=1.0)
    cluster.add(2, held=10, task_s=1.0)
    cluster.add(3, held=0, task_s=1.0)
    first = cluster.ask_back()
    assert sum(first.values()) == 6
    assert cluster.ask_back() == {}
    for slave, count in first.items():
        cluster.answer(slave, count)
    cluster.ledger.assign(3, 6)
    cluster.note(3)
    assert cluster.ask_back() == {}


def test_what_a_slave_has_given_it_is_asked_for_again_when_it_has_as_much_as_before(cluster: Cluster) -> None:
    cluster.add(1, held=9)
    cluster.add(2, held=0)
    assert cluster.ask_back() == {1: 4}
    cluster.answer(1, 4)
    cluster.ledger.apply(SlaveLost(2, "gone"))
    cluster.note(2)
    cluster.ledger.assign(1, 4)
    cluster.note(1)
    cluster.add(3, held=0)
    assert cluster.ask_back() == {1: 4}


def test_a_slave_that_gives_nothing_is_not_asked_again_before_something_changes(cluster: Cluster) -> None:
    cluster.add(1, held=9)
    cluster.add(2, held=0)
    assert cluster.ask_back() == {1: 4}
    cluster.ledger.apply(TasksReturned(1, []))
    cluster.note(1)
    assert cluster.ask_back() == {}
    cluster.give(1, 1)
    assert cluster.ask_back() == {1: 5}


def test_a_slave_that_is_lost_is_counted_on_no_more(cluster: Cluster) -> None:
    cluster.add(1, held=10, task_s=1.0)
    cluster.add(2, held=0, task_s=1.0)
    cluster.add(3, held=6, task_s=1.0)
    assert cluster.ask_back()
    for slave in (2, 1):
        cluster.ledger.apply(SlaveLost(slave, "gone"))
        cluster.note(slave)
    cluster.add(4, held=0, task_s=1.0)
    assert cluster.ask_back() == {3: 3}


def test_a_window_is_not_exceeded(cluster: Cluster) -> None:
    cluster.add(1, held=20, task_s=1.0)
    cluster.add(2, held=0, task_s=1.0, window=4)
    assert cluster.ask_back() == {1: 4}
