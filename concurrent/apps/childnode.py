"""Nodes that a program starts for itself: processes of their own that end in good order with it.

Both ends hold one socket. The child says on it that it is ready, or why it cannot be; when the parent closes
its end, however that happens, the child stops.
"""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable
from typing import Any, Final

from concurrent.core.errors import ConcurrentError, LoopClosed, NodeError
from concurrent.core.loggers import get_log
from concurrent.scheduling.processes.launcher import Launcher, how_it_ended
from concurrent.transport.loop.loop import NodeLoop
from concurrent.transport.loop.sockets import child_sockets, hang_up

__all__ = ["LINE_BYTES_MAX", "ChildNode"]

START_TIMEOUT_S: Final = 30.0
STOP_TIMEOUT_S: Final = 15.0
LINE_BYTES_MAX: Final = 4096

log = get_log(__name__)


class ChildNode:
    """The parent's side of one such node.

    :param what: what it is, for logs and errors.
    :param loop: the parent's loop, to which the launcher is attached.
    :param on_ended: called on the loop, with what happened, when the node has ended without being told to.
    """

    def __init__(
        self,
        what: str,
        loop: NodeLoop,
        launcher: Launcher,
        on_ended: Callable[[str], object] | None = None,
    ) -> None:
        self._what = what
        self._loop = loop
        self._launcher = launcher
        self._on_ended = on_ended
        self.refusal = ""
        """Why it could not start, once it has ended without being ready. Loop thread."""
        self._control: socket.socket | None = None
        self._told = b""
        self._is_stopping = False
        self._ended = threading.Event()
        self._ended.set()

    def start(self, entry: str, *args: Any) -> None:
        """Start it, again if it has ended; nothing happens after ``stop``. Any thread; does not wait.

        :param entry: "module:function" that ends in :func:`.run_child`.
        :param args: msgpack values for that function, behind the socket.
        :raises NodeError: if the launcher starts nothing any more.
        """
        self._loop.call(self._start, entry, args, timeout_s=START_TIMEOUT_S)

    def wait_told(self) -> str:
        """Return the next line of what the node announces when it is ready. Not the loop's thread.

        :raises NodeError: if it ends instead, or takes too long.
        """
        assert self._control is not None, "start() comes first"
        try:
            while b"\n" not in self._told:
                data = self._control.recv(LINE_BYTES_MAX)
                if not data:
                    raise NodeError(f"{self._what} ended before it was ready; see the log above")
                self._told += data
        except TimeoutError:
            raise NodeError(
                f"{self._what} was not ready within {START_TIMEOUT_S} s", thing=self._what
            ) from None
        line, _, self._told = self._told.partition(b"\n")
        word, _, text = line.decode().partition(" ")
        if word != "ok":
            raise NodeError(f"{self._what} could not start: {text}", thing=self._what)
        return text

    def stop(self) -> None:
        """Have it stop, and wait for its end. Not the loop's thread; may be repeated."""
        try:
            self._loop.call(self._begin_stop, timeout_s=STOP_TIMEOUT_S)
        except LoopClosed:  # nobody would hear of its end
            return
        if not self._ended.wait(STOP_TIMEOUT_S):
            log.warning("%s did not end in %s s and is killed", self._what, STOP_TIMEOUT_S)

    def _begin_stop(self) -> None:
        self._is_stopping = True
        self._close_control()

    def _start(self, entry: str, args: tuple[Any, ...]) -> None:
        if self._is_stopping:
            return
        self._close_control()
        self._control, its = child_sockets()
        self._control.settimeout(START_TIMEOUT_S)
        self._told = b""
        self._ended.clear()
        try:
            self._launcher.launch(entry, [its], args, on_exit=self._exited)
        except ConcurrentError:
            its.close()
            self._ended.set()
            raise

    def _close_control(self) -> None:
        """Have the node see the end of the socket, also while a fork of this program has a copy of it."""
        if self._control is not None:
            hang_up(self._control)
            self._control = None

    def _read_refusal(self) -> str:
        """Return what the node that has ended said instead of being ready."""
        if self._control is None:
            return ""
        with self._control.dup() as copy:  # for another thread may wait on the original, with a time limit
            copy.setblocking(False)
            try:
                said = copy.recv(LINE_BYTES_MAX, socket.MSG_PEEK)
            except OSError:  # it has said nothing
                return ""
        word, _, text = said.decode(errors="replace").strip().partition(" ")
        return text if word == "error" else ""

    def _exited(self, _pid: int, signal: int | None, code: int | None, tail: str) -> None:
        """It has ended, or could not be started. Loop thread only."""
        self.refusal = self._read_refusal()
        self._ended.set()
        what_happened = f"{self._what} {how_it_ended(signal, code)}"
        if code is None and signal is None:
            what_happened += f": {tail}"
        if not self._is_stopping:
            log.error("%s", what_happened)
            if self._on_ended is not None:
                self._on_ended(what_happened)
        elif signal is not None or code:
            log.warning("%s", what_happened)
