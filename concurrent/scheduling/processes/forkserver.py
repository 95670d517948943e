"""The zygote's own process: it forks children on request and outlives none of them.

It is single-threaded and holds no file of its owner but the control socket, so a child starts clean. Requests
and reports are msgpack arrays on that socket; the files of a child travel beside its request::

    to the zygote:   ["launch", child, entry, args, file_count, has_output]   ["kill", child]
                     ["terminate", child]   ["sweep", app, is_last]
    from the zygote: ["started", child, pid]   ["exit", child, code]   ["failed", child, text]
                     ["swept", app, processes]

``child`` is a number that the owner chose. ``code`` is the exit code, or minus the number of the signal. When
the owner's end is closed or the owner ends, everything that ever came from the zygote is killed and it ends.
"""

from __future__ import annotations

import gc
import importlib
import os
import select
import signal
import socket
import time
import traceback
from collections import deque
from collections.abc import Sequence
from functools import partial
from typing import Any, Final, NoReturn

from concurrent.core.dependencies import installed_first
from concurrent.core.process.garbage import collecting_nothing
from concurrent.core.process.heap import keep_freed_memory
from concurrent.scheduling.processes.descendants import (
    become_subreaper,
    children,
    die_with_parent,
    kill,
    kill_group,
    session_of,
    terminate,
    watch,
)
from concurrent.scheduling.processes.entry import call_entry, run_and_exit
from concurrent.scheduling.processes.leftovers import kill_leftovers
from concurrent.scheduling.processes.processstate import begin_anew, default_signals, detach_files
from concurrent.transport.loop.sockets import child_sockets

with installed_first("msgpack"):
    import msgpack

__all__ = ["PATHS", "ForkServer", "serve"]

REQUEST_BYTES: Final = 65536
PATHS: Final = "surrogateescape"
"""How paths that are not UTF-8 travel, as everywhere in Python."""
FILES_MAX: Final = 16
SWEEP_TIMEOUT_S: Final = 10.0
SWEEP_PAUSE_MS: Final = 20
KILL_PAUSE_MS: Final = 100
"""A child that was killed has so long to be gone, before what it left behind is looked for."""
LOOKS_MAX: Final = 3


def serve(control: socket.socket, preload: Sequence[str], *, is_fork: bool) -> NoReturn:
    """Serve the owner until it closes ``control``. Ends the process; never returns.

    :param control: the connected socket to the owner.
    :param preload: modules to import once, so that children have them from the start.
    :param is_fork: whether this process is a fork of the owner's program, not a new interpreter.
    """

    def body() -> None:
        if is_fork:
            begin_anew()
        ForkServer(control, preload).run()

    run_and_exit(body, has_left_open=False)


class ForkServer:
    """See the module. It takes over the process: signals, session and descriptors."""

    def __init__(self, control: socket.socket, preload: Sequence[str]) -> None:
        self._control = control
        self._unpacker = msgpack.Unpacker(unicode_errors=PATHS)
        self._files: deque[int] = deque()
        self._child_by_pid: dict[int, int] = {}
        self._pid_by_child: dict[int, int] = {}
        self._doomed: set[int] = set()
        self._ending: set[int] = set()
        gc.freeze()  # what was forked is not ours: neither its garbage, whose end may close files, nor the rest
        self._prepare_process()
        keep_freed_memory()
        with collecting_nothing():  # what is imported stays
            self._preload(preload)
            gc.freeze()  # no collection shall touch, and so copy, the memory that children share

    def _prepare_process(self) -> None:
        os.setsid()  # the signals of a terminal are the owner's business
        default_signals()
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)
        detach_files(self._control.fileno())
        self._control.setblocking(True)
        self._control.set_inheritable(False)
        # A copy of the owner's end in some other process would hide its end.
        self._owner = watch(os.getppid())
        self._woken, self._wake = child_sockets()
        for end in (self._woken, self._wake):
            end.setblocking(False)
        signal.signal(signal.SIGCHLD, lambda _number, _frame: None)
        signal.set_wakeup_fd(self._wake.fileno(), warn_on_full_buffer=False)
        become_subreaper()

    def _preload(self, names: Sequence[str]) -> None:
        for name in names:
            try:
                importlib.import_module(name)
            except Exception:  # boundary: a module's own code; it fails again in the tasks that need it
                traceback.print_exc()

    def run(self) -> None:
        """Serve requests and report exits until the owner is gone, then kill all descendants."""
        poll = select.poll()
        poll.register(self._control, select.POLLIN)
        poll.register(self._woken, select.POLLIN)
        if self._owner is not None:
            poll.register(self._owner, select.POLLIN)
        is_open = True
        while is_open:
            ready = {fd for fd, _ in poll.poll(KILL_PAUSE_MS if self._ending else None)}
            if not ready:
                self._kill_orphans()  # of a child that was killed, and whose exit status is kept from us by one
            if self._owner in ready:
                break
            if self._control.fileno() in ready:
                is_open = self._receive()
            if self._woken.fileno() in ready:
                self._drain_wake()
                self._reap()
        self._sweep_all()
        signal.set_wakeup_fd(-1)
        for sock in (self._control, self._woken, self._wake):
            sock.close()

    def _drain_wake(self) -> None:
        try:
            self._woken.recv(4096)
        except BlockingIOError:
            pass

    def _receive(self) -> bool:
        try:
            data, files, _, _ = socket.recv_fds(self._control, REQUEST_BYTES, FILES_MAX)
        except ConnectionError:
            return False
        if not data:
            return False
        for fd in files:
            os.set_inheritable(fd, False)
        self._files.extend(files)
        self._unpacker.feed(data)
        for request in self._unpacker:
            if request[0] == "launch":
                self._launch(*request[1:-1], has_output=request[-1])
            elif request[0] == "sweep":
                self._sweep(request[1], is_last=request[2])
            elif (pid := self._pid_by_child.get(request[1])) is not None:
                if request[0] == "terminate":
                    terminate(pid)
                else:
                    self._ending.add(pid)
                    kill(pid)
                    kill_group(pid)
        return True

    def _sweep(self, app: int, *, is_last: bool) -> None:
        """Kill what tasks of an application that has ended left behind, and report what that was."""
        killed: list[str] = []
        for _ in range(LOOKS_MAX):
            some, is_unsure = kill_leftovers(app, self._child_by_pid, self._ending, is_last=is_last)
            killed += some
            if not is_unsure:
                break
            select.poll().poll(SWEEP_PAUSE_MS)  # what turns to another program has done that by then
        if killed:
            self._report("swept", app, list(dict.fromkeys(killed)))

    def _report(self, *fields: Any) -> None:
        try:
            self._control.sendall(msgpack.packb(fields, unicode_errors=PATHS))
        except OSError:
            pass  # the owner is gone, which the next read will tell

    def _launch(self, child: int, entry: str, args: list[Any], file_count: int, *, has_output: bool) -> None:
        files = [self._files.popleft() for _ in range(file_count)]
        server_pid = os.getpid()
        try:
            pid = os.fork()
        except OSError as error:
            pid = -1
            self._report("failed", child, f"no new process: {error}")
        if pid == 0:
            run_and_exit(partial(self._be_child, server_pid, entry, args, files, has_output=has_output))
        for fd in files:
            os.close(fd)
        if pid > 0:
            self._child_by_pid[pid] = child
            self._pid_by_child[child] = pid
            self._report("started", child, pid)

    def _be_child(
        self, server_pid: int, entry: str, args: list[Any], files: list[int], *, has_output: bool
    ) -> None:
        """The life of a child."""
        die_with_parent(server_pid)
        os.setsid()
        default_signals()
        for sock in (self._control, self._woken, self._wake):
            sock.close()
        for fd in (*self._files, *([] if self._owner is None else [self._owner])):
            os.close(fd)
        if has_output:
            output = files.pop()
            os.dup2(output, 1)
            os.dup2(output, 2)
            os.close(output)
        call_entry(entry, files, args)

    def _reap(self) -> None:
        """Take the exit status of what has ended, report children among it and kill what they left behind.

        Only this process adopts orphans, so their ends are taken here at once, whatever their ancestors do.
        """
        is_any_ours = False
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                break
            if pid == 0:
                break
            if os.WIFSTOPPED(status):
                continue  # it asked to be traced by its parent; that is no end
            child = self._child_by_pid.pop(pid, None)
            if child is not None:
                del self._pid_by_child[child]
                self._ending.discard(pid)
                kill_group(pid)
                self._report("exit", child, os.waitstatus_to_exitcode(status))
            is_any_ours |= child is not None or pid in self._doomed
            self._doomed.discard(pid)
        if is_any_ours:
            self._kill_orphans()

    def _kill_orphans(self) -> None:
        """Kill what children left behind that have ended; what is in the session of one that lives goes on.

        A child that was killed counts as ended: a process that traces it keeps its end from us for as long as
        that lives, and may be one that it has started itself.
        What one of these left behind in its turn is met when the end of that is taken.
        """
        for pid in children():
            session = session_of(pid)
            goes_on = session in self._child_by_pid and session not in self._ending
            if pid not in self._child_by_pid and not goes_on:
                self._doomed.add(pid)
                kill(pid)

    def _sweep_all(self) -> None:
        deadline = time.monotonic() + SWEEP_TIMEOUT_S
        poll = select.poll()
        poll.register(self._woken, select.POLLIN)
        while time.monotonic() < deadline:
            for pid in self._child_by_pid:
                kill_group(pid)
                kill(pid)
            for pid in children():
                kill(pid)
            try:
                while os.waitpid(-1, os.WNOHANG)[0]:
                    pass
            except ChildProcessError:
                return
            poll.poll(SWEEP_PAUSE_MS)
            self._drain_wake()
