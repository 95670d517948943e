"""What a program's task systems are told by the master, and the master by them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from concurrent.apps.opensystems import OpenSystems
from concurrent.scheduling.owner.results import Outcome
from concurrent.scheduling.tasks.outcome import FINISHED
from concurrent.transport.calls.declaration import Message

SYSTEM = object()


class Master:
    """The loop and the tasks of a program, and its session with the master."""

    peer_bytes_max = 1000

    def __init__(self) -> None:
        self.told: list[tuple[Any, ...]] = []
        self.outcomes: list[Outcome] = []
        self._receivers: dict[str, Callable[..., object]] = {}
        self.systems = OpenSystems(
            self,  # type: ignore[arg-type]
            self,  # type: ignore[arg-type]
            on_accepted=None,
            on_progress=None,
            on_outcome=self.outcomes.append,
        )
        self.systems.register_methods(self)  # type: ignore[arg-type]

    @property
    def methods(self) -> Master:
        return self

    def receive(self, message: Message[..., Any], function: Callable[..., object]) -> None:
        self._receivers[message.name] = function

    def post(self, function: Callable[..., object], *args: Any) -> None:
        function(*args)

    def pickled(self, _item: Any) -> tuple[bytes, int]:
        return b"system", 0

    def send_code(self, _count: int) -> None:
        """There is none."""

    def peer_has(self, feature: str) -> bool:
        return feature == "jobs"

    def cast(self, message: Message[..., Any], *args: Any) -> None:
        self.told.append((message.name, *args))

    def join(self) -> None:
        """Begin a session with the job that the master has."""
        self.systems.attach(self, has_none=False)  # type: ignore[arg-type]

    def finish(self, system_id: int) -> None:
        self._receivers["tasksystem_finished"](self, None, system_id, FINISHED, b"result")


@pytest.fixture
def master() -> Master:
    made = Master()
    made.join()
    return made


def test_the_master_is_told_when_the_program_has_dealt_with_an_outcome(master: Master) -> None:
    system_id = master.systems.push(SYSTEM)
    master.finish(system_id)
    assert master.outcomes == [Outcome(SYSTEM, FINISHED, b"result")]
    assert master.told == [("push_tasksystem", 1, 0, b"system")]
    master.systems.heard(SYSTEM)
    assert master.told[1:] == [("tasksystem_heard", 1)]


def test_an_outcome_that_comes_again_is_given_once(master: Master) -> None:
    master.finish(master.systems.push(SYSTEM))
    master.join()
    master.finish(1)
    master.systems.heard(SYSTEM)
    master.finish(1)
    assert len(master.outcomes) == 1
    assert master.told[1:] == [("tasksystem_heard", 1)] * 2


def test_an_outcome_may_come_before_the_program_waits_for_it(master: Master) -> None:
    master.finish(1)
    assert master.outcomes == []
    master.systems.adopt(1, SYSTEM)
    assert master.outcomes == [Outcome(SYSTEM, FINISHED, b"result")]
    assert (master.told, master.systems.count) == ([], 0)
