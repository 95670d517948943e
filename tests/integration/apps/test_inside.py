"""What tasks say while they run, seen from the program that has submitted them."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from concurrent.apps import ClusterExecutor, LocalCluster
from concurrent.core.errors import NodeError, TaskTimeout, WorkerDied
from concurrent.scheduling import Retry, TaskProgress, current_task
from tests.ways import BOTH_WAYS


@pytest.fixture(scope="module", params=BOTH_WAYS, ids=" ".join)
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


def test_what_a_call_said_is_seen_when_it_was_ended_or_its_worker_died(cluster: LocalCluster) -> None:
    def hang() -> None:
        print("begins")
        current_task().progress(1, 2, "hangs")
        try:
            time.sleep(60)
        finally:
            current_task().log(f"is cancelled: {current_task().is_cancelled}")

    def die() -> None:
        print("dies")
        current_task().progress(2, 2, "dies")
        os._exit(7)

    late = cluster.options(timeout_s=0.5).submit(hang)
    dead = cluster.options(attempts_max=1).submit(die)
    assert isinstance(late.exception(30), TaskTimeout)
    assert late.progress == (1, 2, "hangs")
    assert late.output().startswith("begins\n")
    assert late.output().endswith("INFO is cancelled: True\n")
    assert isinstance(dead.exception(30), WorkerDied)
    assert (dead.progress, dead.output()) == ((2, 2, "dies"), "dies\n")


@pytest.mark.parametrize("grace_s", [0, 5])
def test_what_a_call_printed_is_seen_when_it_was_cancelled(cluster: LocalCluster, grace_s: float) -> None:
    def hang() -> None:
        print("begins")
        try:
            time.sleep(60)
        finally:
            print("cleans up")

    future = cluster.submit(hang)
    wait_until(lambda: "begins" in future.output())
    assert future.cancel(grace_s)
    said = "begins\ncleans up\n" if grace_s else "begins\n"
    wait_until(lambda: future.output() == said)


def test_what_a_call_printed_is_seen_when_its_deadline_has_passed(cluster: LocalCluster) -> None:
    def hang() -> None:
        print("begins")
        time.sleep(60)

    future = cluster.options(deadline_s=1.5).submit(hang)
    assert isinstance(future.exception(30), TaskTimeout)
    wait_until(lambda: future.output() == "begins\n")


def test_of_several_tries_the_latest_is_seen(cluster: LocalCluster, tmp_path: Path) -> None:
    def flaky(notes: Path) -> None:
        with notes.open("a") as file:
            file.write("x")
        tries = len(notes.read_text())
        current_task().progress(tries, 0)
        print("try", tries)
        if tries < 3:
            raise OSError("not yet")

    future = cluster.options(retry=Retry(5, delay_s=0.05)).submit(flaky, tmp_path / "notes")
    future.result(30)
    assert (future.progress, future.output()) == ((3, 0, ""), "try 3\n")


def wait_for_the_end(begun: Path, notes: Path) -> None:
    task = current_task()

    def watch() -> None:
        while not task.is_cancelled:
            time.sleep(0.02)
        notes.write_text("cleaned up")

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        begun.touch()
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
