"""How the tasks of a job failed: groups of equal failures, and the words of the last one of each. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, NamedTuple

__all__ = [
    "GROUPS_MAX",
    "OUTPUT_CHARS_MAX",
    "TEXT_CHARS_MAX",
    "Failure",
    "FailureRow",
    "Failures",
    "in_few_words",
]

FailureRow = tuple[str, str, int, str]
"""The name of the tasks, the type of the exception, how many there were, and what the last one says."""

GROUPS_MAX: Final = 50
"""So many groups are told apart; what fails otherwise is in one group without names."""

TEXT_CHARS_MAX: Final = 4000
"""So much of the text of a failure is kept: its end, where a traceback says most."""

OUTPUT_CHARS_MAX: Final = 1500
"""So much of what a task printed before it failed is kept with its failure: the end."""

WORDS_CHARS_MAX: Final = 200


class Failure(NamedTuple):
    """What an attempt says of itself that did not finish, read once for all who want to know.

    :param type: of the exception, or what stands for that.
    :param text: its traceback or its message.
    :param output: the end of what the task had printed.
    :param where: the slave and the process; empty if that is not known.
    """

    type: str = ""
    text: str = ""
    output: str = ""
    where: str = ""

    @property
    def words(self) -> str:
        """The text, and the end of the output below it."""
        if not self.output:
            return self.text
        return f"{self.text.rstrip()}\nThe end of its output:\n{self.output[-OUTPUT_CHARS_MAX:]}"


class Failures:
    """See the module."""

    def __init__(self) -> None:
        self._row_by_key: dict[tuple[str, str], FailureRow] = {}

    def note(self, name: str, type_name: str, text: str) -> None:
        """Count a failure.

        :param name: of the task.
        :param type_name: of its exception.
        """
        self._count(name, type_name, 1, text[-TEXT_CHARS_MAX:])

    def add(self, rows: Iterable[FailureRow]) -> None:
        """Count failures of others as well, in the order in which they had them."""
        for name, type_name, count, text in rows:
            self._count(name, type_name, count, text)

    def told(self, rows: Iterable[FailureRow]) -> None:
        """Have these groups and no others."""
        self._row_by_key = {(name, kind): (name, kind, count, text) for name, kind, count, text in rows}

    def _count(self, name: str, type_name: str, count: int, text: str) -> None:
        rows = self._row_by_key
        key = name, type_name
        if key not in rows and len(rows) >= GROUPS_MAX:
            key = "", ""
        before = rows[key][2] if key in rows else 0
        rows[key] = (*key, before + count, text)

    def rows(self) -> list[FailureRow]:
        """Return the groups, those with the most failures first."""
        return sorted(self._row_by_key.values(), key=lambda row: -row[2])


def in_few_words(type_name: str, text: str) -> str:
    """Return the line that says what was raised.

    :param type_name: of the exception.
    :param text: its traceback or its message, with what the task printed or without.
    """
    lines = [line for line in text.splitlines() if line and not line[0].isspace()] or [""]
    said = [line for line in lines if line.partition(":")[0].rpartition(".")[2] == type_name]
    words = said[-1] if said else ": ".join(filter(None, (type_name, lines[0])))
    return words if len(words) <= WORDS_CHARS_MAX else f"{words[:WORDS_CHARS_MAX]}..."
