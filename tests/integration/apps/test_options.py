"""A view of a cluster that asks for something with each call."""

from __future__ import annotations

import builtins
import gc
import sys
import threading
import time
import weakref
from concurrent.futures import Executor, Future, wait
from pathlib import Path
from pickle import PicklingError
from typing import Any

import pytest

from concurrent.apps import ClusterExecutor, LocalCluster
from concurrent.core.errors import TaskTimeout, UnpicklableResult
from concurrent.scheduling import Retry
from tests.ways import each_way


@pytest.fixture(scope="module")
def cluster():
    with LocalCluster(2) as made:
        yield made


def runs_of(notes: Path) -> int:
    return len(notes.read_text().splitlines()) if notes.exists() else 0


def note_and_fail(notes: Path, until: int, kind: type[BaseException]) -> str:
    with notes.open("a") as file:
        file.write("run\n")
    if runs_of(notes) < until:
        raise kind("not yet")
    return "done"


class Special(OSError):
    pass


@each_way
def test_each_scheduler_and_channel_keeps_what_calls_ask_for(
    tmp_path: Path, scheduler: str, channel: str
) -> None:
    options = {"scheduling.scheduler": scheduler, "transport.channel": channel}
    with LocalCluster(2, own_modules=[__name__], options=options) as cluster:
        flaky = cluster.options(retry=Retry(3, on=OSError, delay_s=0.05))
        slow, late = cluster.options(timeout_s=0.3), cluster.options(deadline_s=0.5)
        ends = [view.submit(time.sleep, 600) for view in (slow, late, slow.options(deadline_s=300))]
        notes = [tmp_path / name for name in ("one", "two", "three")]
        assert list(flaky.map(note_and_fail, notes, [1, 2, 3], [OSError] * 3)) == ["done"] * 3
        for future in ends:
            assert isinstance(future.exception(60), TaskTimeout)


@pytest.mark.parametrize("kind", [OSError, ConnectionResetError, Special])
def test_a_call_is_made_again_until_it_succeeds(cluster: ClusterExecutor, tmp_path: Path, kind) -> None:
    view = cluster.options(retry=Retry(3, on=(OSError,), delay_s=0.05))
    assert view.submit(note_and_fail, tmp_path / "notes", 3, kind).result(30) == "done"


def test_own_exceptions_are_covered_by_their_own_class(cluster: ClusterExecutor, tmp_path: Path) -> None:
    view = cluster.options(retry=Retry(3, on=Special))
    assert view.submit(note_and_fail, tmp_path / "notes", 2, Special).result(30) == "done"


def local_class() -> type[BaseException]:
    class Local(LookupError):
        pass

    return Local


class Outer:
    class Nested(Special):
        pass


@pytest.mark.parametrize(
    ("kind", "on"),
    [
        (Outer.Nested, Outer.Nested),
        (Outer.Nested, Special),
        (local_class(), LookupError),
        (KeyboardInterrupt, KeyboardInterrupt),
        (SystemExit, BaseException),
    ],
)
def test_classes_that_travel_and_those_that_end_programs_are_covered_if_they_are_named(
    cluster: ClusterExecutor, tmp_path: Path, kind, on
) -> None:
    view = cluster.options(retry=Retry(3, on=on))
    assert view.submit(note_and_fail, tmp_path / "notes", 3, kind).result(30) == "done"


@pytest.mark.skipif(sys.version_info < (3, 11), reason="there are no exception groups before Python 3.11")
def test_a_group_is_none_of_the_exceptions_in_it(cluster: ClusterExecutor, tmp_path: Path) -> None:
    group: Any = vars(builtins)["ExceptionGroup"]

    def fail_together(notes: Path) -> str:
        try:
            return note_and_fail(notes, 2, OSError)
        except OSError as error:
            raise group("several", [error]) from None

    with pytest.raises(group):
        cluster.options(retry=Retry(3, on=OSError)).submit(fail_together, tmp_path / "first").result(30)
    view = cluster.options(retry=Retry(3, on=group))
    assert view.submit(fail_together, tmp_path / "second").result(30) == "done"


def test_a_call_that_always_fails_is_made_as_often_as_it_may(cluster: ClusterExecutor, tmp_path: Path) -> None:
    notes = tmp_path / "notes"
    with pytest.raises(OSError, match="not yet"):
        cluster.options(retry=3).submit(note_and_fail, notes, 99, OSError).result(30)
    assert runs_of(notes) == 4


def test_another_exception_is_raised_at_once(cluster: ClusterExecutor, tmp_path: Path) -> None:
    notes = tmp_path / "notes"
    with pytest.raises(ValueError, match="not yet"):
        cluster.options(retry=Retry(3, on=OSError)).submit(note_and_fail, notes, 99, ValueError).result(30)
    assert runs_of(notes) == 1


@pytest.mark.parametrize(
    ("on", "runs"),
    [(Exception, 1), (PicklingError, 1), ((OSError, UnpicklableResult), 4)],
)
def test_a_result_that_cannot_be_pickled_is_worth_no_other_try_unless_it_is_named(
    cluster: ClusterExecutor, tmp_path: Path, on: Any, runs: int
) -> None:
    notes = tmp_path / "notes"

    def unpicklable() -> Any:
        note_and_fail(notes, 0, OSError)
        return threading.Lock()

    with pytest.raises(UnpicklableResult):
        cluster.options(retry=Retry(3, on=on)).submit(unpicklable).result(30)
    assert runs_of(notes) == runs


def test_a_future_runs_while_it_runs_and_not_while_it_waits_for_its_next_try(
    cluster: ClusterExecutor, tmp_path: Path
) -> None:
    def work() -> None:
        time.sleep(1.0)
        raise OSError("once more")

    future = cluster.options(retry=Retry(1, delay_s=3600.0)).submit(work)
    deadline = time.monotonic() + 30
    for is_running in (True, False):
        while future.running() is not is_running:
            assert time.monotonic() < deadline
            time.sleep(0.02)
    assert not future.done()
    assert future.cancel()


def test_what_is_open_at_its_deadline_ends_and_its_worker_is_free(cluster: ClusterExecutor) -> None:
    view = cluster.options(deadline_s=0.5)
    futures = [view.submit(time.sleep, 60) for _ in range(6)]
    for future in futures:
        with pytest.raises(TaskTimeout, match="deadline"):
            future.result(30)
    assert list(cluster.map(abs, [-1, -2])) == [1, 2]


def test_a_view_is_an_executor_and_views_of_views_add_up(cluster: ClusterExecutor) -> None:
    view = cluster.options(priority=3, name="first").options(name="second")
    assert isinstance(view, Executor)
    assert "priority=3, name=second" in repr(view)
    assert view._max_workers == view.workers == 2
    assert list(view.map(pow, [2, 3], [3, 2])) == [8, 9]
    assert list(view.map(abs, range(-10, 0), chunksize=4)) == list(range(10, 0, -1))


def test_shutting_a_view_down_waits_for_its_own_calls_and_leaves_the_cluster(cluster: ClusterExecutor) -> None:
    other = cluster.submit(time.sleep, 1.0)
    with cluster.options(priority=1) as view:
        futures = [view.submit(abs, -number) for number in range(5)]
    assert all(future.done() for future in futures)
    with pytest.raises(RuntimeError, match="shutdown of this view"):
        view.submit(abs, -1)
    with pytest.raises(RuntimeError, match="shutdown of this view"):
        view.map(abs, [-1])
    assert cluster.submit(abs, -1).result(30) == 1
    assert not wait([other], 30).not_done


def test_a_view_that_is_left_by_an_exception_waits_for_nothing(cluster: ClusterExecutor) -> None:
    futures: list[Future[None]] = []

    def leave() -> None:
        with cluster.options(priority=1) as view:
            futures.extend(view.submit(time.sleep, 600) for _ in range(4))
            raise LookupError("the caller's own")

    with pytest.raises(LookupError):
        leave()
    assert len(futures) == 4
    assert all(future.cancelled() for future in futures)
    assert cluster.submit(abs, -1).result(30) == 1


def test_a_future_of_a_view_keeps_no_executor(tmp_path: Path) -> None:
    executor = LocalCluster(1)
    future = executor.options(priority=1).submit(abs, -1)
    assert future.result(30) == 1
    ended = weakref.ref(executor)
    del executor
    gc.collect()
    assert ended() is None
    assert future.result() == 1


def test_a_view_that_is_left_can_cancel_what_it_was_given(cluster: ClusterExecutor) -> None:
    view = cluster.options()
    futures = [view.submit(time.sleep, 60) for _ in range(4)]
    view.shutdown(cancel_futures=True)
    assert all(future.cancelled() for future in futures)
    assert cluster.submit(abs, -1).result(30) == 1


@pytest.mark.parametrize("grace_s", [-1, float("nan"), "1", True, 1e9])
def test_a_grace_that_is_none_is_refused(cluster: ClusterExecutor, grace_s) -> None:
    future = cluster.submit(abs, -1)
    with pytest.raises(ValueError, match="grace_s"):
        future.cancel(grace_s)
