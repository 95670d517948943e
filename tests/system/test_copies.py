"""Forked copies of a program, workers first of all, never run on in the program's own code."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

TIMEOUT_S = 60.0

SCRIPT = """
import atexit, os, sys
from concurrent.apps import LocalCluster

class Hostile:
    def write(self, *_):
        raise RAISED
    flush = write

def spoil():
    sys.stdout = sys.stderr = Hostile()

def task():
    BODY

program = os.getpid()
try:
    with LocalCluster(1, options={"logging.task_output": False}) as cluster:
        future = cluster.submit(task)
        print(future.exception() or future.result(), cluster.submit(abs, -2).result())
finally:
    with open(sys.argv[1], "a") as file:
        print(os.getpid() == program, file=file)
"""

BODIES = {
    "streams that raise": "spoil()",
    "streams that raise, then an error": "spoil(); raise ValueError",
    "streams that raise, then an exit": "spoil(); sys.exit('text')",
    "spoiled at its end": "atexit.register(spoil)",
    "an error at its end": "atexit.register(exec, 'raise RAISED')",
    "the same in a copy of the worker": "spoil()\n    if os.fork() == 0: raise RAISED\n    os.wait()",
    "an exit in a copy of the worker": "spoil()\n    if os.fork() == 0: sys.exit('text')\n    os.wait()",
}


@pytest.mark.parametrize("raised", ["SystemExit", "ValueError"])
@pytest.mark.parametrize("name", BODIES)
def test_a_worker_never_runs_on_in_the_code_of_the_program(name: str, raised: str, tmp_path: Path) -> None:
    script, out = tmp_path / "script.py", tmp_path / "out"
    script.write_text(SCRIPT.replace("BODY", BODIES[name]).replace("RAISED", raised))
    done = subprocess.run(
        [sys.executable, script, out], timeout=TIMEOUT_S, capture_output=True, text=True, check=False
    )
    assert (done.returncode, out.read_text()) == (0, "True\n"), done.stderr
    assert "died" not in done.stdout
    assert done.stdout.endswith(" 2\n")


FORKING_APPLICATION = """
import os, sys
from concurrent.apps import ApplicationNode
from concurrent.scheduling import ITaskSystem, Task

def note(text):
    with open(OUT, "a") as file:
        print(text, file=file)

def fork():
    pid = os.fork()
    if pid:
        note(f"code {os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])}")
        return True
    ENDING

class Number(Task):
    def __call__(self):
        return 1

class System(ITaskSystem):
    count = 0
    def init_system(self, master):
        PLACE == "init_system" and fork()
    def generate_tasks(self, master):
        PLACE == "generate_tasks" and fork()
        return [Number() for _ in range(3)]
    def task_finished(self, master, task, result, error):
        self.count += 1
        note("outcome")
        PLACE == "system" and self.count == 1 and fork()
    def is_complete(self, master):
        return self.count == 3
    def gather_result(self, master):
        PLACE == "gather_result" and fork()
        return "result"

class App(ApplicationNode):
    count = 0
    def start_processing(self):
        PLACE == "start_processing" and fork()
        self.push_tasks(Number() for _ in range(3))
    def get_task_system(self):
        return System() if PLACE in ("init_system", "generate_tasks", "system", "gather_result") else None
    def app_init(self):
        PLACE == "app_init" and fork()
    def task_finished(self, task, result, error):
        self.count += 1
        note("outcome")
        PLACE == "application" and self.count == 1 and fork()
    def work_finished(self, result, system):
        PLACE == "work_finished" and fork()
        self.shutdown_main_loop()
"""

ENDINGS = {"return": 0, "sys.exit(7)": 7, "raise ValueError": 1}
PLACES = ("app_init", "start_processing", "application", "work_finished")
SYSTEM_PLACES = ("init_system", "generate_tasks", "system", "gather_result")


@pytest.mark.parametrize("ending", ENDINGS)
@pytest.mark.parametrize("place", [*PLACES, *SYSTEM_PLACES])
def test_a_copy_that_a_callback_forks_ends_when_it_returns(place: str, ending: str, tmp_path: Path) -> None:
    script, out = tmp_path / "forking.py", tmp_path / "out"
    source = FORKING_APPLICATION.replace("PLACE", repr(place)).replace("OUT", repr(str(out)))
    script.write_text(source.replace("ENDING", ending))
    command = [sys.executable, "-m", "concurrent.apps.main", "app", script, "-w", "1"]
    done = subprocess.run(command, timeout=TIMEOUT_S, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert sorted(out.read_text().split("\n")[:-1]) == [f"code {ENDINGS[ending]}", *["outcome"] * 3]
