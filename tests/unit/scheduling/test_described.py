"""Lines for the log about what happens to tasks."""

from __future__ import annotations

import dataclasses
import inspect
from typing import Any

import pytest

from concurrent.scheduling.ledger import commands, events, recorded
from concurrent.scheduling.ledger.described import describe
from concurrent.scheduling.ledger.events import Deliver, Send, TasksDone, TasksSubmitted
from concurrent.scheduling.tasks.outcome import DIED, FINISHED

SILENT = {
    "TimePassed",
    "TasksRunning",
    "TellRunning",
    "TellWaiting",
    "SlaveHeard",
    "SlaveSilent",
    "TasksMoved",
    "CheckQueue",
    "ProbeStore",
    "RefusedByAll",
    "RefusedPassedOn",
    "TellHeld",
    "TellUnread",
    "ForgetJob",
    "JobNoted",
}
"""What happens often, or is logged elsewhere."""

TYPES = [
    cls
    for _, cls in inspect.getmembers(events, dataclasses.is_dataclass)
    if cls.__module__ in (events.__name__, commands.__name__, recorded.__name__)
]


def made(cls: Any) -> Any:
    """Return one with values of the right kinds."""
    values = {"str": "name", "int": 3, "float": 0.5}
    return cls(**{field.name: values.get(str(field.type), [1, 2]) for field in dataclasses.fields(cls)})


@pytest.mark.parametrize("cls", TYPES, ids=lambda cls: cls.__name__)
def test_each_event_and_command_has_a_line_unless_it_is_silent(cls: Any) -> None:
    assert bool(describe(made(cls))) == (cls.__name__ not in SILENT)


def test_a_line_says_how_many_which_and_how_they_ended() -> None:
    assert describe(TasksSubmitted(2, 11, [b"", b""])) == "owner 2 has submitted 2 tasks, 11 and on"
    assert describe(Send(1, 2, [7], [b""])) == "task 7 of owner 2 sent to slave 1"
    done = TasksDone(1, [9, 7, 8], [FINISHED, DIED, FINISHED], [b""] * 3)
    assert describe(done) == "slave 1 has done 3 tasks (7 to 9): 2 finished, 1 killed their worker"
    assert (
        describe(Deliver(2, [11], [FINISHED], [b""], up_to=1))
        == "outcomes go to owner 2, its task 11: 1 finished"
    )
