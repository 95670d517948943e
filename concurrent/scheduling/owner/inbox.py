"""What waits for the thread that runs an owner's callbacks, and what that thread does while it waits for room.

An application, or the host of a task system, has one thread in which all callbacks run. Only they make room at
the master: it keeps a result until its owner has dealt with it. So a push that waits for room in this very
thread must not just sleep, or each end would wait for the other. It goes on with what comes in.

- A push that no callback makes runs the callbacks of what comes, one after the other.
- A push within a callback keeps the outcomes that come for later and acknowledges them, so that callbacks
  run one at a time. Should very many be kept, their callbacks run within the push, up to a bounded depth.

Either way the master gets rid of its results, so room comes as long as tasks end.

The owner of a job is different (``is_exact``): another program may go on with it at any time, and is given what
was not acknowledged. So an outcome is acknowledged only when its callback has run, in the order of delivery. A
master gives such an owner a bounded amount that is not acknowledged, and its room does not depend on that.
"""

from __future__ import annotations

import os
import queue
import threading
import time
import weakref
from collections import deque
from collections.abc import Callable
from typing import Final, NamedTuple

from concurrent.core.leaving import end_copy
from concurrent.scheduling.owner.results import Outcome

__all__ = ["KEPT_BYTES_MAX", "NESTED_MAX", "Inbox"]

KEPT_BYTES_MAX: Final = 64 << 20
"""With more outcomes than this kept, callbacks run within a push of a callback."""

OVERHEAD_BYTES: Final = 256
"""What an outcome counts for besides its payload."""

NESTED_MAX: Final = 8
"""So many callbacks may run within one another; a push of the innermost one only keeps what comes."""


class _Kept(NamedTuple):
    """Outcomes that are acknowledged and whose callbacks have not run."""

    outcomes: list[Outcome]
    size_bytes: int


class _Callback(NamedTuple):
    """A call that may wait until the present callback has returned."""

    call: Callable[[], object]


_Item = Callable[[], object] | _Callback | _Kept | list[Outcome]


class Inbox:
    """See the module. Any thread may put; one thread, the first that takes, runs what was put.

    ``failure`` is what a callback has raised within a push. It goes on as ``SystemExit`` from there, so that
    the code which pushed does not take it for an error of its own, and whoever runs the inbox raises it again.
    ``is_exact``, set before anything comes, says that ``deliver`` tells of each outcome when it is dealt with.

    :param deliver: runs the callbacks of outcomes that came together.
    :param acknowledge: called when outcomes were dealt with: of how many bytes, and how many.
    """

    def __init__(
        self,
        deliver: Callable[[list[Outcome]], object] | None = None,
        acknowledge: Callable[[int, int], object] | None = None,
    ) -> None:
        self.failure: BaseException | None = None
        self.is_exact = False
        self._deliver = deliver
        self._acknowledge = acknowledge
        self._waiting: queue.SimpleQueue[_Item] = queue.SimpleQueue()
        self._kept: deque[_Item] = deque()
        self._kept_bytes = 0
        self._taken_bytes = 0
        self._taken_count = 0
        self._depth = 0
        self._is_ended = False
        self._thread_id = 0
        self._busy_since: float | None = None
        self._pid = os.getpid()
        self._delivering: list[list[Outcome]] = []  # the innermost last
        _inboxes.add(self)

    def begin(self) -> None:
        """Make the calling thread the one that takes; it is busy from now on until it waits here."""
        self._thread_id = threading.get_ident()
        self._busy_since = time.monotonic()

    def forked(self) -> None:
        """This is a copy in a forked child, where nothing comes any more: the present callback is the last."""
        for outcomes in self._delivering:
            outcomes.clear()

    def end(self) -> None:
        """Have no push wait any more: the callback that pushes is ended. The thread that takes."""
        self._is_ended = True

    def is_current(self) -> bool:
        """Tell whether the caller is the thread that takes. Any thread."""
        return threading.get_ident() == self._thread_id

    @property
    def is_delivering(self) -> bool:
        """Whether callbacks of outcomes are running. The thread that takes, and its signal handlers."""
        return bool(self._delivering)

    @property
    def busy_s(self) -> float:
        """For how many seconds the thread that takes has been in one callback; 0 if it waits here."""
        since = self._busy_since
        return 0.0 if since is None else time.monotonic() - since

    def is_empty(self) -> bool:
        """Tell whether nothing waits. Any thread."""
        return not self._kept and self._waiting.empty()

    def put(self, call: Callable[[], object]) -> None:
        """Have ``call()`` run soon, even while a callback waits for room. Any thread, signal handlers too."""
        self._waiting.put(call)

    def put_callback(self, call: Callable[[], object]) -> None:
        """Have a callback run, not while another one is running. Any thread."""
        self._waiting.put(_Callback(call))

    def put_outcomes(self, outcomes: list[Outcome]) -> None:
        """Have the callbacks of outcomes run. Any thread."""
        self._waiting.put(outcomes)

    def run_next(self) -> None:
        """Wait until there is something, and run it. The thread that takes."""
        if self.failure is not None:
            raise self.failure
        self._run(self._kept.popleft() if self._kept else self._get())

    def wait(self, is_over: Callable[[], bool]) -> None:
        """Go on with what comes until ``is_over()``. The thread that takes, in a push that has no room.

        :param is_over: asked after each thing that was put; whoever makes it true puts something.
        :raises SystemExit: if what ran meanwhile has ended all, or failed; see ``failure``.
        """
        self.acknowledge()  # of the callback that pushes: the master may be waiting for it
        while not is_over() or self._is_ended:
            if self._is_ended:
                raise SystemExit(self.failure and 1)
            is_nesting = not self._depth or self._has_to_nest()
            if is_nesting and self._kept:
                self._run_within(self._kept.popleft())
                continue
            item = self._get()
            if is_nesting or not isinstance(item, _Callback | list):
                self._run_within(item)
            else:
                self._keep(item)

    def wait_for(self, tell: Callable[[Callable[[], object]], object]) -> None:
        """Go on with what comes until something is so, as :meth:`wait` does. The thread that takes.

        :param tell: is given what to call once it is so, in any thread.
        """
        is_over = threading.Event()

        def end() -> None:
            is_over.set()
            self.put(bool)  # wakes the thread that takes

        tell(end)
        self.wait(is_over.is_set)

    def dealt_with(self, outcome: Outcome) -> None:
        """The callback of an outcome has run, and so have those before it. The thread that takes, if exact."""
        self._taken_bytes += len(outcome.payload)
        self._taken_count += 1

    def acknowledge(self) -> None:
        """Tell what was dealt with, so far as that was not done. The thread that takes."""
        size_bytes, self._taken_bytes = self._taken_bytes, 0
        count, self._taken_count = self._taken_count, 0
        if count and self._acknowledge is not None:
            end_copy(self._pid)  # a copy has nothing to say
            self._acknowledge(size_bytes, count)

    def _has_to_nest(self) -> bool:
        """Tell whether callbacks run within a callback; never if one outcome is to follow the other."""
        return self._kept_bytes > KEPT_BYTES_MAX and self._depth < NESTED_MAX and not self.is_exact

    def _get(self) -> _Item:
        end_copy(self._pid)
        self._busy_since = None
        item = self._waiting.get()
        self._busy_since = time.monotonic()
        return item

    def _keep(self, item: _Callback | list[Outcome]) -> None:
        if isinstance(item, _Callback):
            self._kept.append(item)
            return
        size_bytes = _size_of(item)
        kept = _Kept(item, size_bytes + OVERHEAD_BYTES * len(item))
        self._kept.append(kept)
        self._kept_bytes += kept.size_bytes
        if not self.is_exact:
            self._taken_bytes += size_bytes
            self._taken_count += len(item)
            self.acknowledge()

    def _run_within(self, item: _Item) -> None:
        """Run something in the middle of a push."""
        try:
            self._run(item)
        except (KeyboardInterrupt, SystemExit):
            raise
        except BaseException as error:  # boundary: it is not the pushing code's error
            self.failure = error
            self.end()
            raise SystemExit(1) from error

    def _run(self, item: _Item) -> None:
        self._depth += 1
        try:
            self._run_here(item)
        except BaseException as error:  # boundary: an error of a copy is not one of this program
            end_copy(self._pid, error)
            raise
        finally:
            self._depth -= 1
        end_copy(self._pid)

    def _run_here(self, item: _Item) -> None:
        if isinstance(item, list):
            if not self.is_exact:
                self._taken_bytes += _size_of(item)
                self._taken_count += len(item)
            self._run_callbacks(item)
            self.acknowledge()
        elif isinstance(item, _Kept):
            self._kept_bytes -= item.size_bytes
            self._run_callbacks(item.outcomes)
            self.acknowledge()
        elif isinstance(item, _Callback):
            item.call()
        else:
            item()

    def _run_callbacks(self, outcomes: list[Outcome]) -> None:
        assert self._deliver is not None, "this inbox takes no outcomes"
        self._delivering.append(outcomes)
        try:
            self._deliver(outcomes)
        finally:
            self._delivering.pop()


def _size_of(outcomes: list[Outcome]) -> int:
    size_bytes = 0
    for outcome in outcomes:
        size_bytes += len(outcome.payload)
    return size_bytes


_inboxes: Final[weakref.WeakSet[Inbox]] = weakref.WeakSet()
"""Those of this process, for its forked copies: what is called after a fork is known for ever."""


def _forked() -> None:
    for inbox in list(_inboxes):
        inbox.forked()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forked)
