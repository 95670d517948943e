"""A worker process: takes tokens, runs one task for each and sends what came of it.

It has two sockets. Tasks come on ``data`` in batches, ahead of time; a byte on ``token`` is the right to
start one of them, the oldest of the generation that the byte names. The slave reads tokens back when it wants
to give tasks to somebody else, so a task is either started here or taken back, never both. Older
generations in the queue were taken back and are dropped.

SIGTERM tells a worker to end: it raises ``SystemExit`` in the task that runs, so that it can clean up. Whatever
the task does then, it has no result; the slave says what became of it.

Results go out when no token waits, when one of them has waited as long as the slave allows for it, and before
anything is started that may take until after that: a function that has not run yet, or of which two runs took
so long lately. So tiny tasks share messages and results do not wait behind long tasks. Where such a guess is
wrong, the slave takes the results that wait from the memory that both share (``held.py``). The result of a task
that is alone at the slave may not wait at all: nobody looks for another token first.
"""

from __future__ import annotations

import contextlib
import faulthandler
import gc
import os
import signal
import socket
import sys
import time
from collections import deque
from collections.abc import Callable
from itertools import repeat
from types import BuiltinFunctionType, FrameType, FunctionType
from typing import Any, Final

from concurrent.core.errors import UnpicklableResult
from concurrent.core.leaving import exit_code_of, exit_now
from concurrent.scheduling.pickling.batch import TaskBatch, call
from concurrent.scheduling.pickling.code import ReceivedCode
from concurrent.scheduling.pickling.payload import unpickled
from concurrent.scheduling.pickling.shorthand import expanded
from concurrent.scheduling.processes.leftovers import mark_environment
from concurrent.scheduling.processes.taskoutput import TAIL_BYTES, CapturedOutput
from concurrent.scheduling.tasks.current import speak_through
from concurrent.scheduling.tasks.outcome import FAILED, FINISHED, RETRIABLE
from concurrent.scheduling.tasks.retry import exception_names
from concurrent.scheduling.wire.failure import dumps_failure, unpicklable
from concurrent.scheduling.worker.endsignal import EndSignal
from concurrent.scheduling.worker.outofreach import told_of_arguments
from concurrent.scheduling.worker.sharedmemory import receive_memory
from concurrent.scheduling.worker.voice import Voice
from concurrent.scheduling.worker.workerwire import (
    CODE,
    OWNER,
    RESULTS,
    MessageReader,
    pack_message,
)
from concurrent.transport.frames.frames import Frame
from concurrent.transport.frames.gather import send_some

__all__ = ["CAN_TAKE_BACK", "main"]

DECAY: Final = 0.98
"""How fast long durations of a function are forgotten, per run."""

NEVER: Final = float("inf")

KNOWN_FUNCTIONS_MAX: Final = 1024
UNSENT_BYTES_MAX: Final = 1048576
"""Larger results do not wait for others, where no memory is shared that bounds them."""

NO_WAIT: Final = getattr(socket, "MSG_DONTWAIT", 0)
CAN_TAKE_BACK: Final = NO_WAIT != 0
"""Whether both ends of a token socket can be read without waiting; else workers get one task at a time."""


def main(data: socket.socket, token: socket.socket, slave: str) -> None:
    """Run tasks until the slave closes ``token``. Main thread of a process of its own.

    :param data: tasks come and results leave here.
    :param token: each byte is the right to start one task.
    :param slave: the name of the slave, for errors.
    """
    signal.signal(signal.SIGINT, _interrupt)
    faulthandler.enable(2)  # the Python stack of a crash becomes part of its evidence
    if "numpy.random" in sys.modules:  # forks of one zygote would draw the same numbers
        sys.modules["numpy.random"].seed()
    gc.freeze()
    try:
        worker = Worker(data, token, f"{slave}, worker {os.getpid()}")
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(after_in_child=worker.forked)
        speak_through(worker.voice.current)
        worker.run()
    except (BrokenPipeError, ConnectionResetError, EOFError):
        pass  # the slave is gone, or does not need this worker


def _interrupt(_number: int, frame: FrameType | None) -> None:
    """Interrupt the task that runs; between tasks the node decides when work ends.

    The signal is not just ignored meanwhile, for the commands that tasks start would ignore it too.
    """
    if _is_in(frame, Worker._perform):
        raise KeyboardInterrupt


def _is_in(frame: FrameType | None, function: Callable[..., Any]) -> bool:
    """Tell whether a function is being called, as a stack says."""
    while frame is not None and frame.f_code is not function.__code__:
        frame = frame.f_back
    return frame is not None


_Dealt = tuple[int, float, int, "bytes | Frame", "dict[str, Any] | None"]
"""A task as it was dealt: generation, how long its result may wait, number, payload, and what it asks for."""


class Worker:
    """See the module. Made when the worker comes to belong to an application, which the maker waits for.

    ``voice`` is what its tasks speak through.

    :param where: which worker of which slave it is, for errors.
    :raises EOFError: if that never happens.
    """

    def __init__(self, data: socket.socket, token: socket.socket, where: str) -> None:
        self._where = where
        self._data = data
        self._token = token
        shared = receive_memory(data)
        self._result_memory = shared[1] if shared is not None else None
        self._reader = MessageReader(data, view_of=shared[0].view if shared is not None else None)
        self._queue: deque[_Dealt] = deque()
        self._code = ReceivedCode()
        self._output = CapturedOutput()
        memory = self._result_memory
        self.voice = Voice(self._output, memory.board if memory is not None else None)
        self._held = memory.held if memory is not None else None
        self._is_fork = False
        self._is_ending = False
        self._batch: TaskBatch | None = None
        self._done: list[tuple[int, int, bytes | Frame]] = []
        self._printed: list[tuple[int, int, bytes, bytes, bytes]] = []
        self._busy_s = 0.0
        self._unsent_bytes = 0
        self._due = NEVER
        self._long_by_function: dict[Any, tuple[float, float]] = {}  # the longest run and the second
        self._is_code_new = False
        self._terms: dict[str, Any] | None = None
        self._end_signal = EndSignal(self._told_to_end)

    def forked(self) -> None:
        """Note that this is a copy which a task made with ``os.fork``: it must not go on as a worker."""
        self._is_fork = True
        if self._batch is not None:
            self._batch.drop()

    def _told_to_end(self, _number: int, frame: FrameType | None) -> None:
        """Raise in the task that runs, each time; between tasks end when what is finished was sent."""
        self._is_ending = self.voice.is_ending = True
        if _is_in(frame, Worker._perform):
            if self._batch is not None:
                self._batch.drop()
            raise SystemExit("the task was told to end")
        if not self._done and not _is_in(frame, Worker._flush):
            self._end_signal.die()

    def run(self) -> None:
        """Take tokens and run tasks until there are no more.

        :raises OSError: if the slave is gone.
        """
        receive, clock = self._token.recv, time.perf_counter
        begun = clock()
        hold_s = 0.0
        while True:
            try:
                token = receive(1, NO_WAIT) if CAN_TAKE_BACK and hold_s else b""
            except BlockingIOError:
                token = b""
            if not token:
                self._flush()
                token = receive(1)
                begun = clock()
                if not token:
                    return
            _, hold_s, number, payload, self._terms = self._next(token[0])
            self._attempt(number, payload, begun)
            now = clock()
            self._busy_s += now - begun
            begun = now
            if now + hold_s < self._due:
                self._due = now + hold_s
            if now > self._due or (hold_s and not self._hold()):
                self._flush()

    def _next(self, generation: int) -> _Dealt:
        """Return the oldest task of a generation; drop those of others, which were taken back."""
        queue = self._queue
        while True:
            while queue:
                dealt = queue.popleft()
                if dealt[0] == generation:
                    return dealt
            for message in self._reader.read():
                self._receive(*message)

    def _receive(self, kind: int, *fields: Any) -> None:
        if kind == CODE:
            index, blobs = fields
            self._code.take(index, bytes(blobs[0]))
            self._is_code_new = True
        elif kind == OWNER:
            owner, (own, others), group, _ = fields
            if group:
                with contextlib.suppress(OSError), open(group, "w", encoding="ascii") as file:
                    file.write("0")  # this process; if it may not, its memory is measured all the same
            os.environ.update(own)
            for name, value in others.items():
                os.environ.setdefault(name, value)
            self._code.enter()
            mark_environment(owner)
        else:
            generation, numbers, hold_s, dropped, terms, payloads = fields
            if self._result_memory is not None:
                self._result_memory.give_back(dropped)
            asked = _spread(terms, len(numbers)) if terms else repeat(None)
            self._queue.extend(zip(repeat(generation), repeat(hold_s), numbers, payloads, asked, strict=False))

    def _attempt(self, number: int, payload: bytes | Frame, begun: float) -> None:
        """Run one task and note the outcome.

        :param begun: the time at which the one before it ended, or this one could start.
        """
        if self._is_code_new or type(payload) is Frame:
            self._is_code_new = False
            self._flush()
        self.voice.number = number
        try:
            status, answer = FINISHED, self._perform(payload, begun)
        except BaseException as error:  # boundary: whatever a task raises is its outcome
            if self._is_fork:
                exit_now(exit_code_of(error))
            status, answer = FAILED, b"" if self._is_ending else self._failure(error)
            if self._terms and not set(self._terms.get("retry_on", ())).isdisjoint(_names_of(error)):
                status = RETRIABLE
        if self._is_fork:
            exit_now(0)
        if self._is_ending:  # what it has printed is left to the slave
            self._send()
            self._end_signal.die()
        self.voice.work = None
        self._done.append((number, status, answer))
        self._unsent_bytes += len(answer)
        output = self._output
        if sys.stdout is not output.stdout or sys.stderr is not output.stderr:
            output.restore_streams()
        if output.is_written:
            self._note_printed(number)

    def _perform(self, payload: bytes | Frame, begun: float) -> bytes | Frame:
        code = self._code
        self.voice.work = work = expanded(unpickled(payload), code)
        if type(work) is tuple:
            function = work[0]
            kind = type(function)
            # The name and not the function, which may be a closure over much data.
            key = (
                function.__qualname__ if kind is FunctionType or kind is BuiltinFunctionType else _key_of(kind)
            )
        else:
            key = type(work)
        # The second longest run counts: any task may once be interrupted for milliseconds.
        known = self._long_by_function.get(key)
        if known is None or begun + known[1] > self._due:
            self._flush()
            begun = time.perf_counter()
        if type(work) is TaskBatch:
            self._batch = work
            result = work.run(code, self._where)
            self._batch = None
        else:
            result = call(work)
        duration = time.perf_counter() - begun
        longest, second = known or (duration, duration)
        if known is None and len(self._long_by_function) == KNOWN_FUNCTIONS_MAX:
            self._long_by_function.clear()
        if duration > longest:
            longest, second = duration, longest
        elif duration > second:
            second = duration
        if key is not None:
            self._long_by_function[key] = (longest * DECAY, second * DECAY)
        if type(work) is TaskBatch:
            return result  # pickled already
        try:
            return code.dumps_payload(result)
        except BaseException as error:  # boundary: the result's own code runs here
            raise unpicklable(result, error) from error

    def _failure(self, error: BaseException) -> bytes:
        text = self._output.peek(TAIL_BYTES).decode("utf-8", "replace")
        return dumps_failure(told_of_arguments(error), self._code, text, self._where)

    def _note_printed(self, number: int) -> None:
        size_bytes, head, tail = self._output.take()
        said = self.voice.take(number)
        if size_bytes or said:
            self._printed.append((number, size_bytes, head, tail, said))
            self._unsent_bytes += len(head) + len(tail)

    def _hold(self) -> bool:
        """Tell whether the latest result may wait for others; then the slave can take it meanwhile."""
        held = self._held
        if held is None:
            return self._unsent_bytes <= UNSENT_BYTES_MAX
        latest, printed = self._done[-1], self._printed
        if printed and printed[-1][0] == latest[0]:
            return held.put(*latest, printed[-1][1:])
        return held.put(*latest)

    def _flush(self) -> None:
        """Send what is finished, and see to what the last tasks printed."""
        if not self._done:
            return
        self._note_printed(self._done[-1][0])  # by C code or a subprocess, of the latest task as far as we know
        self._send()
        self._output.restore_files()  # nobody waits for that
        if self._is_ending:
            self._end_signal.die()

    def _send(self) -> None:
        if not self._done:
            return
        numbers, statuses, payloads = zip(*self._done, strict=True)
        fields = numbers, statuses, self._busy_s, self._printed, payloads
        place = self._result_memory.put if self._result_memory is not None else None
        pieces = deque(pack_message(RESULTS, *fields, place=place))
        self._done.clear()
        if self._held is not None:
            self._held.clear()
        self._due = NEVER
        self._printed = []
        self._busy_s = 0.0
        self._unsent_bytes = 0
        while pieces:
            send_some(self._data, pieces)


def _key_of(kind: Any) -> Any:
    """Return by what calls of such objects are known; None if it says that one may take long, unlike others."""
    return None if getattr(kind, "runs_long", False) else kind


def _names_of(error: BaseException) -> list[str]:
    """Return by which names an exception is worth another try.

    A result that cannot be pickled is no passing failure: the task has done its work, and would do it in vain
    once more. So ``Exception`` does not cover it, only its own name does.
    """
    names = exception_names(type(error))
    return names[:1] if isinstance(error, UnpicklableResult) else names


def _spread(rows: list[Any], count: int) -> list[dict[str, Any] | None]:
    """Return what each of some tasks asks for, None for nothing.

    :param rows: places and maps, see ``workerwire.py``.
    """
    asked: list[dict[str, Any] | None] = [None] * count
    for place, terms in rows:
        asked[place:] = [terms or None] * (count - place)
    return asked
