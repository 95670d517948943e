"""A cluster works in a program whose log handlers, filters and factories fail."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

TIMEOUT_S = 60.0

SCRIPT = """
import logging, os
from concurrent.apps import LocalCluster

class Raises(logging.Handler):
    def emit(self, record):
        raise SystemExit(3)
    def filter(self, record):
        raise SystemExit(3)

def fail(*_, **more):
    raise LookupError("no request")

SPOIL
with LocalCluster(2) as cluster:
    futures = [cluster.submit(print, "text") for _ in range(9)]
    died = cluster.submit(os._exit, 3)
    futures[0].add_done_callback(lambda _: 1 / 0)
    print(type(died.exception(30)).__name__, [future.result(30) for future in futures] == [None] * 9)
"""

SPOILS = {
    "factory": "logging.setLogRecordFactory(fail)",
    "handler": "logging.getLogger().addHandler(Raises())",
    "handler of ours": "logging.getLogger('concurrent').addHandler(Raises())",
    "filters": "for name in [*logging.root.manager.loggerDict]: "
    "logging.getLogger(name).addFilter(Raises().filter)",
}


@pytest.mark.parametrize("name", SPOILS)
def test_a_cluster_works_although_nothing_can_be_logged(name: str, tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(SCRIPT.replace("SPOIL", SPOILS[name]))
    done = subprocess.run(
        [sys.executable, script], timeout=TIMEOUT_S, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (0, "WorkerDied True\n"), done.stderr
