"""Several machines on this one: each has keys and places of its own, so all goes through TLS between them."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Final

import psutil

from benchmarks.processes import below, end_tree, own_folders, wait_until

__all__ = ["KeyedCluster", "Machine"]

STARTER: Final = (sys.executable, "-m", "concurrent.apps.main")
ROOT: Final = Path(__file__).resolve().parents[1]
START_S: Final = 60.0
COMMAND_S: Final = 60.0


class Machine:
    """Stands for one.

    :param folder: where its files are; a short path, for the names of sockets.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._folders = own_folders(folder)

    @property
    def keys(self) -> Path:
        """The folder with its keys."""
        return Path(self._folders["XDG_CONFIG_HOME"], "concurrent", "keys")

    @property
    def environment(self) -> dict[str, str]:
        """What its processes have in their environment."""
        return {**os.environ, **self._folders, "PYTHONPATH": str(ROOT)}

    def run(self, *arguments: str) -> str:
        """Run a command to its end; return what it prints. Raises CalledProcessError."""
        done = subprocess.run(
            [*STARTER, *arguments], cwd=self.folder, env=self.environment, check=True,
            stdin=subprocess.DEVNULL,
            capture_output=True, text=True, timeout=COMMAND_S,
        )  # fmt: skip
        return done.stdout

    def start(self, *arguments: str, options: Mapping[str, str]) -> subprocess.Popen[bytes]:
        """Start a node; what it says is in the file ``log``."""
        assignments = [part for name, text in options.items() for part in ("-o", f"{name}={text}")]
        with (self.folder / "log").open("wb") as log:
            return subprocess.Popen(
                [*STARTER, *arguments, *assignments], cwd=self.folder, env=self.environment,
                stdin=subprocess.DEVNULL, stdout=log, stderr=log,
            )  # fmt: skip

    def log(self) -> str:
        """Return what its node has said."""
        return (self.folder / "log").read_text(encoding="utf-8", errors="replace")


class KeyedCluster:
    """A master, a slave and a program on machines of their own, for a ``with`` block.

    :param folder: where the machines are.
    :param options: those of the master and the slave.
    :param workers: how many the slave has.
    :param is_open: without keys, over plain TCP.
    """

    def __init__(
        self, folder: Path, options: Mapping[str, str], *, workers: int = 2, is_open: bool = False
    ) -> None:
        self._insecure = {"transport.allow_insecure": "yes"} if is_open else {}
        self._options = {**options, **self._insecure}
        self._workers = workers
        self._open = ExitStack()
        self.master, self.slave, self.program = (Machine(folder / name) for name in "msp")
        self.port = 0
        self.processes: list[subprocess.Popen[bytes]] = []
        self.lines: list[str] = []
        """The lines by which the other machines have joined."""

    def __enter__(self) -> KeyedCluster:
        with ExitStack() as stack:
            self._start(stack, self.master, "master", "-p", "0")
            self.port = int(self._said(self.master, r"the master listens on https?://[\d.]+:(\d+)/"))
            if not self._insecure:
                self._join(self.slave, "slave")
                self._join(self.program, "submit")
            self._start(stack, self.slave, "slave", "-m", self.address, "-w", str(self._workers))
            self._said(self.slave, r"(joined the master)")
            self._open = stack.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        self._open.close()

    @property
    def address(self) -> str:
        """Where the master is."""
        return f"127.0.0.1:{self.port}"

    @property
    def options(self) -> dict[str, str]:
        """The options with which a program reaches the master from the third machine."""
        return {"keys.folder": str(self.program.keys), **self._insecure}

    @property
    def master_pid(self) -> int:
        """The process of the master."""
        return self.processes[0].pid

    def nodes(self) -> list[psutil.Process]:
        """Return the processes of the master and the slave, and all below them."""
        return [one for each in self.processes for one in (psutil.Process(each.pid), *below(each.pid))]

    def _join(self, machine: Machine, role: str) -> None:
        line = self.master.run("keys", "invite", role, "--address", self.address).split()[-1]
        self.lines.append(line)
        machine.run("join", line)

    def _start(self, stack: ExitStack, machine: Machine, *arguments: str) -> None:
        process = machine.start(*arguments, options=self._options)
        stack.callback(end_tree, process)
        self.processes.append(process)

    def _said(self, machine: Machine, pattern: str) -> str:
        def found() -> bool:
            if self.processes[-1].poll() is not None:
                raise RuntimeError(f"a node has ended:\n{machine.log()}")
            return re.search(pattern, machine.log()) is not None

        wait_until(found, pattern, START_S)
        match = re.search(pattern, machine.log())
        assert match is not None
        return match[1]
