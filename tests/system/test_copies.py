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


@pytest.mark.parametrize("raised", ["SystemExit", "KeyboardInterrupt", "ValueError"])
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
