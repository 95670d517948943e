"""The future of a call is one of the standard library, though it is made without a condition."""

from __future__ import annotations

import gc
import threading
import weakref
from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, Future, as_completed, wait
from concurrent.futures import TimeoutError as FutureTimeoutError
from typing import Any

import pytest

from concurrent.apps.taskfuture import TaskFuture
from tests.system.cluster import wait_until

WAIT_S = 30.0


class Owner:
    """Stands behind futures whose tasks have no number yet, so nothing is asked of it."""

    def call_back(self, callback: Callable[[], object]) -> None:
        callback()


def new_future() -> TaskFuture[Any]:
    return TaskFuture(Owner())  # type: ignore[arg-type]


def waiters_of(future: TaskFuture[Any]) -> Any:
    waited_for = vars(future)["_condition"]._waited_for
    return () if waited_for is None else waited_for._waiters


def in_thread(call: Callable[[], object]) -> threading.Thread:
    thread = threading.Thread(target=call)
    thread.start()
    return thread


def test_it_begins_with_all_that_a_future_has() -> None:
    """Else a newer Python has something more, and the future has to begin with that too."""
    begun, usual = vars(new_future()), vars(Future())
    assert begun.keys() - {"_owner"} == usual.keys()
    assert {name: begun[name] for name in usual if name != "_condition"} == {
        name: usual[name] for name in usual if name != "_condition"
    }


def test_many_threads_wait_for_it_and_all_are_woken() -> None:
    future, results = new_future(), list[str]()
    threads = [in_thread(lambda: results.append(future.result(WAIT_S))) for _ in range(3)]
    wait_until(lambda: len(waiters_of(future)) == 3, "three threads wait")
    future.set_result("here")
    for thread in threads:
        thread.join()
    assert results == ["here"] * 3


def test_who_waits_in_vain_may_wait_again() -> None:
    future = new_future()
    for _ in range(2):
        with pytest.raises(FutureTimeoutError):
            future.result(0.001)
    future.set_exception(KeyError("none"))
    assert isinstance(future.exception(0), KeyError)


def test_cancelling_wakes_who_waits() -> None:
    future, ended = new_future(), list[set[Future[Any]]]()
    thread = in_thread(lambda: ended.append(wait([future], WAIT_S).done))
    future.cancel()
    future.set_running_or_notify_cancel()
    thread.join()
    assert ended == [{future}]
    assert future.cancelled()


def test_functions_of_the_standard_library_take_it_with_others() -> None:
    ended, open_one, other = new_future(), new_future(), Future[Any]()
    ended.set_result(1)
    other.set_result(2)
    assert wait([ended, open_one, other], return_when=FIRST_COMPLETED).done == {ended, other}
    open_one.set_result(3)
    assert {future.result() for future in as_completed([ended, open_one, other])} == {1, 2, 3}


def test_it_is_freed_without_a_garbage_collection() -> None:
    future = new_future()
    with pytest.raises(FutureTimeoutError):
        future.result(0)
    future.set_result(None)
    condition = weakref.ref(vars(future)["_condition"])
    gc.disable()
    try:
        del future
        assert condition() is None
    finally:
        gc.enable()
