"""Runs each case in a process of its own, which is ended with all below it when its time is over."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
from dataclasses import asdict
from pathlib import Path

from benchmarks.cases import Bench, run_case
from benchmarks.measure import Figure, Recorder, Row
from benchmarks.options import Options
from benchmarks.ours import OUR_SYSTEMS
from benchmarks.processes import end_tree, own_folders
from concurrent.scheduling.processes.descendants import die_with_parent

__all__ = ["CaseFailed", "run_apart"]

ROOT = Path(__file__).resolve().parents[1]
CASE_TIMEOUT_S = 300.0
QUICK_CASE_TIMEOUT_S = 90.0
PEER_TIMEOUT_S = 120.0


class CaseFailed(Exception):
    """A case ended with an error, or did not end.

    :param rows: what it had measured by then.
    """

    def __init__(self, message: str, rows: list[Row]) -> None:
        super().__init__(message)
        self.rows = rows


class _Writer(Recorder):
    """Writes everything into a file at each step: a case that does not end has something to show."""

    def __init__(self, file: Path) -> None:
        super().__init__(OUR_SYSTEMS)
        self._file = file

    def add(self, figure: Figure, system: str, value: float, *, task_count: int | None = None) -> None:
        """See the base."""
        super().add(figure, system, value, task_count=task_count)
        beside = self._file.with_suffix(".new")
        beside.write_text(json.dumps([asdict(row) for row in self.rows()]), encoding="utf-8")
        beside.replace(self._file)


def run_apart(name: str, options: Options) -> list[Row]:
    """Run a case in a process of its own and return its rows.

    :raises CaseFailed: if it fails or takes too long; nothing of it is left then.
    """
    timeout_s = PEER_TIMEOUT_S if options.peer else options.scaled(CASE_TIMEOUT_S, QUICK_CASE_TIMEOUT_S)
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        output = Path(folder) / "rows.json"
        owner = str(os.getpid())
        command = [sys.executable, "-m", "benchmarks.runner", owner, name, options.to_text(), str(output)]
        environment = {**os.environ, **own_folders(Path(folder))}
        process = subprocess.Popen(command, cwd=ROOT, env=environment, start_new_session=True)
        try:
            code = process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            raise CaseFailed(f"it did not end within {timeout_s:.0f} s", _rows(output)) from None
        finally:
            end_tree(process)
            _end_group(process.pid)
        if code != 0:
            raise CaseFailed(f"it ended with exit code {code}; see above", _rows(output))
        return _rows(output)


def _rows(output: Path) -> list[Row]:
    if not output.exists():
        return []
    return [Row(**values) for values in json.loads(output.read_text(encoding="utf-8"))]


def _end_group(group: int) -> None:
    """End what a case left behind that is no longer below it."""
    if hasattr(os, "killpg"):
        try:
            os.killpg(group, signal.SIGKILL)
        except ProcessLookupError:
            return


if __name__ == "__main__":
    parent, case, text, file = sys.argv[1:]
    die_with_parent(int(parent))
    run_case(case, Bench(Options.from_text(text), _Writer(Path(file))))
