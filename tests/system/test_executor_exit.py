"""A program that ends, drops its executor or forks: what was submitted is done, and nobody waits for ever."""

from __future__ import annotations

import gc
import os
import re
import signal
import subprocess
import sys
import threading
import weakref
from contextlib import ExitStack, suppress
from pathlib import Path

import psutil
import pytest

from concurrent.apps import LocalCluster
from concurrent.core.errors import NodeError
from tests.integration.apps import workloads
from tests.system.cluster import Cluster, Gate, wait_until

TIMEOUT_S = 60.0

SCRIPT = """
import os, sys, threading, time
from pathlib import Path
from concurrent.apps import ClusterExecutor, LocalCluster

def work(folder, number):
    time.sleep(0.2)
    Path(folder, str(number)).write_text("done")
    return number

if __name__ == "__main__":
    folder = sys.argv[1]
    cluster = MAKE
    futures = [cluster.submit(work, folder, number) for number in range(4)]
    ENDING
"""

ENDINGS = {
    "just ends": "pass",
    "sys.exit": "sys.exit(3)",
    "an uncaught error": "raise ValueError",
    "shutdown without waiting": "cluster.shutdown(wait=False)",
    "dropped": "del cluster, futures",
    "callbacks that submit": "[f.add_done_callback(lambda f: cluster.submit(work, folder, 10 + f.result())) "
    "for f in futures]",
    "a thread that still submits": "threading.Thread(target=lambda: (time.sleep(.3), "
    "cluster.submit(work, folder, 4))).start()",
    "a callback that shuts down": "futures[0].add_done_callback(lambda f: cluster.shutdown())",
}


def run(folder: Path, ending: str, make: str = "LocalCluster(2)") -> tuple[int, int, str]:
    """Run such a script; return its exit code, how many tasks were done, and its standard error."""
    script, out = folder / "script.py", folder / "out"
    script.write_text(SCRIPT.replace("ENDING", ending).replace("MAKE", make))
    out.mkdir()
    done = subprocess.run(
        [sys.executable, script, out], timeout=TIMEOUT_S, capture_output=True, text=True, check=False
    )
    return done.returncode, len(list(out.iterdir())), done.stderr


@pytest.mark.parametrize("name", ENDINGS)
def test_a_program_that_ends_waits_for_what_it_submitted(name: str, tmp_path: Path) -> None:
    code, count, errors = run(tmp_path, ENDINGS[name])
    assert code == {"sys.exit": 3, "an uncaught error": 1}.get(name, 0), errors
    assert count >= 4, errors
    if name == "a thread that still submits":
        assert count == 5


def test_a_program_that_ends_before_it_has_joined_waits_too(cluster: Cluster, tmp_path: Path) -> None:
    cluster.master("-w", 1)
    code, count, errors = run(tmp_path, "pass", f"ClusterExecutor('localhost:{cluster.port}')")
    assert (code, count) == (0, 4), errors


def test_a_forked_child_that_ends_does_not_wait(tmp_path: Path) -> None:
    ending = "pid = os.fork(); sys.exit(os.waitpid(pid, 0)[1]) if pid else cluster.shutdown() or sys.exit(0)"
    assert run(tmp_path, ending)[:2] == (0, 4)


INTERRUPTED = """
import sys, time
from concurrent.apps import ClusterExecutor, LocalCluster, Pool

cluster = MAKE
futures = [cluster.submit(time.sleep, 600) for _ in range(3)]
print("ends", flush=True)
ENDING
"""


def begin(stack: ExitStack, folder: Path, ending: str, make: str = "LocalCluster(1)") -> subprocess.Popen[str]:
    """Start such a program, whose three tasks do not end, and return it when it has come to its end."""
    script = folder / "script.py"
    script.write_text(INTERRUPTED.replace("MAKE", make).replace("ENDING", ending))
    pipe = subprocess.PIPE
    program = stack.enter_context(
        subprocess.Popen([sys.executable, script], stdout=pipe, stderr=pipe, text=True)
    )
    stack.callback(program.kill)  # or its end would be waited for
    assert program.stdout is not None
    assert program.stdout.readline() == "ends\n", program.communicate()[1]
    return program


def interrupt(program: subprocess.Popen[str]) -> tuple[int, str]:
    """Press Ctrl-C until the program has ended, for it may not wait yet; return its exit code and errors."""
    while True:
        program.send_signal(signal.SIGINT)
        with suppress(subprocess.TimeoutExpired):
            errors = program.communicate(timeout=5)[1]
            return program.returncode, errors


@pytest.mark.parametrize(
    "ending", ["", "cluster.shutdown()", "with cluster: pass", "with cluster: time.sleep(600)",
               "cluster.shutdown(wait=False)", "futures[0].result()"],
)  # fmt: skip
def test_an_interrupt_ends_the_wait_and_says_what_is_dropped(tmp_path: Path, ending: str) -> None:
    with ExitStack() as stack:
        program = begin(stack, tmp_path, ending)
        processes = psutil.Process(program.pid).children(recursive=True)
        code, errors = interrupt(program)
        assert code == -signal.SIGINT
        said = re.findall(r"^interrupted: .*$", errors, re.M)
        assert len(said) == 1, errors
        assert re.fullmatch(r"interrupted: cancels 3 unfinished tasks at 127\.0\.0\.1:\d+", said[0]), errors
        _, alive = psutil.wait_procs(processes, TIMEOUT_S)
        assert alive == []


def test_a_program_that_is_interrupted_while_it_waits_for_a_result_does_not_wait_on(tmp_path: Path) -> None:
    with ExitStack() as stack:
        program = begin(stack, tmp_path, "futures[0].result()")
        program.send_signal(signal.SIGINT)
        assert program.wait(TIMEOUT_S) == -signal.SIGINT


def test_a_program_that_waits_at_its_end_says_for_what(tmp_path: Path) -> None:
    with ExitStack() as stack:
        program = begin(stack, tmp_path, "")
        assert program.stderr is not None
        line = program.stderr.readline()
        assert re.match(r"the program waits for 3 unfinished tasks at \S+; Ctrl-C cancels them\n", line)
        assert interrupt(program)[0] == -signal.SIGINT


def test_a_program_that_is_terminated_takes_its_cluster_along(tmp_path: Path) -> None:
    with ExitStack() as stack:
        program = begin(stack, tmp_path, "")
        processes = psutil.Process(program.pid).children(recursive=True)
        program.terminate()
        assert program.wait(TIMEOUT_S) == -signal.SIGTERM
        _, alive = psutil.wait_procs(processes, TIMEOUT_S)
        assert alive == []


def test_what_an_interrupted_program_has_submitted_to_a_job_goes_on(cluster: Cluster, tmp_path: Path) -> None:
    cluster.master("-w", 1, options=("journal.durability=host", f"journal.folder={tmp_path / 'journal'}"))
    with ExitStack() as stack:
        program = begin(stack, tmp_path, "", f"ClusterExecutor({cluster.address!r}, job='numbers')")
        wait_until(lambda: cluster.status()["tasks"]["open"] == 3, "the master has its tasks")
        code, errors = interrupt(program)
        assert code == -signal.SIGINT
        assert f"leaves 3 unfinished tasks to the job numbers at {cluster.address}, which goes on" in errors
        assert cluster.status()["tasks"]["open"] == 3


def test_a_dropped_executor_is_collected_and_its_futures_end(gate: Gate) -> None:
    before = set(threading.enumerate())
    cluster = LocalCluster(1, own_modules=["tests"])
    future = cluster.submit(workloads.hold, gate.port)
    (pid,) = gate.wait_for(1)
    reference = weakref.ref(cluster)
    del cluster
    gc.collect()
    assert reference() is None
    gate.open()
    assert future.result(TIMEOUT_S) == pid
    wait_until(lambda: set(threading.enumerate()) <= before, "everything of the executor has ended")


def test_an_executor_does_nothing_in_a_forked_child() -> None:
    with LocalCluster(1) as cluster:
        pid = os.fork()
        if not pid:
            code = 1
            with suppress(NodeError):
                cluster.submit(abs, -1)
                code = 2
            cluster.shutdown()
            os._exit(code - 1)
        assert os.waitpid(pid, 0)[1] == 0
        assert cluster.submit(abs, -1).result(TIMEOUT_S) == 1
