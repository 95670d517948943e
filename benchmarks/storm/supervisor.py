"""Programs that are started again whenever they end before their work is done, as systemd would."""

from __future__ import annotations

import contextlib
import os
import subprocess
import time
from pathlib import Path
from typing import Final

import psutil

__all__ = ["MARK", "Supervised", "marked"]

ROOT: Final = Path(__file__).resolve().parents[2]

MARK: Final = "CONCURRENT_STORM"
"""The environment variable by which processes of a storm are found, whoever is their parent."""

COMPILE_ALWAYS: Final = ("PYTHONDONTWRITEBYTECODE",)
"""With these a process compiles all that it imports, which takes longer than the rest of its start."""


class Supervised:
    """One program. Its output goes to a file.

    :param name: what it is called in the report.
    :param command: how it is started, each time.
    :param is_server: whether an exit of 0 is an end that was not asked for.
    """

    def __init__(self, name: str, command: list[str], folder: Path, mark: str, *, is_server: bool) -> None:
        self.name = name
        self.is_done = False
        self.starts = 0
        self.started_at = 0.0
        self._command = command
        self._folder = folder
        self._environment = _environment(folder, mark)
        self._is_server = is_server
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def log(self) -> Path:
        """The file with all that it has printed."""
        return self._folder / f"{self.name}.log"

    @property
    def pid(self) -> int:
        """The process that runs; 0 if none does."""
        return self._process.pid if self._process is not None and self._process.poll() is None else 0

    def look(self) -> bool:
        """Start it, if it does not run and has work left; return whether that was so."""
        process = self._process
        if self.is_done or (process is not None and process.poll() is None):
            return False
        if process is not None and process.returncode == 0 and not self._is_server:
            self.is_done = True
            return False
        with self.log.open("ab") as log:
            log.write(f"--- start {self.starts}\n".encode())
            log.flush()
            self._process = subprocess.Popen(
                self._command,
                cwd=self._folder,
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        self.starts += 1
        self.started_at = time.monotonic()
        return True

    def descendants(self) -> list[psutil.Process]:
        """Return the processes below it that have no children: workers, and hosts of task systems."""
        with contextlib.suppress(psutil.Error):
            if self.pid:
                below = psutil.Process(self.pid).children(recursive=True)
                return [one for one in below if not _has_children(one)]
        return []

    def stop(self, timeout_s: float = 20.0) -> None:
        """End it in good order, or else at once."""
        self.is_done = True
        process = self._process
        if process is None or process.poll() is not None:
            return
        process.terminate()
        try:
            process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _environment(folder: Path, mark: str) -> dict[str, str]:
    """Return the variables of processes that start as those of an installed program do: compiled."""
    ours = {MARK: mark, "PYTHONPATH": str(ROOT), "PYTHONPYCACHEPREFIX": str(folder / "bytecode")}
    return {**{name: text for name, text in os.environ.items() if name not in COMPILE_ALWAYS}, **ours}


def marked(mark: str) -> list[psutil.Process]:
    """Return the processes that belong to a storm, but for this one."""
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error, OSError):
            if process.pid != os.getpid() and process.environ().get(MARK) == mark:
                found.append(process)
    return found


def _has_children(process: psutil.Process) -> bool:
    try:
        return bool(process.children())
    except psutil.Error:
        return False
