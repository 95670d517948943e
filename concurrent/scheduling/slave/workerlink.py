"""A slave's link to one worker: what was dealt to it, what came back, and what can be taken back.

Loop thread only. See ``worker.py`` for the two sockets. The link keeps a duplicate of the worker's end of the
token socket: a token that it reads there is a task which the worker has not started and never will.
"""

from __future__ import annotations

import contextlib
import socket
from collections import deque
from collections.abc import Callable, Sequence
from itertools import islice
from typing import Any, Final

from concurrent.core.errors import MalformedMessage
from concurrent.core.foreign import shown
from concurrent.core.loggers import get_log
from concurrent.scheduling.processes.launcher import Child, Launcher
from concurrent.scheduling.processes.taskoutput import OutputFile
from concurrent.scheduling.slave.crew import Crew, Item
from concurrent.scheduling.slave.outputlog import OutputLog
from concurrent.scheduling.worker.sharedmemory import TrackedMemory
from concurrent.scheduling.worker.worker import CAN_TAKE_BACK, NO_WAIT
from concurrent.scheduling.worker.workerwire import CODE, OWNER, TASKS, MessageReader, pack_message
from concurrent.transport.frames.frames import Buffer
from concurrent.transport.frames.gather import send_some
from concurrent.transport.loop.loop import NodeLoop

__all__ = ["OnResults", "WorkerLink"]

ENTRY: Final = "concurrent.scheduling.worker.worker:main"
SOCKET_BYTES: Final = 4 * 1024 * 1024
TOKENS_READ: Final = 65536
READS_PER_TURN: Final = 16
GENERATIONS: Final = 256
MESSAGE_BYTES_MAX: Final = 1 << 30
"""The longest message that a worker may send, in bytes."""

STALLED_CHECKS: Final = 10
"""How many looks in a row a worker may be in the middle of the same message, or without its socket."""

TAKEN_BACK_MAX: Final = 100
"""How often tasks can be taken back between two results. What a result leaves behind in the worker's queue is
at most twice that many generations old, so that a number of a generation never means two of them."""

log = get_log("concurrent.scheduling.slave.pool")


OnResults = Callable[["WorkerLink", Sequence[int], Sequence[int], Sequence[Any], float], None]
"""Called with the link, numbers, statuses, payloads, and the seconds they took together."""


class WorkerLink:
    """See the module.

    :param loop: the owner's loop.
    :param on_results: called for each batch of results.
    :param on_death: called when the worker has ended and everything that it sent was read, with the link, the
        signal or None, the exit code or None and the tail of its output.

    The worker belongs to nobody until :meth:`join`, and can be given tasks from then on.
    """

    def __init__(
        self,
        loop: NodeLoop,
        on_results: OnResults,
        on_death: Callable[[WorkerLink, int | None, int | None, str], None],
    ) -> None:
        self.crew: Crew | None = None
        self.outstanding: deque[Item] = deque()
        self.done_count = 0
        self.progress_at = 0.0
        self.busy_since = 0.0
        self.is_open = False
        self.is_held = False
        self.is_leaving = False
        self.is_killed = False
        self.distrusted_because = ""
        self.cancelled: set[int] = set()
        self.child: Child | None = None
        self._loop = loop
        self._on_results = on_results
        self._on_death = on_death
        self._reader: MessageReader | None = None
        self._result_memory: TrackedMemory | None = None
        self._generation = 0
        self._started_count = 0
        self._taken_back_count = 0
        self._code_count = 0
        self._outbox: deque[Buffer] = deque()
        self._is_blocked = False
        self._is_paused = False
        self._is_read_out = False
        self._is_cut = False
        self._unsent_tokens = b""
        self._stalled_count = 0

    def start(self, launcher: Launcher) -> None:
        """Start the worker.

        :raises OSError: if there are no descriptors for it.
        """
        with contextlib.ExitStack() as undo:
            self.output = OutputFile("task-output")
            undo.callback(self.output.close)
            self._output_log = OutputLog(self.output)
            self._data, its_data = socket.socketpair()
            undo.callback(self._data.close)
            undo.callback(its_data.close)
            self._token, its_token = socket.socketpair()
            undo.callback(self._token.close)
            undo.callback(its_token.close)
            self._token_far = its_token.dup()
            undo.callback(self._token_far.close)
            undo.pop_all()
        for sock in (self._data, its_data):
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SOCKET_BYTES)
        self._data.setblocking(False)
        self._token.setblocking(False)
        self.is_open = True
        self.progress_at = self._loop.time()
        self.child = launcher.launch(
            ENTRY, [its_data, its_token], [self._loop.name], stderr_to=self.output, on_exit=self._exited
        )

    def join(self, crew: Crew) -> None:
        """Have the worker belong to an application, for good; it can be given tasks at once.

        :raises OSError: if there are no descriptors for what they share, or the worker has ended.
        """
        self._result_memory = crew.memory.share(self._data)
        view_of = self._result_memory.view if self._result_memory is not None else None
        self._reader = MessageReader(self._data, MESSAGE_BYTES_MAX, view_of)
        self.crew = crew
        if not self._is_paused:
            self._loop.add_reader(self._data, self._read)
        self._send(pack_message(OWNER, crew.owner, []))

    @property
    def pid(self) -> int:
        """The process id of the worker, 0 while it is being started."""
        return self.child.pid if self.child is not None else 0

    @property
    def is_idle(self) -> bool:
        """Whether it could be given a task that would start at once."""
        return not self.outstanding and not self.is_leaving

    @property
    def has_fallen(self) -> bool:
        """Whether the worker has ended because what had started it did."""
        return self.child is not None and self.child.has_fallen

    def give(self, items: Sequence[Item], hold_s: float) -> None:
        """Deal tasks of its application to the worker, behind those that it has.

        :param hold_s: how long their results may wait for others while there is more to do, in seconds; 0 if
            there is nothing else to do.
        """
        crew = items[0][2]
        if not self.outstanding:
            self.progress_at = self.busy_since = self._loop.time()
        if self._code_count != len(crew.blobs):
            self._send_code(crew.blobs)
        numbers = [item[0] for item in items]
        payloads = [item[1] for item in items]
        dropped = self._result_memory.take_dropped() if self._result_memory is not None else ()
        place = crew.memory.position_of if self._result_memory is not None else None
        message = pack_message(TASKS, self._generation, numbers, hold_s, dropped, payloads, place=place)
        self.outstanding.extend(items)
        # Tokens first: a worker that sleeps wakes up while the tasks are sent.
        self._unsent_tokens += bytes((self._generation,)) * len(items)
        self._send_tokens()
        self._send(message)

    @property
    def can_take_back(self) -> bool:
        """Whether what the worker has not started can be taken back; what it keeps then may be unstarted."""
        return CAN_TAKE_BACK and self._taken_back_count < TAKEN_BACK_MAX

    def take_back(self, *, is_slow: bool = True) -> list[Item]:
        """Take back every task that the worker has not started, oldest first.

        A worker that is only being started may keep what it has, see :attr:`can_take_back`.

        :param is_slow: whether the worker gets nothing more until it reports a result.
        """
        if not self.can_take_back or not self.is_open:
            return []
        count = len(self._unsent_tokens)
        self._unsent_tokens = b""
        count += self._read_tokens()
        if not count:
            return []
        self._generation = (self._generation + 1) % GENERATIONS
        self._taken_back_count += 1
        items = [self.outstanding.pop() for _ in range(count)]
        items.reverse()
        self.is_held = is_slow and bool(self.outstanding)
        return items

    def running_number(self) -> int | None:
        """Return the number of the task that runs, the newest that has started; None if none has."""
        started_count = len(self.outstanding) - len(self._unsent_tokens) - self._token_count()
        return self.outstanding[started_count - 1][0] if started_count > 0 else None

    def note_progress(self, now: float) -> bool:
        """Tell whether the worker has started a task since it was last asked; its results may wait for others.

        :param now: the loop's time, which becomes ``progress_at`` if it has.
        """
        waiting_count = len(self._unsent_tokens) + self._token_count()
        started_count = self.done_count + len(self.outstanding) - waiting_count
        if started_count == self._started_count:
            return False
        self._started_count = started_count
        self.progress_at = now
        return True

    def kill(self) -> None:
        """Kill the worker; ``on_death`` follows. It gets nothing more from now on."""
        self.is_leaving = self.is_killed = True
        if self.child is not None:
            self.child.kill()

    def finish(self) -> None:
        """Let the worker end after the task that it runs."""
        if self.is_open:
            self.is_leaving = True
            for sock in (self._token, self._data) if self.crew is None else (self._token,):
                sock.shutdown(socket.SHUT_WR)

    def pause_reading(self, *, is_paused: bool) -> None:
        """Read no more of what the worker sends, so that it has to wait with more; or go on."""
        if is_paused == self._is_paused:
            return
        self._is_paused = is_paused
        if self.crew is None or not self.is_open or self._is_read_out:
            return
        if is_paused:
            self._loop.remove_reader(self._data)
        else:
            self._loop.add_reader(self._data, self._read)

    def log_output(self) -> None:
        """Write to the log what a task that still runs has printed so far."""
        if not self.is_open or not self.outstanding:
            return
        self._output_log.look(self.outstanding[0][0])

    def close(self) -> None:
        """Free everything; may be repeated."""
        if not self.is_open:
            return
        self.is_open = False
        self._loop.remove_reader(self._data)
        self._loop.remove_writer(self._data)
        for sock in (self._data, self._token, self._token_far):
            sock.close()
        self.output.close()

    def _exited(self, _pid: int, signal: int | None, code: int | None, tail: str) -> None:
        if not self.is_open:
            return
        try:
            while self._reader is not None and not self.distrusted_because:
                for message in self._reader.read():
                    self._receive(*message)
        except (OSError, EOFError):
            pass
        except Exception as error:  # boundary: a task can write anything to its worker's socket
            log.error("the last words of worker %d make no sense: %s", self.pid, error)
            self.distrusted_because = str(error)
        if self.outstanding:
            self._charge()
        if self.is_leaving and code is not None:
            self._output_log.ended(self.pid, tail)
        self._on_death(self, signal, code, tail)

    def unstarted_count(self) -> int:
        """Return how many tasks a dead worker had not started; the newest ones. Call it once."""
        return len(self._unsent_tokens) + self._read_tokens()

    def _read_tokens(self) -> int:
        """Take the tokens that the worker has not taken; returns how many there were."""
        return self._token_count(flags=0)

    def _token_count(self, flags: int = socket.MSG_PEEK) -> int:
        """Return how many tokens the worker has not taken."""
        if not CAN_TAKE_BACK:
            return 0
        try:
            return len(self._token_far.recv(TOKENS_READ, NO_WAIT | flags))
        except BlockingIOError:
            return 0

    def _send_code(self, blobs: Sequence[bytes]) -> None:
        for index in range(self._code_count, len(blobs)):
            self._send(pack_message(CODE, index, [blobs[index]]))
        self._code_count = len(blobs)

    def _send_tokens(self) -> None:
        try:
            sent = self._token.send(self._unsent_tokens)
            self._unsent_tokens = self._unsent_tokens[sent:]
        except BlockingIOError:
            pass  # tried again when results come
        except OSError:
            pass  # the worker died, its exit is reported soon

    def _send(self, buffers: Sequence[Buffer]) -> None:
        self._outbox += buffers
        if not self._is_blocked:
            self._write()

    def _write(self) -> None:
        outbox = self._outbox
        while outbox:
            try:
                send_some(self._data, outbox)
            except BlockingIOError:
                if not self._is_blocked:
                    self._is_blocked = True
                    self._loop.add_writer(self._data, self._write)
                return
            except OSError:  # the worker died, its exit is reported soon
                outbox.clear()
                break
        if self._is_blocked:
            self._is_blocked = False
            self._loop.remove_writer(self._data)

    def _read(self) -> None:
        reader = self._reader
        assert reader is not None, "nothing is read from a worker that belongs to nobody"
        try:
            for _ in range(READS_PER_TURN):
                for message in reader.read():
                    self._receive(*message)
                if reader.is_drained:
                    return
        except BlockingIOError:
            pass
        except (OSError, EOFError):  # its end is reported soon, or a task has closed the socket
            self._is_cut = True
            self._stop_reading()
        except Exception as error:  # boundary: a task can write anything to its worker's socket
            self._distrust(shown(error))

    def check_stalled(self) -> None:
        """Kill a worker that has begun a message and sends no more of it, or can send nothing any more.

        Call it every second or so.
        """
        is_amid_message = not self._is_paused and self._reader is not None and self._reader.is_amid_message
        if not self.is_open or self.is_killed or not (is_amid_message or self._is_cut):
            self._stalled_count = 0
            return
        self._stalled_count += 1
        if self._stalled_count > STALLED_CHECKS:
            self._distrust("it has closed its socket" if self._is_cut else "it does not finish a message")

    def _distrust(self, reason: str) -> None:
        """Kill a worker whose messages make no sense; a task that it has run since the last results did it."""
        log.error("worker %d is killed, what it sends makes no sense: %s", self.pid, reason)
        self.distrusted_because = reason
        self._stop_reading()
        self.kill()

    def _stop_reading(self) -> None:
        """Read nothing more, for good."""
        self._is_read_out = True
        if self.is_open:
            self._loop.remove_reader(self._data)

    def _charge(self) -> None:
        """Put the time since the last time on the account of the application."""
        assert self.crew is not None
        now = self._loop.time()
        self.crew.used_s += now - self.busy_since
        self.busy_since = now

    def _receive(
        self,
        _kind: int,
        numbers: list[int],
        statuses: list[int],
        busy_s: float,
        printed: list[Any],
        payloads: list[Any],
    ) -> None:
        outstanding = self.outstanding
        count = len(numbers)
        head = [item[0] for item in islice(outstanding, count)]
        if numbers != head or not count == len(statuses) == len(payloads):
            raise MalformedMessage(f"outcomes of {count} tasks that are not the next ones")
        for report in printed:
            self._output_log.finished(*report)
        for _ in numbers:
            outstanding.popleft()
        self._stalled_count = 0
        self.done_count += count
        self.progress_at = self._loop.time()
        self._charge()
        self._taken_back_count = 0
        self.is_held = False
        if self.cancelled:
            self.cancelled.difference_update(numbers)
        if self._unsent_tokens:
            self._send_tokens()
        self._on_results(self, numbers, statuses, payloads, busy_s)
