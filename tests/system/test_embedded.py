"""Applications on an embedded cluster: what a user sees when all goes well, and when it does not."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from tests.system.cluster import APPS, Cluster, Gate, Program

pytestmark = pytest.mark.system


def trouble(cluster: Cluster, kind: str) -> Program:
    return cluster.embedded(APPS / "trouble.py", options=(f"trouble.kind={kind}",))


def bad_system(cluster: Cluster, bad: str) -> Program:
    return cluster.embedded(APPS / "badsystem.py", options=(f"bad.bad={bad}",))


def test_plain_tasks_run(cluster: Cluster) -> None:
    app = cluster.embedded(APPS / "hello.py")
    assert sorted(app.succeed().splitlines()) == ["hello ada", "hello grace"]
    assert all("said on a worker: " in line for line in app.err.splitlines())


def test_what_a_task_prints_is_in_the_log(cluster: Cluster) -> None:
    app = cluster.embedded(APPS / "hello.py")
    app.succeed()
    assert "said on a worker: ada" in app.err


def test_a_quiet_application_says_nothing_but_what_it_prints(cluster: Cluster) -> None:
    app = cluster.embedded(APPS / "hello.py", "-q")
    assert sorted(app.succeed().splitlines()) == ["hello ada", "hello grace"]
    assert app.err == ""


def test_a_verbose_application_says_what_is_configured_and_who_joins(cluster: Cluster) -> None:
    app = cluster.embedded(APPS / "hello.py", "-v", "-o", "logging.file_parts=3")
    app.succeed()
    for part in (
        r"Concurrent \S+ on Python 3\.\d+",
        r"the machine has \d+ cores for it",
        r"configured: \[logging\] file_parts = 3 \(command line\)",
        r"the master listens on",
        r"slave-\S+ joined",
        r"joined the master master-\S+ at 127\.0\.0\.1:\d+",
    ):
        assert re.search(f"INFO .*{part}", app.err), part
    assert "DEBUG" not in app.err


def test_a_very_verbose_application_says_what_happens_to_its_tasks(cluster: Cluster) -> None:
    app = cluster.embedded(APPS / "hello.py", "-vv")
    app.succeed()
    for part in (
        r"process \d+ has started \(.*worker:main\)",
        r"sent \d tasks",
        r"the tasks of owner \d up to \d are accepted",
        r"of owner \d sent to slave \d",
        r"slave \d has done .* finished",
        r"process \d+ has ended .*worker:main",
    ):
        assert re.search(f"DEBUG .*{part}", app.err), part


@pytest.mark.parametrize("way", ["forks", "threads"])
def test_nothing_warns_in_development_mode(way: str, tmp_path: Path) -> None:
    program = tmp_path / "program.py"
    program.write_text(
        "import sys, threading\n"
        "from concurrent.apps import LocalCluster\n"
        "if sys.argv[1] == 'threads': threading.Thread(target=threading.Event().wait, daemon=True).start()\n"
        "with LocalCluster(workers=2) as cluster: print(sum(cluster.map(abs, range(10))))\n"
    )
    done = subprocess.run(
        [sys.executable, "-X", "dev", "-W", "error", program, way],
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stdout, done.stderr) == (0, "45\n", "")


def test_a_task_system_runs_and_logs(cluster: Cluster) -> None:
    app = cluster.embedded(APPS / "sums.py")
    assert app.succeed() == f"total {sum(n * n for n in range(20))}\n"
    assert "the system generates 10 tasks" in app.err


def test_a_task_that_raises_is_shown_with_its_remote_traceback(cluster: Cluster) -> None:
    app = trouble(cluster, "raise")
    assert app.wait() == 1
    assert app.out == "fine: fine\n"
    assert "task raise failed: LookupError: nothing there" in app.err
    lines = [line.strip() for line in app.err.splitlines()]
    assert 'raise LookupError("nothing there")' in lines
    assert lines[-1] == "LookupError: nothing there"


def test_a_task_that_kills_its_worker_is_shown_with_the_evidence_of_each_attempt(
    cluster: Cluster,
) -> None:
    app = trouble(cluster, "die")
    assert app.wait() == 1
    assert app.out == "fine: fine\n"
    assert "task die failed: WorkerDied: 3 workers died of the task" in app.err
    evidence = app.err.partition("task die failed")[2]
    assert len(set(re.findall(r"worker \D*(\d+)", evidence))) == 3
    assert evidence.count("last words") >= 3


def test_a_task_that_leaves_its_process_is_an_error_of_that_task(cluster: Cluster) -> None:
    app = trouble(cluster, "exit")
    assert app.wait() == 1
    assert app.out == "fine: fine\n"
    assert "task exit failed" in app.err


def test_a_result_that_can_not_be_pickled_is_an_error_of_that_task(cluster: Cluster) -> None:
    app = trouble(cluster, "unpicklable-result")
    assert app.wait() == 1
    assert app.out == "fine: fine\n"
    assert "task unpicklable-result failed: UnpicklableResult" in app.err
    assert "lock" in app.err


def test_a_task_that_can_not_be_pickled_ends_the_application_with_a_clear_error(cluster: Cluster) -> None:
    app = trouble(cluster, "unpicklable-task")
    assert app.wait() == 1
    assert "cannot be pickled" in app.err
    assert "lock" in app.err
    assert "Traceback" not in app.err


def test_an_application_that_raises_in_a_callback_ends_with_its_traceback(cluster: Cluster) -> None:
    app = trouble(cluster, "callback")
    assert app.wait() == 1
    assert "LookupError: wrong in the callback" in app.err


def test_an_application_that_is_interrupted_twice_ends_at_once(cluster: Cluster, gate: Gate) -> None:
    app = cluster.embedded(APPS / "held.py", options=(gate.option,))
    workers = [psutil.Process(pid) for pid in gate.wait_for(2)]
    app.send(signal.SIGINT)
    app.send(signal.SIGINT)
    assert app.wait() == 130
    _, alive = psutil.wait_procs(workers, 20)
    assert alive == []


@pytest.mark.parametrize(
    "method", ["init_system", "generate_tasks", "task_finished", "is_complete", "gather_result"]
)
def test_a_task_system_that_raises_is_shown_with_its_traceback(cluster: Cluster, method: str) -> None:
    app = bad_system(cluster, method)
    assert app.wait() == 1
    assert f"task system BadSystem failed: LookupError: wrong in {method}" in app.err
    assert "badsystem.py" in app.err
    assert "in fail_in" in app.err


def test_a_failed_task_reaches_its_task_system_with_the_workers_traceback(cluster: Cluster) -> None:
    app = bad_system(cluster, "task")
    assert app.wait() == 1
    assert "task system BadSystem failed: LookupError: nothing there" in app.err


def test_a_task_system_that_waits_for_nothing_is_an_error(cluster: Cluster) -> None:
    app = bad_system(cluster, "never")
    assert app.wait() == 1
    assert "no unfinished task, but is_complete() says no" in app.err


def test_a_result_of_a_task_system_that_can_not_be_pickled_is_an_error(cluster: Cluster) -> None:
    app = bad_system(cluster, "result")
    assert app.wait() == 1
    assert "generator" in app.err


@pytest.mark.parametrize(("bad", "how"), [("killed", "killed by SIGKILL"), ("exit", "exit code 9")])
def test_a_task_system_whose_process_ends_is_an_error_with_evidence(
    cluster: Cluster, bad: str, how: str
) -> None:
    app = bad_system(cluster, bad)
    assert app.wait() == 1
    assert "task system BadSystem failed: WorkerDied" in app.err
    assert how in app.err
