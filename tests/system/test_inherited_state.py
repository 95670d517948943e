"""What a process starts with is the same whether it is forked, a new interpreter, or a command's."""

from __future__ import annotations

import json
import os
import re
import resource
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from benchmarks.processes import free_port
from concurrent.apps import ClusterExecutor
from tests.system import programs
from tests.system.cluster import Cluster, wait_until

ROOT = Path(__file__).parents[2]
OPTIONS = ["-O", "-X", "dev", "-X", "marker=7", "-W", "error::UserWarning"]
TIMEOUT_S = 60.0

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="signals and descriptors as on Linux")


class Run(NamedTuple):
    """What one program printed, and what its tasks saw."""

    seen: dict[str, Any]
    err: str


@pytest.fixture(scope="module", params=["forks", "threads"])
def run(request: pytest.FixtureRequest) -> Run:
    command = [sys.executable, *OPTIONS, "-m", "tests.system.programs", request.param]
    done = subprocess.run(
        command,
        cwd=ROOT,
        input="read by the program\nleft\n",
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
    )
    assert done.returncode == 0, done.stderr
    return Run(json.loads(done.stdout), done.stderr)


@pytest.mark.parametrize(
    ("what", "expected"),
    [
        ("optimize", 1),
        ("dev_mode", True),
        ("warnoptions", ["default", "error::UserWarning"]),
        ("xoptions", "7"),
        ("recursion_limit", 4321),
        ("is_user_warning_an_error", True),
        ("blocked", []),
        ("handled", []),
        ("int_of_commands", "<built-in function default_int_handler>"),
        ("stdin", ""),
        ("open_files_max", 200),
        ("umask", 0o27),
        ("folder", str(ROOT)),
        ("thread", "MainThread"),
        ("is_daemon", False),
        ("proxy", [5]),
        ("is_folder_there", True),
    ],
)
def test_a_task_of_a_program_sees(run: Run, what: str, expected: Any) -> None:
    assert run.seen[what] == expected


def test_a_task_has_the_arguments_of_the_program(run: Run) -> None:
    assert run.seen["argv"][1:] in (["forks"], ["threads"])


def test_what_a_task_prints_and_logs_is_shown_once(run: Run) -> None:
    assert run.err.count("marker-printed") == 1
    assert re.findall(r"MINE marker-logged", run.err) == ["MINE marker-logged"]


def test_what_a_program_does_at_its_end_is_done_once(run: Run) -> None:
    assert run.err.count("the program has ended") == 1


def test_text_has_one_hash_in_all_processes_that_come_of_one(run: Run) -> None:
    is_fork = run.seen["argv"][1:] == ["forks"]
    assert (run.seen["hash"] == run.seen["own_hash"]) == is_fork


def test_text_has_one_hash_in_the_whole_cluster(cluster: Cluster) -> None:
    cluster.master("--workers", "1")
    cluster.slaves(2)
    with ClusterExecutor(cluster.address, own_modules=[programs.__name__]) as executor:
        wait_until(lambda: executor.workers == 5, "all slaves are there")
        hash_by_zygote = dict(executor.map(programs.place_and_hash, ["text"] * 60, timeout=TIMEOUT_S))
    assert len(hash_by_zygote) == 3
    assert len(set(hash_by_zygote.values())) == 1


def test_tasks_of_a_slave_that_was_started_oddly_see_nothing_of_it() -> None:
    def be_odd() -> None:
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGCHLD, signal.SIGTERM})
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        os.dup2(1, 250)

    port = free_port()
    run = [sys.executable, *OPTIONS, "-m", "concurrent.apps.main"]
    started = [subprocess.Popen([*run, "master", "--port", str(port)], stderr=subprocess.DEVNULL)]
    slave = [*run, "slave", "--master", f"127.0.0.1:{port}", "-w", "1"]
    started.append(
        subprocess.Popen(slave, stderr=subprocess.DEVNULL, preexec_fn=be_odd, close_fds=False)
    )  # fmt: skip
    try:
        with ClusterExecutor(f"127.0.0.1:{port}") as cluster:
            seen = cluster.submit(programs.seen).result(TIMEOUT_S)
    finally:
        for one in started:
            one.terminate()
        codes = [one.wait(TIMEOUT_S) for one in started]
    assert codes == [0, 0]  # though the signal was blocked
    assert (seen["blocked"], seen["handled"]) == ([], [])
    assert seen["int_of_commands"] == "<built-in function default_int_handler>"
    assert (seen["optimize"], seen["dev_mode"], seen["xoptions"]) == (1, True, "7")


@pytest.mark.parametrize("kind", ["program", "app", "master", "slave"])
def test_too_few_files_end_the_start_with_an_error_that_says_so(kind: str) -> None:
    commands = {
        "program": ["-c", "from concurrent.apps import LocalCluster\nLocalCluster(workers=4)"],
        "app": ["-m", "concurrent.apps.main", "app", "mandelbrot", "-w", "4"],
        "master": ["-m", "concurrent.apps.main", "master", "-p", "0", "-w", "4"],
        "slave": ["-m", "concurrent.apps.main", "slave", "-w", "4"],
    }
    done = subprocess.run(
        [sys.executable, *commands[kind]], capture_output=True, text=True, timeout=TIMEOUT_S, check=False,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (30, 30)),
    )  # fmt: skip
    assert done.returncode not in (0, None)
    assert "needs about 42 open files, but this process may have 30" in done.stderr


@pytest.mark.parametrize("closed", [(0,), (1,), (2,), (0, 1, 2)])
@pytest.mark.parametrize("mode", ["forks", "threads"])
def test_a_program_whose_standard_files_are_closed_works(
    closed: tuple[int, ...], mode: str, tmp_path: Path
) -> None:
    def close() -> None:
        for fd in closed:
            os.close(fd)

    result = tmp_path / "result"
    body = (
        "import sys, threading\n"
        "from concurrent.apps import LocalCluster\n"
        f"result = open({str(result)!r}, 'w')\n"  # takes the number of a closed one
        "if sys.argv[1] == 'threads': threading.Thread(target=threading.Event().wait, daemon=True).start()\n"
        "with LocalCluster(workers=1) as cluster:\n"
        "    cluster.submit(print, 'printed by a task').result(timeout=30)\n"
        "    result.write(str(cluster.submit(abs, -7).result(timeout=30)))\n"
        "result.close()\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", body, mode], capture_output=True, preexec_fn=close,
        timeout=TIMEOUT_S, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert result.read_text() == "7"
