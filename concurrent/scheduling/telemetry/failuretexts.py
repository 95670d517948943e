"""What each of the latest failures says: its own message, and where in the code it was raised. Pure.

Tasks of one function mostly fail at the same place, so what a traceback has above its message is kept once for
all that have it. Of all together two megabytes are kept: of the oldest failures only a few words stay.
"""

from __future__ import annotations

from collections import deque
from typing import Final

__all__ = ["BYTES_MAX", "FailureSaid", "FailureTexts"]

BYTES_MAX: Final = 2_000_000
"""So much is kept in all."""

FRAMES_BYTES_MAX: Final = 4000
MESSAGE_BYTES_MAX: Final = 2000
"""So much is kept of what is above a message, the end of it, and of a message, its beginning."""

WORDS_BYTES_MAX: Final = 100
"""So much of a failure stays as long as its task is known."""

OVERHEAD_BYTES: Final = 120
"""What a text counts for besides its length."""

END: Final = "\0"
"""Parts where a failure was from what it says."""


class FailureSaid:
    """What one failure says; see the module."""

    __slots__ = ("_words", "frames", "own")

    def __init__(self, words: str, own: bytes, frames: bytes) -> None:
        self._words = _short(words)
        self.own = own
        self.frames = frames

    @property
    def words(self) -> str:
        """A few words."""
        return self._words.decode("utf-8", "ignore")

    @property
    def text(self) -> str:
        """All that it says, with its traceback; empty if that is not kept any more."""
        where, _, message = self.own.decode("utf-8", "ignore").partition(END)
        above = self.frames.decode("utf-8", "ignore")
        return f"{where}\n{above}{message}" if where else f"{above}{message}"


class FailureTexts:
    """See the module. ``size_bytes`` is how much is kept."""

    def __init__(self) -> None:
        self.size_bytes = 0
        self._kept: deque[FailureSaid] = deque()
        self._shared: dict[bytes, tuple[bytes, int]] = {}

    def add(self, where: str, text: str, words: str) -> FailureSaid:
        """Keep what a failure says, and drop what the oldest say.

        :param where: the place and the time, if they are known.
        :param text: its traceback, or what else is known.
        :param words: the same in a few words.
        """
        above, message = _parts(text)
        frames = above[-FRAMES_BYTES_MAX:].encode("utf-8", "replace")[-FRAMES_BYTES_MAX:]
        own = f"{where[:WORDS_BYTES_MAX]}{END}{message[:MESSAGE_BYTES_MAX]}".encode("utf-8", "replace")
        shared, users = self._shared.get(frames, (frames, 0))
        self._shared[shared] = shared, users + 1
        kept = FailureSaid(words, own[: MESSAGE_BYTES_MAX + WORDS_BYTES_MAX], shared)
        self._kept.append(kept)
        self.size_bytes += len(kept.own) + OVERHEAD_BYTES + (0 if users else len(shared))
        while self.size_bytes > BYTES_MAX:
            self._drop_oldest()
        return kept

    def _drop_oldest(self) -> None:
        oldest = self._kept.popleft()
        shared, users = self._shared.pop(oldest.frames)
        if users > 1:
            self._shared[shared] = shared, users - 1
        self.size_bytes -= len(oldest.own) + OVERHEAD_BYTES + (0 if users > 1 else len(shared))
        oldest.own = oldest.frames = b""


def _short(text: str) -> bytes:
    """Return the beginning of a text, as it is kept."""
    return text[:WORDS_BYTES_MAX].encode("utf-8", "replace")[:WORDS_BYTES_MAX]


def _parts(text: str) -> tuple[str, str]:
    """Return what a traceback has above its message, and the message: what is behind the last indented line."""
    end = text.find("\n", text.rfind("\n  ") + 1) + 1 if "\n  " in text else 0
    return text[:end], text[end:]
