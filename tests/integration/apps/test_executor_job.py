"""An executor whose job outlives it: the next one with the same job gets the futures of what was submitted."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from concurrent.futures import CancelledError
from pathlib import Path
from typing import Any

import pytest

from concurrent.apps import ClusterExecutor, LocalCluster, MasterNode
from concurrent.apps.main import main
from concurrent.core import Environment
from concurrent.core.errors import ConcurrentError, JobMismatch, JobTaken, JobUnknown
from tests.system.cluster import Gate, wait_until

TIMEOUT_S = 30.0

pytestmark = pytest.mark.timeout(120)


class Leave(Exception):
    """Ends a ``with`` block as an error of the program does."""


class Pair:
    """A result that is not plain."""

    def __init__(self, number: int) -> None:
        self.number = number


def run(folder: Path, number: int) -> int:
    """Take down that it ran."""
    with (folder / "runs.txt").open("a", encoding="utf-8") as file:
        file.write(f"{number}\n")
    return number * number


def pair(folder: Path, number: int) -> Pair:
    return Pair(run(folder, number))


def fail(folder: Path, number: int) -> None:
    raise LookupError(str(run(folder, number)))


def wait_for(port: int, number: int) -> int:
    """Wait until the test opens its gate."""
    import os
    import socket

    with socket.create_connection(("127.0.0.1", port)) as connection:
        connection.sendall(str(os.getpid()).encode())
        connection.recv(1)
    return number


def runs_in(folder: Path) -> list[int]:
    return sorted(int(line) for line in (folder / "runs.txt").read_text(encoding="utf-8").split())


@pytest.fixture(scope="module")
def durable(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a master with a journal that is its own slave."""
    folder = tmp_path_factory.mktemp("journal")
    options = {
        "master.port": "0",
        "master.compute_port": "0",
        "master.workers": "2",
        "journal.folder": str(folder),
        "journal.durability": "process",
    }
    node = Environment(overrides=options, variables={})[MasterNode]
    node.start()
    yield f"127.0.0.1:{node.api_service_v1.port}"
    node.stop()


@pytest.fixture
def job(request: pytest.FixtureRequest) -> str:
    return request.node.name


def executor(address: str, job: str, **options: Any) -> ClusterExecutor:
    return ClusterExecutor(address, job=job, own_modules=["tests"], **options)


def test_a_program_that_left_by_an_error_gets_its_futures_back(
    durable: str, job: str, gate: Gate, tmp_path: Path
) -> None:
    def work(cluster: ClusterExecutor) -> list[Any]:
        done = [cluster.submit(run, tmp_path, number, key=f"run {number}") for number in range(5)]
        done += [cluster.submit(pair, tmp_path, number) for number in range(5, 8)]
        return [*done, cluster.submit(wait_for, gate.port, 9)]

    with contextlib.suppress(Leave), executor(durable, job) as cluster:
        futures = work(cluster)
        results = [future.result(TIMEOUT_S) for future in futures[:4]]
        gate.wait_for(1)
        raise Leave
    assert futures[-1].cancelled()  # here; the call goes on
    with executor(durable, job) as cluster:
        futures = work(cluster)
        assert [future.result(TIMEOUT_S) for future in futures[:4]] == results == [0, 1, 4, 9]
        pairs = [future.result(TIMEOUT_S) for future in futures[5:8]]
        assert [(type(each), each.number) for each in pairs] == [(Pair, 25), (Pair, 36), (Pair, 49)]
        assert not futures[-1].done()
        gate.open()
        assert futures[-1].result(TIMEOUT_S) == 9
    assert runs_in(tmp_path) == list(range(8))


def test_results_stay_with_the_master_after_a_shutdown(durable: str, job: str, tmp_path: Path) -> None:
    for _ in range(3):
        with executor(durable, job) as cluster:
            assert list(cluster.map(run, [tmp_path] * 10, range(10), chunksize=3)) == [n * n for n in range(10)]
            assert list(cluster.map(run, [tmp_path] * 3, range(10, 13))) == [100, 121, 144]
    assert runs_in(tmp_path) == list(range(13))


def test_a_call_that_failed_fails_again_and_one_that_was_cancelled_is(
    durable: str, job: str, gate: Gate, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    for attempt in range(2):
        with executor(durable, job) as cluster:
            failed = cluster.submit(fail, tmp_path, 3, key="fail")
            cancelled = cluster.submit(wait_for, gate.port, 1, key="wait")
            if not attempt:
                gate.wait_for(1)
                cancelled.cancel()
            with pytest.raises(LookupError, match="9"):
                failed.result(TIMEOUT_S)
            with pytest.raises(CancelledError):
                cancelled.result(TIMEOUT_S)
        assert caplog.text.count("were cancelled before") == attempt
    assert runs_in(tmp_path) == [3]


def test_calls_without_keys_have_to_be_made_in_the_same_order(durable: str, job: str, tmp_path: Path) -> None:
    with executor(durable, job) as cluster:
        cluster.submit(run, tmp_path, 1)
        cluster.submit(pair, tmp_path, 2, key="of its own")
    with executor(durable, job) as cluster:
        assert cluster.submit(pair, tmp_path, 2, key="of its own").result(TIMEOUT_S).number == 4
        with pytest.raises(JobMismatch, match=r"call #1 of job .* was run, and now is pair"):
            cluster.submit(pair, tmp_path, 1)
    assert runs_in(tmp_path) == [1, 2]


def test_chunks_of_another_size_are_other_calls(durable: str, job: str, tmp_path: Path) -> None:
    with executor(durable, job) as cluster:
        assert list(cluster.map(abs, range(4), chunksize=2)) == [0, 1, 2, 3]
    with executor(durable, job) as cluster, pytest.raises(JobMismatch, match="was abs x2, and now is abs x4"):
        cluster.map(abs, range(4), chunksize=4)


def test_a_key_is_used_once(durable: str, job: str) -> None:
    with executor(durable, job) as cluster:
        cluster.submit(abs, -1, key="a")
        with pytest.raises(JobMismatch, match="'a' before"):
            cluster.submit(abs, -1, key="a")
        with pytest.raises(TypeError, match="must be a text"):
            cluster.submit(abs, -1, key=1)


def test_what_a_map_is_not_asked_for_any_more_goes_on(
    durable: str, job: str, gate: Gate, tmp_path: Path
) -> None:
    ports = [gate.port] * 2
    with executor(durable, job) as cluster:
        results = cluster.map(wait_for, ports, range(2), timeout=1)
        gate.wait_for(2)
        with pytest.raises(TimeoutError):
            next(results)
    gate.open()
    with executor(durable, job) as cluster:
        assert list(cluster.map(wait_for, ports, range(2), timeout=TIMEOUT_S)) == [0, 1]


def test_a_program_whose_job_is_taken_over_ends_with_that(
    durable: str, job: str, gate: Gate, tmp_path: Path
) -> None:
    first = executor(durable, job)
    waiting = first.submit(wait_for, gate.port, 5, key="a")
    gate.wait_for(1)
    with executor(durable, job) as second:
        taken = second.submit(wait_for, gate.port, 5, key="a")
        assert isinstance(waiting.exception(TIMEOUT_S), JobTaken)
        with pytest.raises(JobTaken):
            first.submit(abs, -1)
        gate.open()
        assert taken.result(TIMEOUT_S) == 5
    first.shutdown()


def test_a_call_that_is_being_submitted_ends_with_the_executor(job: str, fake_master: Any) -> None:
    fake_master.answers.clear()  # so it does not join
    cluster = executor(f"127.0.0.1:{fake_master.api.port}", job)
    errors: list[ConcurrentError] = []

    def submit() -> None:
        try:
            cluster.submit(abs, -1)
        except ConcurrentError as error:
            errors.append(error)

    thread = threading.Thread(target=submit)
    thread.start()
    cluster.shutdown()
    thread.join(TIMEOUT_S)
    assert "shut down" in str(errors[0])


def test_workers_are_prepared_for_the_calls_of_each_program(durable: str, job: str, tmp_path: Path) -> None:
    for number in range(2):
        with executor(durable, job, initializer=run, initargs=(tmp_path, 100 + number)) as cluster:
            assert cluster.submit(abs, -number, key=f"abs {number}").result(TIMEOUT_S) == number
    assert {100, 101} <= set(runs_in(tmp_path))


def test_jobs_are_listed_with_their_counts(durable: str, job: str) -> None:
    with executor(durable, job) as cluster:
        assert cluster.submit(abs, -1).result(TIMEOUT_S) == 1

        def rows() -> list[Any]:
            return [row for row in ClusterExecutor.jobs(durable) if row.name == job]

        wait_until(lambda: [(row.kind, row.finished) for row in rows()] == [("executor", 1)], "it is counted")
        assert rows()[0].is_attached


def test_a_job_needs_a_master_that_can_keep_it(job: str, master: MasterNode, fake_master: Any) -> None:
    for port in (master.api_service_v1.port, fake_master.api.port):
        with executor(f"127.0.0.1:{port}", job) as cluster, pytest.raises(JobUnknown, match="keeps no journal"):
            cluster.submit(abs, -1)


@pytest.mark.parametrize(("name", "kind"), [(1, TypeError), ("", ValueError), ("a\nb", ValueError)])
def test_the_name_of_a_job_is_a_text_that_can_be_printed(name: Any, kind: type[Exception]) -> None:
    with pytest.raises(kind, match="job must"):
        ClusterExecutor("127.0.0.1:1", job=name)


def test_a_local_cluster_has_no_job() -> None:
    with pytest.raises(TypeError, match="end with its program"):
        LocalCluster(job="a")  # type: ignore[arg-type]


def test_an_executor_does_not_take_over_the_job_of_an_application(
    durable: str, job: str, tmp_path: Path
) -> None:
    hunt = tmp_path / "hunt.py"
    hunt.write_text(
        "from concurrent.apps import ApplicationNode\n"
        "from concurrent.scheduling import Task\n"
        "class One(Task):\n"
        "    def __call__(self):\n"
        "        return 1\n"
        "class Hunt(ApplicationNode):\n"
        "    def start_processing(self):\n"
        "        self.push_tasks(One(str(number)) for number in range(3))\n"
    )
    assert main(["app", str(hunt), "--master", durable, "--detach", "--job", job]) == 0
    with pytest.raises(JobMismatch, match="application"), executor(durable, job) as cluster:
        cluster.submit(run, tmp_path, 1).result(TIMEOUT_S)

    def of_job() -> list[tuple[str, int, int]]:
        return [(row.kind, row.pushed, row.unread) for row in ClusterExecutor.jobs(durable) if row.name == job]

    wait_until(lambda: of_job() == [("application", 3, 3)], "it has its results")


def test_a_job_that_has_ended_stays_finished_when_it_is_cancelled(durable: str, job: str) -> None:
    def how() -> list[str]:
        return [row.how for row in ClusterExecutor.jobs(durable) if row.name == job]

    with executor(durable, job) as cluster:
        assert cluster.submit(abs, -1).result(TIMEOUT_S) == 1
    wait_until(lambda: how() == ["finished"], "it has ended")
    assert main(["cancel", job, "-m", durable]) == 0
    assert how() == ["finished"]
