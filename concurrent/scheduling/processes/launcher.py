"""What starts processes for a node: the interface, and the handle of one process."""

from __future__ import annotations

import signal
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Final, Protocol

from concurrent.core.loggers import get_log
from concurrent.scheduling.processes.otherpython import OtherPython
from concurrent.scheduling.processes.taskoutput import OutputFile
from concurrent.transport.loop.loop import NodeLoop

if TYPE_CHECKING:
    from socket import socket

__all__ = ["KILLED", "Child", "Launcher", "OnExit", "how_it_ended", "signal_name"]

KILLED: Final = -9
"""What a launcher reports for a child that went down with it."""

log = get_log(__name__)

OnExit = Callable[[int, int | None, int | None, str], None]
"""Called with the pid (0 if there never was one), the signal that killed the process or None, its exit code or
None, and the tail of its output."""


class Child:
    """One process that was asked for. Loop thread only.

    :param launcher: who starts it.
    :param number: its number at the launcher.
    :param entry: what it runs, for the log.
    :param output: where it prints to; None if that is the node's own output.
    :param on_exit: called once when it has ended.

    ``has_fallen`` tells then whether it was killed because its launcher was.
    """

    def __init__(
        self, launcher: Launcher, number: int, entry: str, output: OutputFile | None, on_exit: OnExit
    ) -> None:
        self.pid = 0
        self.number = number
        self._entry = entry
        self.has_fallen = False
        self._launcher = launcher
        self._output = output
        self._on_exit: OnExit | None = on_exit

    @property
    def has_ended(self) -> bool:
        """Whether its end was reported."""
        return self._on_exit is None

    def started(self, pid: int) -> None:
        """Report the start; for launchers."""
        self.pid = pid
        log.debug("process %d has started (%s)", pid, self._entry)

    def terminate(self) -> None:
        """Send SIGTERM, and have the process go on if it was stopped, so that it can take it."""
        if not self.has_ended:
            self._launcher.terminate(self)

    def kill(self) -> None:
        """Send SIGKILL, also to a process that is only just being started."""
        if not self.has_ended:
            self._launcher.kill(self)

    def ended(self, code: int | None, reason: str = "") -> None:
        """Report the end, once; for launchers.

        :param code: the exit code, or minus the number of a signal, or None if it never ran.
        :param reason: why it never ran, or was killed.
        """
        self.has_fallen = code is not None and bool(reason)
        on_exit, self._on_exit = self._on_exit, None  # which knows this child in its turn
        if on_exit is None:
            return
        log.debug("process %d has ended with %s (%s)", self.pid, code, self._entry)
        tail = reason or (self._output.tail() if self._output is not None else "")
        if code is not None and code < 0:
            on_exit(self.pid, -code, None, tail)
        else:
            on_exit(self.pid, None, code, tail)


class Launcher(Protocol):
    """Starts processes. Loop thread only, but for ``stop``.

    ``hash_seed`` is what hashes of text depend on in the processes, as ``PYTHONHASHSEED`` has it; None if it
    is not known. ``python`` is the interpreter that they are of, if it is not this one.
    """

    hash_seed: int | None
    python: OtherPython | None

    def attach(self, loop: NodeLoop) -> None:
        """Take the loop that owns the processes from now on. Another thread or the loop's."""

    def take_hash_seed(self, hash_seed: int) -> None:
        """Have all processes hash text in this way from now on; those that hash it otherwise are killed."""

    def launch(
        self,
        entry: str,
        sockets: Sequence[socket],
        args: Sequence[Any] = (),
        *,
        output: OutputFile | None = None,
        on_exit: OnExit,
    ) -> Child:
        """Start a process that calls ``entry`` with the sockets and arguments; does not wait for it.

        If it cannot be started, ``on_exit`` says so, later.

        :param entry: "module:function".
        :param sockets: those of the process; they are closed here.
        :param args: msgpack values.
        :param output: where its standard output and error go.
        :param on_exit: called on the loop when it has ended.
        """

    def terminate(self, child: Child) -> None:
        """Send SIGTERM to a child that has not ended, and SIGCONT."""

    def kill(self, child: Child) -> None:
        """Send SIGKILL to a child that has not ended; what it has started goes with it where that is known."""

    def beside(self, python: OtherPython) -> Launcher:
        """Return a launcher for another interpreter, on the same loop, which ends with this one."""

    def retire(self) -> None:
        """Kill all children and start none any more; it is not waited for their end. ``stop`` does that."""

    def sweep(self, app: int, *, is_last: bool) -> None:
        """Kill the processes that tasks of an application have left behind, where that is possible.

        :param app: its number; it has ended.
        :param is_last: whether no other application has tasks here.
        """

    def stop(self, timeout_s: float = 5.0) -> None:
        """Kill all children and what they started, and wait for their end. Not on the loop's thread.

        Their ``on_exit`` is not called any more, and nothing can be launched again.
        """


def how_it_ended(signal_number: int | None, code: int | None) -> str:
    """Say how a process ended, to go on behind its name, such as "was killed by SIGKILL"."""
    if signal_number is not None:
        return f"was killed by {signal_name(signal_number)}"
    return "could not be started" if code is None else f"ended with exit code {code}"


def signal_name(number: int) -> str:
    """Return the name of a signal, such as SIGKILL."""
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
