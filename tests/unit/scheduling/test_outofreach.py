"""What an attempt says that failed because an argument leads to something on another machine."""

from __future__ import annotations

import multiprocessing
import pickle
from collections.abc import Callable
from multiprocessing.managers import SyncManager
from multiprocessing.shared_memory import SharedMemory

import pytest

from concurrent.core.errors import SchedulingError
from concurrent.scheduling.worker.outofreach import told_of_arguments


def raised_by(run: Callable[[], object]) -> BaseException:
    try:
        run()
    except Exception as error:  # boundary: what is raised is what is tested
        return error.with_traceback(error.__traceback__ and error.__traceback__.tb_next)
    raise AssertionError("nothing was raised")


@pytest.fixture
def gone(monkeypatch: pytest.MonkeyPatch) -> bytes:
    """Return the pickle of a list of a manager that has ended."""
    with SyncManager(ctx=multiprocessing.get_context("fork")) as manager:
        return pickle.dumps(manager.list())


def test_an_argument_of_a_manager_that_is_out_of_reach_is_told(gone: bytes) -> None:
    error = raised_by(lambda: pickle.loads(gone))
    told = told_of_arguments(error.with_traceback(error.__traceback__ and error.__traceback__.tb_next))
    assert isinstance(told, SchedulingError)
    assert told.__cause__ is error
    assert "multiprocessing.Manager that this worker cannot reach" in str(told)
    assert told.remedy


def test_an_argument_that_is_memory_of_another_machine_is_told() -> None:
    memory = SharedMemory(create=True, size=8)
    pickled = pickle.dumps(memory)
    memory.close()
    memory.unlink()
    error = raised_by(lambda: pickle.loads(pickled))
    told = told_of_arguments(error.with_traceback(error.__traceback__ and error.__traceback__.tb_next))
    assert "shared memory that is not on this machine: FileNotFoundError" in str(told)


def test_what_the_task_itself_raises_is_left_as_it_is(gone: bytes) -> None:
    for run in (lambda: pickle.loads(gone), lambda: SharedMemory("no such memory"), lambda: int("x")):
        error = raised_by(run)
        assert told_of_arguments(error) is error
