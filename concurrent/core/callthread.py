"""A thread that makes calls for others, one after the other."""

from __future__ import annotations

import os
import queue
import threading
from collections.abc import Callable

from concurrent.core.foreign import log_failure
from concurrent.core.leaving import end_copy
from concurrent.core.loggers import get_log

__all__ = ["CallThread"]

log = get_log(__name__)


class CallThread:
    """See the module. A call that raises, whatever it is, is logged; a copy that it forks ends with the call.

    It is a daemon: whoever owns it ends it. That the standard library's pools have ended at the exit of the
    program does not matter to it.

    ``made_count`` is how many calls have begun, ``is_waiting`` whether there is none now. Any thread may look.

    :param name: of the thread.
    """

    def __init__(self, name: str) -> None:
        self._calls: queue.SimpleQueue[Callable[[], object] | None] = queue.SimpleQueue()
        self.made_count = 0
        self.is_waiting = True
        self._has_ended = False
        self._pid = os.getpid()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        """Start the thread, once; what is put before runs then. Any thread."""
        self._thread.start()

    @property
    def thread_id(self) -> int | None:
        """The number of the thread in this program, once it has one."""
        return self._thread.ident

    def is_current(self) -> bool:
        """Tell whether the caller is on this thread. Any thread."""
        return self._thread is threading.current_thread()

    def put(self, call: Callable[[], object]) -> None:
        """Have a call made behind those that were put before; at once if the thread has ended. Any thread."""
        self._calls.put(call)
        if self._has_ended:
            self._make_rest()

    def end(self) -> None:
        """End the thread when all that was put so far is done. Any thread; may be repeated."""
        self._calls.put(None)

    def join(self) -> None:
        """Wait for the end of the thread, if it was started. Another thread."""
        if self._thread.is_alive():
            self._thread.join()

    def _run(self) -> None:
        while (call := self._calls.get()) is not None:
            self.made_count += 1
            self.is_waiting = False
            self._make(call)
            self.is_waiting = True
            del call  # it may hold much, and the next one may be long in coming
        self._has_ended = True
        self._make_rest()

    def _make_rest(self) -> None:
        """Make the calls that came while the thread was ending."""
        while True:
            try:
                call = self._calls.get_nowait()
            except queue.Empty:
                return
            if call is not None:
                self._make(call)

    def _make(self, call: Callable[[], object]) -> None:
        try:
            call()
            end_copy(self._pid)
        except BaseException as error:  # boundary: it may be code of others, and the next ones are to be made
            end_copy(self._pid, error)
            log_failure(log, "%s: a call failed", self._thread.name)
