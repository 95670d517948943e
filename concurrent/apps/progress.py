"""How far the work is: a line that is drawn again on a terminal, a line now and then anywhere else."""

from __future__ import annotations

import shutil
import sys
import time
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Final, TextIO

from concurrent.core.logs import CLEAR_LINE

__all__ = ["Progress", "bar_line"]

BAR_WIDTH: Final = 40
BAR_WIDTH_MIN: Final = 5
REDRAW_S: Final = 0.1
RATE_AFTER_S: Final = 1.0
"""How long something runs before its rate is worth showing."""

LINES: Final = 10
"""How many lines are printed in all, for each source, where there is no terminal."""


@dataclass(slots=True)
class _Source:
    """One count on the way to its total, since when, and what was printed of it."""

    name: str
    since: float
    done: int = 0
    total: int = 0
    last_step: int = 0

    @property
    def is_complete(self) -> bool:
        return self.done >= self.total


class Progress:
    """Shows counts on the way to their totals: of the application and of its task systems. One thread.

    :param what: the name of the application.
    :param stream: where it is shown; standard error by default.
    :param clock: returns the time in seconds.
    :param width: returns the columns of the terminal.
    """

    def __init__(
        self,
        what: str,
        stream: TextIO | None = None,
        *,
        clock: Callable[[], float] = time.monotonic,
        width: Callable[[], int] = lambda: shutil.get_terminal_size().columns,
    ) -> None:
        self.latest: dict[str, tuple[int, int]] = {}
        """How much is done of how much, by name. Any thread may read it."""
        self._what = what
        self._stream = stream if stream is not None else sys.stderr
        self._is_terminal = self._stream.isatty()
        self._clock = clock
        self._width = width
        self._sources: dict[Hashable, _Source] = {}
        self._drawn_at = float("-inf")
        self._is_open = False

    def show(self, done: int, total: int, source: Hashable = None, name: str = "") -> None:
        """Show that ``done`` of ``total`` are finished.

        :param source: whose count it is; None for the application itself.
        :param name: what that is called where there are several.
        """
        now = self._clock()
        one = self._sources.get(source)
        if one is None:
            one = self._sources[source] = _Source(name or self._what, now)
        one.done, one.total = done, max(total, 1)
        self.latest = {self._label(each): (each.done, each.total) for each in self._sources.values()}
        if self._is_terminal:
            self._draw(now)
        else:
            self._print(one)

    def close(self) -> None:
        """End the line of the bar; may be repeated."""
        if self._is_open:
            self._is_open = False
            self._stream.write("\n")
            self._stream.flush()

    def _label(self, one: _Source) -> str:
        """Return the name of a count: that of the application, if it is the only one."""
        return one.name if len(self._sources) > 1 else self._what

    def _draw(self, now: float) -> None:
        is_over = all(one.is_complete for one in self._sources.values())
        if not is_over and now - self._drawn_at < REDRAW_S:
            return
        self._drawn_at = now
        shown = [one for one in self._sources.values() if not one.is_complete] or [*self._sources.values()][-1:]
        room = max(1, self._width() - 1) // len(shown)
        parts = [bar_line(self._label(one), one.done, one.total, now - one.since, room) for one in shown]
        self._stream.write(CLEAR_LINE + " ".join(parts))
        self._stream.flush()
        self._is_open = True
        if is_over:
            self.close()

    def _print(self, one: _Source) -> None:
        step = LINES * one.done // one.total
        if step > one.last_step:
            one.last_step = step
            self._stream.write(f"{self._label(one)}: {one.done} of {one.total}\n")
            self._stream.flush()


def bar_line(name: str, done: int, total: int, elapsed_s: float, columns: int) -> str:
    """Return a line that fits: name, bar, share, count, and how fast and how long if there is room."""
    facts = [f"{name} ", f" {100 * done // total:3d}% {done}/{total}"]
    if elapsed_s >= RATE_AFTER_S and 0 < done < total:
        rate = done / elapsed_s
        facts.append(f" {rate:.3g}/s, {_duration((total - done) / rate)} left")
    elif elapsed_s >= RATE_AFTER_S and done >= total:
        facts.append(f" in {_duration(elapsed_s)}")
    while len(facts) > 2 and sum(map(len, facts)) + BAR_WIDTH_MIN + 2 > columns:
        facts.pop()
    room = columns - sum(map(len, facts)) - 2
    if room < BAR_WIDTH_MIN:
        return "".join(facts)[:columns]
    width = min(BAR_WIDTH, room)
    filled = min(width, width * done // total)
    return f"{facts[0]}[{'#' * filled}{'.' * (width - filled)}]{''.join(facts[1:])}"


def _duration(seconds: float) -> str:
    """Return a time as h:mm:ss or m:ss."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"
