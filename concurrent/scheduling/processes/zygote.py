"""The owner's side of the zygote: a small process that forks the node's children.

Forking a process that has threads or network libraries loaded is unsafe, and starting an interpreter for
each worker is slow. So a node starts a zygote before anything else and has it fork on demand
(``forkserver.py`` is what runs there).
"""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Sequence
from typing import Any, Final

from concurrent.core.dependencies import installed_first
from concurrent.core.errors import LoopClosed, NodeError
from concurrent.core.loggers import get_log
from concurrent.scheduling.processes.forkserver import PATHS, serve
from concurrent.scheduling.processes.interpreter import new_hash_seed, own_hash_seed, start_interpreter
from concurrent.scheduling.processes.launcher import KILLED, Child, OnExit
from concurrent.scheduling.processes.otherpython import OtherPython
from concurrent.scheduling.processes.processstate import handed_on, open_standard_files
from concurrent.scheduling.processes.taskoutput import OutputFile
from concurrent.transport.loop.loop import NodeLoop
from concurrent.transport.loop.sockets import child_sockets, hang_up

with installed_first("msgpack"):
    import msgpack

__all__ = ["Zygote"]

REPORT_BYTES: Final = 65536
ATTACH_TIMEOUT_S: Final = 10.0

START_S: Final = 60.0
"""So long another interpreter may take until it starts the first process; who uses it waits as long."""

RETIRE_S: Final = 5.0
"""So long a zygote may take to end that is not needed any more."""

VALUE_TYPES: Final = {"started": int, "exit": int, "failed": str, "swept": list}
"""What zygotes report, and the type of the last field of that."""

log = get_log(__name__)

BOOT: Final = (
    "import socket; from concurrent.scheduling.processes.forkserver import serve; "
    "serve(socket.socket(fileno={fd}), {preload!r}, is_fork=False)"
)


class _Request:
    """Bytes for the zygote and the files that go with the first of them."""

    __slots__ = ("data", "files", "sockets")

    def __init__(
        self, fields: Sequence[Any], sockets: Sequence[socket.socket], output: OutputFile | None
    ) -> None:
        self.data = memoryview(msgpack.packb(fields, unicode_errors=PATHS))
        self.sockets = sockets
        self.files = [sock.fileno() for sock in sockets]
        if output is not None:
            self.files.append(output.fileno())

    def close(self) -> None:
        """Close the sockets, which are the child's now or will never be."""
        for sock in self.sockets:
            sock.close()


class Zygote:
    """Starts processes by forking a small one that was set aside for it.

    Make it with :meth:`start`. Loop thread only once it is attached, but for :meth:`stop`. A zygote that
    was killed took its children with it (not what they had daemonised); the next launch starts a new one.
    """

    def __init__(
        self, preload: Sequence[str], hash_seed: int | None = None, python: OtherPython | None = None
    ) -> None:
        self.python = python
        self.hash_seed = own_hash_seed() if hash_seed is None else hash_seed
        self._preload = list(preload)
        self._state = handed_on()
        self._pid = 0
        self._program: subprocess.Popen[bytes] | None = None
        self._control: socket.socket | None = None
        self._loop: NodeLoop | None = None
        self._child_by_number: dict[int, Child] = {}
        self._last_number = 0
        self._outbox: deque[_Request] = deque()
        self._unpacker = msgpack.Unpacker(unicode_errors=PATHS)
        self._is_stopped = False
        self._is_up = False
        self._beside: list[Zygote] = []
        self._ending: threading.Thread | None = None

    @classmethod
    def start(
        cls, preload: Sequence[str] = (), hash_seed: int | None = None, python: OtherPython | None = None
    ) -> Zygote:
        """Start the process and return its handle. Main thread, before any thread and socket.

        In a program that has threads already, or other hashes, a new interpreter becomes the zygote instead of
        a fork.

        :param preload: names of modules that each child shall have imported from the start.
        :param hash_seed: what hashes of text shall depend on; None: as in this process, if it can be.
        :param python: the interpreter that it shall be of; None: this one.
        :raises NodeError: if this platform cannot fork; use ``SpawnLauncher`` there.
        """
        if not hasattr(os, "fork"):
            raise NodeError("a zygote needs fork, which this platform lacks", thing="Zygote")
        open_standard_files()
        zygote = cls(preload, hash_seed, python)
        is_alike = python is None and zygote.hash_seed == own_hash_seed()
        zygote._open(can_fork=is_alike and _thread_count() == 1)
        return zygote

    @property
    def pid(self) -> int:
        """The process id of the zygote."""
        return self._pid

    def attach(self, loop: NodeLoop) -> None:
        """Have ``loop`` read the reports of the zygote. Any thread."""
        self._loop = loop
        loop.call(self._watch, timeout_s=ATTACH_TIMEOUT_S)

    def take_hash_seed(self, hash_seed: int) -> None:
        """See :class:`.Launcher`. The next launch starts a new zygote for it."""
        if hash_seed != self.hash_seed:
            self.hash_seed = hash_seed
            self._let_go(f"its zygote {self._pid} has other hashes of text")

    def launch(
        self,
        entry: str,
        sockets: Sequence[socket.socket],
        args: Sequence[Any] = (),
        *,
        output: OutputFile | None = None,
        on_exit: OnExit,
    ) -> Child:
        """See :class:`~concurrent.scheduling.processes.launcher.Launcher`. Loop thread only.

        :raises NodeError: if the zygote is not attached or was stopped.
        """
        if self._loop is None or self._is_stopped:
            state = "was stopped" if self._is_stopped else "is not attached to a loop"
            raise NodeError(f"the zygote {self._pid} {state} and starts no process", thing="Zygote")
        self._last_number += 1
        child = Child(self, self._last_number, entry, output, on_exit)
        file_count = len(sockets) + (output is not None)
        fields = ["launch", child.number, entry, list(args), file_count, output is not None]
        request = _Request(fields, sockets, output)
        try:
            self._open_again()
        except OSError as error:
            request.close()
            self._loop.call_soon(child.ended, None, f"no new zygote: {error}")
            return child
        self._child_by_number[child.number] = child
        self._outbox.append(request)
        self._flush()
        return child

    def beside(self, python: OtherPython) -> Zygote:
        """See :class:`.Launcher`; it is started when it is first needed."""
        self._beside = [one for one in self._beside if not one.has_ended]
        zygote = Zygote(self._preload, self.hash_seed, python)
        zygote._state = self._state
        zygote._loop = self._loop
        self._beside.append(zygote)
        return zygote

    @property
    def has_ended(self) -> bool:
        """Whether it was retired, and its process is gone."""
        return self._is_stopped and (self._ending is None or not self._ending.is_alive())

    def retire(self) -> None:
        """See :class:`.Launcher`. A thread takes the exit status of the process."""
        self._is_stopped = True
        if self._control is not None:
            control = self._release()
            assert control is not None
            hang_up(control)
            self._ending = threading.Thread(target=self._see_end, name=f"wait-{self._pid}", daemon=True)
            self._ending.start()
            self._report_fallen("it is not needed any more")

    def terminate(self, child: Child) -> None:
        """See :class:`~concurrent.scheduling.processes.launcher.Launcher`."""
        self._ask("terminate", child.number)

    def kill(self, child: Child) -> None:
        """Send SIGKILL to a child; the zygote knows whether the process id is still its own."""
        self._ask("kill", child.number)

    def sweep(self, app: int, *, is_last: bool) -> None:
        """See :class:`~concurrent.scheduling.processes.launcher.Launcher`; what is killed is logged."""
        self._ask("sweep", app, is_last)

    def _ask(self, *fields: Any) -> None:
        """Have the zygote do something, if it is there."""
        if self._control is not None:
            self._outbox.append(_Request(fields, [], None))
            self._flush()

    def stop(self, timeout_s: float = 5.0) -> None:
        """Kill all children and what they started, and wait for it. Any thread but the loop's.

        :param timeout_s: how long the zygote may take, in seconds; then it is killed itself.
        """
        self._is_stopped = True
        stopping = [threading.Thread(target=other.stop, args=(timeout_s,)) for other in self._beside]
        for thread in stopping:
            thread.start()
        for thread in stopping:
            thread.join()
        if self._ending is not None:
            self._ending.join(timeout_s)
        control = None
        if self._loop is not None:
            with contextlib.suppress(LoopClosed):
                control = self._loop.call(self._release, timeout_s=timeout_s)
        control = control or self._release()
        if control is None:
            return
        control.settimeout(timeout_s)
        try:
            control.shutdown(socket.SHUT_WR)
            while control.recv(REPORT_BYTES):  # its reports do not matter any more; its end does
                pass
        except TimeoutError:
            log.warning("the zygote %d did not end in %s s and is killed", self._pid, timeout_s)
            os.kill(self._pid, signal.SIGKILL)
        except OSError:
            pass  # it is gone already
        control.close()
        self._collect()

    def _release(self) -> socket.socket | None:
        """Let go of the zygote; return its control socket, None if it is gone."""
        control, self._control = self._control, None
        if control is not None and self._loop is not None:
            self._loop.remove_reader(control)
            self._loop.remove_writer(control)
        for request in self._outbox:
            request.close()
        self._outbox.clear()
        return control

    def _open_again(self) -> None:
        if self._control is None:
            log.info("a new zygote is started")
            self._open(can_fork=False)
            self._watch()
            if self.python is not None and self._loop is not None:
                self._loop.call_later(START_S, self._see_whether_up, self._pid)

    def _see_whether_up(self, pid: int) -> None:
        """Kill an interpreter that was started long ago and has done nothing: it holds places of workers."""
        if pid == self._pid and not self._is_up and self._control is not None:
            log.error("the zygote %d has started nothing for %.0f s, and is killed", pid, START_S)
            self._lost()

    def _open(self, *, can_fork: bool) -> None:
        own, its = child_sockets()
        with its, contextlib.ExitStack() as undo:
            undo.callback(own.close)
            self._pid = self._fork(its) if can_fork else self._start_interpreter(its)
            undo.pop_all()
        own.setblocking(False)
        self._control = own
        self._is_up = False
        self._unpacker = msgpack.Unpacker(unicode_errors=PATHS)

    def _fork(self, its: socket.socket) -> int:
        for stream in (sys.stdout, sys.stderr):  # or the child would print what is buffered once more
            with contextlib.suppress(OSError, ValueError, AttributeError):  # closed, or none at all
                stream.flush()
        pid = os.fork()
        if pid == 0:
            serve(its, self._preload, is_fork=True)
        return pid

    def _start_interpreter(self, its: socket.socket) -> int:
        boot = BOOT.format(fd=its.fileno(), preload=self._preload)
        if self.hash_seed is None:  # if it has to be started again it has the same ones
            self.hash_seed = new_hash_seed()
        self._program = start_interpreter(
            boot, self._state, hash_seed=self.hash_seed, pass_fds=[its.fileno()], python=self.python
        )
        return self._program.pid

    def _see_end(self) -> None:
        """Wait for the end of the zygote, and kill it if it does not come. A thread of its own."""
        if self._program is not None:
            try:
                self._program.wait(RETIRE_S)
            except subprocess.TimeoutExpired:
                log.warning("the zygote %d did not end in %s s and is killed", self._pid, RETIRE_S)
                self._program.kill()
        self._collect()

    def _collect(self) -> None:
        """Take the exit status of the zygote, which has ended or is ending."""
        if self._program is not None:
            self._program.wait()
            self._program = None
        else:
            with contextlib.suppress(ChildProcessError):  # the program collects all of its children itself
                os.waitpid(self._pid, 0)

    def _watch(self) -> None:
        assert self._loop is not None, "the zygote is not attached to a loop"
        assert self._control is not None
        self._loop.add_reader(self._control, self._receive)

    def _flush(self) -> None:
        assert self._loop is not None, "the zygote is not attached to a loop"
        control = self._control
        while self._outbox and control is not None:
            request = self._outbox[0]
            try:
                if request.files:
                    count = socket.send_fds(control, [request.data], request.files)
                else:
                    count = control.send(request.data)
            except BlockingIOError:
                self._loop.add_writer(control, self._flush)
                return
            except OSError:
                self._lost()
                return
            request.files = []  # they went with the first byte
            request.close()
            request.data = request.data[count:]
            if not request.data:
                self._outbox.popleft()
        if control is not None:
            self._loop.remove_writer(control)

    def _receive(self) -> None:
        control = self._control
        if control is None:
            return
        try:
            data = control.recv(REPORT_BYTES)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self._lost()
            return
        try:
            self._unpacker.feed(data)
            reports = list(map(_checked, self._unpacker))
        except (ValueError, TypeError, msgpack.UnpackException):
            log.error("the zygote %d says what makes no sense", self._pid)
            self._lost()
            return
        self._is_up = True
        for report in reports:
            self._take(*report)

    def _take(self, kind: str, number: int, value: Any) -> None:
        """Take a report."""
        if kind == "swept":
            log.warning(
                "application %d has left %d processes behind, which are ended: %s",
                number, len(value), ", ".join(map(str, value)),
            )  # fmt: skip
            return
        child = self._child_by_number.get(number)
        if child is None:
            return
        if kind == "started":
            child.started(value)
            return
        del self._child_by_number[number]
        if kind == "exit":
            child.ended(value)
        else:
            child.ended(None, value)

    def _lost(self) -> None:
        """The zygote was killed; the kernel kills its children with it where it can.

        One that runs user code, as that of an environment does, may have closed its socket and go on.
        """
        if self._control is not None:
            log.error("the zygote %d is gone, and its children with it", self._pid)
            if self._program is not None:
                self._program.kill()
            self._let_go(f"its zygote {self._pid} was killed")

    def _let_go(self, reason: str) -> None:
        """Have the zygote end, if it has not, and report the end of its children."""
        control = self._release()
        if control is None:
            return
        hang_up(control)
        self._collect()
        self._report_fallen(reason)

    def _report_fallen(self, reason: str) -> None:
        assert self._loop is not None
        children, self._child_by_number = self._child_by_number, {}
        for child in children.values():
            self._loop.call_soon(child.ended, KILLED, reason)


def _thread_count() -> int:
    """Return how many threads this process has; where that is unknown, how many Python knows of."""
    try:
        return len(os.listdir("/proc/self/task"))
    except OSError:
        return threading.active_count()


def _checked(report: Any) -> tuple[str, int, Any]:
    """Return a report of a zygote: that of an environment may be anything.

    :raises TypeError: if it is none; :raises ValueError: likewise.
    """
    kind, number, value = report
    if type(number) is not int or type(value) is not VALUE_TYPES.get(kind):
        raise TypeError(f"the zygote reports {kind!r}")
    return kind, number, value
