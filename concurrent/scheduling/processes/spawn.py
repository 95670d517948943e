"""Starts processes without fork: each child is a new interpreter.

For platforms where a zygote is impossible. What it lacks against a zygote:

- A child takes as long to start as Python and its modules do, and shares no memory with others.
- Of what a child started, only its process group is killed with it; what left the group lives on.
- When the owner is killed, the kernel kills its children on Linux only; elsewhere a worker notices the end of
  its sockets after the task that it runs.
- Sockets are handed over as inherited descriptors. Windows has none, so this refuses to start there.
"""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, Final, NoReturn

from concurrent.core.clock import Deadline, SystemClock
from concurrent.core.errors import LoopClosed, NodeError
from concurrent.core.loggers import get_log
from concurrent.scheduling.processes.descendants import die_with_parent, kill_group, terminate
from concurrent.scheduling.processes.entry import call_entry, run_and_exit
from concurrent.scheduling.processes.interpreter import new_hash_seed, start_interpreter
from concurrent.scheduling.processes.launcher import Child, Launcher, OnExit
from concurrent.scheduling.processes.otherpython import OtherPython
from concurrent.scheduling.processes.processstate import default_signals, handed_on, open_standard_files
from concurrent.scheduling.processes.taskoutput import OutputFile
from concurrent.scheduling.processes.zygote import Zygote
from concurrent.transport.loop.loop import NodeLoop

if TYPE_CHECKING:
    from socket import socket

__all__ = ["SpawnLauncher", "run_child", "start_launcher"]

BOOT: Final = (
    "from concurrent.scheduling.processes.spawn import run_child; "
    "run_child({owner}, {entry!r}, {fds!r}, {args!r})"
)

log = get_log(__name__)


def start_launcher(
    preload: Sequence[str] = (), hash_seed: int | None = None, python: OtherPython | None = None
) -> Launcher:
    """Start what this platform starts processes with best. Main thread, before any thread and socket.

    :param preload: names of modules that children shall have imported from the start, where that is possible.
    :param hash_seed: what hashes of text in them shall depend on; None: as in this process, if it can be.
    :param python: the interpreter that they shall be of; None: this one.
    :raises NodeError: if this platform has no way.
    """
    has_fork = hasattr(os, "fork")
    return Zygote.start(preload, hash_seed, python) if has_fork else SpawnLauncher(hash_seed, python)


def run_child(owner_pid: int, entry: str, fds: Sequence[int], args: Sequence[Any]) -> NoReturn:
    """Be a child: call the entry and end the process. Main thread of a new interpreter.

    :param owner_pid: the process that started this one.
    :param fds: descriptors of the sockets for the entry.
    """

    def body() -> None:
        die_with_parent(owner_pid)
        default_signals()
        for fd in fds:
            os.set_inheritable(fd, False)
        call_entry(entry, fds, args)

    run_and_exit(body)


class SpawnLauncher:
    """Starts each process as a new interpreter. Loop thread only once attached, but for :meth:`stop`.

    One thread waits for the end of each child. On Linux the children end with the loop's thread.

    :raises NodeError: if the platform hands no descriptors over.
    """

    def __init__(self, hash_seed: int | None = None, python: OtherPython | None = None) -> None:
        if sys.platform == "win32":
            raise NodeError(
                "worker processes need descriptors that are inherited, which Windows lacks",
                thing="SpawnLauncher",
                remedy="Run slaves on Linux or macOS; applications may run here.",
            )
        open_standard_files()
        self._state = handed_on()
        self.python = python
        self.hash_seed = new_hash_seed() if hash_seed is None else hash_seed
        self._loop: NodeLoop | None = None
        self._running_by_number: dict[int, _Running] = {}
        self._last_number = 0
        self._is_stopped = False
        self._beside: list[SpawnLauncher] = []

    def attach(self, loop: NodeLoop) -> None:
        """Have ends of children reported on ``loop``. Any thread."""
        self._loop = loop

    def take_hash_seed(self, hash_seed: int) -> None:
        """See :class:`~concurrent.scheduling.processes.launcher.Launcher`."""
        self.hash_seed = hash_seed

    def launch(
        self,
        entry: str,
        sockets: Sequence[socket],
        args: Sequence[Any] = (),
        *,
        output: OutputFile | None = None,
        on_exit: OnExit,
    ) -> Child:
        """See :class:`~concurrent.scheduling.processes.launcher.Launcher`. Loop thread only.

        :raises NodeError: if it is not attached or was stopped.
        """
        if self._loop is None or self._is_stopped:
            state = "was stopped" if self._is_stopped else "is not attached to a loop"
            raise NodeError(f"the launcher {state} and starts no process", thing="SpawnLauncher")
        self._last_number += 1
        child = Child(self, self._last_number, entry, output, on_exit)
        numbers = [sock.fileno() for sock in sockets]
        boot = BOOT.format(owner=os.getpid(), entry=entry, fds=numbers, args=list(args))
        try:
            program = start_interpreter(
                boot,
                self._state,
                hash_seed=self.hash_seed,
                pass_fds=numbers,
                output=None if output is None else output.fileno(),
                is_own_session=True,
                python=self.python,
            )
        except OSError as error:
            self._loop.call_soon(child.ended, None, f"no new process: {error}")
        else:
            child.started(program.pid)
            running = _Running(program, partial(self._report, self._loop, child))
            self._running_by_number[child.number] = running
            running.start()
        for sock in sockets:
            sock.close()
        return child

    def terminate(self, child: Child) -> None:
        """See :class:`~concurrent.scheduling.processes.launcher.Launcher`."""
        running = self._running_by_number.get(child.number)
        if running is not None:
            running.terminate()

    def kill(self, child: Child) -> None:
        """Send SIGKILL to a child and its process group."""
        running = self._running_by_number.get(child.number)
        if running is not None:
            running.kill()

    def beside(self, python: OtherPython) -> SpawnLauncher:
        """See :class:`~concurrent.scheduling.processes.launcher.Launcher`."""
        launcher = SpawnLauncher(self.hash_seed, python)
        launcher._loop = self._loop
        self._beside.append(launcher)
        return launcher

    def retire(self) -> None:
        """See :class:`~concurrent.scheduling.processes.launcher.Launcher`."""
        for running in list(self._running_by_number.values()):
            running.kill()

    def sweep(self, app: int, *, is_last: bool) -> None:
        """Do nothing: without a zygote nobody knows what tasks have started."""

    def stop(self, timeout_s: float = 5.0) -> None:
        """Kill all children and wait for their end. Any thread but the loop's.

        :param timeout_s: how long to wait, in seconds.
        """
        self._is_stopped = True
        for other in self._beside:
            other.stop(timeout_s)
        deadline = Deadline(SystemClock(), timeout_s)
        everything = list(self._running_by_number.values())
        for running in everything:
            running.kill()
        for running in everything:
            running.join(deadline.remaining_s())

    def _report(self, loop: NodeLoop, child: Child, code: int) -> None:
        """Post the end of a child. The thread that waited for it."""
        if self._is_stopped:
            return
        try:
            loop.post(self._ended, child, code)
        except LoopClosed:
            log.debug("the process %d ended after its loop", child.pid)

    def _ended(self, child: Child, code: int) -> None:
        del self._running_by_number[child.number]
        if not self._is_stopped:
            child.ended(code)


class _Running:
    """A process and the thread that waits for it.

    :param on_end: called in that thread with the exit code, or minus the number of the signal.
    """

    def __init__(self, program: subprocess.Popen[bytes], on_end: partial[None]) -> None:
        self._program = program
        self._on_end = on_end
        self._thread = threading.Thread(target=self._wait, name=f"wait-{program.pid}", daemon=True)

    def start(self) -> None:
        """Start to wait."""
        self._thread.start()

    def terminate(self) -> None:
        """Send SIGTERM to the process, and SIGCONT, unless it was collected already."""
        if self._program.returncode is None:
            terminate(self._program.pid)

    def kill(self) -> None:
        """Send SIGKILL to the process and its group, unless it was collected already."""
        if self._program.returncode is None:
            kill_group(self._program.pid)
            self._program.kill()

    def join(self, timeout_s: float) -> None:
        """Wait for the thread, which ends with the process."""
        self._thread.join(timeout_s)

    def _wait(self) -> None:
        code = self._program.wait()
        kill_group(self._program.pid)  # what the child has left behind
        self._on_end(code)
