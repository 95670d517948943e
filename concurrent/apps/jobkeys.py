"""The texts by which the calls of an executor's job are known to a program that starts again.

A call that was given a key is known by ``k:KEY``. Any other is known by its place among those that were given
none, and by what is called: ``#3 resize``, or ``#3 resize x50`` for a chunk of fifty calls. A pure module.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from typing import Any, Final

from concurrent.core.errors import JobMismatch

__all__ = ["KEY_LENGTH_MAX", "JobKeys", "checked_key"]

KEY_LENGTH_MAX: Final = 1000
"""How long the key of a call may be, in characters."""


class JobKeys:
    """See the module. Any thread may take; the rest comes before.

    :param job: the name of the job, for messages.
    """

    def __init__(self, job: str) -> None:
        self._job = job
        self._numbers = itertools.count(1)
        self._id_by_text: dict[str, int] = {}
        self._text_by_number: dict[str, str] = {}
        self._taken: dict[str, object] = {}

    def add_known(self, ids: Iterable[int], texts: Iterable[str], next_id: int) -> None:
        """Take note of calls that former programs have made.

        :param next_id: a text of this id or a later one was made, but its call has not reached the master.
        """
        for task_id, text in zip(ids, texts, strict=True):
            if not text or task_id >= next_id:
                continue
            self._id_by_text[text] = task_id
            if text.startswith("#"):
                self._text_by_number[text.partition(" ")[0]] = text

    def forget_known(self) -> None:
        """Take note that the master has nothing of former programs after all."""
        self._id_by_text.clear()
        self._text_by_number.clear()

    def take(self, what: str, key: str | None) -> tuple[str, int]:
        """Return the text of the next call, and the id that it has of a former program; 0 if it is new.

        :param what: the name of what is called.
        :param key: the call's own, if it has one.
        :raises JobMismatch: if a former program called something else at this place, or this one has used
            the key before.
        """
        if key is None:
            number = f"#{next(self._numbers)}"
            text = f"{number} {what}"
            known = self._text_by_number.get(number, text)
            if known != text:
                raise JobMismatch(
                    f"call {number} of job {self._job} was {known.partition(' ')[2]}, and now is {what}: the "
                    "program has changed",
                    thing=self._job,
                    value=what,
                    remedy="Give calls keys of their own, submit(..., key=...), or take another job, or forget "
                    "this one with 'concurrent forget'",
                )
        else:
            text = f"k:{key}"
            mine = object()
            if self._taken.setdefault(text, mine) is not mine:
                raise JobMismatch(
                    f"this program has submitted a call with the key {key!r} before",
                    thing=self._job,
                    value=key,
                    remedy="Keep the future of the first one, or give each call a key of its own",
                )
        return text, self._id_by_text.pop(text, 0)


def checked_key(key: Any) -> str | None:
    """Return the key of a call.

    :raises TypeError: if it is no text.
    :raises ValueError: if it is too long.
    """
    if key is not None and not isinstance(key, str):
        raise TypeError(f"the key of a call must be a text, but is {key!r:.100}")
    if key is not None and len(key) > KEY_LENGTH_MAX:
        raise ValueError(f"the key of a call must have at most {KEY_LENGTH_MAX} characters, but has {len(key)}")
    return key
