"""Nodes as processes of their own, started the way a user starts them, and a gate that holds their tasks."""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import psutil

from tests.local import fetch

APPS = Path(__file__).parent / "apps"
TIMEOUT_S = 60.0
GOOD_ORDER_S = 2.0
AT_ONCE_S = 5.0
QUICK = (
    "transport.heartbeat_s=0.2",
    "transport.silence_s=1",
    "transport.resume_s=1",
    "transport.return_s=2",
)
MARK = "CONCURRENT_SYSTEM_TEST"
STARTER = (sys.executable, "-m", "concurrent.apps.main")


class Program:
    """One ``concurrent`` command that runs; its output goes to files.

    :param folder: the one for these files.
    :param starter: what the arguments are for.
    :param place: the folder that it is typed in, if that is another one.
    """

    def __init__(
        self,
        arguments: list[str],
        folder: Path,
        environment: dict[str, str],
        starter: tuple[str, ...],
        place: Path | None = None,
    ) -> None:
        name = f"{Path(arguments[0]).stem}-{uuid.uuid4().hex[:8]}" if arguments else "none"
        self._out, self._err = folder / f"{name}.out", folder / f"{name}.err"
        with self._out.open("wb") as out, self._err.open("wb") as err:
            self.popen = subprocess.Popen(
                [*starter, *arguments],
                cwd=place or folder,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=err,
            )

    @property
    def pid(self) -> int:
        return self.popen.pid

    @property
    def out(self) -> str:
        return self._out.read_text(errors="replace")

    @property
    def err(self) -> str:
        return self._err.read_text(errors="replace")

    def wait(self, timeout_s: float = TIMEOUT_S) -> int:
        """Wait for its end; return its exit code."""
        try:
            return self.popen.wait(timeout_s)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"still runs after {timeout_s} s:\n{self.out}\n{self.err}") from None

    def succeed(self) -> str:
        """Wait for its end with exit code 0; return what it printed."""
        code = self.wait()
        assert code == 0, f"exit code {code}\n{self.out}\n{self.err}"
        return self.out

    def wait_for_line(self, pattern: str) -> re.Match[str]:
        """Wait until its standard error has a match."""
        found: list[re.Match[str]] = []

        def is_there() -> bool:
            has_ended = self.popen.poll() is not None
            found.extend(re.finditer(pattern, self.err))
            assert found or not has_ended, f"ended without {pattern!r}:\n{self.err}"
            return bool(found)

        wait_until(is_there, f"{pattern!r} in the log of {self.popen.args}", lambda: self.err)
        return found[0]

    def children(self) -> list[psutil.Process]:
        """Return the processes that it started itself."""
        return psutil.Process(self.pid).children()

    def send(self, number: int) -> None:
        self.popen.send_signal(number)


class Cluster:
    """What one test starts. All of it is killed in the end, and nothing may be left."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = 0
        self._mark = uuid.uuid4().hex
        self._programs: list[Program] = []

    def run(
        self,
        *arguments: object,
        starter: tuple[str, ...] = STARTER,
        variables: Mapping[str, str | None] | None = None,
        folder: Path | None = None,
    ) -> Program:
        """Start any command.

        :param variables: of its environment; those that are None are not there.
        :param folder: the one that it is typed in.
        """
        own: dict[str, str | None] = {MARK: self._mark, "XDG_STATE_HOME": str(self.folder / "state")}
        environment = {**os.environ, **own, **(variables or {})}
        program = Program(
            [str(one) for one in arguments],
            self.folder,
            {name: value for name, value in environment.items() if value is not None},
            starter,
            folder,
        )
        self._programs.append(program)
        return program

    def node(self, command: str, *arguments: object, options: tuple[str, ...] = ()) -> Program:
        """Start a command that takes options."""
        assignments = [part for one in (*QUICK, *options) for part in ("-o", one)]
        return self.run(command, *arguments, *assignments)

    def master(self, *arguments: object, options: tuple[str, ...] = ()) -> Program:
        """Start a master, on the port of the one before if there was one, and wait until it listens."""
        program = self.node("master", "-p", self.port, *arguments, options=options)
        line = program.wait_for_line(r"the master listens on http://127\.0\.0\.1:(\d+)/")
        self.port = int(line[1])
        return program

    def slave(self, *arguments: object, workers: int = 2, options: tuple[str, ...] = ()) -> Program:
        """Start a slave."""
        return self.node("slave", "-m", self.address, "-w", workers, *arguments, options=options)

    def slaves(self, count: int = 2) -> list[Program]:
        """Start slaves and wait until each has joined."""
        slaves = [self.slave() for _ in range(count)]
        for slave in slaves:
            slave.wait_for_line("joined the master")
        return slaves

    def app(self, name: object, *arguments: object, options: tuple[str, ...] = ()) -> Program:
        """Start an application on the cluster of the master."""
        return self.node("app", name, "-m", self.address, *arguments, options=options)

    def embedded(self, name: object, *arguments: object, options: tuple[str, ...] = ()) -> Program:
        """Start an application on an embedded cluster of two workers."""
        return self.node("app", name, "-w", "2", *arguments, options=options)

    @property
    def address(self) -> str:
        assert self.port, "choose or learn the port first"
        return f"127.0.0.1:{self.port}"

    def status(self) -> dict[str, Any]:
        """Return what the master says it is doing."""
        status: dict[str, Any] = json.loads(fetch(self.address, "/status").body)
        return status

    def close(self) -> None:
        """Stop what still runs, and fail if anything outlives its parent."""
        for patience_s in (GOOD_ORDER_S, AT_ONCE_S):  # the second signal ends a node that waits for its tasks
            for program in self._programs:
                program.popen.terminate()
            end = time.monotonic() + patience_s
            for program in self._programs:
                with contextlib.suppress(subprocess.TimeoutExpired):
                    program.popen.wait(max(0.0, end - time.monotonic()))
        for program in self._programs:
            program.popen.kill()
            program.popen.wait()
        _, left = psutil.wait_procs([p for p in psutil.process_iter() if self._is_ours(p)], 3)
        described = [f"{process.pid} {_command(process)}" for process in left]
        for process in left:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()
        assert not left, f"left behind: {described}"

    def _is_ours(self, process: psutil.Process) -> bool:
        try:
            return process.environ().get(MARK) == self._mark
        except (psutil.Error, OSError):
            return False


class Gate:
    """Holds the tasks of ``apps/held.py`` until it is opened."""

    def __init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=100)
        self._listener.settimeout(TIMEOUT_S)
        self._held: list[socket.socket] = []

    @property
    def port(self) -> int:
        return int(self._listener.getsockname()[1])

    @property
    def option(self) -> str:
        return f"held.port={self.port}"

    def wait_for(self, count: int) -> list[int]:
        """Wait until so many more tasks are held; return the pids of their workers."""
        pids = []
        for _ in range(count):
            connection, _ = self._listener.accept()
            connection.settimeout(TIMEOUT_S)
            self._held.append(connection)
            pids.append(int(connection.recv(32)))
        return pids

    def open(self) -> None:
        """Let all tasks pass, now and later."""
        self._listener.close()
        for connection in self._held:
            connection.close()


def ip(*arguments: str) -> bool:
    """Run ``ip``, which makes networks; tells whether it could be done."""
    done = subprocess.run(["ip", *arguments], check=False, capture_output=True)
    return done.returncode == 0


def kill(pid: int) -> None:
    """Kill a process, as nothing can prevent."""
    os.kill(pid, signal.SIGKILL)


def wait_until(is_so: Callable[[], bool], what: str, details: Callable[[], str] = str) -> None:
    """Ask until it is so, for what no event tells of."""
    end = time.monotonic() + TIMEOUT_S
    pause = threading.Event()
    while not is_so():
        assert time.monotonic() < end, f"not in {TIMEOUT_S} s: {what}\n{details()}"
        pause.wait(0.02)


def _command(process: psutil.Process) -> str:
    try:
        return " ".join(process.cmdline())
    except psutil.Error:
        return process.name()
