"""The check that tests end their threads and processes is itself checked, in a run of its own."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

CONFTEST = Path(__file__).resolve().parents[2] / "conftest.py"

# Waits until a file named stop is there, at most 30 s, so that nothing outlives the tests of this file.
WAITER = """
import os, time
for _ in range(300):
    if os.path.exists("stop"):
        break
    time.sleep(0.1)
"""
FORKER = """
import subprocess, sys
subprocess.Popen([sys.executable, "waiter.py"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
"""
TEST = """
import subprocess, sys, threading
started = []
stopped = threading.Event()
def test_it():
    {body}
def teardown_module():
    stopped.set()
    for process in started:
        process.kill()
        process.wait()
"""

THREAD = "threading.Thread(target=stopped.wait, args=(30,), name='node-loop', daemon=True).start()"
CHILD = "started.append(subprocess.Popen([sys.executable, 'waiter.py']))"
ORPHAN = "subprocess.run([sys.executable, 'forker.py'], check=True)"


def run(folder: Path, body: str) -> str:
    """Run one test beside a copy of the real ``conftest.py`` and return what pytest printed."""
    shutil.copy(CONFTEST, folder)
    (folder / "waiter.py").write_text(WAITER, encoding="utf-8")
    (folder / "forker.py").write_text(FORKER, encoding="utf-8")
    (folder / "test_it.py").write_text(TEST.format(body=body), encoding="utf-8")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--rootdir", "."]
    done = subprocess.run(
        command, cwd=folder, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60, check=False
    )
    (folder / "stop").touch()
    return done.stdout


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (THREAD, "the test left behind: thread node-loop"),
        (CHILD, "the test left behind: process "),
        (ORPHAN, "the tests left orphans: process "),
    ],
)
def test_a_test_that_leaves_something_behind_fails(tmp_path: Path, body: str, message: str) -> None:
    assert message in run(tmp_path, body)


def test_a_test_that_cleans_up_passes(tmp_path: Path) -> None:
    out = run(tmp_path, "thread = threading.Thread(target=print); thread.start(); thread.join()")
    assert "1 passed" in out
    assert "error" not in out
