"""Log lines that peers cause as often as they like: few of them, and how many were left out."""

from __future__ import annotations

from typing import Final

__all__ = ["RareLine", "RareTexts"]

INTERVAL_S: Final = 1.0
TEXT_INTERVAL_S: Final = 3600.0
TEXTS_MAX: Final = 256


class RareLine:
    """One kind of log line, at most so many per second.

    :param count_max: how many.
    """

    def __init__(self, count_max: int = 1) -> None:
        self._count_max = count_max
        self._count = 0
        self._left_out = 0
        self._next_at = 0.0

    def suffix(self, now: float) -> str | None:
        """Return what to append to a line that is due, or None if it must be left out.

        :param now: the present time in seconds, of any monotonic clock.
        """
        if now >= self._next_at:
            self._count, self._next_at = 0, now + INTERVAL_S
        if self._count >= self._count_max:
            self._left_out += 1
            return None
        self._count += 1
        left_out, self._left_out = self._left_out, 0
        return f" (and {left_out} more like this one)" if left_out else ""


class RareTexts:
    """Log lines that somebody who tries again causes again and again: each of them once an hour.

    :param texts_max: how many are remembered; the oldest is forgotten for one more.
    """

    def __init__(self, texts_max: int = TEXTS_MAX) -> None:
        self._texts_max = texts_max
        self._due_at_by_text: dict[str, float] = {}

    def is_due(self, text: str, now: float) -> bool:
        """Tell whether a line must be written, and take it as written then.

        :param now: the present time in seconds, of any monotonic clock.
        """
        due_at = self._due_at_by_text.pop(text, now)
        is_due = now >= due_at
        if len(self._due_at_by_text) >= self._texts_max:
            del self._due_at_by_text[next(iter(self._due_at_by_text))]
        self._due_at_by_text[text] = now + TEXT_INTERVAL_S if is_due else due_at
        return is_due
