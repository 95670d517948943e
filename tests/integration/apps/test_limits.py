"""Calls that do not end by themselves are ended, through a whole cluster and with either scheduler."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from concurrent.futures import CancelledError
from pathlib import Path

import psutil
import pytest

from concurrent.apps import LocalCluster
from concurrent.scheduling import Retry, TaskOutOfMemory, TaskTimeout
from tests.integration.scheduling import memory_tasks, overdue_tasks
from tests.system.cluster import wait_until

TIMEOUT_S = 60.0
WORKERS = 6
KINDS = list(overdue_tasks.KINDS)

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="what left its group is known on Linux only")


@pytest.fixture(scope="module", params=["GenericTaskScheduler", "ZMQTaskScheduler"])
def cluster(request: pytest.FixtureRequest) -> Iterator[LocalCluster]:
    own_modules = [overdue_tasks.__name__, memory_tasks.__name__]
    options = {"scheduling.scheduler": request.param}
    with LocalCluster(WORKERS, own_modules=own_modules, options=options) as made:
        yield made


@pytest.mark.parametrize("how", ["timeout", "deadline", "cancel with a grace"])
def test_whatever_a_call_does_it_ends_with_all_that_it_started(
    cluster: LocalCluster, tmp_path: Path, how: str
) -> None:
    asked = {"timeout": {"timeout_s": 0.5}, "deadline": {"deadline_s": 1.0}}.get(how, {})
    for start in range(0, len(KINDS), WORKERS):
        some = KINDS[start : start + WORKERS]
        paths = [tmp_path / kind for kind in some]
        view = cluster.options(**asked)
        futures = [
            view.submit(overdue_tasks.be_overdue, kind, str(path))
            for kind, path in zip(some, paths, strict=True)
        ]
        both = list(zip(paths, futures, strict=True))
        wait_until(lambda both=both: all(path.exists() or one.done() for path, one in both), "all of them run")
        for kind, future in zip(some, futures, strict=True):
            if not asked:
                assert future.cancel(grace_s=0.2), kind
                with pytest.raises(CancelledError):
                    future.result(TIMEOUT_S)
                continue
            with pytest.raises(TaskTimeout):
                future.result(TIMEOUT_S)
        wait_until(lambda paths=paths: not any(map(_is_alive, paths)), "all of them are gone")


def test_the_error_says_which_limit_it_was_and_what_was_printed(cluster: LocalCluster, tmp_path: Path) -> None:
    future = cluster.options(timeout_s=0.3).submit(overdue_tasks.clean_up_and_sleep, str(tmp_path / "notes"))
    with pytest.raises(TaskTimeout, match=r"limit of 0\.3 s") as caught:
        future.result(TIMEOUT_S)
    assert "cleaned up" in caught.value.evidence[0]


def test_a_call_that_is_cancelled_has_its_whole_grace(cluster: LocalCluster, tmp_path: Path) -> None:
    path = tmp_path / "notes"
    future = cluster.submit(overdue_tasks.clean_up_for, str(path), 2.5)  # longer than slaves are silent of it
    wait_until(path.exists, "it runs")
    assert future.cancel(grace_s=20.0)
    wait_until(lambda: "cleaned up" in path.read_text(), "it has cleaned up")


def test_a_call_that_takes_its_grace_is_killed_when_it_is_cancelled_again(
    cluster: LocalCluster, tmp_path: Path
) -> None:
    path = tmp_path / "pid"
    future = cluster.submit(overdue_tasks.be_overdue, "an ignored signal", str(path))
    wait_until(path.exists, "it runs")
    assert future.cancel(grace_s=1000.0)
    assert future.cancel()
    wait_until(lambda: not _is_alive(path), "it is gone")


def test_a_call_that_hung_is_made_again_if_it_may_be(cluster: LocalCluster, tmp_path: Path) -> None:
    path = tmp_path / "notes"
    view = cluster.options(timeout_s=0.3, retry=Retry(2, on=TaskTimeout))
    with pytest.raises(TaskTimeout):
        view.submit(overdue_tasks.note_then, str(path), 1000.0).result(TIMEOUT_S)
    assert len(path.read_text().split()) == 3


def test_a_call_over_its_memory_is_ended_with_the_figures(cluster: LocalCluster) -> None:
    view = cluster.options(resources={"memory": "200MiB"})
    with pytest.raises(TaskOutOfMemory, match="may take 200MiB"):
        view.submit(memory_tasks.take, 300, 1000.0).result(TIMEOUT_S)
    assert view.submit(memory_tasks.take, 20).result(TIMEOUT_S)


def test_a_slave_that_is_short_of_memory_from_the_start_takes_no_task() -> None:
    with LocalCluster(1, options={"slave.memory_reserve": "1PiB"}) as short:
        future = short.submit(abs, -1)
        wait_until(lambda: "slave.memory_reserve=1PiB" in str(future.explain()), "it is said why")
        assert not future.running()
        assert not future.done()
        assert future.cancel()


def _is_alive(path: Path) -> bool:
    """Tell whether a process runs that is told of in a file, or one more was told of since."""
    pids = [int(line) for line in path.read_text().split()] if path.exists() else []
    return any(map(_runs_below_here, set(pids)))


def _runs_below_here(pid: int) -> bool:
    try:
        process = psutil.Process(pid)
        if process.status() == psutil.STATUS_ZOMBIE:
            return False
        return os.getpid() in (parent.pid for parent in process.parents())
    except psutil.NoSuchProcess:
        return False
