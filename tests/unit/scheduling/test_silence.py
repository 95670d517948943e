"""Slaves that hold tasks and report nothing, and what they or others bring in the end."""

from __future__ import annotations

import pytest

from concurrent.scheduling.ledger.events import (
    CancelRequested,
    CancelRun,
    CheckQueue,
    Command,
    Deliver,
    Event,
    OwnerJoined,
    OwnerLeft,
    Push,
    PushedLost,
    SlaveAway,
    SlaveBack,
    SlaveHeard,
    SlaveJoined,
    SlaveLost,
    SlaveSilent,
    TasksDone,
    TasksMoved,
    TasksReturned,
    TasksRunning,
    TasksSubmitted,
    TasksTaken,
    TellWaiting,
    TimePassed,
    WindowChanged,
)
from concurrent.scheduling.ledger.ledger import Ledger
from concurrent.scheduling.ledger.states import TaskState
from concurrent.scheduling.tasks.outcome import CANCELLED, DIED, FAILED, FINISHED

MUTE, OTHER = 1, 2


class Master:
    """A ledger whose time passes, with two slaves; the first one has two tasks."""

    def __init__(self) -> None:
        self.now = 100.0
        self.ledger = Ledger()
        self.apply(OwnerJoined(1, "application"))
        self.apply(SlaveJoined(MUTE, "mute", workers=2, window=4))
        self.apply(SlaveJoined(OTHER, "other", workers=2, window=4))
        self.apply(TasksSubmitted(1, 10, [b"a", b"b"]))
        self.ledger.assign(MUTE, 2)

    def apply(self, event: Event) -> list[Command]:
        return self.ledger.apply(event)

    def wait(self, seconds: float) -> list[Command]:
        """Let time pass as it does for a master, second by second."""
        commands: list[Command] = []
        for _ in range(round(seconds)):
            self.now += 1
            commands += self.apply(TimePassed(self.now))
        return commands

    def runs(self, slave: int, *numbers: int) -> list[Command]:
        count = len(numbers)
        return self.apply(TasksRunning(slave, [*numbers], [7] * count, [1.0] * count, [""] * count, 0.0))

    def silence(self) -> None:
        """Have the first slave fall silent and its tasks be moved."""
        said = [command for command in self.wait(70) if type(command) is not CheckQueue]
        assert said == [SlaveSilent(MUTE, 2), TasksMoved(MUTE, 2)]


@pytest.fixture
def master() -> Master:
    return Master()


def test_what_a_silent_slave_holds_is_offered_to_others_within_a_bound(master: Master) -> None:
    master.silence()
    assert master.ledger.queued_count == 2
    assert master.ledger.slaves[MUTE].room <= 0
    assert master.ledger.window_total == 4
    assert master.ledger.status().slaves[0].silent is True
    assert master.wait(100) == [], "it is said once"


def test_what_a_silent_slave_has_not_begun_goes_to_others_and_what_it_runs_waits_for_it(master: Master) -> None:
    master.apply(TasksSubmitted(1, 20, [b""] * 2))
    master.ledger.assign(MUTE, 2)
    master.runs(MUTE, 2)
    assert master.wait(12) == [SlaveSilent(MUTE, 4), TasksMoved(MUTE, 2)]
    assert list(master.ledger.slaves[MUTE].held) == [1, 2], (
        "what it told of, and the oldest: it has two workers"
    )
    assert master.wait(30) == []
    assert late(master, 1)[-1] == Deliver(1, [10], [FINISHED], [b"late"], up_to=1)
    assert master.wait(8) == []
    said = [SlaveSilent(MUTE, 1), TasksMoved(MUTE, 1), TellWaiting(1, [11])]
    assert master.wait(45) == said, "its time begins with its last word"


def test_a_slave_from_which_nothing_arrives_gets_nothing_until_it_is_back(master: Master) -> None:
    assert master.apply(SlaveAway(MUTE)) == [SlaveSilent(MUTE, 2)]
    assert master.apply(SlaveAway(MUTE)) == []
    assert master.ledger.slaves[MUTE].room <= 0
    assert master.wait(40) == [], "what it runs waits for it"
    assert master.apply(SlaveBack(MUTE)) == [SlaveHeard(MUTE)]
    assert master.apply(SlaveBack(MUTE)) == []
    assert list(master.ledger.slaves[MUTE].held) == [1, 2]
    assert master.ledger.slaves[MUTE].room == 2
    assert master.ledger.window_total == 8


def test_what_may_lie_in_the_pipe_of_a_slave_that_is_away_is_offered_again(master: Master) -> None:
    master.apply(TasksSubmitted(1, 20, [b"c"]))
    master.ledger.offer(1)
    master.apply(SlaveAway(MUTE))
    assert not master.ledger.pushed


@pytest.mark.parametrize("event", [SlaveAway(99), SlaveBack(99)])
def test_a_slave_that_is_not_known_is_neither_away_nor_back(master: Master, event: Event) -> None:
    assert master.apply(event) == []


def test_a_slave_that_tells_what_it_runs_is_missed_sooner(master: Master) -> None:
    master.runs(MUTE, 1)
    assert master.wait(5) == []
    master.runs(MUTE, 1)
    assert master.wait(9) == []
    assert master.wait(3) == [SlaveSilent(MUTE, 2)]


@pytest.mark.parametrize(
    "word",
    [
        TasksDone(MUTE, [], [], []),
        TasksRunning(MUTE, [1], [7], [1.0], [""], 0.0),
        TasksReturned(MUTE, []),
        WindowChanged(MUTE, 4),
    ],
    ids=["outcomes", "what runs", "tasks handed back", "a window"],
)
def test_whatever_a_slave_says_of_its_tasks_ends_its_silence(master: Master, word: Event) -> None:
    for _ in range(20):
        master.wait(8)
        master.apply(word)
    assert SlaveSilent(MUTE, 2) in master.wait(40)
    assert master.apply(word)[0] == SlaveHeard(MUTE)
    assert master.ledger.slaves[MUTE].room > 0
    assert master.ledger.window_total == 8


def test_to_take_tasks_is_no_sign_of_work(master: Master) -> None:
    master.apply(TasksSubmitted(1, 20, [b""] * 50))
    said: list[Command] = []
    for _ in range(40):
        (push,) = master.ledger.offer(1)
        assert isinstance(push, Push)
        master.apply(TasksTaken(MUTE, push.numbers))
        said += master.wait(1)
        if said:
            break
    assert isinstance(said[0], SlaveSilent)


def test_what_may_lie_in_the_pipe_of_a_silent_slave_is_offered_again(master: Master) -> None:
    master.apply(TasksSubmitted(1, 20, [b"c"]))
    assert master.ledger.offer(1) == [Push(1, [3], [b"c"])]
    master.silence()
    assert not master.ledger.pushed
    assert master.ledger.queued_count == 3


def test_the_only_slave_is_named_and_keeps_its_tasks_until_another_is_idle(master: Master) -> None:
    master.apply(SlaveLost(OTHER, "gone"))
    assert master.wait(100) == [SlaveSilent(MUTE, 2)]
    assert len(master.ledger.slaves[MUTE].held) == 2
    master.apply(SlaveJoined(3, "new", workers=1, window=2))
    assert master.wait(1) == [TasksMoved(MUTE, 2)]


def test_slaves_without_tasks_may_be_silent_for_ever(master: Master) -> None:
    master.apply(TasksDone(MUTE, [1, 2], [FINISHED] * 2, [b""] * 2))
    assert master.wait(1000) == []


def test_long_tasks_of_a_slave_that_does_not_tell_what_it_runs_are_given_time(master: Master) -> None:
    master.apply(TasksDone(MUTE, [1], [FINISHED], [b""], 60.0))
    assert master.wait(590) == []
    assert master.wait(20)[0] == SlaveSilent(MUTE, 1)


def test_a_master_that_was_held_up_itself_blames_nobody(master: Master) -> None:
    master.wait(5)
    for _ in range(20):
        master.now += 50
        assert master.apply(TimePassed(master.now)) == []


def late(master: Master, *numbers: int, status: int = FINISHED) -> list[Command]:
    count = len(numbers)
    return master.apply(TasksDone(MUTE, [*numbers], [status] * count, [b"late"] * count))


def test_the_first_outcome_of_a_moved_task_counts_and_the_other_run_is_ended(master: Master) -> None:
    master.silence()
    master.ledger.assign(OTHER, 2)
    assert late(master, 1) == [
        SlaveHeard(MUTE),
        CancelRun(OTHER, [1]),
        CancelRun(MUTE, [1]),
        Deliver(1, [10], [FINISHED], [b"late"], up_to=1),
    ]
    assert master.apply(TasksDone(OTHER, [1, 2], [FINISHED] * 2, [b"second"] * 2)) == [
        CancelRun(MUTE, [2]),
        Deliver(1, [11], [FINISHED], [b"second"], up_to=2),
    ]
    assert late(master, 2) == []
    assert master.ledger.status().open == 0


@pytest.mark.parametrize("place", ["queued", "pushed", "held"])
def test_a_late_outcome_counts_wherever_the_task_is(master: Master, place: str) -> None:
    master.silence()
    if place == "pushed":
        master.ledger.offer(2)
    elif place == "held":
        master.ledger.assign(OTHER, 2)
    deliver = late(master, 1, 1, 2, status=FAILED)[-1]
    assert deliver == Deliver(1, [10, 11], [FAILED] * 2, [b"late"] * 2, up_to=2)
    ledger = master.ledger
    assert (ledger.queued_count, len(ledger.pushed), ledger.held_total) == (0, 0, 0)
    master.apply(TasksSubmitted(1, 30, [b"new"]))
    assert [command.payloads for command in ledger.assign(OTHER, 9)] == [[b"new"]]  # type: ignore[union-attr]


def test_a_slave_that_comes_back_under_its_name_brings_what_it_has_finished(master: Master) -> None:
    master.apply(SlaveLost(MUTE, "the session was not resumed"))
    master.ledger.assign(OTHER, 1)
    master.apply(SlaveJoined(3, "mute", workers=2, window=4))
    commands = master.apply(TasksDone(3, [1, 2], [FINISHED] * 2, [b"kept"] * 2))
    assert commands[-1] == Deliver(1, [10, 11], [FINISHED] * 2, [b"kept"] * 2, up_to=2)
    assert CancelRun(OTHER, [1]) in commands
    assert master.ledger.slaves[3].counts.finished == 2


def test_a_slave_that_comes_back_goes_on_with_what_nobody_else_has(master: Master) -> None:
    master.apply(SlaveLost(MUTE, "the session was not resumed"))
    master.ledger.assign(OTHER, 1)
    (first,) = master.ledger.slaves[OTHER].held
    (second,) = {1, 2} - {first}
    master.apply(SlaveJoined(3, "mute", workers=2, window=4))
    master.runs(3, 1, 2)
    assert list(master.ledger.slaves[3].held) == [second]
    assert master.ledger.task_by_number[second].state is TaskState.HELD
    assert master.ledger.queued_count == 0
    assert list(master.ledger.slaves[OTHER].held) == [first]
    assert master.ledger.assign(OTHER, 5) == []


def test_another_slave_cannot_bring_what_was_never_its_own(master: Master) -> None:
    master.silence()
    master.apply(SlaveJoined(3, "forger", workers=2, window=4))
    assert master.apply(TasksDone(3, [1], [FINISHED], [b"forged"])) == []
    assert master.runs(3, 1) == []
    assert master.ledger.queued_count == 2


@pytest.mark.parametrize("status", [DIED, CANCELLED])
def test_a_late_word_that_is_no_outcome_changes_nothing(master: Master, status: int) -> None:
    master.silence()
    assert late(master, 1, status=status) == [SlaveHeard(MUTE)]
    assert master.ledger.task_by_number[1].evidence == ()
    assert master.ledger.queued_count == 2


@pytest.mark.parametrize("end", [CancelRequested(1, [10, 11]), OwnerLeft(1)], ids=["cancelled", "left"])
def test_a_silent_slave_drops_what_nobody_wants_any_more(master: Master, end: Event) -> None:
    master.silence()
    assert CancelRun(MUTE, [1, 2]) in master.apply(end)
    assert late(master, 1)[1:] == []


def test_what_is_offered_under_a_new_number_has_forgotten_the_old_one(master: Master) -> None:
    master.silence()
    master.ledger.offer(2)
    master.apply(PushedLost())
    assert late(master, 1, 2) == [SlaveHeard(MUTE)]
    assert master.runs(MUTE, 1) == [CancelRun(MUTE, [1])]
    assert master.ledger.queued_count == 2
