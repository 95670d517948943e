"""What tasks say while they run, seen from the program that has submitted them."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from concurrent.apps import ClusterExecutor, LocalCluster
from concurrent.core.errors import NodeError
from concurrent.scheduling import TaskProgress, current_task

WAYS = [("GenericTaskScheduler", "tcp"), ("ZMQTaskScheduler", "zmq"), ("ZMQTaskScheduler", "tcp")]


@pytest.fixture(scope="module", params=WAYS, ids=" ".join)
def cluster(request: pytest.FixtureRequest) -> Iterator[LocalCluster]:
    scheduler, channel = request.param
    with LocalCluster(2, options={"scheduling.scheduler": scheduler, "transport.channel": channel}) as made:
        yield made


def wait_until(is_so: Callable[[], bool]) -> None:
    end = time.monotonic() + 30
    while not is_so():
        assert time.monotonic() < end
        time.sleep(0.02)


def work(gate: Path) -> tuple[str, bool]:
    task = current_task()
    print("begins")
    task.progress(1, 3, "waits")
    while not gate.exists():
        time.sleep(0.02)
    task.log("goes on")
    task.progress(3, 3)
    return task.name, task.is_cancelled


def test_progress_and_output_are_seen_while_a_call_runs_and_after(
    cluster: LocalCluster, tmp_path: Path
) -> None:
    future = cluster.submit(work, tmp_path / "gate")
    wait_until(lambda: future.progress == TaskProgress(1, 3, "waits"))
    assert future.output() == "begins\n"
    (tmp_path / "gate").touch()
    assert future.result(30) == ("work", False)
    assert future.progress == (3, 3, "")
    lines = future.output().splitlines()
    assert lines[0] == "begins"
    assert lines[1].endswith("INFO goes on")


def test_a_call_that_says_nothing_has_no_progress_and_no_output(cluster: LocalCluster) -> None:
    future = cluster.submit(abs, -1)
    assert future.result(30) == 1
    assert future.progress is None
    assert future.output() == ""


def test_calls_that_last_no_time_are_seen_when_they_have_ended(cluster: LocalCluster) -> None:
    def short(number: int) -> None:
        current_task().progress(number, 10)
        print(number)

    futures = [cluster.submit(short, number) for number in range(50)]
    for number, future in enumerate(futures):
        future.result(30)
        assert future.progress == (number, 10, "")
        assert future.output() == f"{number}\n"


def test_a_call_that_waits_has_no_output_yet(cluster: LocalCluster, tmp_path: Path) -> None:
    futures = [cluster.submit(work, tmp_path / "gate") for _ in range(3)]
    wait_until(lambda: sum(future.progress is not None for future in futures) == 2)
    (waiting,) = (future for future in futures if future.progress is None)
    assert waiting.output() == ""
    (tmp_path / "gate").touch()
    assert waiting.result(30) == ("work", False)
    assert waiting.output().startswith("begins")


def test_output_of_a_failed_call_is_seen_too(cluster: LocalCluster) -> None:
    def fail() -> None:
        print("before")
        raise ValueError("wrong")

    future = cluster.submit(fail)
    assert isinstance(future.exception(30), ValueError)
    assert future.output() == "before\n"


def wait_for_the_end(begun: Path, notes: Path) -> None:
    task = current_task()

    def watch() -> None:
        while not task.is_cancelled:
            time.sleep(0.02)
        notes.write_text("cleaned up")

    thread = threading.Thread(target=watch)
    thread.start()
    begun.touch()
    try:
        time.sleep(60)
    finally:
        thread.join()


def test_a_call_that_is_cancelled_with_a_grace_knows_it(cluster: LocalCluster, tmp_path: Path) -> None:
    begun, notes = tmp_path / "begun", tmp_path / "notes"
    future = cluster.submit(wait_for_the_end, begun, notes)
    wait_until(begun.exists)
    assert future.cancel(grace_s=30)
    wait_until(notes.exists)


def test_nobody_can_be_asked_when_the_cluster_has_ended(cluster: LocalCluster) -> None:
    with LocalCluster(1) as own:
        future = own.submit(print, "hello")
        future.result(30)
    with pytest.raises(NodeError, match="shut down"):
        future.output()


def test_a_program_asks_for_its_own_tasks_only(cluster: LocalCluster) -> None:
    def short(text: str) -> None:
        print(text)

    with ClusterExecutor(cluster.address) as other:
        mine = cluster.submit(short, "mine")
        others = other.submit(short, "of another")
        mine.result(30), others.result(30)
        assert (mine.output(), others.output()) == ("mine\n", "of another\n")
        others.task_id = mine.task_id + 1000
        assert others.output() == ""
