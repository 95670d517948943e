"""What answers who looks at a cluster is not imported by a master that nobody looks at."""

from __future__ import annotations

import subprocess
import sys

LATER = (
    "concurrent.apps.metrics",
    "concurrent.apps.observed",
    "concurrent.apps.observer",
    "concurrent.scheduling.ledger.explaining",
    "concurrent.scheduling.tasks.explanation",
)
PROGRAM = "import sys, concurrent.apps.master, concurrent.apps.executor; print(*sys.modules)"


def test_a_master_and_an_executor_begin_without_what_only_answers_need() -> None:
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True)
    loaded = set(done.stdout.split())
    assert "concurrent.apps.observeapi" in loaded
    assert loaded.isdisjoint(LATER)
