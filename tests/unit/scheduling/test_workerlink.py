"""The link to one worker, with the test in the place of the worker."""

from __future__ import annotations

import socket
import sys
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pytest

from concurrent.scheduling.slave import workerdata
from concurrent.scheduling.slave.bars import Bars
from concurrent.scheduling.slave.sayings import Sayings
from concurrent.scheduling.slave.verdict import CANCEL
from concurrent.scheduling.slave.workerlink import WorkerLink
from concurrent.scheduling.slave.workerstates import WorkerState
from concurrent.scheduling.tasks.outcome import FINISHED
from concurrent.scheduling.tasks.runterms import USUAL, RunTerms
from concurrent.scheduling.worker.held import HeldResults
from concurrent.scheduling.worker.sharedmemory import ArgumentMemory, receive_memory
from concurrent.scheduling.worker.workerwire import CODE, OWNER, RESULTS, TASKS, MessageReader, pack_message
from tests.unit.scheduling.slave_parts import StillLauncher, StillLoop, new_crew, nothing_shared

OWNER_NUMBER = 7


class Ends:
    """A link, and what its worker has.

    :param new_memory: makes what they share; by default they share none.
    """

    held: HeldResults

    def __init__(self, new_memory: Callable[[], ArgumentMemory] = nothing_shared) -> None:
        self.loop = StillLoop()
        self.launcher = StillLauncher()
        self.results: list[tuple[Any, ...]] = []
        self.said: list[Any] = []
        self.sayings = Sayings(lambda *said: self.said.append(said))
        self.deaths: list[tuple[int | None, int | None, str, WorkerState]] = []
        self.crew = new_crew(OWNER_NUMBER, new_memory)
        self.bars = Bars(1)
        self.link = WorkerLink(
            self.loop,  # type: ignore[arg-type]
            self.launcher,  # type: ignore[arg-type]
            lambda _link, *result: self.results.append(result),
            self._died,
            sayings=self.sayings,
            bars=self.bars,
        )
        self.data, self.tokens = (socket.socket(fileno=end.dup().detach()) for end in self.launcher.ends[0])
        for end in self.launcher.ends[0]:
            end.close()
        self.data.settimeout(5)
        self.reader = MessageReader(self.data)

    def join(self) -> list[Any]:
        """Have the worker join; return what it is told."""
        self.link.join(self.crew)
        shared = receive_memory(self.data)
        if shared is not None:
            self.held = shared[1].held
        return self.received()

    def received(self) -> list[Any]:
        (message,) = self.reader.read()
        return message

    def give(self, *numbers: int) -> None:
        self.crew.open_count += len(numbers)
        self.link.give([(number, b"task", self.crew, USUAL) for number in numbers], 0.0)

    def hold(self, *numbers: int) -> None:
        """Have the worker start tasks, and hold back the results of all but the last."""
        self.tokens.recv(len(numbers))
        for number in numbers[:-1]:
            self.held.put(number, FINISHED, b"early")

    def report(self, *numbers: int, printed: Sequence[Any] = ()) -> None:
        fields = list(numbers), [0] * len(numbers), 0.5, printed, [b"result"] * len(numbers)
        for piece in pack_message(RESULTS, *fields):
            self.data.sendall(piece)
        self.loop.read()

    def _died(self, link: WorkerLink, signal: int | None, code: int | None, tail: str) -> None:
        self.deaths.append((signal, code, tail, link.state))
        link.close()

    def close(self) -> None:
        if not self.deaths:
            self.launcher.children[0].ended(0)
        self.data.close()
        self.tokens.close()
        self.crew.app.let_go()


@pytest.fixture
def ends() -> Iterator[Ends]:
    made = Ends()
    yield made
    made.close()


@pytest.fixture
def sharing() -> Iterator[Ends]:
    """What has joined, and shares memory."""
    made = Ends(lambda: ArgumentMemory(1))
    made.join()
    yield made
    made.close()


def numbers(items: list[Any]) -> list[int]:
    return [item[0] for item in items]


def test_a_worker_is_told_whose_it_is_before_anything_else(ends: Ends) -> None:
    assert ends.link.state is WorkerState.READY
    assert ends.join() == [OWNER, OWNER_NUMBER, [{}, {}], "", []]
    assert ends.link.state is WorkerState.SERVING
    assert ends.link.crew is ends.crew


def test_tasks_go_out_with_their_rights_and_the_code_that_is_new(ends: Ends) -> None:
    ends.join()
    ends.crew.app.define(0, b"blob")
    ends.give(1, 2)
    ends.give(3)
    assert ends.tokens.recv(9) == bytes(3)
    messages = ends.reader.read()
    assert [message[0] for message in messages] == [CODE, TASKS, TASKS]
    assert messages[1][1:3] == [0, [1, 2]]


def test_results_of_the_oldest_tasks_are_handed_over_and_charged(ends: Ends) -> None:
    ends.join()
    ends.give(1, 2, 3)
    ends.loop.now += 2.0
    ends.report(1, 2)
    assert ends.results == [([1, 2], [0, 0], [b"result"] * 2, 0.5)]
    assert numbers(list(ends.link.outstanding)) == [3]
    assert ends.link.done_count == 2
    assert ends.crew.used_s == pytest.approx(2.0)


def test_what_has_run_is_noted_by_its_name_and_the_run_that_a_worker_died_of_too(ends: Ends) -> None:
    ends.join()
    named = RunTerms(name="square")
    ends.crew.open_count += 3
    ends.link.give([(number, b"task", ends.crew, named) for number in (1, 2, 3)], 0.0)
    ends.loop.now += 2.0
    ends.report(1, 2)
    ends.loop.now += 3.0
    ends.tokens.recv(3)
    ends.launcher.children[0].ended(1)
    told = ends.bars.take(ends.loop.now)
    assert told is not None
    assert (told.names, told.jobs) == (["square"], [OWNER_NUMBER])
    assert told.counts == [[ends.link.pid] * 2, [0, 0], [2, 1], [0, 1]]
    assert told.times == [[3.5, 3.0], [0.5, 3.0], [0.5, 3.0]]


def test_what_has_not_started_is_taken_back_and_nothing_else(ends: Ends) -> None:
    ends.join()
    ends.give(1, 2, 3)
    ends.tokens.recv(1)
    assert ends.link.running_number() == 1
    assert numbers(ends.link.take_back()) == [2, 3]
    assert ends.link.is_held
    ends.report(1)
    assert not ends.link.is_held
    assert ends.link.is_idle


def test_a_worker_that_is_asked_to_end_gets_nothing_more_and_its_last_results_count(ends: Ends) -> None:
    ends.join()
    ends.give(1, 2)
    ends.link.verdicts = {1: CANCEL, 2: CANCEL}
    ends.link.ask_to_end()
    assert ends.launcher.terminated == [ends.link.pid]
    assert ends.link.is_leaving
    assert ends.link.is_doomed
    ends.report(1)
    assert ends.link.verdicts == {2: CANCEL}
    assert len(ends.results) == 1


def test_what_has_come_is_read_when_it_is_asked_for_though_results_are_paused(ends: Ends) -> None:
    ends.join()
    ends.give(1, 2)
    ends.link.pause_reading(is_paused=True)
    ends.report(1)
    assert not ends.results
    ends.data.sendall(b"\0")
    ends.link.read_what_came()
    assert len(ends.results) == 1
    assert ends.link.is_amid_result


@pytest.mark.parametrize("claimed", [(2,), (1, 2, 3), (9,)])
def test_outcomes_of_other_tasks_than_the_next_ones_make_no_sense(ends: Ends, claimed: tuple[int, ...]) -> None:
    ends.join()
    ends.give(1, 2)
    ends.report(*claimed)
    assert not ends.results
    assert ends.link.state is WorkerState.DISTRUSTED
    assert ends.launcher.killed == [ends.link.pid]
    assert not ends.loop.readers


def test_a_message_that_does_not_go_on_makes_no_sense_after_a_while(
    ends: Ends, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workerdata, "STALLED_LOOKS", 3)
    ends.join()
    ends.data.sendall(b"abc")
    ends.loop.read()
    for _ in range(3):
        ends.link.look()
    assert ends.link.state is WorkerState.SERVING
    ends.link.look()
    assert ends.link.state is WorkerState.DISTRUSTED
    assert "does not finish" in ends.link.distrusted_because


def test_nothing_is_read_while_results_are_paused(ends: Ends) -> None:
    ends.link.pause_reading(is_paused=True)
    ends.join()
    ends.give(1)
    ends.report(1)
    assert not ends.results
    ends.link.pause_reading(is_paused=False)
    ends.loop.read()
    assert len(ends.results) == 1


def test_what_finds_no_room_is_sent_when_there_is_some(ends: Ends) -> None:
    ends.join()
    large = bytes(20_000_000)
    ends.link.give([(1, large, ends.crew, USUAL)], 0.0)
    assert ends.loop.writers
    received: list[list[Any]] = []
    while not received:
        received = ends.reader.read()
        ends.loop.write()
    assert received[0][-1] == [large]
    assert not ends.loop.writers


@pytest.mark.parametrize("is_ready", [True, False])
def test_a_worker_that_is_told_to_end_hears_it(ends: Ends, is_ready: bool) -> None:
    if not is_ready:
        ends.join()
    ends.link.finish()
    ends.link.finish()
    assert ends.tokens.recv(9) == b""
    if is_ready:  # it waits for its application there
        assert ends.data.recv(9) == b""
    assert ends.link.is_leaving


def test_a_worker_cannot_be_given_to_a_second_application(ends: Ends) -> None:
    ends.join()
    with pytest.raises(AssertionError, match=r"of application 7.* is serving, and .given.* cannot happen"):
        ends.link.join(new_crew(8))
    assert ends.link.crew is ends.crew


def test_the_last_words_of_a_worker_are_read_before_its_end_is_told(ends: Ends) -> None:
    ends.join()
    ends.give(1, 2)
    for piece in pack_message(RESULTS, [1], [0], 0.1, [], [b"result"]):
        ends.data.sendall(piece)
    ends.data.close()
    ends.launcher.children[0].ended(-9)
    assert len(ends.results) == 1
    assert ends.deaths == [(9, None, "", WorkerState.SERVING)]
    assert ends.link.state is WorkerState.GONE


def test_last_words_without_sense_are_held_against_it(ends: Ends) -> None:
    ends.join()
    ends.give(1)
    ends.data.sendall(b"\xff" * 100)
    ends.launcher.children[0].ended(1)
    assert ends.deaths == [(None, 1, "", WorkerState.DISTRUSTED)]
    assert ends.link.distrusted_because


needs_shared_memory = pytest.mark.skipif(sys.platform != "linux", reason="memory is only shared on Linux")


@needs_shared_memory
def test_results_that_are_held_back_are_taken_and_passed_over_when_they_come(sharing: Ends) -> None:
    sharing.give(1, 2, 3, 4)
    sharing.hold(1, 2, 3)
    sharing.link.take_held()
    assert sharing.results == [([1, 2], [FINISHED] * 2, [b"early"] * 2, 0.0)]
    assert numbers(list(sharing.link.outstanding)) == [3, 4]
    assert (sharing.link.done_count, sharing.link.running_number()) == (2, 3)
    sharing.link.take_held()
    assert len(sharing.results) == 1, "nothing more is held"
    sharing.report(1, 2, 3)
    assert sharing.results[1:] == [([3], [FINISHED], [b"result"], 0.5)]
    assert (sharing.link.done_count, numbers(list(sharing.link.outstanding))) == (3, [4])
    sharing.report(4)
    assert sharing.results[2:] == [([4], [FINISHED], [b"result"], 0.5)]
    told = sharing.bars.take(sharing.loop.now)
    assert told is not None
    assert told.counts[2] == [4], "each run is drawn once"


@needs_shared_memory
def test_what_is_held_back_later_is_taken_too(sharing: Ends) -> None:
    sharing.give(1, 2, 3)
    sharing.hold(1, 2)
    sharing.link.take_held()
    sharing.held.put(2, FINISHED, b"late")
    sharing.tokens.recv(1)
    sharing.link.take_held()
    sharing.report(1, 2, 3)
    assert [result[0] for result in sharing.results] == [[1], [2], [3]]


@needs_shared_memory
def test_results_on_their_way_are_not_taken_for_others(sharing: Ends) -> None:
    sharing.give(1, 2, 3, 4)
    sharing.hold(1, 2)
    for piece in pack_message(RESULTS, [1], [FINISHED], 0.5, [], [b"sent"]):
        sharing.data.sendall(piece)
    sharing.held.clear()
    sharing.held.put(2, FINISHED, b"early")
    sharing.tokens.recv(1)
    sharing.link.take_held()  # the first of what has ended is not there
    assert not sharing.results
    sharing.loop.read()
    sharing.link.take_held()
    assert [(result[0], result[2]) for result in sharing.results] == [([1], [b"sent"]), ([2], [b"early"])]


@needs_shared_memory
def test_what_a_task_has_printed_comes_with_its_result_and_once(sharing: Ends) -> None:
    sharing.give(1, 2)
    sharing.tokens.recv(2)
    sharing.held.put(1, FINISHED, b"", (4, b"", b"one\n", b""))
    sharing.link.take_held()
    sharing.sayings.flush()
    assert sharing.said == [({}, {1: "one\n"})]
    sharing.report(1, 2, printed=[(1, 4, b"", b"one\n", b""), (2, 4, b"", b"two\n", b"")])
    sharing.sayings.flush()
    assert sharing.said[1:] == [({}, {2: "two\n"})]


@needs_shared_memory
def test_a_worker_that_is_ended_by_force_has_its_results_no_more(sharing: Ends) -> None:
    sharing.give(1, 2)
    sharing.hold(1, 2)
    sharing.link.kill()
    sharing.link.take_held()
    assert not sharing.results


def test_nothing_is_taken_where_no_memory_is_shared(ends: Ends) -> None:
    ends.join()
    ends.give(1, 2)
    ends.tokens.recv(2)
    ends.link.take_held()
    assert not ends.results


@needs_shared_memory
def test_early_results_are_no_outcome_of_other_tasks(sharing: Ends) -> None:
    sharing.give(1, 2)
    sharing.hold(1, 2)
    sharing.link.take_held()
    sharing.report(2)
    assert sharing.link.state is WorkerState.DISTRUSTED
    assert len(sharing.results) == 1
