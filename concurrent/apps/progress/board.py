"""The counts of a program that are shown together, and the thread that shows them."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Hashable
from contextlib import suppress
from typing import TYPE_CHECKING, Final, NamedTuple, TextIO

from concurrent.apps.progress.bars import Bar, Figures
from concurrent.core.loggers import get_log

if TYPE_CHECKING:
    from concurrent.apps.progress.views import View

__all__ = ["Board", "Progress"]

INTERVAL_S: Final = 0.2
OVER_S: Final = 1.0
"""So long a bar is complete before it is over: there may be more to do soon."""

log = get_log(__name__)


class _Count(NamedTuple):
    """How far a source is."""

    name: str
    done: int
    total: int
    failed: int
    cancelled: int


class Board:
    """Makes bars of counts. ``show`` and ``latest`` are for any thread, ``draw`` is for one.

    :param what: what a bar is called that is alone, if it has no name of its own.
    :param clock: returns the time in seconds.
    """

    def __init__(self, what: str, view: View, clock: Callable[[], float] = time.monotonic) -> None:
        self._what = what
        self._view = view
        self._clock = clock
        self._counts: dict[Hashable, _Count] = {}
        self._bars: dict[Hashable, Bar] = {}
        self._complete_since: dict[Hashable, float] = {}
        self._over: dict[Hashable, _Count] = {}

    @property
    def latest(self) -> dict[str, tuple[int, int]]:
        """How much is done of how much, by name."""
        counts = self._counts.copy()
        return {self._label(one, len(counts)): (one.done, one.total) for one in counts.values()}

    def show(
        self,
        done: int,
        total: int,
        source: Hashable = None,
        name: str = "",
        *,
        failed: int = 0,
        cancelled: int = 0,
    ) -> None:
        """Take that ``done`` of ``total`` are finished; see :class:`Progress`."""
        self._counts[source] = _Count(name, done, max(total, 1), failed, cancelled)

    def draw(self, *, is_last: bool = False) -> None:
        """Show all bars as they are now.

        :param is_last: nothing comes any more, so all of them are over.
        """
        now = self._clock()
        counts = self._counts.copy()
        bars: list[Figures] = []
        over: list[Figures] = []
        for source, count in counts.items():
            if self._over.get(source) == count:
                continue
            figures = self._figures(source, count, len(counts), now)
            if is_last or self._has_ended(source, figures, now):
                over.append(figures)
                self._over[source] = count
                del self._bars[source]
            else:
                bars.append(figures)
        if bars or over:
            self._view.show(bars, over)

    def _figures(self, source: Hashable, count: _Count, many: int, now: float) -> Figures:
        bar = self._bars.get(source)
        if bar is None or count.done < bar.done:  # it begins, maybe again
            bar = self._bars[source] = Bar(now, count.done)
        name, cancelled = self._label(count, many), count.cancelled
        return bar.look(name, count.done, count.total, count.failed, now, cancelled=cancelled)

    def _has_ended(self, source: Hashable, figures: Figures, now: float) -> bool:
        if not figures.is_complete:
            self._complete_since.pop(source, None)
            return False
        if now - self._complete_since.setdefault(source, now) < OVER_S:
            return False
        del self._complete_since[source]
        return True

    def _label(self, count: _Count, many: int) -> str:
        """Return the name of a count: that of the program, if it is the only one."""
        return (count.name or self._what) if many > 1 else self._what or count.name


class Progress:
    """Shows counts on the way to their totals. Any thread, unless a method says otherwise.

    :param what: what a bar is called that is alone; empty: what its source is called.
    :param stream: where they are shown; by default in the notebook that this program is, else on standard
        error.
    :param look: called by the thread that shows, before it does, with a function as ``show`` is.

    ``is_hidden`` says that nothing is shown; the counts can be had all the same. Set it before it begins.
    """

    def __init__(
        self,
        what: str,
        stream: TextIO | None = None,
        *,
        look: Callable[[Callable[..., None]], object] | None = None,
    ) -> None:
        self._what = what
        self._stream = stream
        self._look = look
        self.is_hidden = False
        self._board: Board | None = None
        self._view: View | None = None
        self._is_closing = threading.Event()
        self._thread = threading.Thread(target=self._run, name="progress", daemon=True)

    @property
    def latest(self) -> dict[str, tuple[int, int]]:
        """How much is done of how much, by name."""
        return {} if self._board is None else self._board.latest

    def begin(self) -> None:
        """Begin to show what comes. The thread that works; ``show`` does it where nobody else has."""
        if self._board is None:
            from concurrent.apps.progress.views import view_for  # a program that shows nothing needs none

            self._view = view_for(self._stream)
            self._board = Board(self._what, self._view)
            if not self.is_hidden:
                self._view.begin()
                self._thread.start()

    def show(
        self,
        done: int,
        total: int,
        source: Hashable = None,
        name: str = "",
        *,
        failed: int = 0,
        cancelled: int = 0,
    ) -> None:
        """Show that ``done`` of ``total`` are finished. One thread, unless :meth:`begin` was called before.

        :param source: whose count it is; None for the program itself.
        :param name: what that is called where there are several.
        :param failed: how many of these have failed.
        :param cancelled: how many of the others will never be done.
        """
        self.begin()
        assert self._board is not None, "begun"
        self._board.show(done, total, source, name, failed=failed, cancelled=cancelled)

    def close(self) -> None:
        """Show all bars once more, as they are now, and end; may be repeated. Not the thread that shows."""
        if self._thread.is_alive():
            self._is_closing.set()
            self._thread.join()

    def _run(self) -> None:
        assert self._board is not None, "begun"
        assert self._view is not None, "begun"
        try:
            while not self._is_closing.wait(INTERVAL_S):
                self._draw(self._board)
            self._draw(self._board, is_last=True)
        except (OSError, ValueError) as error:  # nobody reads it any more
            log.debug("progress is not shown any more: %s", error)
        finally:
            with suppress(OSError, ValueError):
                self._view.close()

    def _draw(self, board: Board, *, is_last: bool = False) -> None:
        if self._look is not None:
            self._look(board.show)
        board.draw(is_last=is_last)
