"""Failures by job, function and exception: how many, where, and the words of the last one of each. Pure.

There may be as many kinds of failures as there are failures. Only some are told apart: when there are too many,
those with the fewest failures go, the oldest of these first, and are counted together. Texts are kept as UTF-8
and cut, so all of it takes a few megabytes whatever comes.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from concurrent.scheduling.telemetry.jobmark import JobMark

__all__ = ["GROUPS_MAX", "OTHERS", "Failed", "FailureGroup", "FailureGroups", "cut_exception"]

GROUPS_MAX: Final = 300
"""So many are told apart."""

DROPPED: Final = GROUPS_MAX // 4
"""So many are dropped at once, so that it is not done for each failure."""

TEXT_BYTES_MAX: Final = 4000
OUTPUT_BYTES_MAX: Final = 2000
"""So much is kept of a text: the end, where a traceback says most."""

EXCEPTION_BYTES_MAX: Final = 60
SLAVES_MAX: Final = 8
TASKS_MAX: Final = 8


class Failed(NamedTuple):
    """One failure of a task, or of a try of it.

    :param task_id: the number that its program gave it.
    :param name: the name of the task.
    :param exception: the type of what it raised, or what stands for that.
    :param text: its traceback, or what else is known.
    :param output: the end of what it has printed.
    :param is_last: whether the task has failed; else it is tried again.
    """

    at: float
    task_id: int
    name: str
    exception: str
    slave: str
    text: str
    output: str
    is_last: bool = True


OTHERS: Final = JobMark(0, "", "?")
"""Whose those failures are that are not told apart any more; of them there is nothing to read."""

_Key = tuple[int, str, str]


@dataclass(slots=True)
class FailureGroup:
    """Failures of one kind; see the module."""

    job: JobMark
    name: str
    exception: str
    first_at: float
    count: int = 0
    tried_again: int = 0
    last_at: float = 0.0
    tasks: deque[int] = field(default_factory=lambda: deque(maxlen=TASKS_MAX))
    _slaves: dict[str, None] = field(default_factory=dict)
    _text: bytes = b""
    _output: bytes = b""

    @property
    def slaves(self) -> list[str]:
        """Where the last of them were, the latest first."""
        return list(reversed(self._slaves))

    @property
    def rank(self) -> tuple[int, float]:
        """What a group has least of that is dropped first."""
        return self.count + self.tried_again, self.last_at

    @property
    def text(self) -> str:
        """The traceback of the last one."""
        return self._text.decode("utf-8", "ignore")

    @property
    def output(self) -> str:
        """The end of what the last one has printed."""
        return self._output.decode("utf-8", "ignore")

    def note(self, failed: Failed) -> None:
        """Count one more."""
        self.first_at = self.first_at or failed.at
        self.count += failed.is_last
        self.tried_again += not failed.is_last
        self.last_at = max(self.last_at, failed.at)
        if not self.tasks or self.tasks[-1] != failed.task_id:
            self.tasks.append(failed.task_id)
        if failed.slave:
            self._slaves.pop(failed.slave, None)
            self._slaves[failed.slave] = None
            if len(self._slaves) > SLAVES_MAX:
                del self._slaves[next(iter(self._slaves))]
        self.set_words(failed.text, failed.output)

    def set_words(self, text: str, output: str) -> None:
        """Know the words of the last one."""
        self._text = _end(text, TEXT_BYTES_MAX)
        self._output = _end(output, OUTPUT_BYTES_MAX)

    def absorb(self, other: FailureGroup) -> None:
        """Count the failures of another group, whose words are lost."""
        self.count += other.count
        self.tried_again += other.tried_again
        self.first_at = min(self.first_at, other.first_at)
        self.last_at = max(self.last_at, other.last_at)


class FailureGroups:
    """See the module."""

    def __init__(self) -> None:
        self._group_by_key: dict[_Key, FailureGroup] = {}
        self._others: FailureGroup | None = None

    def note(self, job: JobMark, failed: Failed) -> None:
        """Count a failure of a task of a job."""
        exception = cut_exception(failed.exception)
        key = job.owner, failed.name, exception
        group = self._group_by_key.get(key)
        if group is None:
            if len(self._group_by_key) >= GROUPS_MAX:
                self._drop()
            group = self._group_by_key[key] = FailureGroup(job, failed.name, exception, failed.at)
        group.note(failed)

    def told(self, job: JobMark, name: str, exception: str, count: int, text: str) -> None:
        """Take in failures from before a start of the master, of which no time is known."""
        key = job.owner, name, cut_exception(exception)
        if count > 0 and key not in self._group_by_key and len(self._group_by_key) < GROUPS_MAX:
            group = FailureGroup(job, name, key[2], 0.0, count)
            group.set_words(text, "")
            self._group_by_key[key] = group

    def rows(self) -> list[FailureGroup]:
        """Return the groups, the one with the latest failure first; those not told apart come last."""
        rows = sorted(self._group_by_key.values(), key=lambda group: group.last_at, reverse=True)
        return [*rows, self._others] if self._others is not None else rows

    def get(self, owner: int, name: str, exception: str) -> FailureGroup | None:
        """Return the group of one kind, None if there is none."""
        return self._group_by_key.get((owner, name, cut_exception(exception)))

    def _drop(self) -> None:
        groups = self._group_by_key
        least = sorted(
            groups, key=lambda key: (groups[key].count + groups[key].tried_again, groups[key].last_at)
        )
        if self._others is None:
            self._others = FailureGroup(OTHERS, "", "", groups[least[0]].first_at)
        for key in least[:DROPPED]:
            self._others.absorb(groups.pop(key))


def cut_exception(name: str) -> str:
    """Return the type of an exception as it is kept."""
    if name.isascii():
        return name[:EXCEPTION_BYTES_MAX]
    return name.encode("utf-8", "replace")[:EXCEPTION_BYTES_MAX].decode("utf-8", "ignore")


def _end(text: str, bytes_max: int) -> bytes:
    return text[-bytes_max:].encode("utf-8", "replace")[-bytes_max:]
