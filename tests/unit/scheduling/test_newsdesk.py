"""What tasks say on its way through the master."""

from __future__ import annotations

from concurrent.futures import Future
from typing import Any

import pytest

from concurrent.core.errors import InvalidArguments, UnknownMethod
from concurrent.scheduling import TaskProgress
from concurrent.scheduling.ledger import lastwords
from concurrent.scheduling.ledger.events import (
    CancelRequested,
    OwnerJoined,
    OwnerLeft,
    SlaveJoined,
    TasksDone,
    TasksRunning,
    TasksSubmitted,
)
from concurrent.scheduling.ledger.ledger import Ledger
from concurrent.scheduling.master import newsdesk, outputshelf
from concurrent.scheduling.master.newsdesk import NewsDesk
from concurrent.scheduling.master.outputshelf import OutputShelf
from concurrent.scheduling.master.sessions import Sessions
from concurrent.scheduling.tasks.outcome import FINISHED
from concurrent.scheduling.wire.courier import Courier


class Session:
    """Stands in for the session of a node."""

    def __init__(self) -> None:
        self.has_room = True
        self.told: list[tuple[Any, ...]] = []
        self.asked: list[tuple[Any, ...]] = []
        self.answer: Future[str] = Future()

    def cast(self, message: Any, *args: Any) -> None:
        self.told.append((message.name, *args))

    def call(self, message: Any, *args: Any) -> Future[str]:
        self.asked.append((message.name, *args))
        return self.answer


@pytest.fixture
def ledger() -> Ledger:
    """Tasks 70 and 71 of owner 1 are 1 and 2 at slave 1, task 90 of owner 2 is 3 there; 91 waits."""
    ledger = Ledger()
    ledger.apply(OwnerJoined(1, "first"))
    ledger.apply(OwnerJoined(2, "second"))
    ledger.apply(SlaveJoined(1, "left", workers=4, window=4))
    ledger.apply(SlaveJoined(2, "right", workers=4, window=4))
    ledger.apply(TasksSubmitted(1, 70, [b""] * 2))
    ledger.apply(TasksSubmitted(2, 90, [b""] * 2))
    ledger.assign(1, 3)
    return ledger


@pytest.fixture
def owners() -> dict[int, Any]:
    return {1: Session(), 2: Session()}


@pytest.fixture
def slave() -> Any:
    return Session()


@pytest.fixture
def desk(ledger: Ledger, owners: dict[int, Any], slave: Any) -> NewsDesk:
    sessions = Sessions()
    sessions.owners |= owners
    sessions.slaves[1] = slave
    return NewsDesk(ledger, sessions, Courier(None))  # type: ignore[arg-type]


def test_each_owner_is_told_of_its_own_tasks(desk: NewsDesk, owners: dict[int, Any]) -> None:
    desk.progress(1, [1, 3, 2], [1, 2.5, 3], [10, 0, 3], ["one", "", "three"])
    assert owners[1].told == [("progress", [70, 71], [1, 3], [10, 3], ["one", "three"])]
    assert owners[2].told == [("progress", [90], [2.5], [0], [""])]


def test_a_slave_is_not_believed_about_tasks_that_it_has_not(
    desk: NewsDesk, owners: dict[int, Any], slave: Any
) -> None:
    desk.progress(2, [1, 4, 99], [1, 1, 1], [2, 2, 2], ["", "", ""])
    desk.printed(2, [1, 4, 99], ["a lie", "a lie", "a lie"])
    assert not owners[1].told
    assert not owners[2].told
    assert desk.output(2, 91) == ""
    slave.answer.set_result("")
    answer: Any = desk.output(1, 70)
    assert answer.result(0) == ""


def test_an_owner_whose_session_is_full_is_told_the_next_time(desk: NewsDesk, owners: dict[int, Any]) -> None:
    owners[1].has_room = False
    desk.progress(1, [1], [1], [2], [""])
    owners[1].has_room = True
    desk.progress(1, [1], [2], [2], [""])
    assert owners[1].told == [("progress", [70], [2], [2], [""])]


def test_columns_of_different_lengths_are_refused(desk: NewsDesk) -> None:
    with pytest.raises(InvalidArguments):
        desk.progress(1, [1, 2], [1], [2], [""])
    with pytest.raises(InvalidArguments):
        desk.printed(1, [1], [])


def test_the_status_shows_how_far_tasks_are_that_run_for_a_while(desk: NewsDesk, ledger: Ledger) -> None:
    ledger.apply(TasksRunning(1, [1, 2], [11, 12], [1.0, 1.0], ["", ""], 1000.0))
    desk.progress(1, [1], [1], [4], ["begins"])
    desk.progress(1, [1], [2.5], [4], ["goes on"])
    assert [row.progress for row in desk.running(1000.0)] == ["2.5 of 4, goes on", ""]


def test_of_tasks_that_run_it_is_not_forgotten_how_far_they_are(
    desk: NewsDesk, ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(newsdesk, "TIDY_COUNT_MIN", 1)
    ledger.apply(TasksRunning(1, [1, 2], [11, 12], [1.0, 1.0], ["", ""], 1000.0))
    tidy = NewsDesk(ledger, Sessions(), Courier(None))  # type: ignore[arg-type]
    tidy.progress(1, [2, 1], [1, 1], [4, 4], ["", ""])
    assert [row.progress for row in tidy.running(1000.0)] == ["1 of 4", "1 of 4"]


@pytest.mark.parametrize(
    ("progress", "words"),
    [
        (TaskProgress(3, 10, "training"), "3 of 10, training"),
        (TaskProgress(3, 10), "3 of 10"),
        (TaskProgress(3, 0, "lines"), "3, lines"),
        (TaskProgress(1 / 3, 1.5), "0.333333 of 1.5"),
        (TaskProgress(12345678, 123456789), "12345678 of 123456789"),
    ],
)
def test_progress_in_words(progress: TaskProgress, words: str) -> None:
    assert progress.words == words


def test_output_of_a_task_that_runs_is_what_its_slave_says(desk: NewsDesk, slave: Any) -> None:
    answer: Any = desk.output(1, 71)
    assert slave.asked == [("output", 2)]
    assert not answer.done()
    slave.answer.set_result("so far\n")
    assert answer.result(0) == "so far\n"


def test_a_slave_that_knows_nothing_of_that_costs_nothing(desk: NewsDesk, slave: Any) -> None:
    slave.answer.set_exception(UnknownMethod("output"))
    answer: Any = desk.output(1, 71)
    assert answer.result(0) == ""


def test_output_of_a_task_that_has_ended_is_kept(desk: NewsDesk, ledger: Ledger) -> None:
    desk.printed(1, [1, 3], ["first\n", "second\n"])
    ledger.apply(TasksDone(1, [1, 3], [FINISHED] * 2, [b""] * 2, 0.1))
    assert desk.output(1, 70) == "first\n"
    assert desk.output(2, 90) == "second\n"
    assert desk.output(1, 90) == desk.output(1, 12345) == ""


def test_what_a_task_says_last_that_was_cancelled_is_kept(desk: NewsDesk, ledger: Ledger, slave: Any) -> None:
    ledger.apply(CancelRequested(1, [70]))
    desk.printed(2, [1], ["a lie\n"])
    desk.printed(1, [1, 2], ["first\n", "other\n"])
    answer: Any = desk.output(1, 70)
    assert slave.asked == [("output", 1)]
    slave.answer.set_result("")  # it is gone there
    assert answer.result(0) == "first\n"


def test_until_its_slave_has_ended_it_the_slave_is_asked(desk: NewsDesk, ledger: Ledger, slave: Any) -> None:
    ledger.apply(CancelRequested(1, [70]))
    answer: Any = desk.output(1, 70)
    desk.printed(1, [1], ["later\n"])
    slave.answer.set_result("so far\n")
    assert answer.result(0) == "so far\n"


def test_of_tasks_that_were_cancelled_the_latest_are_known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lastwords, "KEPT_COUNT", 2)
    ledger = Ledger()
    ledger.apply(OwnerJoined(1, "first"))
    ledger.apply(SlaveJoined(1, "left", workers=4, window=4))
    ledger.apply(TasksSubmitted(1, 70, [b""] * 4))
    ledger.assign(1, 3)
    ledger.apply(CancelRequested(1, [70, 71, 72, 73]))
    known = ledger.places.last_words
    assert [known.found(1, one) for one in (70, 71, 72, 73)] == [None, (1, 2), (1, 3), None]
    assert known.of(1, 2) == (1, 1, 71)
    assert known.of(2, 2) is None


def test_output_of_an_owner_that_has_left_is_dropped(desk: NewsDesk, ledger: Ledger) -> None:
    desk.printed(1, [1], ["first\n"])
    ledger.apply(OwnerLeft(1))
    desk.printed(1, [3], ["second\n"])
    ledger.apply(OwnerJoined(1, "another one"))
    assert desk.output(1, 70) == ""


def test_a_master_that_is_started_again_does_not_count_from_where_another_one_was(ledger: Ledger) -> None:
    first = NewsDesk(ledger, Sessions(), Courier(None))  # type: ignore[arg-type]
    first.printed(1, [1], ["before\n"])
    _, seen = first.printed_since([1], 0)
    second = NewsDesk(ledger, Sessions(), Courier(None), printed_before=1 << 40)  # type: ignore[arg-type]
    second.printed(1, [1, 2], ["one\n", "two\n"])
    new, total = second.printed_since([1], seen)
    assert len(new) == 2
    assert second.printed_since([1], total) == ([], total)
    assert second.printed_since([1], total - 1) == (new[1:], total)
    assert len(second.printed_since([1], total + 1)[0]) == 2, "nobody has counted so many"


def test_of_one_owner_the_newest_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outputshelf, "OWNER_CHARS_MAX", 1000)
    shelf = OutputShelf()
    for task_id in range(10):
        shelf.put(1, task_id, "x" * 100)
    kept = [task_id for task_id in range(10) if shelf.get(1, task_id)]
    assert kept == [7, 8, 9]
    shelf.put(1, 7, "another try")
    assert shelf.get(1, 7) == "another try"
    assert shelf.get(1, 8)


def test_of_all_owners_together_who_has_most_loses_the_oldest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outputshelf, "CHARS_MAX", 1000)
    shelf = OutputShelf()
    shelf.put(2, 1, "little")
    for task_id in range(9):
        shelf.put(1, task_id, "x" * 100)
        shelf.tidy((1, 2))
    assert shelf.get(2, 1) == "little"
    assert [task_id for task_id in range(9) if shelf.get(1, task_id)] == [7, 8]


def test_of_one_task_the_end_is_kept() -> None:
    shelf = OutputShelf()
    shelf.put(1, 1, "x" * 100_000 + "the end")
    assert shelf.get(1, 1).endswith("the end")
    assert len(shelf.get(1, 1)) <= outputshelf.END_CHARS_MAX
