"""The loop of a node: one thread that owns all of its state, so that nothing needs a lock."""

from __future__ import annotations

import asyncio
import contextlib
import selectors
import threading
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeoutError
from functools import partial
from typing import Any, Final, TypeVar

from concurrent.core.errors import CallTimeout, LoopClosed
from concurrent.core.foreign import log_failure
from concurrent.core.loggers import get_log
from concurrent.transport.loop.alarm import new_alarm
from concurrent.transport.loop.turns import TurnLoop, TurnSelector

__all__ = ["NodeLoop", "run_call"]

T = TypeVar("T")

POSTS_PER_TURN: Final = 1000
"""How many posted or deferred calls run before sockets and timers get their turn again."""

START_TIMEOUT_S: Final = 10.0
RESOLVER_TIMEOUT_S: Final = 5.0

log = get_log(__name__)


class NodeLoop:
    """A thread that runs an asyncio selector loop, and the ways into it from other threads.

    Calls posted by one thread run in the order in which it posted them. A call that was posted or
    deferred runs before the loop is stopped. A callback that raises, ``SystemExit`` and its like included, is
    logged and never ends the loop. If the loop itself fails, because its sockets were closed by somebody
    else for example, its owner is told, and every call that waits or comes later fails with ``LoopClosed``.

    :param name: the name of the thread, for logs.
    :param on_failed: called on the loop's thread with what ended the loop, if that was not ``stop``.
    """

    time = staticmethod(time.monotonic)
    """Return the loop's monotonic time in seconds. Any thread."""

    def __init__(self, name: str, on_failed: Callable[[BaseException], object] | None = None) -> None:
        self.name = name
        self._on_failed = on_failed
        self.aio: asyncio.AbstractEventLoop
        self._inbox: deque[partial[Any]] = deque()
        self._deferred: deque[Callable[[], object]] = deque()
        self._is_woken = True  # what is posted before the start runs then
        self._closed = threading.Event()
        self._is_running = threading.Event()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread_id: int | None = None

    def start(self) -> None:
        """Start the thread and return when the loop runs. Call it once, from another thread.

        :raises CallTimeout: if the thread does not come up.
        """
        self._selector = TurnSelector(self._attempt, self._end_turn)
        self.aio = TurnLoop(self._selector)
        self.aio.set_exception_handler(self._log_failure)
        self._alarm = new_alarm()
        self._thread.start()
        if not self._is_running.wait(START_TIMEOUT_S):
            raise CallTimeout(f"the loop {self.name} did not start in {START_TIMEOUT_S} s")

    def stop(self, timeout_s: float = 5.0) -> None:
        """Run what was posted, end the thread and free the loop. Another thread; may be repeated.

        :param timeout_s: how long to wait for the thread to end, in seconds.
        :raises CallTimeout: if a callback keeps the thread busy for longer.
        """
        assert not self.is_current(), "a loop cannot wait for its own end"
        if not self._thread.is_alive():
            self._closed.set()
            return
        with contextlib.suppress(RuntimeError):  # a second stop while the first one is at work
            self.aio.call_soon_threadsafe(self._finish)
        self._thread.join(timeout_s)
        if self._thread.is_alive():
            raise CallTimeout(
                f"the loop {self.name} did not end in {timeout_s} s; a callback keeps it busy",
                thing=self.name,
                value=timeout_s,
            )

    def is_current(self) -> bool:
        """Tell whether the caller is on the loop's thread. Any thread."""
        return threading.get_ident() == self._thread_id

    def post(self, fn: Callable[..., object], *args: Any) -> None:
        """Have the loop call ``fn(*args)`` soon, and do not wait for it. Any thread.

        :raises LoopClosed: if the loop has ended; then ``fn`` is not called.
        """
        # A deque, whose append and popleft are single steps of the interpreter: a lock would cost as much as
        # the rest, and a signal whose handler posts, or raises, in the middle of it would find or
        # leave that lock held. Order does what a lock would. The call is in the inbox before this thread looks
        # whether the loop has been woken, and the loop says that it is not woken before it empties the inbox:
        # so either the loop sees the call, or this thread sees that it must wake it. If a handler raises before
        # it has, the call stays in the inbox, and the next one to be posted wakes the loop for both.
        # The loop may also end between the first look at ``_closed`` and the append. Its last drain comes after
        # it has closed: so whoever still sees it open has been in time, and whoever does not takes the call
        # back, unless the last drain was faster and has made it.
        call = partial(fn, *args)
        if not self._closed.is_set():
            self._inbox.append(call)
            if not self._closed.is_set() or not self._withdraw(call):
                if not self._is_woken:
                    self._wake()
                return
        raise self._closed_error()

    def call(self, fn: Callable[..., T], *args: Any, timeout_s: float) -> T:
        """Run ``fn(*args)`` on the loop and return what it returns. Any thread.

        :param timeout_s: how long to wait, in seconds; what has not begun by then is dropped.
        :raises CallTimeout: if there is no result in time.
        :raises LoopClosed: if the loop has ended.
        """
        if self.is_current():
            return fn(*args)
        future: Future[T] = Future()
        self.post(run_call, future, partial(fn, *args))
        try:
            return future.result(timeout_s)
        except FutureTimeoutError as error:
            if future.done() and not future.cancelled():
                raise  # fn itself raised it
            future.cancel()
            raise CallTimeout(
                f"the loop {self.name} did not answer in {timeout_s} s",
                thing=getattr(fn, "__qualname__", repr(fn)),
                value=timeout_s,
            ) from error

    def call_soon(self, fn: Callable[..., object], *args: Any) -> asyncio.Handle:
        """Call ``fn(*args)`` after the callbacks that are ready now. Loop thread only."""
        return self.aio.call_soon(fn, *args)

    def defer(self, fn: Callable[[], object]) -> None:
        """Call ``fn()`` at the end of this turn, when all that came in with it is dealt with. Loop thread only.

        What it defers itself runs in the same turn; nothing waits for it but the loop's next sleep.
        """
        self._deferred.append(fn)

    def call_later(self, delay_s: float, fn: Callable[..., object], *args: Any) -> asyncio.TimerHandle:
        """Call ``fn(*args)`` after ``delay_s`` seconds unless cancelled. Loop thread only."""
        assert self.is_current(), "call_later belongs to the loop's thread; use post"
        return self.aio.call_later(delay_s, fn, *args)

    def add_reader(self, fd: Any, fn: Callable[..., object], *args: Any) -> None:
        """Call ``fn(*args)`` whenever ``fd`` is readable. Loop thread only."""
        assert self.is_current(), "add_reader belongs to the loop's thread; use post"
        self._selector.watch(fd, selectors.EVENT_READ, partial(fn, *args) if args else fn)

    def remove_reader(self, fd: Any) -> bool:
        """Stop watching ``fd`` for reading; tells whether it was watched. Loop thread only."""
        return not self.aio.is_closed() and self._selector.watch(fd, selectors.EVENT_READ, None)

    def add_writer(self, fd: Any, fn: Callable[..., object], *args: Any) -> None:
        """Call ``fn(*args)`` whenever ``fd`` is writable. Loop thread only."""
        assert self.is_current(), "add_writer belongs to the loop's thread; use post"
        self._selector.watch(fd, selectors.EVENT_WRITE, partial(fn, *args) if args else fn)

    def remove_writer(self, fd: Any) -> bool:
        """Stop watching ``fd`` for writing; tells whether it was watched. Loop thread only."""
        return not self.aio.is_closed() and self._selector.watch(fd, selectors.EVENT_WRITE, None)

    def _run(self) -> None:
        self._thread_id = threading.get_ident()
        asyncio.set_event_loop(self.aio)
        self._selector.watch(self._alarm, selectors.EVENT_READ, self._on_alarm)
        self.aio.call_soon(self._is_running.set)
        self.aio.call_soon(self._drain)
        try:
            self._run_until_stopped()
            self.aio.run_until_complete(self._end_tasks())
        except BaseException as error:  # boundary: whatever it is, nobody may wait for this loop any more
            self._fail(error)
        finally:
            asyncio.set_event_loop(None)
            for close in (self.aio.close, self._alarm.close):
                with contextlib.suppress(OSError, RuntimeError):  # somebody else has closed it
                    close()

    def _run_until_stopped(self) -> None:
        while not self._closed.is_set():
            try:
                self.aio.run_forever()
            except (SystemExit, KeyboardInterrupt):  # asyncio hands these on if a callback raises them
                log_failure(log, "%s: a callback failed", self.name)

    def _fail(self, error: BaseException) -> None:
        """The loop cannot go on: end everything that waits for it, and tell its owner."""
        self._closed.set()
        log_failure(log, "the loop %s has failed", self.name, error=error)
        if self._on_failed is not None:
            self._attempt(partial(self._on_failed, error), "failing")
        while self._inbox:
            call = self._inbox.popleft()
            if call.func is run_call and call.args[0].set_running_or_notify_cancel():
                call.args[0].set_exception(self._closed_error())

    def _wake(self) -> None:
        self._is_woken = True
        try:
            self._alarm.ring()
        except OSError:  # closed just now: it ran at the end
            pass
        except BaseException:  # boundary: a signal came, and the next call that is posted wakes the loop
            self._is_woken = False
            raise

    def _closed_error(self) -> LoopClosed:
        return LoopClosed(f"the loop {self.name} has ended and takes no more calls", thing=self.name)

    def _withdraw(self, call: partial[Any]) -> bool:
        """Take back a call that came while the loop ended; false if its last drain has taken it."""
        try:
            self._inbox.remove(call)
        except ValueError:
            return False
        return True

    def _end_turn(self) -> bool:
        """Run what was deferred; tells whether some of it is left."""
        deferred = self._deferred
        for _ in range(POSTS_PER_TURN):
            if not deferred:
                return False
            self._attempt(deferred.popleft(), "deferred")
        return True

    def _on_alarm(self) -> None:
        """Another thread has posted something."""
        self._alarm.quiet()
        self._drain()

    def _drain(self) -> None:
        self._is_woken = False
        inbox = self._inbox
        for _ in range(min(len(inbox), POSTS_PER_TURN)):
            try:
                call = inbox.popleft()
            except IndexError:  # taken back by a post that met the end of the loop
                return
            self._attempt(call, "posted")
        if inbox and not self._is_woken:
            self._is_woken = True
            self.aio.call_soon(self._drain)

    def _attempt(self, call: Callable[[], object], how: str) -> None:
        try:
            call()
        except BaseException:  # boundary: one callback must not end the loop for all others
            log_failure(log, "%s: a %s call failed: %s", self.name, how, _name_of(call))

    def _finish(self) -> None:
        if self._closed.is_set():
            return
        self._closed.set()
        while self._inbox or self._deferred:
            self._drain()
            self._end_turn()
        self.aio.stop()

    async def _end_tasks(self) -> None:
        tasks = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self.aio.shutdown_asyncgens()
        with contextlib.suppress(asyncio.TimeoutError):
            await asyncio.wait_for(self.aio.shutdown_default_executor(), RESOLVER_TIMEOUT_S)

    def _log_failure(self, _aio: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        log_failure(log, "%s: %s", self.name, context.get("message"), error=context.get("exception"))


def run_call(future: Future[T], fn: Callable[[], T]) -> None:
    """Give a future what ``fn()`` returns or raises, unless it was cancelled. Any thread."""
    if not future.set_running_or_notify_cancel():
        return
    try:
        result = fn()
    except BaseException as error:  # boundary: it belongs to the caller
        future.set_exception(error)
    else:
        future.set_result(result)


def _name_of(fn: Any) -> str:
    fn = getattr(fn, "func", fn)  # of a partial
    return getattr(fn, "__qualname__", None) or repr(fn)
