"""The turns of a node's loop: what came in is dealt with, what is to leave goes, then the loop sleeps."""

from __future__ import annotations

import asyncio
import selectors
import time
from collections.abc import Callable
from typing import Any, Final

__all__ = ["TurnLoop", "TurnSelector"]

READ: Final = selectors.EVENT_READ


class TurnLoop(asyncio.SelectorEventLoop):
    """An event loop that leaves the node's sockets to its selector, and notices what it is asked for meanwhile.

    :param selector: see :class:`TurnSelector`.
    """

    def __init__(self, selector: TurnSelector) -> None:
        self._turns = selector
        super().__init__(selector)

    def call_soon(self, *args: Any, **options: Any) -> asyncio.Handle:  # type: ignore[override]
        """See the base; the selector lets the loop have its turn."""
        self._turns.is_loop_asked = True
        return super().call_soon(*args, **options)

    def call_at(self, *args: Any, **options: Any) -> asyncio.TimerHandle:  # type: ignore[override]
        """See the base; a new timer may be the first to end."""
        self._turns.is_loop_asked = True
        return super().call_at(*args, **options)


class _Watch:
    """What to call when a socket of the node is ready."""

    __slots__ = ("reader", "writer")

    def __init__(self) -> None:
        self.reader: Callable[[], object] | None = None
        self.writer: Callable[[], object] | None = None


class TurnSelector(selectors.DefaultSelector):
    """Where a loop sleeps between two turns, and where the node's own sockets are served.

    Turns that only serve those do not go through the event loop, whose handles and contexts cost as much
    as a message. So callbacks run inside of ``select``, while the event loop believes that it sleeps. That is
    sound as long as it hears of what they change: whatever one asks of it, a call or a timer, sets
    ``is_loop_asked``, and ``select`` returns with what is ready of the loop's own, even if that is nothing.
    What is to leave at the end of a turn leaves before each sleep, and also before the event loop has its
    turn, which is the next one.

    A signal changes nothing here: its handler runs in the main thread, and the system's call goes on with what
    is left of its timeout. What a callback raises is caught in ``attempt``: out of ``select`` it would end the
    event loop. Loop thread only.

    :param attempt: makes a call and sees to what it raises.
    :param end_turn: makes the last calls of a turn; tells whether there are more.
    """

    def __init__(
        self, attempt: Callable[[Callable[[], object], str], None], end_turn: Callable[[], bool]
    ) -> None:
        super().__init__()
        self.is_loop_asked = False
        self._attempt = attempt
        self._end_turn = end_turn

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        """Serve the node's sockets until the event loop has something to do; return what is ready of that."""
        deadline = None if timeout is None else time.monotonic() + timeout
        while True:
            self.is_loop_asked = False
            has_more = self._end_turn()
            ready = super().select(0 if has_more or self.is_loop_asked else timeout)
            of_loop = []
            for key, events in ready:
                watch = key.data
                if type(watch) is not _Watch:
                    of_loop.append((key, events))
                elif events == READ and watch.reader is not None:
                    self._attempt(watch.reader, "reading")
                else:
                    self._serve(watch, events)
            if of_loop or has_more or self.is_loop_asked:
                self._end_turn()  # what the event loop does now is the next one
                return of_loop
            if deadline is not None:
                timeout = deadline - time.monotonic()
                if timeout <= 0:
                    return of_loop

    def watch(self, fd: Any, event: int, fn: Callable[[], object] | None) -> bool:
        """Call ``fn()`` whenever ``fd`` is ready for ``event``; tells whether something was called before.

        :param event: ``EVENT_READ`` or ``EVENT_WRITE`` of the standard library's selectors.
        :param fn: None to call nothing any more.
        """
        try:
            key = self.get_key(fd)
        except KeyError:
            if fn is None:
                return False
            key = self.register(fd, event, _Watch())
        watch: _Watch = key.data
        if event == selectors.EVENT_READ:
            former, watch.reader = watch.reader, fn
        else:
            former, watch.writer = watch.writer, fn
        events = selectors.EVENT_READ * (watch.reader is not None)
        events |= selectors.EVENT_WRITE * (watch.writer is not None)
        if not events:
            self.unregister(fd)
        elif events != key.events:
            self.modify(fd, events, watch)
        return former is not None

    def _serve(self, watch: _Watch, events: int) -> None:
        """Make the calls that are due; one of them may end the other."""
        if events & selectors.EVENT_READ and watch.reader is not None:
            self._attempt(watch.reader, "reading")
        if events & selectors.EVENT_WRITE and watch.writer is not None:
            self._attempt(watch.writer, "writing")
