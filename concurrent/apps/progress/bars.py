"""One count on the way to its total: share, rate, time left, and all that in a line. A pure module."""

from __future__ import annotations

from collections import deque
from typing import Final, NamedTuple
from unicodedata import east_asian_width

__all__ = ["Bar", "Figures", "bar_line", "plain_line", "shown_duration"]

BAR_WIDTH: Final = 40
BAR_WIDTH_MIN: Final = 5

RATE_AFTER_S: Final = 1.0
"""How long something runs before its rate is worth showing."""

RATE_WINDOW_S: Final = 60.0
"""The rate is that of so many last seconds: a cluster may grow, and the next tasks may be longer."""

SAMPLE_S: Final = 1.0

NAME_WIDTH_MAX: Final = 40


class Figures(NamedTuple):
    """What is known of a bar at a time.

    :param failed: how many of those that are done have failed.
    :param cancelled: how many will never be done.
    :param rate: how many a second are done; 0 if that is not known.
    :param elapsed_s: since it began.
    """

    name: str
    done: int
    total: int
    failed: int = 0
    rate: float = 0.0
    elapsed_s: float = 0.0
    cancelled: int = 0

    @property
    def is_complete(self) -> bool:
        """Whether there is nothing left to do."""
        return self.done + self.cancelled >= self.total

    @property
    def percent(self) -> int:
        """Its share; 100 only if it is complete."""
        return min(100, 100 * self.done // self.total)

    @property
    def count_words(self) -> str:
        """``15/60, 2 failed``."""
        return f"{self.done}/{self.total}{self.trouble_words}"

    @property
    def trouble_words(self) -> str:
        """``, 2 failed, 3 cancelled``; empty if none did and were."""
        failed = f", {self.failed} failed" if self.failed else ""
        return failed + (f", {self.cancelled} cancelled" if self.cancelled else "")

    @property
    def time_words(self) -> str:
        """``0.5/s, 1:30 left``, or how long all of it took; empty as long as nobody can tell."""
        if self.elapsed_s < RATE_AFTER_S:
            return ""
        if self.is_complete:
            return f"in {shown_duration(self.elapsed_s)}"
        if not self.rate:
            return ""
        left = self.total - self.done - self.cancelled
        return f"{self.rate:.3g}/s, {shown_duration(left / self.rate)} left"


class Bar:
    """See the module.

    :param now: when it begins, in seconds of any steady clock.
    :param done: how much is done already: it says nothing about the rate.
    """

    def __init__(self, now: float, done: int) -> None:
        self.began_at = now
        self.done = done
        self._complete_at: float | None = None
        self._samples: deque[tuple[float, int]] = deque([(now, done)])

    def look(self, name: str, done: int, total: int, failed: int, now: float, *, cancelled: int = 0) -> Figures:
        """Take a count; return what is known now."""
        self.done = done
        samples = self._samples
        if now - samples[-1][0] >= SAMPLE_S:
            samples.append((now, done))
        while len(samples) > 1 and samples[1][0] <= now - RATE_WINDOW_S:
            samples.popleft()
        at, before = samples[0]
        rate = max(0, done - before) / (now - at) if now - at >= RATE_AFTER_S else 0.0
        self._complete_at = (self._complete_at or now) if done + cancelled >= total else None
        elapsed_s = (self._complete_at or now) - self.began_at
        return Figures(name, done, max(total, done, 1), failed, rate, elapsed_s, cancelled)


def bar_line(figures: Figures, columns: int) -> str:
    """Return a line that fits: name, bar, share, count, and how fast and how long if there is room."""
    name = _cut(figures.name, min(NAME_WIDTH_MAX, max(8, columns // 3)))
    facts = [f"{name} ", f" {figures.percent:3d}% {figures.count_words}"]
    if words := figures.time_words:
        facts.append(f" {words}")
    while len(facts) > 2 and sum(map(_width, facts)) + BAR_WIDTH_MIN + 2 > columns:
        facts.pop()
    room = columns - sum(map(_width, facts)) - 2
    if room < BAR_WIDTH_MIN:
        return _cut("".join(facts), columns)
    width = min(BAR_WIDTH, room)
    filled = min(width, width * figures.done // figures.total)
    return f"{facts[0]}[{'#' * filled}{'.' * (width - filled)}]{''.join(facts[1:])}"


def plain_line(figures: Figures) -> str:
    """Return a line for where nothing is drawn, such as a file."""
    words = figures.time_words
    count = f"{figures.done} of {figures.total}{figures.trouble_words}"
    return f"{figures.name}: {count} ({figures.percent}%){', ' if words else ''}{words}"


def shown_duration(seconds: float) -> str:
    """Return a time as d days h:mm:ss, h:mm:ss or m:ss."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours >= 48:
        return f"{hours // 24} days"
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"


def _width(text: str) -> int:
    """Return how many columns of a terminal a text takes."""
    return len(text) + sum(east_asian_width(one) in "WF" for one in text)


def _cut(text: str, columns: int) -> str:
    """Return as much of a text as fits, in which nothing commands a terminal."""
    text = "".join(one if one.isprintable() else "?" for one in text)
    while _width(text) > columns:
        text = text[:-1]
    return text
