"""What a program is brought of the tasks of a former one, though a disk has damaged some."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from concurrent.scheduling.master.recaller import Recaller, readable
from concurrent.scheduling.owner.results import Outcome, Recalled, load_outcomes
from concurrent.scheduling.tasks.outcome import FINISHED
from concurrent.scheduling.tasks.task import Task
from concurrent.scheduling.wire.messages import to_owner

DAMAGED = 7


def tasks(ids: list[int]) -> list[bytes]:
    if DAMAGED in ids:
        raise OSError("a payload of 5 bytes is damaged on disk")
    return [b"task %d" % one for one in ids]


@pytest.mark.parametrize("count", [7, 8, 20])
def test_a_damaged_task_takes_no_other_with_it(count: int) -> None:
    ids = list(range(1, 1 + count))
    assert readable(tasks, ids) == [b"" if one == DAMAGED else b"task %d" % one for one in ids]


def test_a_program_is_brought_the_tasks_of_former_ones_before_their_outcomes() -> None:
    sent: list[tuple[Any, ...]] = []
    courier: Any = SimpleNamespace(cast=lambda _handler, message, *args: sent.append((message, *args)))
    recaller = Recaller(courier, [b"code"], 9, tasks)
    handler: Any = object()
    recaller.before(handler, [6, 7, 8, 9, 10])
    recaller.before(handler, [5])
    recaller.before(handler, [11])
    assert sent == [
        (to_owner.recalled_code, 0, b"code"),
        (to_owner.recalled, [6, 7, 8], [b"task 6", b"", b"task 8"]),
        (to_owner.recalled, [5], [b"task 5"]),
    ]


def test_the_outcome_of_a_damaged_task_is_an_error_that_says_so() -> None:
    code: Any = None
    ((task, result, error),) = load_outcomes(code, [Outcome(Recalled(b""), FINISHED, b"a result")])
    assert isinstance(task, Task)
    assert result is None
    assert "is damaged on the disk of the master" in str(error)
